"""The tests' schedules as they are shown, and what was done to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agents.models import AuditEntry
from monitoring import cron
from monitoring.models import TestSchedule
from monitoring.suites.schedules import AUDIT, titles

CHANGES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One schedule. `when`: its times in words."""

    pk: int
    name: str
    suites: str
    cron: str
    when: str
    enabled: bool
    last_run_at: datetime | None
    next_run_at: datetime | None


def schedule_rows() -> list[ScheduleRow]:
    """All schedules, oldest first."""
    return [
        ScheduleRow(
            pk=row.pk,
            name=row.name,
            suites=titles(row.suites),
            cron=row.cron,
            when=cron.in_words(row.cron),
            enabled=row.enabled,
            last_run_at=row.last_run_at,
            next_run_at=row.next_run_at if row.enabled else None,
        )
        for row in TestSchedule.objects.all()
    ]


def next_schedules(number: int) -> list[TestSchedule]:
    """The schedules that run next, the soonest first."""
    return list(TestSchedule.objects.filter(enabled=True, next_run_at__isnull=False).order_by("next_run_at", "id")[:number])


def schedule_changes() -> list[AuditEntry]:
    """What was done to schedules last, newest first."""
    return list(AuditEntry.objects.filter(action=AUDIT).order_by("-at", "-id")[:CHANGES_SHOWN])
