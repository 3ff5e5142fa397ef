"""Settings: what admins adjust, and who changed what."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from agents.configuration import default_account
from agents.models import Settings
from monitoring.access import CHANGE
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.settings_forms import AccountForm, SettingsForm
from monitoring.stats.changes import changes

SAVED = "Saved. It counts from the next step on, in all processes."


@page("settings", post=CHANGE)
def settings(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """All settings with their history; a POST changes those of the miner."""
    form = SettingsForm(Settings.current(), request.POST if request.method == "POST" else None)
    return _saved(request, form) or _context(form, AccountForm(default_account()))


@page("settings", get=None, post=CHANGE)
def account(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """A POST changes the default account."""
    form = AccountForm(default_account(), request.POST)
    return _saved(request, form) or _context(SettingsForm(Settings.current()), form)


def _saved(request: PanelRequest, form: SettingsForm | AccountForm) -> HttpResponse | None:
    if not form.is_bound or not form.save(request.user):
        return None
    messages.success(request, SAVED)
    return redirect("settings")


def _context(form: SettingsForm, account_form: AccountForm) -> dict[str, Any]:
    return {"form": form, "account_form": account_form, "changes": changes(), "is_refused": bool(form.errors or account_form.errors)}
