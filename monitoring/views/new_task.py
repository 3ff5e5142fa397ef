"""New task: set the miner a task by hand, or see what the template agent would make of it."""

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
    """The form; a valid one is queued, and its task's page shows how it goes. With `try` it is tried here, and nothing is queued."""
    form = TaskForm(request.POST or None)
    if not form.is_valid():
        return {"form": form}
    if "try" in request.POST:
        return {"form": form, "trial": form.trial()}
    return redirect(submit(**form.task(), by=request.user.get_username()).task)
