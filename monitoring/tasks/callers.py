"""Who called, when last, how often, answered how, and what of the LLM was used for it today."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Sum

from agents.models import Caller, DailyUse, Settings
from agents.policy.costs import Used
from agents.policy.modes import CallerState
from monitoring.reporting.formats import share
from monitoring.reporting.pagination import Listing, Place, cut

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class CallerRow:
    """One caller. `state`: by the settings of now; `share`: percent of today's attempts of all callers."""

    row: Caller
    state: CallerState
    today: Used
    share: float | None

    @property
    def llm_share(self) -> float | None:
        return share(self.row.llm_steps, self.row.steps)


def callers(place: Place, settings: Settings, now: datetime) -> Listing[CallerRow]:
    """One page of the callers, last seen first."""
    page = cut(Caller.objects.all(), "last_seen_at", place, PAGE_SIZE)
    today = DailyUse.objects.filter(day=now.astimezone(UTC).date(), account=None)
    shown = today.filter(caller__in=[caller.address for caller in page.rows]).values_list("caller", "attempts", "usd")
    used = {caller: Used(attempts, usd) for caller, attempts, usd in shown}
    of_all = today.aggregate(of_all=Sum("attempts"))["of_all"] or 0
    rows = []
    for caller in page.rows:
        of_today = used.get(caller.address, Used())
        rows.append(CallerRow(caller, settings.caller_state(caller.address), of_today, share(of_today.attempts, of_all)))
    return Listing(page, rows)
