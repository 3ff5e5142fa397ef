"""What if: other settings, tried out on the last hours."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from agents.models import Settings
from agents.what_if import ask
from monitoring.access import SUBMIT
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.what_if import latest_what_if
from monitoring.what_if_form import WhatIfForm


@page("what_if", post=SUBMIT)
def what_if(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """The latest run for everybody to see; operators ask for another."""
    form = WhatIfForm(Settings.current(), request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        ask(hours=form.cleaned_data["hours"], settings=form.asked(), by=request.user.get_username())
        return redirect("what_if")
    return {"form": form, "what_if": latest_what_if()}
