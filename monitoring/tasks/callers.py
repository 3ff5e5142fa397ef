"""Callers, with their steps, answers and today's use of the LLM; and calls of unknown paths."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Case, Sum, When

from agents.models import Caller, DailyUse, Settings, UnknownCall
from agents.policy.costs import Used
from monitoring.reporting.formats import share
from monitoring.reporting.pagination import Place, Slice, cut

PAGE_SIZE = 50


def callers(place: Place, settings: Settings, now: datetime) -> Slice[Any]:
    """Callers, each with `state`, use `today`, `share` of all callers' attempts today, and `llm_share` of its steps, in percent."""
    page: Slice[Any] = cut(Caller.objects.all(), "last_seen_at", place, PAGE_SIZE)
    today = DailyUse.objects.filter(day=now.astimezone(UTC).date(), account=None)
    shown = today.filter(caller__in=[caller.address for caller in page.rows]).values_list("caller", "attempts", "usd")
    used = {caller: Used(attempts, usd) for caller, attempts, usd in shown}
    of_all = today.aggregate(of_all=Sum("attempts"))["of_all"] or 0
    for caller in page.rows:
        caller.state, caller.today = settings.caller_state(caller.address), used.get(caller.address, Used())
        caller.share, caller.llm_share = share(caller.today.attempts, of_all), share(caller.llm_steps, caller.steps)
    return page


def unknown_paths() -> list[UnknownCall]:
    """Probable tasks first, then by the last call. The row for all other paths is last."""
    return list(UnknownCall.objects.order_by("-is_task", Case(When(path="", then=1), default=0), "-last_seen_at", "-id")[:PAGE_SIZE])
