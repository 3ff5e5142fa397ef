"""When tests run by themselves: the schedules of a new panel, how they are changed, and how they are carried out."""

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

# Minutes at which nobody else's jobs start, so that not everybody calls the provider at once.
FIRST = (
    ("Key check", ["key"], "7 * * * *"),
    ("Live test", ["api"], "23 */6 * * *"),
    ("Full suite", list(SUITE_TITLES), "41 3 * * *"),
)
MADE = "test schedules made"
# A schedule whose time comes during another test run tries again after this.
RETRY = timedelta(seconds=10)
# The probe that ends the pause goes first: the test then reports what it found.
AFTER_PROBE = timedelta(seconds=20)
# An account that should have been back this long ago is a matter of the schedules.
MISSED_AFTER = timedelta(hours=1)


def ensure() -> None:
    """Make the schedules that a new panel has, once: one that an admin deleted stays away."""
    now = timezone.now()
    with transaction.atomic():
        if Heartbeat.objects.get_or_create(name=MADE, defaults={"beaten_at": now})[1]:
            for name, suites, when in FIRST:
                values = {"suites": suites, "cron": when, "due_at": cron.next_after(when, now)}
                TestSchedule.objects.get_or_create(name=name, defaults=values)


def run_due(schedule: TestSchedule) -> Outcome:
    """The work: start a test run, one however many were missed. While another run is under way the schedule stays due."""
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
    """Add a schedule, or change what differs in one. Raises IntegrityError where the name is taken, and TestSchedule.DoesNotExist."""
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
    """Queue the key test where a predicted recovery from the edge's limit has just passed and none has run for it."""
    if not Settings.current().retest_after_pause:
        return None
    due = {"predicted_at__lte": now - AFTER_PROBE, "predicted_at__gt": now - MISSED_AFTER}
    # One that a refusal ended has a later one in its place.
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
