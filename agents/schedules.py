"""What the worker does by the clock."""

from __future__ import annotations

from django.utils import timezone
from django_q.models import Schedule


def ensure() -> None:
    """Make the schedules that are missing. The first run of each is due at once."""
    _ensure("Read model lists", "agents.jobs.read_catalogues", schedule_type=Schedule.HOURLY)
    _ensure("Forget pages", "agents.jobs.forget_pages", schedule_type=Schedule.HOURLY)
    # Each reading keeps its five minutes from the last one by itself; looking every minute, none comes much later than that.
    _ensure("Read quotas", "agents.jobs.read_quotas", schedule_type=Schedule.MINUTES, minutes=1)


def _ensure(name: str, job: str, **how: object) -> None:
    Schedule.objects.get_or_create(name=name, defaults={"func": job, "next_run": timezone.now(), "repeats": -1, **how})
