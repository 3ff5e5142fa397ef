"""Usage of each account and caller by UTC day: counted when an attempt is opened, corrected when it ends."""

from collections.abc import Iterable
from datetime import date, timedelta
from ipaddress import IPv4Address, ip_address
from typing import Any

from django.db.models import F, Q, QuerySet

from agents.contract.step_facts import AttemptEnd
from agents.models import Account, DailyUse, LLMAttempt, Source
from agents.policy import costs
from agents.policy.costs import Used, day_of
from agents.prepared import Prepared, PreparedUpdate

KEPT = timedelta(days=31)  # for the Callers page; unknown addresses would accumulate otherwise


_DAY, _ADDRESS = date(2001, 2, 3), IPv4Address("192.0.2.77")


def _of_day(day: date, address: IPv4Address) -> QuerySet[DailyUse]:
    return DailyUse.objects.filter(Q(caller=str(address)) | Q(account__isnull=False), day=day)


def _added(rows: QuerySet[DailyUse], attempts: int, usd: float) -> tuple[QuerySet[DailyUse], dict[str, Any]]:
    return rows, {"attempts": F("attempts") + attempts, "usd": F("usd") + usd}


_of_all_and_caller = Prepared(_of_day, _DAY, _ADDRESS)
_of_all = Prepared(lambda day: DailyUse.objects.filter(day=day, account__isnull=False), _DAY)
_add_to_account = PreparedUpdate(
    lambda day, account, *more: _added(DailyUse.objects.filter(day=day, account=account), *more), *(_DAY, -9, -7, -0.125)
)
_add_to_caller = PreparedUpdate(
    lambda day, address, *more: _added(DailyUse.objects.filter(day=day, caller=str(address)), *more), *(_DAY, _ADDRESS, -7, -0.125)
)


def today(accounts: Iterable[Account], caller: str, now: float) -> tuple[dict[int, Used], Used]:
    day, ids = day_of(now), {account.pk for account in accounts}
    rows = _of_all_and_caller(day, ip_address(caller)) if caller else _of_all(day)
    used = {row.account_id: Used(row.attempts, row.usd) for row in rows}
    by_caller = used.pop(None, Used())
    return {account: use for account, use in used.items() if account in ids}, by_caller


def opened(attempt: LLMAttempt, caller: str, now: float) -> None:
    """Count an opened attempt, at its highest cost until it ends. Call it while the account's gate is locked."""
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
    if not _add_to_account(day, account, attempts, usd) and attempts > 0:
        DailyUse.objects.filter(day__lt=day - KEPT).delete()
        DailyUse.objects.get_or_create(day=day, account_id=account)
        _add_to_account(day, account, attempts, usd)
    if caller and not _add_to_caller(day, address := ip_address(caller), attempts, usd) and attempts > 0:
        DailyUse.objects.get_or_create(day=day, caller=caller)
        _add_to_caller(day, address, attempts, usd)
