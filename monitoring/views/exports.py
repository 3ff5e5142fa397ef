"""What is filtered, as a file."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.utils import timezone

from monitoring.access import VIEW, guarded
from monitoring.exports import exported
from monitoring.queries import parse
from monitoring.requests import PanelRequest
from monitoring.stats.attempts import attempt_qualifiers
from monitoring.stats.exports import ATTEMPT_COLUMNS, TASK_COLUMNS, attempt_rows, task_rows
from monitoring.stats.step_filters import step_qualifiers
from monitoring.stats.step_list import COLUMNS as STEP_COLUMNS
from monitoring.stats.step_list import step_rows
from monitoring.stats.task_filters import task_qualifiers


@guarded(get=VIEW, post=None)
def export_tasks(request: PanelRequest) -> HttpResponseBase:
    """The tasks that match, newest first."""
    now, query = timezone.localtime(), parse(request.GET.get("q", ""), task_qualifiers())
    return exported("tasks", request.GET.get("format", "csv"), TASK_COLUMNS, query, task_rows(query, now), now)


@guarded(get=VIEW, post=None)
def export_steps(request: PanelRequest) -> HttpResponseBase:
    """The steps that match, newest first."""
    now, query = timezone.localtime(), parse(request.GET.get("q", ""), step_qualifiers())
    return exported("steps", request.GET.get("format", "csv"), STEP_COLUMNS, query, step_rows(query, now), now)


@guarded(get=VIEW, post=None)
def export_attempts(request: PanelRequest) -> HttpResponseBase:
    """The LLM attempts that match, newest first."""
    now, query = timezone.localtime(), parse(request.GET.get("q", ""), attempt_qualifiers())
    return exported("llm-attempts", request.GET.get("format", "csv"), ATTEMPT_COLUMNS, query, attempt_rows(query, now), now)
