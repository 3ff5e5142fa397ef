"""Steps: every request about a task, filtered and ordered."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from monitoring.pages import page
from monitoring.queries import parse
from monitoring.requests import PanelRequest
from monitoring.stats.keyset import Place
from monitoring.stats.step_filters import step_qualifiers
from monitoring.stats.step_list import StepOrder, steps


@page("steps")
def step_list(request: PanelRequest) -> dict[str, Any]:
    """The steps that match the filter bar, in the order asked for."""
    now, qualifiers = timezone.localtime(), step_qualifiers()
    query, order = parse(request.GET.get("q", ""), qualifiers), StepOrder.parse(request.GET.get("sort", ""))
    shown = {"query": query, "qualifiers": qualifiers, "sort": order, "orders": list(StepOrder)}
    return {**shown, "steps": steps(query, Place.parse(request.GET), order, now)}
