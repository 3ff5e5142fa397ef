from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from agents.configuration import delete_as
from agents.models.jobs import UNDER_WAY
from agents.operator_jobs.leased_job import cancel
from agents.worker import cron
from monitoring.audit.audit_log import newest_entries
from monitoring.health.components import worker_now
from monitoring.models import TestRun, TestSchedule
from monitoring.reporting.pagination import Place
from monitoring.testruns.run_forms import RunFilter, RunForm, ScheduleForm
from monitoring.testruns.runs import changed, costs, newest, runs, trend
from monitoring.testruns.suites import running, schedules
from monitoring.testruns.suites.report import as_json, as_markdown, report
from monitoring.web.access import CHANGE, SUBMIT, VIEW, PanelRequest, guarded
from monitoring.web.pages import page

# So that the bars of few runs are not too wide.
LEAST_BARS = 30


@page("testruns/tests", post=SUBMIT)
def test_runs(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    form = RunForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return started(request, form.cleaned_data["suites"], form.options)
    now, filters = timezone.now(), RunFilter(request.GET)
    listed = runs(filters.conditions(now), Place.parse(request.GET))
    last, points = next(iter(newest(1)), None), trend(listed.strip)
    return {
        "now": now,
        "start": form,
        "under_way": TestRun.objects.filter(state__in=UNDER_WAY).first(),
        "newest": last.pk if last else None,
        "filters": filters,
        "runs": listed,
        "trend": points,
        "trend_width": max(len(points), LEAST_BARS),
        "changed": changed(last.pk) if last else [],
        "costs": costs(now),
        "schedules": [(row, cron.in_words(row.cron)) for row in TestSchedule.objects.all()],
        "schedule_changes": newest_entries(10, kinds=("schedule",)),
    }


def started(request: PanelRequest, suites: Sequence[str], options: dict[str, Any]) -> HttpResponse:
    """Redirect to a new run, or answer 409 with a link to the active one."""
    try:
        run = running.start(suites, trigger=TestRun.Trigger.OPERATOR, by=request.user.get_username(), options=options)
    except running.AlreadyRunning as error:
        return render(request, "testruns/already_running.html", {"run": error.run}, status=409)
    return redirect(run)


@page("testruns/test_run")
def run_report(request: PanelRequest, pk: int) -> dict[str, Any]:
    run = get_object_or_404(TestRun, pk=pk)
    return {
        "run": run,
        "report": report(run),
        "is_under_way": run.is_under_way,
        "is_stuck": run.state == TestRun.State.QUEUED and worker_now(timezone.now()).is_silent,
        "changed": [] if run.is_under_way else changed(pk),
    }


@guarded(get=None, post=SUBMIT)
def cancel_run(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(TestRun, pk=pk)
    if not cancel(run):
        messages.info(request, "The run has already ended.")
    return redirect(run)


@guarded(get=VIEW, post=None)
def run_file(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    run = get_object_or_404(TestRun, pk=pk)
    if form == "json":
        response: HttpResponse = JsonResponse(as_json(report(run)), json_dumps_params={"indent": 1})
    else:
        response = HttpResponse(as_markdown(report(run)), content_type="text/markdown; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="test-run-{pk}.{form}"'
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@page("testruns/schedule", get=CHANGE, post=CHANGE)
def schedule_form(request: PanelRequest, pk: int | None = None) -> HttpResponse | dict[str, Any]:
    schedule = get_object_or_404(TestSchedule, pk=pk) if pk else None
    form = ScheduleForm(schedule, request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user, timezone.now()):
        messages.success(request, "Saved.")
        return _to_list()
    return {"form": form, "schedule": schedule}


@guarded(get=None, post=CHANGE)
def switch_schedule(request: PanelRequest, pk: int) -> HttpResponse:
    get_object_or_404(TestSchedule, pk=pk)
    schedules.save(pk, {"enabled": request.POST.get("enabled") == "true"}, by=request.user, now=timezone.now())
    return _to_list()


@guarded(get=None, post=CHANGE)
def delete_schedule(request: PanelRequest, pk: int) -> HttpResponse:
    if schedule := TestSchedule.objects.filter(pk=pk).first():
        delete_as(schedule, request.user, "")
    return _to_list()


def _to_list() -> HttpResponse:
    return redirect(f"{reverse('tests')}#schedules")
