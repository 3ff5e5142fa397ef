"""LLM attempts: every call to a provider."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from monitoring.pages import page
from monitoring.queries import parse
from monitoring.requests import PanelRequest
from monitoring.stats.attempts import AttemptOrder, attempt_qualifiers, attempts
from monitoring.stats.keyset import Place


@page("attempts")
def attempt_list(request: PanelRequest) -> dict[str, Any]:
    """The attempts that match the filter bar, in the order asked for."""
    now, qualifiers = timezone.localtime(), attempt_qualifiers()
    query, order = parse(request.GET.get("q", ""), qualifiers), AttemptOrder.parse(request.GET.get("sort", ""))
    shown = {"query": query, "qualifiers": qualifiers, "sort": order, "orders": list(AttemptOrder)}
    return {**shown, "attempts": attempts(query, Place.parse(request.GET), order, now)}
