"""Key figures and charts of a range, and the LLM beside the template."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import get_language

from monitoring.pages import page
from monitoring.range_form import RangeForm
from monitoring.requests import PanelRequest
from monitoring.stats.charts import charts
from monitoring.stats.compare import compared
from monitoring.stats.figures import figures
from monitoring.stats.ranges import Range
from monitoring.stats.series import series

# Every open Overview asks again every ten seconds.
KEPT_SECONDS = 5


@page("figures")
def range_figures(request: PanelRequest) -> dict[str, Any]:
    """The live part of the Overview; a page of its own as well."""
    return figures_of(request, timezone.now())


@page("compare")
def compare(request: PanelRequest) -> dict[str, Any]:
    """LLM and template side by side, by project."""
    now = timezone.now()
    form = RangeForm(request.GET, now)
    return {"now": now, "ranges": form, "compared": compared(form.asked(), now)}


def figures_of(request: PanelRequest, now: datetime) -> dict[str, Any]:
    """What the figures' templates need."""
    form = RangeForm(request.GET, now)
    asked = form.asked()
    kept_as = f"figures-{form.query}-{timezone.get_current_timezone_name()}-{get_language()}"
    told: dict[str, Any] | None = cache.get_or_set(kept_as, lambda: _told(asked, now), KEPT_SECONDS)
    return {"now": now, "ranges": form, **(told or {})}


def _told(asked: Range, now: datetime) -> dict[str, Any]:
    told = series(asked, now)
    return {"range": asked, "figures": figures(told.total, told.before), "charts": charts(told, now), "missing_before": told.missing_before}
