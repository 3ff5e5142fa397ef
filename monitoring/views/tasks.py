"""Tasks: filter and page through them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from agents.phrases import phrase
from monitoring.pages import page
from monitoring.queries import parse
from monitoring.requests import PanelRequest
from monitoring.stats.keyset import Place
from monitoring.stats.task_filters import task_qualifiers
from monitoring.stats.tasks import tasks

ORDERS = (phrase("newest"), phrase("oldest"))


@page("tasks")
def task_list(request: PanelRequest) -> dict[str, Any]:
    """The tasks that match the filter bar, newest first unless asked otherwise."""
    now, qualifiers = timezone.localtime(), task_qualifiers()
    query, oldest_first = parse(request.GET.get("q", ""), qualifiers), request.GET.get("sort") == "oldest"
    found = tasks(query, Place.parse(request.GET), now, oldest_first=oldest_first)
    sort = "oldest" if oldest_first else "newest"
    shown = {"query": query, "qualifiers": qualifiers, "sort": sort, "orders": ORDERS}
    return {**shown, "now": now, "tasks": found}
