"""Replay: a step answered once more, as a test, beside what was answered."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.models import Replay
from agents.phrases import phrase
from agents.replays import ask, cancel
from monitoring.access import SUBMIT, guarded
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


@guarded(get=None, post=SUBMIT)
def cancel_replay(request: PanelRequest, pk: int) -> HttpResponse:
    """Cancel it, where it still waits."""
    row = get_object_or_404(Replay, pk=pk)
    if not cancel(row.pk):
        messages.info(request, _("A worker has taken this replay already: its answer comes in a moment, or is here."))
    return redirect("replay", row.step_id)
