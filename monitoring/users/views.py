from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from agents.common.requests import client_address
from agents.common.text import storable
from agents.models import AuditEntry
from monitoring.tokens.views import rows as token_rows
from monitoring.users import log_in_delay
from monitoring.users import users as people
from monitoring.users.log_in_delay import FREE_TRIES, LONGEST_DELAY, Admission
from monitoring.web.access import CHANGE, SIGNED_IN, PanelRequest, guarded
from monitoring.web.pages import acted, page


class NewUserForm(forms.Form):
    username = forms.CharField(max_length=150, help_text="Letters, digits and @ . + - _", widget=forms.TextInput({"autocomplete": "off"}))
    group = forms.ChoiceField(choices=people.GROUPS, help_text="Viewers read, operators also act, admins also change settings and users.")


@page("users/users", get=CHANGE, post=CHANGE)
def users(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """A POST adds one, and shows the first password this once."""
    form, shown = NewUserForm(request.POST or None), None
    if form.is_valid():
        try:
            shown = people.add(form.cleaned_data["username"], form.cleaned_data["group"], by=request.user, now=timezone.now())
            form = NewUserForm()
        except ValidationError as error:
            form.add_error("username", error)
    return _context(form, shown)


@page("users/users", get=None, post=CHANGE)
def reset(request: PanelRequest, pk: int) -> HttpResponse | dict[str, Any]:
    try:
        return _context(NewUserForm(), people.reset_password(pk, by=request.user, now=timezone.now()))
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("users")


def _context(form: NewUserForm, shown: tuple[User, str] | None) -> dict[str, Any]:
    rows = [(user, people.role(user)) for user in User.objects.prefetch_related("groups").order_by("-is_active", "username")]
    return {"form": form, "shown": shown, "users": rows, "groups": people.GROUPS, "tokens": token_rows()}


@guarded(get=None, post=CHANGE)
def regroup(request: PanelRequest, pk: int) -> HttpResponse:
    group = request.POST.get("group", "")
    return acted(request, "users", "Saved.", lambda: people.regroup(pk, group, by=request.user, now=timezone.now()))


@guarded(get=None, post=CHANGE)
def switch(request: PanelRequest, pk: int) -> HttpResponse:
    active = request.POST.get("active") == "true"
    return acted(request, "users", "Saved.", lambda: people.switch(pk, active=active, by=request.user, now=timezone.now()))


@page("users/password", get=SIGNED_IN, post=SIGNED_IN)
def password(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    form = PasswordChangeForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        user = form.save()
        update_session_auth_hash(request, user)
        people.record(f"{user.username} changed the own password.", user, timezone.now())
        messages.success(request, "Your password is changed. Other browsers in which you were logged in are logged out.")
        return redirect("password")
    return {"form": form}


# No user can have this name. A name that nobody has is not kept: it may be a password in the wrong field.
NOBODY = "(unknown name)"


class PanelLogin(LoginView):
    """Django's log-in; each try is in the audit with the client's address, and wrong ones slow that address down."""

    redirect_authenticated_user = True
    admission = Admission(0, 0)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A try that comes too early is refused before anything is hashed."""
        self.admission = log_in_delay.admit(self._source(), timezone.now())
        if not self.admission.wait:
            return super().post(request, *args, **kwargs)
        form = AuthenticationForm(request, initial={"username": request.POST.get("username", "")[:150]})
        response = self.render_to_response(self.get_context_data(form=form, wait=self.admission.wait), status=429)
        response["Retry-After"] = str(self.admission.wait)
        # Else Django logs each as a warning, a row a try. The audit has the slow-down once.
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 -- what Django's own `log_response` reads
        return response

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        log_in_delay.succeeded(self._source())
        self._record(AuditEntry.Action.LOGIN, form.get_user().get_username())
        return super().form_valid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        name = User.objects.filter(username=storable(form.data.get("username", ""))).values_list("username", flat=True).first()
        self._record(AuditEntry.Action.LOGIN_FAILED, name or NOBODY)
        if self.admission.tries == FREE_TRIES:
            begins = f"{self._source()}: {FREE_TRIES} wrong tries. From now on each try from there waits for the one before"
            AuditEntry.record(AuditEntry.Action.LOGIN_SLOWED, f"{begins}, up to {LONGEST_DELAY} s.", by="", now=timezone.now())
        return super().form_invalid(form)

    def _source(self) -> str:
        return log_in_delay.source_of(client_address(self.request))

    def _record(self, action: AuditEntry.Action, by: str) -> None:
        AuditEntry.record(action, f"From {client_address(self.request) or 'an unknown address'}.", by=by, now=timezone.now())
