"""Overview: what is going on, at a glance."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from monitoring.pages import is_fragment, page
from monitoring.requests import PanelRequest
from monitoring.stats.looked_after import looked_after
from monitoring.stats.quota import quota_warnings
from monitoring.stats.state import state
from monitoring.stats.steps import latest_steps
from monitoring.views.figures import figures_of

STEPS_SHOWN = 12


@page("overview")
def overview(request: PanelRequest) -> dict[str, Any]:
    """The state in a sentence, what is running out, key figures and charts, the latest steps. The figures renew themselves, more slowly."""
    now = timezone.now()
    told = {} if is_fragment(request) else figures_of(request, now)
    return {
        **told,
        "now": now,
        "state": state(now),
        "looked_after": looked_after(now),
        "warnings": quota_warnings(now),
        "steps": latest_steps(STEPS_SHOWN),
    }
