"""Settings: what admins adjust, the accounts, and who changed what."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from agents.models import Settings
from agents.phrases import phrase
from monitoring.access import CHANGE, VIEW, guarded
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.settings_forms import SettingsForm
from monitoring.stats.accounts import account_rows
from monitoring.stats.changes import changes
from monitoring.what_if_form import as_text
from monitoring.wording import translated

SAVED = phrase("Saved. It counts from the next step on, in all processes.")
RAISED = phrase("The longest backoff was raised to the last pause of the list: it can't be shorter.")

# What the settings' form has in common with the what-if's.
TRIED = ("pacing", "spacing_seconds", "backoff_seconds", "backoff_max_seconds", "deadline_seconds")


@page("settings", post=CHANGE)
def settings(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """All settings with their history; a POST changes those of the miner."""
    if "what_if" in request.POST:
        return redirect(_what_if_address(request))
    form = SettingsForm(Settings.current(), request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user):
        messages.success(request, translated(SAVED))
        if form.entered:
            messages.info(request, translated(RAISED))
        return redirect("settings")
    return {"form": form, "accounts": account_rows(), "changes": changes()}


@guarded(get=VIEW, post=None)
def settings_preview(request: PanelRequest) -> HttpResponse:
    """What the values in the query string come to."""
    return render(request, "monitoring/_settings_preview.html", {"form": SettingsForm(Settings.current(), request.GET)})


def _what_if_address(request: PanelRequest) -> str:
    """The what-if's page, filled in with the form's values as they were entered."""
    asked = {name: request.POST.get(name, "") for name in TRIED}
    return f"{reverse('what_if')}?{urlencode({**asked, 'probe_after_pause': as_text('probe_after_pause' in request.POST)})}"
