"""The test that runs by itself when an account should be back after a rate limit."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from agents.models import RateLimitEvent, Settings
from agents.refusals import RefusalClass
from monitoring.models import TestRun
from monitoring.suites import running

logger = logging.getLogger(__name__)

# The probe that ends the pause goes first: the test then tells what it found.
AFTER_PROBE = timedelta(seconds=20)
# An account that should have been back this long ago is a matter of the schedules.
MISSED_AFTER = timedelta(hours=1)


def ask_due(now: datetime) -> TestRun | None:
    """Queue the key test where a predicted recovery has just passed and none has run for it. None where there is nothing to do."""
    if not Settings.current().retest_after_pause:
        return None
    event = _due(now)
    if event is None:
        return None
    try:
        run = running.ask(["key"], trigger=TestRun.Trigger.RESET, options={"event": event.pk})
    except running.AlreadyRunning as error:
        logger.info("The test after a pause waits: %s", error)
        return None
    logger.info("Test run %d: account %s should be back.", run.pk, event.account.name)
    return run


def _due(now: datetime) -> RateLimitEvent | None:
    """The newest event of the edge whose prediction has passed. One that is over by a refusal has a later one in its place."""
    passed = RateLimitEvent.objects.filter(
        model="", refusal=RefusalClass.EDGE, predicted_at__lte=now - AFTER_PROBE, predicted_at__gt=now - MISSED_AFTER
    ).exclude(ended_by=RateLimitEvent.Ended.TIMER)
    event = passed.select_related("account").order_by("-predicted_at").first()
    if event is None:
        return None
    tested = TestRun.objects.filter(trigger=TestRun.Trigger.RESET, options__event=event.pk)
    return None if tested.exists() else event
