"""The worker's periodic work, by the table settings.SCHEDULES: one row an entry, run as a leased job."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from agents.common.text import length
from agents.database import UNAVAILABLE
from agents.models import JobState, Schedule, Settings, SystemSchedule
from agents.operator_jobs.leased_job import FAULT, JobFailed, Outcome, kinds, rows
from agents.worker import cron
from agents.worker.cron import Entry
from agents.worker.watchdog import Limits

logger = logging.getLogger(__name__)


def ensure() -> None:
    """Update the rows from the table. A new entry by seconds is due at once; a new or changed one by cron at its next time."""
    now = timezone.now()
    SystemSchedule.objects.exclude(name__in=[entry.name for entry in settings.SCHEDULES]).delete()
    for entry in settings.SCHEDULES:
        due_at = cron.next_after(entry.cron, now) if entry.cron else now
        values = {"when": cadence(entry), "time_limit": entry.time_limit}
        row, is_new = SystemSchedule.objects.get_or_create(name=entry.name, defaults={**values, "due_at": due_at})
        if not is_new and row.when != values["when"]:
            SystemSchedule.objects.filter(pk=row.pk).update(**values, due_at=due_at, enqueued_at=None)


def start_now(name: str) -> None:
    SystemSchedule.objects.filter(name=name, state=JobState.QUEUED).update(due_at=timezone.now(), enqueued_at=None)


def schedules() -> list[Schedule]:
    return sorted((row for kind in kinds() if issubclass(kind, Schedule) for row in rows(kind)), key=lambda row: row.name)


def cadence(entry: Entry) -> str:
    """How often it runs, as text, or cron's five fields. Nothing runs more often than the worker's rounds."""
    if entry.cron or isinstance(entry.every, str):
        return entry.cron or "as set in the settings"
    return f"every {length(max(entry.every, Limits().canary_every))}"


def run_entry(schedule: SystemSchedule) -> Outcome:
    """Run a schedule's function and set its next time. A fault fails this run only."""
    entry: Entry = next(entry for entry in settings.SCHEDULES if entry.name == schedule.name)
    result, fault = None, ""
    try:
        result = import_string(entry.function)(timezone.now())
    except JobFailed as error:
        fault = str(error)
    except UNAVAILABLE:
        raise
    except Exception:
        logger.exception("The schedule “%s” failed.", schedule.name)
        fault = FAULT
    now, seconds = timezone.now(), entry.every
    if isinstance(seconds, str):
        seconds = float(getattr(Settings.current(), seconds))
    due_at = cron.next_after(entry.cron, now) if entry.cron else now + timedelta(seconds=seconds)
    return again(schedule, due_at, fault=fault, result=result if isinstance(result, str) else "")


def again(schedule: Schedule, due_at: datetime, **fields: Any) -> Outcome:
    return Outcome({"last_run_at": schedule.started_at, "started_at": None, "tries": 0, **fields}, JobState.QUEUED, due_at)
