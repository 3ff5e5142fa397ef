"""Readings of an account's balance and quota from the provider's management API. Each reading is a row.

The row is also the claim: it is inserted before the first request is sent, so that workers do not read an account too often.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet

from agents.common.redaction import redact
from agents.common.text import shorten
from agents.configuration.keys import UnreadableKey, admin_key_of
from agents.ledger.actions import move_reset
from agents.ledger.gate_rows import maybe_at
from agents.llm import client
from agents.models import Account, AccountJob, Gate, QuotaReading
from agents.operator_jobs import leased_job
from agents.policy.quotas import PATHS, SUBSCRIPTION, Failed, Reading, cap_ends_at, reading
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass

# The management host answers in well under a second; all parts together fit into a job's time limit.
SECONDS = 10.0
# The provider's documented minimum between polls.
EVERY = timedelta(seconds=300)
# After a refusal the reset is read once more; the provider's cache is at most this old.
AFTER_REFUSAL = timedelta(seconds=60)
NOT_ADMIN = Failed("this key cannot read quotas: it needs an admin key", is_common=True)
TOO_OFTEN = Failed("the management host refused for too many requests (429); the next reading follows in some minutes", is_common=True)
WRONG_HOST = Failed("no management API answers at this address; check the Management URL", is_common=True)
NO_JSON = Failed("the answer is no JSON")
UNDER_WAY = "The reading was not finished."
FAULT_CHARS = 300
STATED = [field.name for field in fields(Reading) if field.name != "faults"]


def start_due(now: datetime) -> int:
    """Start a job for each account that is due, so that a hanging host delays no other account. Returns how many."""
    enabled = Account.objects.filter(enabled=True)
    due = [account for account in enabled if _may_be_read(account) and not _recent(account, now, EVERY).exists()]
    for account in due:
        leased_job.start(AccountJob, account=account, kind=AccountJob.Kind.READ_QUOTA)
    return len(due)


def start_caps(now: datetime) -> int:
    """The same for accounts that were refused for their cap and whose reset is known from the calendar only."""
    due = [gate.account for gate in _capped_gates(now).select_related("account") if is_cap_due(gate.account, now)]
    for account in due:
        leased_job.start(AccountJob, account=account, kind=AccountJob.Kind.READ_CAP)
    return len(due)


def read(account: Account, now: datetime, *, gap: timedelta = EVERY, paths: Sequence[str] = PATHS) -> QuotaReading | None:
    """None where it was read less than `gap` ago, or has no admin key. Moves a pause's end to the reset time of the reading."""
    try:
        key, fault = admin_key_of(account), ""
    except UnreadableKey as error:
        key, fault = "", str(error)
    row = _claimed(account, now, gap) if key or fault else None
    if row is None:
        return None
    url, at = account.management_url or settings.CHUTES_MANAGEMENT_URL, now.timestamp()
    result = Reading(faults=(fault,)) if fault else read_host(url, key, at, paths)
    row.fault = shorten(" ".join(result.faults), FAULT_CHARS)
    for name in STATED:
        value = getattr(result, name)
        setattr(row, name, maybe_at(value) if name.endswith("_at") else value)
    row.save()
    until = cap_ends_at(result)
    if until is not None:
        move_reset(account, until, read_at=at, now=at)
    return row


def read_cap(account: Account, now: datetime) -> bool:
    return is_cap_due(account, now) and read(account, now, gap=AFTER_REFUSAL, paths=(SUBSCRIPTION,)) is not None


def is_cap_due(account: Account, now: datetime) -> bool:
    """Whether the account is paused for its cap until the calendar's next window, and was not read since that pause began."""
    gate = _capped_gates(now).filter(account=account).first()
    if gate is None or not _may_be_read(account):
        return False
    newest = QuotaReading.objects.filter(account=account, read_at__lte=now).aggregate(newest=Max("read_at"))["newest"]
    return newest is None or (newest.timestamp() < gate.paused_at and now - newest >= AFTER_REFUSAL)


def _capped_gates(now: datetime) -> QuerySet[Gate]:
    paused = Gate.objects.filter(strikes__gt=0, paused_until__gt=now.timestamp(), account__enabled=True)
    return paused.filter(cause=RefusalClass.SUBSCRIPTION_CAP, pause_source=PauseSource.CALENDAR)


def _may_be_read(account: Account) -> bool:
    """Whether it has an admin key, or one that can't be opened, which the reading records."""
    try:
        return bool(admin_key_of(account))
    except UnreadableKey:
        return True


def _recent(account: Account, now: datetime, gap: timedelta) -> QuerySet[QuotaReading]:
    """The readings of the last `gap`. Rows from further in the future are from before the clock was set back, and are ignored."""
    return QuotaReading.objects.filter(account=account, read_at__gt=now - gap, read_at__lt=now + gap)


def _claimed(account: Account, now: datetime, gap: timedelta) -> QuotaReading | None:
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        if _recent(account, now, gap).exists():
            return None
        return QuotaReading.objects.create(account=account, read_at=now, fault=UNDER_WAY)


def read_host(url: str, key: str, now: float, paths: Sequence[str] = PATHS) -> Reading:
    """Raises nothing: a part that can't be read is unknown. Stops where the host is down or refuses for too many requests."""
    answers: dict[str, object] = {}
    for path in paths:
        try:
            answers[path] = client.document(f"{url.rstrip('/')}{path}", key, SECONDS)
        except client.LLMError as error:
            answers[path] = _failed(error, key)
            if answers[path] is TOO_OFTEN or isinstance(error, client.Unreachable | client.TimedOut):
                break
    return reading(answers, now)


def _failed(error: client.LLMError, key: str) -> Failed:
    match error:
        case client.Refused(status=429):
            return TOO_OFTEN
        case client.Refused():
            if error.refusal.kind is RefusalClass.AUTH:
                return NOT_ADMIN if error.status in (401, 403) else WRONG_HOST
            return Failed(f"the management host answered with {error.status}")
        case client.BrokenReply():
            return NO_JSON
    return Failed(redact(f"the management host gives no answer: {str(error).rstrip('.')}", (key,)), is_common=True)
