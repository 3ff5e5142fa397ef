"""Overview: what is going on, at a glance."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from monitoring.access import CHANGE
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.checklist import checklist
from monitoring.stats.figures import recent_figures
from monitoring.stats.looked_after import looked_after
from monitoring.stats.quota import quota_warnings
from monitoring.stats.state import state
from monitoring.stats.steps import latest_steps

STEPS_SHOWN = 12


@page("overview")
def overview(request: PanelRequest) -> dict[str, Any]:
    """What an admin has still to do, the state in a sentence, what is running out, key figures, the latest steps."""
    now = timezone.now()
    return {
        "now": now,
        "checklist": checklist() if request.user.has_perm(CHANGE) else [],
        "state": state(now),
        "looked_after": looked_after(now),
        "warnings": quota_warnings(now),
        "figures": recent_figures(now),
        "steps": latest_steps(STEPS_SHOWN),
    }
