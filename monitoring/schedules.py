"""What the worker does for the panel by the clock."""

from __future__ import annotations

from django.utils import timezone
from django_q.models import Schedule

# An import whose worker died waits this long, in minutes, for another one.
TAKE_UP_MINUTES = 5


def ensure() -> None:
    """Make the schedules that are missing. The first run of each is due at once."""
    _ensure("Take up imports", "monitoring.jobs.take_up_imports", schedule_type=Schedule.MINUTES, minutes=TAKE_UP_MINUTES)
    _ensure("Delete old logs", "monitoring.jobs.prune_logs", schedule_type=Schedule.HOURLY)


def _ensure(name: str, job: str, **when: object) -> None:
    Schedule.objects.get_or_create(name=name, defaults={"func": job, "next_run": timezone.now(), "repeats": -1, **when})
