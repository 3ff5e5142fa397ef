"""Starts test runs, and carries them out part by part."""

import logging
import math
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, NamedTuple

from django.utils import timezone

from agents.common.redaction import mask_keys_in, redact
from agents.models import JobState
from agents.operator_jobs import leased_job
from agents.operator_jobs.leased_job import Outcome
from monitoring.models import Result, TestResult, TestRun
from monitoring.testruns.suites import api, key, logs
from monitoring.testruns.suites.findings import Finding, worst

logger = logging.getLogger(__name__)

# The last part begins by then, as a part takes up to a minute and a job up to two.
CHUNK_SECONDS = 45.0


class Suite(NamedTuple):
    """A suite's parts, of a minute at most, so that a job can stop after each. `run` yields descriptions of its checks, and findings."""

    parts: Callable[[TestRun], Sequence[str]]
    run: Callable[[TestRun, str], Iterator[Finding | str]]


SUITES: Mapping[str, Suite] = {"key": Suite(key.parts, key.run), "api": Suite(api.parts, api.run), "logs": Suite(logs.parts, logs.run)}


class AlreadyRunning(Exception):
    def __init__(self, run: TestRun) -> None:
        super().__init__(f"Test run {run.pk} is active.")
        self.run = run


def start(
    suites: Sequence[str], *, trigger: TestRun.Trigger, by: str = "", options: dict[str, Any] | None = None, here: bool = False
) -> TestRun:
    """Queue a run; with `here`, carry it out in this process. Raises AlreadyRunning, and ValueError for an unknown suite."""
    if not suites or set(suites) - set(SUITES):
        raise ValueError(f"suites: choose from {', '.join(SUITES)}.")
    fields = {"suites": [name for name in SUITES if name in suites], "trigger": trigger, "requested_by": by, "options": options or {}}
    test_run, is_new = (leased_job.start_here if here else leased_job.start)(TestRun, **fields)
    if not is_new:
        raise AlreadyRunning(test_run)
    if here:
        leased_job.carry_out(test_run, partial(run_parts, seconds=math.inf))
    return test_run


def run_parts(test_run: TestRun, *, seconds: float = CHUNK_SECONDS) -> Outcome:
    """The job: carry out parts for so many seconds; the rest is queued again."""
    until = time.monotonic() + seconds
    parts = [(name, part) for name in test_run.suites for part in SUITES[name].parts(test_run)]
    begun = test_run.parts_done
    if begun == 0:
        test_run.results.all().delete()  # of a worker that died
    for place in range(begun, len(parts)):
        if place > begun and time.monotonic() >= until:
            return Outcome({"parts_done": place, "tries": 0}, JobState.QUEUED)
        _run_part(test_run, *parts[place], progress=100 * place // len(parts))
    verdict = worst([Result(result) for result in test_run.results.values_list("verdict", flat=True)])
    return Outcome({"verdict": verdict, "progress": 100, "doing": ""})


def _run_part(test_run: TestRun, suite: str, part: str, *, progress: int) -> None:
    """Carry out one part; each finding is stored before the next check begins. Raises LeaseLost."""
    started = time.monotonic()
    for output in _guarded(test_run, suite, part):
        doing = {"doing": output[:200]} if isinstance(output, str) and output else {}
        leased_job.update(test_run, progress=progress, **doing)
        if isinstance(output, Finding):
            fields, ms = mask_keys_in(asdict(output)), (time.monotonic() - started) * 1000
            place = {"run": test_run, "number": test_run.results.count() + 1, "suite": suite}
            TestResult.objects.create(**place, **fields, duration_ms=ms, at=timezone.now())
            started = time.monotonic()


def _guarded(test_run: TestRun, suite: str, part: str) -> Iterator[Finding | str]:
    """The part's findings; an error in the test is a finding too, so that the run continues."""
    try:
        yield from SUITES[suite].run(test_run, part)
    except Exception as error:
        logger.exception("The suite %s of a test run failed at %s.", suite, part)
        yield Finding(
            "fault",
            Result.FAIL,
            "An error in the test itself: no result about the miner.",
            "See the log for the traceback.",
            came_back=redact(f"{type(error).__name__}: {error}", ()),
            lines=tuple(redact(traceback.format_exc(), ()).splitlines()[-6:]),
        )
