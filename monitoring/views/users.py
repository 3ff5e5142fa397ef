"""Users: who may use the panel, and everybody's own password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring import users as people
from monitoring.access import CHANGE, SIGNED_IN, guarded
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.user_forms import GroupForm, NewUserForm


@page("users", get=CHANGE, post=CHANGE)
def users(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """All users; a POST adds one, and shows the first password this once."""
    form, shown = NewUserForm(request.POST or None), None
    if form.is_valid():
        try:
            shown = people.add(form.cleaned_data["username"], form.cleaned_data["group"], by=request.user, now=timezone.now())
            form = NewUserForm()
        except ValidationError as error:
            form.add_error("username", error)
    return _context(form, shown)


@page("users", get=None, post=CHANGE)
def reset(request: PanelRequest, pk: int) -> HttpResponse | dict[str, Any]:
    """Give a user another password, shown this once."""
    try:
        shown = people.reset_password(pk, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("users")
    return _context(NewUserForm(), shown)


@guarded(get=None, post=CHANGE)
def regroup(request: PanelRequest, pk: int) -> HttpResponse:
    """Put a user into another group."""
    form = GroupForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Choose viewers, operators or admins."))
        return redirect("users")
    return _done(request, lambda: people.regroup(pk, form.cleaned_data["group"], by=request.user, now=timezone.now()))


@guarded(get=None, post=CHANGE)
def switch(request: PanelRequest, pk: int) -> HttpResponse:
    """Activate or deactivate a user."""
    active = request.POST.get("active") == "true"
    return _done(request, lambda: people.switch(pk, active=active, by=request.user, now=timezone.now()))


@page("password", get=SIGNED_IN, post=SIGNED_IN)
def password(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """Everybody's own password."""
    form = PasswordChangeForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        user = form.save()
        update_session_auth_hash(request, user)
        people.own_password_changed(user, timezone.now())
        messages.success(request, _("Your password is changed. Other browsers in which you were logged in are logged out."))
        return redirect("password")
    return {"form": form}


def _context(form: NewUserForm, shown: tuple[User, str] | None) -> dict[str, Any]:
    rows = [(user, people.role(user)) for user in User.objects.prefetch_related("groups").order_by("-is_active", "username")]
    return {"form": form, "shown": shown, "users": rows, "groups": people.GROUPS}


def _done(request: PanelRequest, act: Callable[[], None]) -> HttpResponse:
    try:
        act()
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    else:
        messages.success(request, _("Saved."))
    return redirect("users")
