"""Overview: what is going on, at a glance."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from monitoring.access import CHANGE
from monitoring.pages import is_fragment, page
from monitoring.requests import PanelRequest
from monitoring.stats.checklist import checklist
from monitoring.stats.looked_after import looked_after
from monitoring.stats.quota import quota_warnings
from monitoring.stats.state import state
from monitoring.stats.steps import latest_steps
from monitoring.views.figures import figures_of

STEPS_SHOWN = 12


@page("overview")
def overview(request: PanelRequest) -> dict[str, Any]:
    """What an admin has still to do, the state, what is running out, figures and charts, which renew more slowly, the latest steps."""
    now = timezone.now()
    told = {} if is_fragment(request) else figures_of(request, now)
    return {
        **told,
        "now": now,
        "checklist": checklist() if request.user.has_perm(CHANGE) else [],
        "state": state(now),
        "looked_after": looked_after(now),
        "warnings": quota_warnings(now),
        "steps": latest_steps(STEPS_SHOWN),
    }
