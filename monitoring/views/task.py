"""One task: its story from prompt to answer."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.models import Task
from agents.submissions import cancel
from monitoring.access import SUBMIT, guarded
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.story import story
from monitoring.stats.timeline import timeline

_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


@page("task")
def task_story(request: PanelRequest, pk: int) -> dict[str, Any]:
    """Each step with its decision, its attempts and what was answered."""
    now, before = timezone.now(), request.GET.get("before", "")
    told = story(pk, now, before=int(before) if _NUMBER.fullmatch(before) else None)
    if told is None:
        raise Http404(f"There is no task {pk}.")
    return {"now": now, "story": told, "timeline": timeline(told.steps), "is_newest": not before}


@guarded(get=None, post=SUBMIT)
def cancel_task(request: PanelRequest, pk: int) -> HttpResponse:
    """Cancel an operator's task, where it still waits."""
    task = get_object_or_404(Task, pk=pk, submission__isnull=False)
    if not cancel(task.pk):
        messages.info(request, _("A worker has taken this task already: its answer comes in a moment, or is here."))
    return redirect(task)
