"""What the worker does for the panel by the clock."""

from __future__ import annotations

from django.utils import timezone
from django_q.models import Schedule

from monitoring.suites import schedules as test_schedules

HOURLY = {"Delete old logs": "monitoring.jobs.prune_logs", "Delete old tests and health checks": "monitoring.jobs.prune"}


def ensure() -> None:
    """Make the schedules that are missing. The first run of each job is due at once."""
    for name, func in HOURLY.items():
        values = {"func": func, "schedule_type": Schedule.HOURLY, "next_run": timezone.now(), "repeats": -1}
        Schedule.objects.get_or_create(name=name, defaults=values)
    test_schedules.ensure()
