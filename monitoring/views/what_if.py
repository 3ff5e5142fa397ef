"""What if: other settings, tried out on the last hours."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from agents.models import Settings, WhatIf
from agents.phrases import phrase
from agents.what_if import ask, cancel
from monitoring.access import SUBMIT, guarded
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.what_if import latest_what_if
from monitoring.what_if_form import WhatIfForm
from monitoring.wording import translated

OTHER = phrase("Another run is under way: you see it below. Yours was not begun; ask again when that one is done.")


@page("what_if", post=SUBMIT)
def what_if(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """The latest run for everybody to see; operators ask for another."""
    form = WhatIfForm(Settings.current(), request.POST if request.method == "POST" else None, request.GET)
    if form.is_bound and form.is_valid():
        hours, asked = form.cleaned_data["hours"], form.asked()
        run = ask(hours=hours, settings=asked, by=request.user.get_username())
        if (run.hours, run.settings) != (hours, asked):
            messages.warning(request, translated(OTHER))
        return redirect("what_if")
    return {"form": form, "what_if": latest_what_if()}


@guarded(get=None, post=SUBMIT)
def cancel_what_if(request: PanelRequest, pk: int) -> HttpResponse:
    """Cancel it, where it is not over yet."""
    if not cancel(get_object_or_404(WhatIf, pk=pk).pk):
        messages.info(request, _("The run was over already."))
    return redirect("what_if")
