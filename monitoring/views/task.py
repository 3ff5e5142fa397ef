"""One task: its story from prompt to answer."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone

from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.story import story
from monitoring.stats.timeline import timeline


@page("task")
def task_story(request: PanelRequest, pk: int) -> dict[str, Any]:
    """Each step with its decision, its attempts and what was answered."""
    now, before = timezone.now(), request.GET.get("before", "")
    told = story(pk, now, before=int(before) if before.isascii() and before.isdecimal() else None)
    if told is None:
        raise Http404(f"There is no task {pk}.")
    return {"now": now, "story": told, "timeline": timeline(told.steps), "is_newest": not before}
