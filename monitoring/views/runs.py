"""Tests: start a run, see how the last ones went."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from monitoring.access import SUBMIT
from monitoring.models import TestRun
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.run_forms import RunFilter, RunForm
from monitoring.stats.keyset import Place
from monitoring.stats.run_trend import changed, costs, last_done, trend
from monitoring.stats.runs import runs, under_way
from monitoring.stats.schedules import schedule_changes, schedule_rows
from monitoring.suites import running


@page("tests", post=SUBMIT)
def test_runs(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """The runs that match the filter; a POST starts one."""
    form = RunForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _started(request, form)
    now, filters, newest = timezone.now(), RunFilter(request.GET), last_done()
    listed = runs(filters.query(now), Place.parse(request.GET))
    history = {"filters": filters, "runs": listed, "trend": trend(listed.strip), "changed": changed(newest) if newest else []}
    beside = {"costs": costs(now), "schedules": schedule_rows(), "schedule_changes": schedule_changes()}
    return {"now": now, "start": form, "under_way": under_way(), "newest": newest, **history, **beside}


def _started(request: PanelRequest, form: RunForm) -> HttpResponse:
    """To the new run, or 409 with the way to the one that is in its way."""
    try:
        run = running.ask(
            form.cleaned_data["suites"], trigger=TestRun.Trigger.OPERATOR, by=request.user.get_username(), options=form.options
        )
    except running.AlreadyRunning as error:
        return render(request, "monitoring/already_running.html", {"run": error.run}, status=409)
    return redirect(run)
