"""When tests run by themselves: the schedules that are there from the start, how they are changed, and how they are carried out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.models import AuditEntry, Heartbeat
from monitoring import cron
from monitoring.models import TestRun, TestSchedule
from monitoring.suites import running
from monitoring.suites.registry import SUITES, TITLES
from monitoring.wording import translated

logger = logging.getLogger(__name__)

# Minutes at which nobody else's jobs start, so that the provider is not asked when everybody asks.
FIRST = (
    ("Key check", ["key"], "7 * * * *"),
    ("Live test", ["api"], "23 */6 * * *"),
    ("Full suite", list(SUITES), "41 3 * * *"),
)
MADE = "test schedules made"
AUDIT = "schedule"


def ensure() -> None:
    """Make the schedules that a new panel has, once: one that an admin deleted stays away."""
    now = timezone.now()
    with transaction.atomic():
        if Heartbeat.objects.get_or_create(name=MADE, defaults={"beaten_at": now})[1]:
            for name, suites, when in FIRST:
                values = {"suites": suites, "cron": when, "next_run_at": cron.next_after(when, now)}
                TestSchedule.objects.get_or_create(name=name, defaults=values)


def ask_due(now: datetime) -> list[TestRun]:
    """Queue a run for each schedule whose time has come, one however many were missed. While a run is under way they stay due."""
    due = TestSchedule.objects.filter(enabled=True, next_run_at__lte=now).order_by("next_run_at", "pk")
    asked = list[TestRun]()
    for schedule in due:
        try:
            run = _ask(schedule, now)
        except running.AlreadyRunning as error:
            logger.info("The schedule %s waits: %s", schedule.name, error)
            break
        asked += [run] if run else []
    return asked


def _ask(schedule: TestSchedule, now: datetime) -> TestRun | None:
    """None where another watcher was first. Raises AlreadyRunning, and then the schedule is as it was."""
    with transaction.atomic():
        as_read = TestSchedule.objects.filter(pk=schedule.pk, enabled=True, cron=schedule.cron, next_run_at=schedule.next_run_at)
        if not as_read.update(next_run_at=cron.next_after(schedule.cron, now), last_run_at=now):
            return None
        run = running.ask(schedule.suites, trigger=TestRun.Trigger.SCHEDULE, by=schedule.name)
    logger.info("Test run %d: its time has come by the schedule %s.", run.pk, schedule.name)
    return run


def add(values: Mapping[str, Any], *, by: str, now: datetime) -> TestSchedule:
    """A new schedule of `values`: name, suites, cron and enabled, all checked. Raises IntegrityError where the name is taken."""
    with transaction.atomic():
        schedule = TestSchedule(**values)
        schedule.next_run_at = cron.next_after(schedule.cron, now) if schedule.enabled else None
        schedule.save()
        _note(f"Added {_told(schedule)}.", by, now)
    return schedule


def change(pk: int, values: Mapping[str, Any], *, by: str, now: datetime) -> None:
    """Change what differs, and note it. The next run counts anew where the times changed. Raises as `add` does."""
    with transaction.atomic():
        schedule = TestSchedule.objects.select_for_update().get(pk=pk)
        before, name = dict(_words(schedule)), schedule.name
        is_timed = schedule.enabled and values.get("cron", schedule.cron) == schedule.cron
        for field, value in values.items():
            setattr(schedule, field, value)
        differing = [f"{label} {before[label]} → {words}" for label, words in _words(schedule) if before[label] != words]
        if not differing:
            return
        if not (is_timed and schedule.enabled):
            schedule.next_run_at = cron.next_after(schedule.cron, now) if schedule.enabled else None
        schedule.save(update_fields=["name", "suites", "cron", "enabled", "next_run_at"])
        _note(f"Changed the schedule “{name}”: {'; '.join(differing)}.", by, now)


def delete(pk: int, *, by: str, now: datetime) -> None:
    """Delete a schedule, and note it."""
    with transaction.atomic():
        schedule = TestSchedule.objects.select_for_update().filter(pk=pk).first()
        if schedule:
            _note(f"Deleted {_told(schedule)}.", by, now)
            schedule.delete()


def _words(schedule: TestSchedule) -> list[tuple[str, str]]:
    return [
        ("name", schedule.name),
        ("tests", ", ".join(TITLES[name] for name in schedule.suites)),
        ("cron", schedule.cron),
        ("enabled", "yes" if schedule.enabled else "no"),
    ]


def titles(suites: list[str]) -> str:
    """The suites in the reader's words."""
    return ", ".join(translated(TITLES[name]) for name in suites)


def _told(schedule: TestSchedule) -> str:
    parts = ", ".join(f"{label} {words}" for label, words in _words(schedule)[1:])
    return f"the schedule “{schedule.name}”: {parts}"


def _note(detail: str, by: str, now: datetime) -> None:
    AuditEntry.objects.create(at=now, by=by, action=AUDIT, detail=detail)
