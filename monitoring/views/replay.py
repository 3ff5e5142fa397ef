"""Replay: a step answered once more, as a test, beside what was answered."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from agents.phrases import phrase
from agents.replays import ask
from monitoring.access import SUBMIT
from monitoring.pages import page
from monitoring.replay_form import ReplayForm
from monitoring.requests import PanelRequest
from monitoring.stats.replay import replay_page
from monitoring.wording import translated

OTHER = phrase("Another replay of this step is under way: you see it below. Yours was not begun; ask again when that one is done.")


@page("replay", post=SUBMIT)
def replay(request: PanelRequest, pk: int) -> HttpResponse | dict[str, Any]:
    """The step's replays for everybody to see; operators ask for another."""
    told, form = replay_page(pk, timezone.now()), ReplayForm(request.POST if request.method == "POST" else None)
    if told is None:
        raise Http404(f"There is no step {pk}.")
    if form.is_bound and form.is_valid() and not told.is_gone:
        if any(each.is_under_way for each in told.replays):
            messages.warning(request, translated(OTHER))
        ask(told.step, **form.asked(), by=request.user.get_username())
        return redirect("replay", pk)
    return {"form": form, "told": told}
