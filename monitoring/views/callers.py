"""Callers: who posts steps, and how they were answered."""

from __future__ import annotations

from typing import Any

from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.callers import callers
from monitoring.stats.keyset import Place


@page("callers")
def caller_list(request: PanelRequest) -> dict[str, Any]:
    """The callers, last seen first."""
    return {"callers": callers(Place.parse(request.GET))}
