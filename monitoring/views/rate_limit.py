"""Rate limit: what the gate does now, when the limit resets and how we know."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from agents.standing import looks
from monitoring.gate_actions import offers
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.audit import newest_actions
from monitoring.stats.band import recent_bands
from monitoring.stats.events import newest
from monitoring.stats.gate import gate_now
from monitoring.stats.predictions import recent_quality
from monitoring.stats.quota import quota

EVENTS_SHOWN = 10


@page("rate_limit")
def rate_limit(request: PanelRequest) -> dict[str, Any]:
    """Each account's gate with what can be done, its last day, the newest events, how good predictions were, operators' words."""
    now = timezone.now()
    return {
        "now": now,
        "gates": [(gate_now(look, now), offers(look, now.timestamp())) for look in looks()],
        "quota": quota(now),
        "bands": recent_bands(now),
        "events": newest(EVENTS_SHOWN, now),
        "qualities": recent_quality(now),
        "audit": newest_actions(),
    }
