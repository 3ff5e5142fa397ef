"""The accounts: a page each, and what the list on the Settings page does to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from agents.configuration import change_account, delete_account, move_account, parsed, why_kept
from agents.models import Account
from agents.phrases import phrase
from monitoring.access import CHANGE, SUBMIT, guarded
from monitoring.account_forms import AccountForm
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.changes import account_changes
from monitoring.views.runs import started
from monitoring.views.settings import SAVED
from monitoring.wording import translated

ROTATED = phrase("Saved. The new key counts from the next step on. Test it to see whether it works.")
PLACES = {"up": -1, "down": 1}


@page("account", post=CHANGE)
def account(request: PanelRequest, pk: int) -> HttpResponse | dict[str, Any]:
    """One account with its history; a POST changes it."""
    row = get_object_or_404(Account, pk=pk)
    form = AccountForm(row, request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user):
        messages.success(request, translated(ROTATED if form.cleaned_data["key"] else SAVED))
        return redirect("account", pk)
    return {"form": form, "account": row, "changes": account_changes(row), "why_kept": why_kept(row)}


@page("new_account", get=CHANGE, post=CHANGE)
def new_account(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """A POST adds an account."""
    form = AccountForm(Account(), request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user):
        messages.success(request, _("Account {name} is added. {saved}").format(name=form.row.name, saved=translated(SAVED)))
        return redirect("settings")
    return {"form": form}


@guarded(get=None, post=CHANGE)
def move(request: PanelRequest, pk: int) -> HttpResponse:
    """Ask an account earlier or later."""
    places = PLACES.get(request.POST.get("to", ""), 0)
    return _done(request, pk, lambda row: move_account(row, places, by=request.user, reason=""))


@guarded(get=None, post=CHANGE)
def switch(request: PanelRequest, pk: int) -> HttpResponse:
    """Enable or disable an account."""
    return _done(request, pk, lambda row: change_account(row, _switched(request.POST.get("enabled", "")), by=request.user, reason=""))


@guarded(get=None, post=SUBMIT)
def test(request: PanelRequest, pk: int) -> HttpResponse:
    """Test the key of this account alone; what comes out is a test run of its own."""
    return started(request, ["key"], {"account": get_object_or_404(Account, pk=pk).name})


@guarded(get=None, post=CHANGE)
def delete(request: PanelRequest, pk: int) -> HttpResponse:
    """Delete an account that no record needs."""
    return _done(request, pk, lambda row: delete_account(row, by=request.user, reason=""))


def _switched(text: str) -> dict[str, Any]:
    try:
        return {"enabled": parsed("enabled", text)}
    except ValueError as error:
        raise ValidationError(_("Enabled: {error}").format(error=error)) from None


def _done(request: PanelRequest, pk: int, act: Callable[[Account], object]) -> HttpResponse:
    """Act on the account, then back to the list with what came of it."""
    try:
        act(get_object_or_404(Account, pk=pk))
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    else:
        messages.success(request, translated(SAVED))
    return redirect("settings")
