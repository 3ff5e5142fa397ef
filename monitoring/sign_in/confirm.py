"""Before changing a factor, users confirm their identity, unless they signed in a moment ago."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.reauthentication import is_reauthentication_required, reauthenticate_by_password
from allauth.mfa.base.forms import ReauthenticateForm
from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from monitoring.sign_in import tries
from monitoring.sign_in.log_in import note_recovery_code, second_step
from monitoring.sign_in.passkeys import PasskeyForm
from monitoring.web.access import SETTING_UP, PanelRequest
from monitoring.web.pages import page

TEMPLATE = "sign_in/confirm.html"


class PasswordForm(forms.Form):
    password = forms.CharField(strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"}))

    def __init__(self, data: Any, user: User) -> None:
        super().__init__(data)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise ValidationError("This is not your password.")
        return password


def confirmed(view: Callable[..., Any]) -> Callable[..., Any]:
    """Redirect users without a recent sign-in or confirmation to the confirmation page, and back afterwards."""

    @wraps(view)
    def checked(request: PanelRequest, *args: object, **kwargs: object) -> Any:
        if not is_reauthentication_required(request, app="allauth.mfa"):
            return view(request, *args, **kwargs)
        if request.method == "POST":
            messages.warning(request, "Nothing was done yet. Confirm that it is you, then try again.")
        back = reverse("second_factor") if request.method == "POST" else request.get_full_path()
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}")

    return checked


@page("sign_in/confirm", get=SETTING_UP, post=SETTING_UP)
def confirm(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    user, back = request.user, request.POST.get("next") or request.GET.get("next", "")
    context = {**second_step(request, user), "next": back, "has_password": user.has_usable_password()}
    if request.method != "POST":
        return context
    attempt = tries.begin(request, user)
    if attempt.wait:
        return tries.too_early(request, attempt, TEMPLATE, context)
    form = _form(request)
    if not form.is_valid():
        tries.failed(request, attempt, user.get_username(), "Confirmation while logged in.")
        return render(request, TEMPLATE, {**context, "form": form})
    if isinstance(form, PasswordForm):
        reauthenticate_by_password(request)
    else:
        form.save()
        note_recovery_code(request, user, form)
    tries.succeeded(request, user)
    return redirect(back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else reverse("second_factor"))


def _form(request: PanelRequest) -> Any:
    if "credential" in request.POST:
        return PasskeyForm(request.POST, request.user, confirms=True)
    if "code" in request.POST:
        return ReauthenticateForm(request.POST, user=request.user)
    return PasswordForm(request.POST, request.user)
