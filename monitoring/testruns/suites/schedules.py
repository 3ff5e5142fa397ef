"""Scheduled test runs: the schedules of a new panel, their changes, and their execution."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from agents.configuration import save_as
from agents.models import Heartbeat, JobState, RateLimitEvent, Settings
from agents.operator_jobs.leased_job import Outcome
from agents.policy.refusals import RefusalClass
from agents.worker import cron
from agents.worker.schedules import again
from monitoring.models import SUITE_TITLES, TestRun, TestSchedule
from monitoring.testruns.suites import running

logger = logging.getLogger(__name__)

# At unusual minutes, so that not all users call the provider at the same time.
FIRST = (
    ("Key check", ["key"], "7 * * * *"),
    ("Live test", ["api"], "23 */6 * * *"),
    ("Full suite", list(SUITE_TITLES), "41 3 * * *"),
)
MADE = "test schedules made"
# A schedule that is due during another test run is retried after this.
RETRY = timedelta(seconds=10)
# After the probe that ends the pause, so that the test reports its result.
AFTER_PROBE = timedelta(seconds=20)
# Older predicted recoveries are left to the schedules.
MISSED_AFTER = timedelta(hours=1)


def ensure() -> None:
    """Make the schedules of a new panel, once, so that deleted ones stay deleted."""
    now = timezone.now()
    with transaction.atomic():
        if Heartbeat.objects.get_or_create(name=MADE, defaults={"beaten_at": now})[1]:
            for name, suites, when in FIRST:
                values = {"suites": suites, "cron": when, "due_at": cron.next_after(when, now)}
                TestSchedule.objects.get_or_create(name=name, defaults=values)


def run_due(schedule: TestSchedule) -> Outcome:
    """The job: start a test run, one for all missed times. While another run is active the schedule stays due."""
    now = timezone.now()
    if schedule.enabled:
        try:
            run = running.start(schedule.suites, trigger=TestRun.Trigger.SCHEDULE, by=schedule.name)
        except running.AlreadyRunning as error:
            logger.info("The schedule %s waits: %s", schedule.name, error)
            return Outcome({"started_at": None, "tries": 0}, JobState.QUEUED, now + RETRY)
        logger.info("Test run %d was started by the schedule %s.", run.pk, schedule.name)
    return again(schedule, cron.next_after(schedule.cron, now))


def save(pk: int | None, values: Mapping[str, Any], *, by: User, now: datetime) -> None:
    """Add or change a schedule. Raises IntegrityError if the name is taken, and TestSchedule.DoesNotExist."""
    with transaction.atomic():
        schedule = TestSchedule.objects.select_for_update().get(pk=pk) if pk else TestSchedule()
        changes = {name: value for name, value in values.items() if pk is None or getattr(schedule, name) != value}
        if not changes:
            return
        for name, value in changes.items():
            setattr(schedule, name, value)
        if changes.keys() & {"cron", "enabled"}:
            schedule.due_at = cron.next_after(schedule.cron, now) if schedule.enabled else None
            schedule.enqueued_at = None
        save_as(schedule, by, "")


def next_schedules(number: int) -> list[TestSchedule]:
    return list(TestSchedule.objects.filter(enabled=True, due_at__isnull=False).order_by("due_at", "id")[:number])


def start_due(now: datetime) -> TestRun | None:
    """Queue the key test if a predicted recovery from the edge's limit has just passed, once per event."""
    if not Settings.current().retest_after_pause:
        return None
    due = {"predicted_at__lte": now - AFTER_PROBE, "predicted_at__gt": now - MISSED_AFTER}
    # Without events that a refusal ended, as a later event replaces them.
    passed = RateLimitEvent.objects.filter(model="", refusal=RefusalClass.EDGE, **due).exclude(ended_by=RateLimitEvent.Ended.TIMER)
    event = passed.select_related("account").order_by("-predicted_at").first()
    if event is None or TestRun.objects.filter(trigger=TestRun.Trigger.RESET, options__event=event.pk).exists():
        return None
    try:
        run = running.start(["key"], trigger=TestRun.Trigger.RESET, options={"event": event.pk})
    except running.AlreadyRunning as error:
        logger.info("The test after a pause waits: %s", error)
        return None
    logger.info("Test run %d: account %s should be back.", run.pk, event.account.name)
    return run
