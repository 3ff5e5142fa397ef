"""Health: how each component is, and one component's last day."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone

from monitoring.models import Component
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.components import day, health


@page("components")
def component_list(request: PanelRequest) -> dict[str, Any]:
    """All components, those that need somebody first."""
    return {"health": health(timezone.now())}


@page("component")
def component_day(request: PanelRequest, pk: int) -> dict[str, Any]:
    """The last 24 hours of one."""
    return {"day": day(get_object_or_404(Component, pk=pk), timezone.now())}
