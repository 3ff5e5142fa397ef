from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from agents.accounts.status import account_statuses
from monitoring.audit.audit_log import ON_ACCOUNTS, newest_entries
from monitoring.health.components import worker_now
from monitoring.ratelimit.events import EventFilter, events, newest, recent_accuracy
from monitoring.ratelimit.gate import GateAction, PauseForm, act, gate_now, offer
from monitoring.ratelimit.plots import limit_plots, recent_timelines
from monitoring.ratelimit.quota import quota
from monitoring.reporting.pagination import Place
from monitoring.web.access import CONTROL, PanelRequest
from monitoring.web.pages import page
from monitoring.what_if.offer import pacing_offer

EVENTS_SHOWN = 10


@page("ratelimit/rate_limit")
def rate_limit(request: PanelRequest) -> dict[str, Any]:
    now = timezone.now()
    at = now.timestamp()
    return {
        "now": now,
        "gates": [(gate_now(snapshot, now), [offer(action, snapshot, at) for action in GateAction]) for snapshot in account_statuses(at)],
        "limits": limit_plots(now),
        "quota": quota(now),
        "pacing_offer": pacing_offer(now),
        "timelines": recent_timelines(now),
        "events": newest(EVENTS_SHOWN, now),
        "accuracies": recent_accuracy(now),
        "audit": newest_entries(kinds=ON_ACCOUNTS),
    }


@page("ratelimit/gate_action", get=CONTROL, post=CONTROL)
def gate_action(request: PanelRequest, account: int, action: GateAction) -> HttpResponse | dict[str, Any]:
    """Shows the action's effect; a POST carries it out, unless there is an obstacle."""
    now = timezone.now()
    snapshot = next((status for status in account_statuses(now.timestamp()) if status.account.pk == account), None)
    if snapshot is None:
        raise Http404(f"There is no account {account}.")
    offered = offer(action, snapshot, now.timestamp())
    form = PauseForm(request.POST if request.method == "POST" else None) if action is GateAction.PAUSE else None
    if request.method == "POST" and not offered.obstacle and (form is None or form.is_valid()):
        seconds = form.seconds if form else 0.0
        messages.success(request, act(action, snapshot.account, seconds=seconds, by=request.user.get_username(), now=now.timestamp()))
        return redirect("rate_limit")
    worker = worker_now(now).warning if action is GateAction.PROBE else ""
    return {"account": snapshot.account, "offer": offered, "form": form, "worker": worker}


@page("ratelimit/events")
def event_list(request: PanelRequest) -> dict[str, Any]:
    now, filters = timezone.now(), EventFilter(request.GET)
    return {"filters": filters, "page": events(filters.conditions(now), Place.parse(request.GET), now)}
