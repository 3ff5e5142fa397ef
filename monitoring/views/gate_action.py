"""One action on one account: say what it does and what it risks, then do it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from agents.standing import looks
from monitoring.access import CONTROL
from monitoring.gate_actions import GateAction, act, offer
from monitoring.gate_forms import PauseForm
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.state import worker_beat_at, worker_in_words


@page("gate_action", get=CONTROL, post=CONTROL)
def gate_action(request: PanelRequest, account: int, action: GateAction) -> HttpResponse | dict[str, Any]:
    """What the action would do; a POST does it, unless it can't be done now."""
    now = timezone.now()
    look = next((each for each in looks() if each.account.pk == account), None)
    if look is None:
        raise Http404(f"There is no account {account}.")
    offered, form = offer(action, look, now.timestamp()), _form(request, action)
    if request.method == "POST" and not offered.obstacle and (form is None or form.is_valid()):
        seconds = form.seconds if form else 0.0
        messages.success(request, act(action, look.account, seconds=seconds, by=request.user.get_username(), now=now.timestamp()))
        return redirect("rate_limit")
    worker = worker_in_words(worker_beat_at(), now) if action is GateAction.PROBE else ""
    return {"account": look.account, "offer": offered, "form": form, "worker": worker}


def _form(request: PanelRequest, action: GateAction) -> PauseForm | None:
    return PauseForm(request.POST if request.method == "POST" else None) if action is GateAction.PAUSE else None
