"""What the worker runs for the panel. Jobs take ids, never keys, pages or files."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from django.utils import timezone

from monitoring import retention, uploads
from monitoring.backup import plan
from monitoring.health import checking
from monitoring.notices import noticing, sending
from monitoring.rollups import rolling
from monitoring.search import filling
from monitoring.suites import retests, running, schedules

# A part of a run takes a minute at most, and a job two: so the last part begins by then.
CHUNK_SECONDS = 45.0
# What is left after this long waits for the next hour's job: a job may take two minutes.
PRUNING_SECONDS = 60.0

logger = logging.getLogger(__name__)


def run_tests(pk: int) -> bool:
    """Carry out a test run. False where another worker had it, or it was cancelled."""
    return running.run(pk, until=time.monotonic() + CHUNK_SECONDS)


def import_journal(pk: int) -> bool:
    """Import an uploaded journal. False where there is nothing to do now."""
    return uploads.run(pk)


def prune() -> dict[str, int]:
    """Hourly: delete the records that are too old or too many. How many of what."""
    deleted = retention.prune(timezone.now(), until=time.monotonic() + PRUNING_SECONDS)
    if deleted:
        logger.info("Old records were deleted: %s.", ", ".join(f"{count} {name}" for name, count in deleted.items()))
    return deleted


def watch() -> None:
    """Every few seconds: what is due by now. Each part looks for itself whether it is, so that several workers do nothing twice."""
    now = timezone.now()
    lost = running.requeue_lost(now)
    if lost:
        logger.info("Taken up: %d test runs queued again.", lost)
    uploads.take_up(now)
    retests.ask_due(now)
    schedules.ask_due(now)
    plan.ask_if_due(now)
    checking.check_if_due(now)
    noticing.notice(now)
    sending.enqueue_due(now)
    rolling.roll_if_due(now)
    filling.fill(until=time.monotonic() + filling.CHUNK_SECONDS)


def back_up(begun: str) -> bool:
    """Take the backup by the plan that was asked for at a time in ISO 8601. False where it failed, or was cancelled."""
    return plan.carry_out(datetime.fromisoformat(begun))


def deliver(pk: int) -> bool:
    """Send one notification. False where another worker had it."""
    return sending.deliver(pk)
