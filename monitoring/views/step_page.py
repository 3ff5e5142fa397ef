"""What has changed on a step's page since the step before."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone

from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.page_changes import page_changes


@page("step_page")
def step_page(request: PanelRequest, pk: int) -> dict[str, Any]:
    """Whether the actions did anything: where the browser is, what came and what went."""
    told = page_changes(pk, timezone.now())
    if told is None:
        raise Http404(f"There is no step {pk}.")
    return {"told": told}
