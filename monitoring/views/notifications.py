"""Notifications: what is so now, the channels, what became of each message."""

from __future__ import annotations

from typing import Any

from monitoring.channel_form import DeliveryFilter
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats import notices as read
from monitoring.stats.keyset import Place


@page("notifications")
def notifications(_: PanelRequest) -> dict[str, Any]:
    """What is so now, the channels, the last messages, who changed what."""
    return {
        "open": read.open_notices(),
        "channels": read.channel_rows(),
        "deliveries": read.newest_deliveries(),
        "changes": read.channel_changes(),
    }


@page("deliveries")
def delivery_list(request: PanelRequest) -> dict[str, Any]:
    """The messages that match the filter, newest first."""
    filters = DeliveryFilter(request.GET)
    return {"filters": filters, "deliveries": read.deliveries(filters.query(), Place.parse(request.GET))}


@page("notices")
def notice_list(request: PanelRequest) -> dict[str, Any]:
    """Everything that was worth telling, newest first."""
    return {"notices": read.notices(Place.parse(request.GET))}
