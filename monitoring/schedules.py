"""What the worker does for the panel by the clock."""

from __future__ import annotations

from django.utils import timezone
from django_q.models import Schedule

from monitoring.suites import schedules as test_schedules


def ensure() -> None:
    """Make the schedules that are missing. The first run of the job is due at once."""
    values = {"func": "monitoring.jobs.prune", "schedule_type": Schedule.HOURLY, "next_run": timezone.now(), "repeats": -1}
    Schedule.objects.get_or_create(name="Delete old records", defaults=values)
    test_schedules.ensure()
