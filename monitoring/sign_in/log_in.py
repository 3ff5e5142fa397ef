"""The log-in: by password, then by code or passkey if the user has a second factor; or by passkey alone."""

from typing import Any

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.webauthn.internal.flows import perform_passwordless_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from agents.common.text import storable
from agents.models import AuditEntry
from monitoring.sign_in import passkeys, tries
from monitoring.sign_in.oidc import has_provider
from monitoring.sign_in.passkeys import PasskeyForm
from monitoring.sign_in.second_factors import codes_left
from monitoring.sign_in.tries import Try

# No user can have this name. Unknown names are not recorded, as one may be a password in the wrong field.
UNKNOWN_NAME = "(unknown name)"


class PanelLogin(LoginView):
    """Django's log-in with allauth's second step. Each try is in the audit log, and wrong ones delay further ones from the address."""

    template_name = "sign_in/log_in.html"
    redirect_authenticated_user = True
    attempt = Try(0)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A try within the delay is refused before the password is hashed."""
        self.attempt = tries.begin(request)
        if not self.attempt.wait:
            return super().post(request, *args, **kwargs)
        form = AuthenticationForm(request, initial={"username": request.POST.get("username", "")[:150]})
        return tries.too_early(request, self.attempt, self.template_name, self.get_context_data(form=form))

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        login = Login(user=user, redirect_url=self.get_redirect_url())
        response: HttpResponse = perform_password_login(self.request, {"username": user.get_username()}, login)
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        name = User.objects.filter(username=storable(form.data.get("username", ""))).values_list("username", flat=True).first()
        tries.failed(self.request, self.attempt, name or UNKNOWN_NAME)
        return super().form_invalid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        provider = settings.OIDC_NAME if has_provider() else ""
        return super().get_context_data(no_passkeys=passkeys.why_not(self.request), provider=provider, **kwargs)


@require_http_methods(["GET", "HEAD", "POST"])
@login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login")  # type: ignore[untyped-decorator] # allauth's
def code(request: HttpRequest) -> HttpResponse:
    """The second step: the app's code, a recovery code or a passkey."""
    stage = request._login_stage  # type: ignore[attr-defined] # noqa: SLF001 -- where allauth's decorator puts it
    user: User = stage.login.user
    if request.method != "POST":
        return render(request, "sign_in/code.html", second_step(request, user))
    attempt = tries.begin(request, user)
    if attempt.wait:
        return tries.too_early(request, attempt, "sign_in/code.html", second_step(request, user))
    form = second_form(request, user)
    if not form.is_valid():
        tries.failed(request, attempt, user.get_username(), "In the second step.")
        return render(request, "sign_in/code.html", {**second_step(request, user), "form": form})
    form.save()
    note_recovery_code(request, user, form)
    response: HttpResponse = stage.exit()
    return response


def second_form(request: HttpRequest, user: User) -> Any:
    return PasskeyForm(request.POST, user) if "credential" in request.POST else AuthenticateForm(request.POST, user=user)


def second_step(request: HttpRequest, user: User) -> dict[str, Any]:
    """The context of a page that requests the user's code or passkey."""
    no_passkeys, has_passkeys = passkeys.why_not(request), bool(passkeys.credentials(user))
    options = passkeys.request_options(user) if has_passkeys and not no_passkeys else None
    has_codes = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN).exists()
    return {"passkey_options": options, "no_passkeys": no_passkeys if has_passkeys else "", "has_codes": has_codes}


def note_recovery_code(request: HttpRequest, user: User, form: Any) -> None:
    used = getattr(form, "authenticator", None)
    if used and used.type == Authenticator.Type.RECOVERY_CODES:
        left = codes_left(user)
        tries.record(request, AuditEntry.Action.RECOVERY_CODE, user.get_username(), f"{left} left.")
        messages.warning(request, f"A recovery code works once. You have {left} left.")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def passkey(request: HttpRequest) -> HttpResponse:
    """GET: the options for a browser's passkeys. POST: its answer, which signs in without a password."""
    if passkeys.why_not(request):
        raise Http404
    if request.method != "POST":
        return JsonResponse(passkeys.request_options(None))
    attempt = tries.begin(request)
    if attempt.wait:
        return tries.too_early(request, attempt, PanelLogin.template_name, {"form": AuthenticationForm(request)})
    form = PasskeyForm(request.POST, None)
    if not form.is_valid():
        tries.failed(request, attempt, UNKNOWN_NAME, "By passkey.")
        messages.warning(request, "This passkey is not known here. Log in with your password.")
        return redirect("account_login")
    credential = form.cleaned_data["credential"]
    login = Login(user=credential.user, redirect_url=PanelLogin(request=request).get_redirect_url())
    response: HttpResponse = perform_passwordless_login(request, credential, login)
    return response
