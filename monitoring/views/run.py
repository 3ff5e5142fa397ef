"""One test run: how it goes, then its report, on the page and as files."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from monitoring.access import SUBMIT, VIEW, guarded
from monitoring.health.readiness import worker_now
from monitoring.models import TestRun
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.run_trend import changed
from monitoring.stats.runs import row_of
from monitoring.suites import running
from monitoring.suites.report import Report, as_json, as_markdown, report


@page("test_run")
def run_report(request: PanelRequest, pk: int) -> dict[str, Any]:
    """Its progress and results as they come, and the report when it is over."""
    run = get_object_or_404(TestRun, pk=pk)
    is_under_way = run.state in running.UNDER_WAY
    waits_for_worker = run.state == TestRun.State.QUEUED and worker_now(timezone.now()).is_silent
    over = {"changed": [] if is_under_way else changed(pk)}
    return {"run": run, "row": row_of(run), "report": _report(run), "is_under_way": is_under_way, "is_stuck": waits_for_worker, **over}


@guarded(get=None, post=SUBMIT)
def cancel_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel it, where it is not over yet."""
    run = get_object_or_404(TestRun, pk=pk)
    if not running.cancel(run):
        messages.info(request, _("The run was over already."))
    return redirect(run)


@guarded(get=VIEW, post=None)
def run_markdown(request: HttpRequest, pk: int) -> HttpResponse:
    """The report as a Markdown file."""
    text = as_markdown(_report(get_object_or_404(TestRun, pk=pk)))
    return _file(HttpResponse(text, content_type="text/markdown; charset=utf-8"), f"test-run-{pk}.md")


@guarded(get=VIEW, post=None)
def run_json(request: HttpRequest, pk: int) -> HttpResponse:
    """The report as JSON."""
    told = as_json(_report(get_object_or_404(TestRun, pk=pk)))
    return _file(JsonResponse(told, encoder=DjangoJSONEncoder, json_dumps_params={"indent": 1}), f"test-run-{pk}.json")


def _report(run: TestRun) -> Report:
    return report(run, run.results.order_by("number"))


def _file(response: HttpResponse, name: str) -> HttpResponse:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-cache"
    return response
