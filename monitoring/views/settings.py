"""Settings: what admins adjust, the accounts, and who changed what."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from agents.models import Settings
from monitoring.access import CHANGE
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.settings_forms import SettingsForm
from monitoring.stats.accounts import account_rows
from monitoring.stats.changes import changes

SAVED = "Saved. It counts from the next step on, in all processes."


@page("settings", post=CHANGE)
def settings(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """All settings with their history; a POST changes those of the miner."""
    form = SettingsForm(Settings.current(), request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user):
        messages.success(request, SAVED)
        return redirect("settings")
    return {"form": form, "accounts": account_rows(), "changes": changes()}
