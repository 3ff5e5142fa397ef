"""How long test runs are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitoring.models import TestRun
from monitoring.suites.running import UNDER_WAY

KEPT = timedelta(days=90)
# A key test an hour makes 2,160 runs in 90 days; beyond this the oldest go first.
MOST = 2_000
# Each batch is a short transaction of its own, so that nobody waits long for the database.
AT_ONCE, BATCHES = 100, 50


def prune(now: datetime) -> int:
    """Drop runs that are too old or too many, with their results. One under way stays. Returns how many."""
    dropped = 0
    for _ in range(BATCHES):
        batch = _too_old(now) or _too_many()
        if not batch:
            break
        TestRun.objects.filter(pk__in=batch).delete()
        dropped += len(batch)
    return dropped


def _too_old(now: datetime) -> list[int]:
    old = TestRun.objects.filter(asked_at__lt=now - KEPT).exclude(state__in=UNDER_WAY)
    return list(old.order_by("asked_at", "pk").values_list("pk", flat=True)[:AT_ONCE])


def _too_many() -> list[int]:
    ended = TestRun.objects.exclude(state__in=UNDER_WAY).order_by("-asked_at", "-pk")
    return list(ended.values_list("pk", flat=True)[MOST : MOST + AT_ONCE])
