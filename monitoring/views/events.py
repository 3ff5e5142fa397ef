"""Rate-limit events: filter and page through them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from agents.models import Account
from monitoring.gate_forms import EventFilter
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.events import events
from monitoring.stats.keyset import Place


@page("events")
def event_list(request: PanelRequest) -> dict[str, Any]:
    """The events that match the filter, newest first."""
    filters = EventFilter(request.GET, list(Account.objects.values_list("name", flat=True)))
    return {"filters": filters, "events": events(filters.query(), Place.parse(request.GET), timezone.now())}
