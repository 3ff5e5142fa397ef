"""Test runs: asked for, claimed by one worker at a time, carried out with progress, cancelled, and taken up again where a worker died."""

from __future__ import annotations

import logging
import math
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django_q.tasks import async_task

from agents.redaction import redact
from monitoring.models import Result, TestResult, TestRun
from monitoring.suites.findings import Asked, Finding, worst
from monitoring.suites.registry import SUITES

logger = logging.getLogger(__name__)

JOB = "monitoring.jobs.run_tests"
# A check takes a minute at most: the longest is a task with its deadline.
LEASE = timedelta(seconds=120)
State = TestRun.State
UNDER_WAY = (State.QUEUED, State.RUNNING)


class AlreadyRunning(Exception):
    """Another run is under way: `run`."""

    def __init__(self, run: TestRun) -> None:
        super().__init__(f"Test run {run.pk} is under way.")
        self.run = run


class Cancelled(Exception):
    """Somebody cancelled the run."""


def ask(suites: Sequence[str], *, trigger: TestRun.Trigger, by: str = "", options: dict[str, Any] | None = None) -> TestRun:
    """Queue a run with its job. Raises AlreadyRunning, and ValueError for a suite that there is none of."""
    run = create(suites, trigger=trigger, by=by, options=options)
    async_task(JOB, run.pk)
    return run


def create(suites: Sequence[str], *, trigger: TestRun.Trigger, by: str = "", options: dict[str, Any] | None = None) -> TestRun:
    """A run without a job, for whoever carries it out itself. Raises as `ask` does."""
    unknown = sorted(set(suites) - set(SUITES))
    if unknown or not suites:
        raise ValueError(f"suites: choose from {', '.join(SUITES)}.")
    ordered = [name for name in SUITES if name in suites]
    try:
        with transaction.atomic():
            return TestRun.objects.create(
                suites=ordered, trigger=trigger, asked_by=by, options=options or {}, asked_at=timezone.now(), state=State.QUEUED
            )
    except IntegrityError:
        running = TestRun.objects.filter(state__in=UNDER_WAY).first()
        if running is None:
            return create(suites, trigger=trigger, by=by, options=options)
        raise AlreadyRunning(running) from None


def cancel(run: TestRun) -> bool:
    """Cancel a run that is under way: at once where it waits, after the check in hand where it runs. False where it is over."""
    return bool(TestRun.objects.filter(pk=run.pk, state__in=UNDER_WAY).update(state=State.CANCELLED, ended_at=timezone.now(), doing=""))


def run(pk: int, *, until: float = math.inf) -> bool:
    """Carry out a queued run, or go on with it, until the monotonic time `until`; then the rest is queued as a job of its own.

    False where another worker has it, or it was cancelled.
    """
    now = timezone.now()
    claimed = TestRun.objects.filter(pk=pk, state=State.QUEUED).update(
        state=State.RUNNING, started_at=Coalesce("started_at", now), lease_until=now + LEASE
    )
    if not claimed:
        return False
    test_run = TestRun.objects.get(pk=pk)
    asked = asked_of(test_run, test_run.asked_at)
    parts = [(name, part) for name in test_run.suites for part in SUITES[name].parts(asked)]
    try:
        for place in range(test_run.parts_done, len(parts)):
            if place > test_run.parts_done and time.monotonic() >= until:
                _leave(test_run, place)
                return True
            _look(test_run, asked, *parts[place], progress=100 * place // len(parts))
    except Cancelled:
        return True
    _end(test_run)
    return True


def _leave(test_run: TestRun, parts_done: int) -> None:
    """Queue the rest."""
    with transaction.atomic():
        rest = {"state": State.QUEUED, "parts_done": parts_done, "lease_until": None}
        if TestRun.objects.filter(pk=test_run.pk, state=State.RUNNING).update(**rest):
            async_task(JOB, test_run.pk)


def _end(test_run: TestRun) -> None:
    verdict = worst([Result(each) for each in test_run.results.values_list("verdict", flat=True)])
    over = {"state": State.DONE, "verdict": verdict, "progress": 100, "doing": "", "lease_until": None, "ended_at": timezone.now()}
    TestRun.objects.filter(pk=test_run.pk, state=State.RUNNING).update(**over)


def requeue_lost(now: datetime) -> int:
    """Queue the runs again whose worker died, from the start. Returns how many."""
    lost = list(TestRun.objects.filter(state=State.RUNNING, lease_until__lt=now).values_list("pk", flat=True))
    return sum(_requeue(pk, now) for pk in lost)


def _requeue(pk: int, now: datetime) -> int:
    with transaction.atomic():
        back = {"state": State.QUEUED, "progress": 0, "parts_done": 0, "doing": "", "lease_until": None}
        if not TestRun.objects.filter(pk=pk, state=State.RUNNING, lease_until__lt=now).update(**back):
            return 0
        TestResult.objects.filter(run_id=pk).delete()
        async_task(JOB, pk)
    return 1


def _look(test_run: TestRun, asked: Asked, suite: str, part: str, *, progress: int) -> None:
    """Carry out one part, each finding on record before the next one is looked for. Raises Cancelled."""
    started = time.monotonic()
    for told in _guarded(suite, part, asked):
        _renew(test_run, progress, told if isinstance(told, str) else "")
        if isinstance(told, Finding):
            _record(test_run, suite, told, time.monotonic() - started)
            started = time.monotonic()


def asked_of(test_run: TestRun, now: datetime) -> Asked:
    """The run's options as the suites take them, the same for all its parts."""
    hours = test_run.options.get("hours", 24)
    journals = test_run.options.get("journals")
    return Asked(
        at=now,
        bypass_pause=bool(test_run.options.get("bypass_pause")),
        since=now - timedelta(hours=hours),
        until=now,
        journals=None if journals is None else tuple(journals),
        account=test_run.options.get("account", ""),
    )


def _guarded(suite: str, part: str, asked: Asked) -> Iterator[Finding | str]:
    """The part's findings; a fault of ours is a finding too, so that the run comes to its end."""
    try:
        yield from SUITES[suite].look(asked, part)
    except Exception as error:
        logger.exception("The suite %s of a test run failed at %s.", suite, part)
        yield Finding(
            "fault",
            Result.FAIL,
            came_back=redact(f"{type(error).__name__}: {error}", ()),
            meaning="A fault in the test itself: it says nothing about the miner.",
            next_step="Look at the log for the traceback.",
            lines=tuple(redact(traceback.format_exc(), ()).splitlines()[-6:]),
        )


def _renew(test_run: TestRun, progress: int, doing: str) -> None:
    fields: dict[str, Any] = {"progress": progress, "lease_until": timezone.now() + LEASE}
    if doing:
        fields["doing"] = doing[:200]
    if not TestRun.objects.filter(pk=test_run.pk, state=State.RUNNING).update(**fields):
        raise Cancelled


def _record(test_run: TestRun, suite: str, finding: Finding, seconds: float) -> None:
    facts, number = asdict(finding), test_run.results.count() + 1
    check, lines = facts.pop("check"), list(facts.pop("lines"))
    TestResult.objects.create(
        run=test_run, number=number, suite=suite, check_name=check, lines=lines, duration_ms=seconds * 1000, at=timezone.now(), **facts
    )
