"""Backups: when they are taken by themselves, and what is there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.access import CHANGE, guarded
from monitoring.backup import plan
from monitoring.backup_form import BackupForm
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.backups import backups


@page("backups", get=CHANGE, post=CHANGE)
def backup_plan(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """The plan and the files; a POST changes the plan."""
    form, now = BackupForm(request.POST if request.method == "POST" else None), timezone.now()
    if form.is_bound and form.store(request.user.get_username(), now):
        messages.success(request, _("Saved."))
        return redirect("backups")
    return {"form": form, "backups": backups(now)}


@guarded(get=None, post=CHANGE)
def cancel_backup(request: PanelRequest) -> HttpResponse:
    """Cancel the one under way, where it is not over yet."""
    if not plan.cancel(by=request.user.get_username(), now=timezone.now()):
        messages.info(request, _("The backup was over already."))
    return redirect("backups")
