"""What programs ask: is the web process alive, is the miner ready, and its numbers for Prometheus."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from monitoring.access import VIEW
from monitoring.health.readiness import readiness
from monitoring.stats import metrics


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """`GET /health/live`: 200 while this process answers; it asks nobody else."""
    return JsonResponse({"status": "live"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """`GET /health/ready`: 200 when the miner can do its work, else 503. With a session or the token: each component."""
    told = readiness(timezone.now())
    body = {"status": "ready" if told.is_ready else "not ready"}
    details = {"components": told.components} if _may_see(request) else {}
    return JsonResponse({**body, **details}, status=200 if told.is_ready else 503)


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """`GET /metrics` for Prometheus, with the token or a session."""
    if not _may_see(request):
        return HttpResponseForbidden("Send Authorization: Bearer and the METRICS_TOKEN of the environment.\n", content_type="text/plain")
    return HttpResponse(metrics.exposition(timezone.now()), content_type=metrics.CONTENT_TYPE)


def _may_see(request: HttpRequest) -> bool:
    """A signed-in viewer, or whoever has the token. Without a token in the environment nobody has it."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer" and constant_time_compare(given.strip(), settings.METRICS_TOKEN):
        return True
    return request.user.has_perm(VIEW)
