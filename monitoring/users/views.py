from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from monitoring.sign_in.oidc import has_provider
from monitoring.sign_in.second_factors import factors_text
from monitoring.tokens.views import rows as token_rows
from monitoring.users import users as people
from monitoring.web.access import CHANGE, SIGNED_IN, PanelRequest, guarded
from monitoring.web.pages import acted, page


class NewUserForm(forms.Form):
    username = forms.CharField(max_length=150, help_text="Letters, digits and @ . + - _", widget=forms.TextInput({"autocomplete": "off"}))
    group = forms.ChoiceField(choices=people.GROUPS, help_text="Viewers read, operators also act, admins also change settings and users.")
    has_password = forms.BooleanField(initial=True, required=False, label="Logs in with a password")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        if not has_provider():
            del self.fields["has_password"]
        else:
            by = f"Without it: by {settings.OIDC_NAME}, where this is the user's name or verified e-mail address."
            self.fields["has_password"].help_text = by


@page("users/users", get=CHANGE, post=CHANGE)
def users(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """A POST adds a user, and shows the first password, once."""
    form, shown = NewUserForm(request.POST or None), None
    if form.is_valid():
        try:
            given = {"has_password": True, **form.cleaned_data}
            shown = people.add(given["username"], given["group"], by=request.user, now=timezone.now(), has_password=given["has_password"])
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
    members = User.objects.prefetch_related("groups", "authenticator_set").order_by("-is_active", "username")
    rows = [(user, people.role(user), factors_text(user.authenticator_set.all())) for user in members]  # type: ignore[attr-defined]
    more = {"provider": settings.OIDC_NAME, "tokens": token_rows()}
    return {"form": form, "shown": shown, "users": rows, "groups": people.GROUPS, **more}


@guarded(get=None, post=CHANGE)
def regroup(request: PanelRequest, pk: int) -> HttpResponse:
    group = request.POST.get("group", "")
    return acted(request, "users", "Saved.", lambda: people.regroup(pk, group, by=request.user, now=timezone.now()))


@guarded(get=None, post=CHANGE)
def switch(request: PanelRequest, pk: int) -> HttpResponse:
    active = request.POST.get("active") == "true"
    return acted(request, "users", "Saved.", lambda: people.switch(pk, active=active, by=request.user, now=timezone.now()))


@guarded(get=None, post=CHANGE)
def reset_second_factor(request: PanelRequest, pk: int) -> HttpResponse:
    done = "The second factor is reset, and the user logged out everywhere."
    return acted(request, "users", done, lambda: people.reset_second_factor(pk, by=request.user, now=timezone.now()))


@page("users/password", get=SIGNED_IN, post=SIGNED_IN)
def password(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    form = PasswordChangeForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        user = form.save()
        update_session_auth_hash(request, user)
        people.record(f"{user.username} changed their password.", user, timezone.now())
        messages.success(request, "Your password is changed. Other browsers in which you were logged in are logged out.")
        return redirect("password")
    return {"form": form}
