from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.cache import cache
from django.utils import timezone

from agents.policy.modes import Pacing
from monitoring.first_steps.points import checklist
from monitoring.health.components import health
from monitoring.notifications import maintenance
from monitoring.overview.compare import compared
from monitoring.overview.figures import charts, figures, miner_lines, series
from monitoring.overview.status import miner_status
from monitoring.ratelimit.quota import quota_warnings
from monitoring.reporting.ranges import RangeForm
from monitoring.tasks.steps import latest_steps
from monitoring.testruns.runs import newest
from monitoring.testruns.suites.report import NOT_WORKING
from monitoring.testruns.suites.schedules import next_schedules
from monitoring.web.access import CHANGE, PanelRequest
from monitoring.web.pages import is_fragment, page
from monitoring.what_if.offer import pacing_offer

STEPS_SHOWN, BEATS_SHOWN, RUNS_SHOWN, SCHEDULES_SHOWN = 12, 30, 20, 3
KEPT_SECONDS = 5  # every open Overview requests the figures every ten seconds


class FiguresForm(RangeForm):
    """A range, and the miner whose figures are shown, "" for all."""

    miner = forms.CharField(required=False, max_length=50)

    @property
    def chosen_miner(self) -> str:
        return str(self.cleaned_data["miner"]) if self.is_valid() else ""

    @property
    def range_query(self) -> str:
        return urlencode({name: self.data[name] for name in RangeForm.base_fields if self.data.get(name)} if self.is_valid() else {})


@page("overview/overview")
def overview(request: PanelRequest) -> dict[str, Any]:
    now = timezone.now()
    components, runs = health(now, number=BEATS_SHOWN), newest(RUNS_SHOWN)[::-1]
    return {
        **({} if is_fragment(request) else figures_of(request, now)),
        "now": now,
        "checklist": checklist() if request.user.has_perm(CHANGE) else [],
        "maintenance": maintenance.active(now),
        "status": miner_status(now, components.worker),
        "health": components,
        "runs": runs,
        "last_failed": next((run for run in reversed(runs) if run.status in NOT_WORKING), None),
        "schedules": next_schedules(SCHEDULES_SHOWN),
        "warnings": quota_warnings(now),
        "pacing_offer": offered if (offered := pacing_offer(now)) and (offered.to == Pacing.AUTO or offered.is_gain) else None,
        "steps": latest_steps(STEPS_SHOWN),
    }


@page("overview/figures")
def range_figures(request: PanelRequest) -> dict[str, Any]:
    return figures_of(request, timezone.now())


@page("overview/compare")
def compare(request: PanelRequest) -> dict[str, Any]:
    now = timezone.now()
    form = RangeForm(request.GET, now)
    return {"now": now, "ranges": form, "compared": compared(form.chosen(), now)}


def figures_of(request: PanelRequest, now: datetime) -> dict[str, Any]:
    form = FiguresForm(request.GET, now)
    chosen, miner = form.chosen(), form.chosen_miner

    def read() -> dict[str, Any]:
        data = series(chosen, now, miner)
        return {"figures": figures(data.total, data.before), "charts": charts(data, now, miner), "miners": miner_lines(data)}

    key = f"figures-{form.query}-{timezone.get_current_timezone_name()}"
    return {"now": now, "ranges": form, **(cache.get_or_set(key, read, KEPT_SECONDS) or {})}
