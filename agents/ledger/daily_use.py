"""What each account and each caller used of a UTC day: counted when an attempt is opened, corrected when it ends."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Q

from agents.contract.step_facts import AttemptEnd
from agents.models import Account, DailyUse, LLMAttempt, Source
from agents.policy import costs
from agents.policy.costs import Used, day_of

KEPT = timedelta(days=31)  # for the Callers page; strangers' addresses would add up otherwise


def today(accounts: Iterable[Account], caller: str, now: float) -> tuple[dict[int, Used], Used]:
    whose = Q(account__in=[account.pk for account in accounts]) | (Q(caller=caller) if caller else Q())
    used = {row.account_id: Used(row.attempts, row.usd) for row in DailyUse.objects.filter(whose, day=day_of(now))}
    by_caller = used.pop(None, Used())
    return {account: each for account, each in used.items() if account is not None}, by_caller


def opened(attempt: LLMAttempt, caller: str, now: float) -> None:
    """An attempt was opened: it counts at its highest cost until it ends. To be called while its account's gate is locked."""
    _add(day_of(now), attempt.account_id, caller, 1, attempt.reserved_usd)


def ended(attempt: LLMAttempt, end: AttemptEnd) -> None:
    day, step = attempt.decided_at.date(), attempt.step
    caller = (step.task.caller or "") if step and step.source == Source.VALIDATOR else ""
    if end.sent_at is None:
        _add(day, attempt.account_id, caller, -1, -attempt.reserved_usd)
        return
    call = costs.Call(attempt.model, end.verdict, end.status, end.prompt_tokens, end.completion_tokens, attempt.cost)
    cost = costs.spent([call], {attempt.model: attempt.reserved_usd})
    if cost != attempt.reserved_usd:
        _add(day, attempt.account_id, caller, 0, cost - attempt.reserved_usd)


def _add(day: date, account: int, caller: str, attempts: int, usd: float) -> None:
    more = {"attempts": F("attempts") + attempts, "usd": F("usd") + usd}
    whose: dict[str, Any]
    for whose in ({"account_id": account}, {"caller": caller}) if caller else ({"account_id": account},):
        row = DailyUse.objects.filter(day=day, **whose)
        if row.update(**more) or attempts < 1:
            continue
        if "account_id" in whose:
            DailyUse.objects.filter(day__lt=day - KEPT).delete()
        DailyUse.objects.get_or_create(day=day, **whose)
        row.update(**more)
