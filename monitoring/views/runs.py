"""Tests: start a run, see how the last ones went."""

from __future__ import annotations

from collections.abc import Sequence
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

# Two runs shall not look like two walls.
LEAST_BARS = 30


@page("tests", post=SUBMIT)
def test_runs(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """The runs that match the filter; a POST starts one."""
    form = RunForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return started(request, form.cleaned_data["suites"], form.options)
    now, filters, newest = timezone.now(), RunFilter(request.GET), last_done()
    listed = runs(filters.query(now), Place.parse(request.GET))
    points = trend(listed.strip)
    history = {
        "filters": filters,
        "runs": listed,
        "trend": points,
        "trend_width": max(len(points), LEAST_BARS),
        "changed": changed(newest) if newest else [],
    }
    beside = {"costs": costs(now), "schedules": schedule_rows(), "schedule_changes": schedule_changes()}
    drawn = {"trend": points, "trend_width": max(len(points), LEAST_BARS)}
    return {"now": now, "start": form, "under_way": under_way(), "newest": newest, **history, **drawn, **beside}


def started(request: PanelRequest, suites: Sequence[str], options: dict[str, Any]) -> HttpResponse:
    """To a new run, or 409 with the way to the one that is in its way."""
    try:
        run = running.ask(suites, trigger=TestRun.Trigger.OPERATOR, by=request.user.get_username(), options=options)
    except running.AlreadyRunning as error:
        return render(request, "monitoring/already_running.html", {"run": error.run}, status=409)
    return redirect(run)
