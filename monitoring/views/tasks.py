"""Tasks: filter and page through them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from monitoring.forms import TaskFilter
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.keyset import Place
from monitoring.stats.tasks import projects, tasks


@page("tasks")
def task_list(request: PanelRequest) -> dict[str, Any]:
    """The tasks that match the filter, newest first."""
    now = timezone.now()
    filters = TaskFilter(request.GET, projects())
    return {"now": now, "filters": filters, "tasks": tasks(filters.query(now), Place.parse(request.GET), now)}
