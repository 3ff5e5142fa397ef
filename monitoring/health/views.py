from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from agents.models import JobState, LeasedJob, Schedule
from agents.models.jobs import UNDER_WAY
from agents.operator_jobs.leased_job import kinds, rows
from agents.worker.schedules import schedules, start_now
from monitoring.health import metrics, watcher
from monitoring.health.components import day, health, readiness
from monitoring.health.watcher import WatcherForm
from monitoring.models import Component
from monitoring.web.access import CHANGE, VIEW, PanelRequest
from monitoring.web.pages import page

FAILED_FOR = timedelta(days=1)
SHOWN = 20  # jobs of a kind; of a long queue the first ones


@page("health/components")
def component_list(request: PanelRequest) -> dict[str, Any]:
    now = timezone.now()
    return {"health": health(now), "watcher": watcher.watcher(), "jobs": jobs(now), "schedules": schedules()}


def jobs(now: datetime) -> list[LeasedJob]:
    """Running jobs, then queued ones, then those that failed in the last day. Without schedules, which are listed separately."""
    shown = Q(state__in=UNDER_WAY) | Q(state=JobState.FAILED, ended_at__gt=now - FAILED_FOR)
    listed = [rows(kind).filter(shown).order_by("state", "-requested_at")[:SHOWN] for kind in kinds() if not issubclass(kind, Schedule)]
    order = (JobState.RUNNING, JobState.QUEUED, JobState.FAILED)
    return sorted((job for of_kind in listed for job in of_kind), key=lambda job: (order.index(JobState(job.state)), job.requested_at))


@page("health/watcher", get=CHANGE, post=CHANGE)
def outside_watcher(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """A POST replaces the ping URL, or with `remove` removes it. The first ping is sent at once."""
    form = WatcherForm(request.POST if request.method == "POST" else None)
    if "remove" in request.POST:
        watcher.set_url("", request.user)
        messages.success(request, "The ping URL is removed. Nothing is pinged.")
        return redirect("components")
    if form.is_bound and form.is_valid():
        watcher.set_url(form.cleaned_data["url"], request.user)
        start_now("Ping the outside watcher")
        messages.success(request, "Saved. The first ping is sent within ten seconds; its result appears here.")
        return redirect("components")
    return {"form": form, "watcher": watcher.watcher()}


@page("health/component")
def component_day(request: PanelRequest, pk: int) -> dict[str, Any]:
    return {"day": day(get_object_or_404(Component, pk=pk), timezone.now())}


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "live"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """`GET /health/ready`: 200 if the miner can work, else 503. With a session or the token: all components."""
    is_ready, components = readiness(timezone.now())
    body: dict[str, Any] = {"status": "ready" if is_ready else "not ready"}
    return JsonResponse({**body, "components": components} if _may_see(request) else body, status=200 if is_ready else 503)


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    if not _may_see(request):
        return HttpResponseForbidden("Send Authorization: Bearer and the METRICS_TOKEN of the environment.\n", content_type="text/plain")
    return HttpResponse(metrics.exposition(timezone.now()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_see(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer" and constant_time_compare(given.strip(), settings.METRICS_TOKEN):
        return True
    return request.user.has_perm(VIEW)
