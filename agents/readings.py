"""Readings of what an account has left, each a row: claimed before anything is asked, so that no account is read too often.

The row is the claim: it is there before the first request leaves, whichever worker sends it, and one whose worker died stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django_q.tasks import async_task

from agents import management_api
from agents.keys import UnreadableKey, admin_key_of
from agents.ledger import retell
from agents.ledger.times import maybe_at
from agents.models import Account, Gate, QuotaReading
from agents.quotas import PATHS, SUBSCRIPTION, Reading, cap_ends_at
from agents.reasons import PauseSource
from agents.refusals import RefusalClass
from agents.text import shorten

# The provider asks to be polled at most this often.
EVERY = timedelta(seconds=300)
# After a refusal the reset is worth one more look; the provider's own cache is this old at most.
AFTER_REFUSAL = timedelta(seconds=60)
UNDER_WAY = "The reading was not finished."
FAULT_CHARS = 300
JOB, CAP_JOB = "agents.jobs.read_quota", "agents.jobs.read_cap"


def enqueue_due(now: datetime) -> int:
    """Queue a reading of each enabled account that may be read again. Returns how many: a host that hangs holds up no other account."""
    known = [account for account in Account.objects.filter(enabled=True) if _may_be_asked(account)]
    due = [account for account in known if not _recent(account, now, EVERY).exists()]
    for account in due:
        async_task(JOB, account.pk)
    return len(due)


def read(account: Account, now: datetime, *, gap: timedelta = EVERY, paths: Sequence[str] = PATHS) -> QuotaReading | None:
    """Read one account, unless it was read less than `gap` ago. None where it was, or where there is no admin key.

    A pause whose end the reading tells is moved there.
    """
    try:
        key, fault = admin_key_of(account), ""
    except UnreadableKey as error:
        key, fault = "", str(error)
    row = _claimed(account, now, gap) if key or fault else None
    if row is None:
        return None
    url, at = account.management_url or settings.CHUTES_MANAGEMENT_URL, now.timestamp()
    known = Reading(faults=(fault,)) if fault else management_api.read(url, key, at, paths)
    _write(row, known)
    until = cap_ends_at(known)
    if until is not None:
        retell(account, until, read_at=at, now=at)
    return row


def enqueue_caps(now: datetime) -> int:
    """Queue a reading for each account that was refused for its cap and whose reset only the calendar tells yet. Returns how many."""
    due = [account for account in _capped(now) if is_cap_due(account, now)]
    for account in due:
        async_task(CAP_JOB, account.pk)
    return len(due)


def read_cap(account: Account, now: datetime) -> bool:
    """Read when the cap of a refused account resets. False where that is known by now, or was asked a moment ago."""
    return is_cap_due(account, now) and read(account, now, gap=AFTER_REFUSAL, paths=(SUBSCRIPTION,)) is not None


def is_cap_due(account: Account, now: datetime) -> bool:
    """Whether an account is paused for its cap until the calendar's next window, and nothing was read since that pause began."""
    gate = _capped_gates(now).filter(account=account).first()
    if gate is None or not _may_be_asked(account):
        return False
    newest = QuotaReading.objects.filter(account=account, read_at__lte=now).aggregate(newest=Max("read_at"))["newest"]
    return newest is None or (newest.timestamp() < gate.paused_at and now - newest >= AFTER_REFUSAL)


def _capped(now: datetime) -> list[Account]:
    return [gate.account for gate in _capped_gates(now).select_related("account")]


def _capped_gates(now: datetime) -> QuerySet[Gate]:
    at = now.timestamp()
    cause, source = RefusalClass.SUBSCRIPTION_CAP, PauseSource.CALENDAR
    return Gate.objects.filter(cause=cause, pause_source=source, strikes__gt=0, paused_until__gt=at, account__enabled=True)


def _may_be_asked(account: Account) -> bool:
    """Whether there is an admin key, or one that can't be opened, which is on record then."""
    try:
        return bool(admin_key_of(account))
    except UnreadableKey:
        return True


def _recent(account: Account, now: datetime, gap: timedelta) -> QuerySet[QuotaReading]:
    """The readings of the last `gap`. A row from further ahead is from before the clock was set back, and counts for nothing."""
    return QuotaReading.objects.filter(account=account, read_at__gt=now - gap, read_at__lt=now + gap)


def _claimed(account: Account, now: datetime, gap: timedelta) -> QuotaReading | None:
    """The row of a reading that may begin."""
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        if _recent(account, now, gap).exists():
            return None
        return QuotaReading.objects.create(account=account, read_at=now, fault=UNDER_WAY)


def _write(row: QuotaReading, known: Reading) -> None:
    told = {each.name: getattr(known, each.name) for each in fields(known) if each.name != "faults"}
    times = {name: maybe_at(value) for name, value in told.items() if name.endswith("_at")}
    found = {**told, **times, "fault": shorten(" ".join(known.faults), FAULT_CHARS)}
    QuotaReading.objects.filter(pk=row.pk).update(**found)
    for name, value in found.items():
        setattr(row, name, value)
