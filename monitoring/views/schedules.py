"""The tests' schedules: add, change, switch on and off, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring.access import CHANGE, guarded
from monitoring.models import TestSchedule
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.run_forms import ScheduleForm
from monitoring.suites import schedules


@page("schedule", get=CHANGE, post=CHANGE)
def schedule_form(request: PanelRequest, pk: int | None = None) -> HttpResponse | dict[str, Any]:
    """The form of a schedule, or of a new one."""
    schedule = get_object_or_404(TestSchedule, pk=pk) if pk else None
    form = ScheduleForm(schedule, request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user.get_username(), timezone.now()):
        messages.success(request, _("Saved."))
        return _to_list()
    return {"form": form, "schedule": schedule}


@guarded(get=None, post=CHANGE)
def switch_schedule(request: PanelRequest, pk: int) -> HttpResponse:
    """On with `enabled` true, else off."""
    get_object_or_404(TestSchedule, pk=pk)
    is_on = request.POST.get("enabled") == "true"
    schedules.change(pk, {"enabled": is_on}, by=request.user.get_username(), now=timezone.now())
    return _to_list()


@guarded(get=None, post=CHANGE)
def delete_schedule(request: PanelRequest, pk: int) -> HttpResponse:
    """Gone for good; what it ran stays in the history."""
    schedules.delete(pk, by=request.user.get_username(), now=timezone.now())
    return _to_list()


def _to_list() -> HttpResponse:
    return redirect(f"{reverse('tests')}#schedules")
