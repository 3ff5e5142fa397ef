"""New task: set the miner a task by hand."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from agents.submissions import submit
from monitoring.access import SUBMIT
from monitoring.forms import TaskForm
from monitoring.pages import page
from monitoring.requests import PanelRequest


@page("new_task", get=SUBMIT, post=SUBMIT)
def new_task(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """The form; a valid one is queued, and its task's page shows how it goes."""
    form = TaskForm(request.POST or None)
    if form.is_valid():
        return redirect(submit(**form.cleaned_data, by=request.user.get_username()).task)
    return {"form": form}
