"""What if the last hours were lived once more under other settings? A job works it out, one at a time, and writes how far it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from agents.configuration import default_account
from agents.models import Account, WhatIf
from agents.simulation.assumptions import assumptions
from agents.simulation.past import Past
from agents.simulation.records import miner_in_force, read_past
from agents.simulation.replay import replayed
from agents.simulation.settings import with_settings
from agents.standin.faults import BadSetting

logger = logging.getLogger(__name__)

JOB = "agents.jobs.what_if"
State = WhatIf.State
UNDER_WAY = (State.QUEUED, State.RUNNING)
# Renewed with each word of progress, which comes every second or so. A job that no worker took by then is queued again, too.
LEASE = timedelta(seconds=60)
# A run that was begun again and again for so long will not end.
GIVEN_UP_AFTER = timedelta(minutes=15)
NOT_ENDED = "No worker brought it to an end. Look whether the worker is running, and ask for fewer hours."
KEPT = 50
# Means over so many runs. With more steps than `MANY` one is all that the job's two minutes have time for, and chance counts for little.
SEEDS, MANY = 3, 30_000
# How often progress is written, in seconds.
TOLD_EVERY = 0.5


class _Taken(Exception):
    """The lease was lost: another worker has this run, or somebody has cancelled it."""


def ask(*, hours: int, settings: Mapping[str, str], by: str) -> WhatIf:
    """Queue a run, `settings` as `simulate --settings` takes them. Where one is under way, that one is returned instead."""
    now = timezone.now()
    default_account()
    with transaction.atomic():
        # Whoever asks at the same time waits here: there is no row of a run yet that could be locked.
        Account.objects.select_for_update(no_key=True).order_by("pk").first()
        running = WhatIf.objects.filter(state__in=UNDER_WAY).order_by("-asked_at").first()
        if running:
            return running
        asked = WhatIf.objects.create(asked_by=by, asked_at=now, hours=hours, settings=dict(settings), lease_until=now + LEASE)
        kept = WhatIf.objects.order_by("-asked_at", "-pk").values_list("pk", flat=True)[:KEPT]
        WhatIf.objects.exclude(pk__in=list(kept)).delete()
        async_task(JOB, asked.pk)
    return asked


def cancel(pk: int) -> bool:
    """Cancel a run: at once where it waits, within a moment where it is worked out. False where it is over."""
    return WhatIf.objects.filter(pk=pk, state__in=UNDER_WAY).update(state=State.CANCELLED, lease_until=None) == 1


def answer(pk: int) -> bool:
    """Work out a queued run. False where another worker has it, or it was cancelled."""
    claim = _Claim(pk)
    if not claim.take():
        return False
    asked = WhatIf.objects.get(pk=pk)
    try:
        before, after = _worked_out(asked, claim)
    except _Taken:
        return False
    except BadSetting as error:
        return claim.end(state=State.FAILED, fault=f"These settings can't be tried: {error}")
    except Exception:
        # Whoever asked is told, and the log has the traceback: a run that waits for ever tells nobody.
        logger.exception("What if %s failed.", pk)
        return claim.end(state=State.FAILED, fault="A fault in the miner ended this run. The worker's log has its traceback.")
    return claim.end(state=State.DONE, progress=100, before=before, after=after)


def requeue_overdue(now: datetime) -> int:
    """Put runs back whose worker died, and queue those again that no worker took. Returns how many."""
    overdue = WhatIf.objects.filter(state__in=UNDER_WAY, lease_until__lt=now)
    overdue.filter(asked_at__lt=now - GIVEN_UP_AFTER).update(state=State.FAILED, lease_until=None, fault=NOT_ENDED)
    return sum(_requeue(pk, lease, now) for pk, lease in overdue.values_list("pk", "lease_until"))


def _requeue(pk: int, lease: datetime | None, now: datetime) -> bool:
    with transaction.atomic():
        overdue = WhatIf.objects.filter(pk=pk, state__in=UNDER_WAY, lease_until=lease)
        if overdue.update(state=State.QUEUED, lease_until=now + LEASE) != 1:
            return False
        async_task(JOB, pk)
    return True


def _worked_out(asked: WhatIf, claim: _Claim) -> tuple[dict[str, Any], dict[str, Any]]:
    """The measures under the settings in force and under those asked, from the same records."""
    past = read_past(asked.hours * 3600.0, timezone.now())
    in_force = miner_in_force(past.account)
    tried = with_settings(in_force, [f"{name}={value}" for name, value in asked.settings.items()])
    seeds = range(1 if past.steps > MANY else SEEDS)
    before = replayed(past, in_force, seeds, partial(claim.tell, 0.0))
    after = replayed(past, tried, seeds, partial(claim.tell, 0.5))
    return {**asdict(before), **_recorded(past)}, {**asdict(after), "assumed": assumptions(past)}


def _recorded(past: Past) -> dict[str, Any]:
    """What really happened, to compare the run under the settings in force with."""
    return {"recorded_steps": past.steps, "recorded_llm": past.llm}


class _Claim:
    """One worker's hold on one run: the end of its lease, renewed with each word of progress, names it."""

    def __init__(self, pk: int) -> None:
        self._pk, self._lease, self._told_at = pk, timezone.now() + LEASE, time.monotonic()

    def take(self) -> bool:
        """Claim it. False where it is not waiting."""
        queued = WhatIf.objects.filter(pk=self._pk, state=State.QUEUED)
        return queued.update(state=State.RUNNING, lease_until=self._lease, progress=0) == 1

    def tell(self, start: float, done: float) -> None:
        """Half a run, from `start`, is `done` from 0 to 1. Raises _Taken."""
        if time.monotonic() - self._told_at < TOLD_EVERY:
            return
        lease = timezone.now() + LEASE
        if self._held().update(progress=round(100 * (start + done / 2)), lease_until=lease) != 1:
            raise _Taken
        self._lease, self._told_at = lease, time.monotonic()

    def end(self, **facts: Any) -> bool:
        """The last word, if the run is still this worker's."""
        return self._held().update(lease_until=None, **facts) == 1

    def _held(self) -> QuerySet[WhatIf]:
        return WhatIf.objects.filter(pk=self._pk, state=State.RUNNING, lease_until=self._lease)
