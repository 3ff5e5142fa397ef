"""The worker's job that learns from answered steps."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from agents.database import UNAVAILABLE
from agents.hybrid import page_archive
from agents.learning.maps import learn_map
from agents.learning.solutions import QUIET, ends_tasks, is_open, learn_from_last, learn_solution
from agents.learning.store import AnsweredStep, drop_beyond_all, place
from agents.models import Settings, StepPage, Unlearned
from agents.models import Step as StepRow

logger = logging.getLogger(__name__)

BATCH = 20
LONGEST_OPEN = timedelta(days=1)
SECONDS = 30.0  # less than a job may take; the rest is learned in the next round


Learner = Callable[[AnsweredStep], None]
LEARNERS: tuple[Learner, ...] = (learn_map, learn_solution)


def learn(now: datetime) -> str:
    """Learn from every step that was answered since the last round. Raises UNAVAILABLE; the rest is learned in the next round."""
    until, learned = time.monotonic() + SECONDS, 0
    waiting = Unlearned.objects.select_related("step__task").filter(Q(settles_at=None) | Q(settles_at__lte=now)).order_by("step")
    while time.monotonic() < until and (batch := list(waiting[:BATCH])):
        settings = Settings.current()
        for entry in batch:
            learned += _learn_from(entry.step, settings, now, LEARNERS if entry.settles_at is None else (learn_from_last,))
            unlearned = Unlearned.objects.filter(pk=entry.pk)
            if settles_at := _settles_at(entry, now):
                unlearned.update(settles_at=settles_at)
            else:
                unlearned.delete()
    dropped = drop_beyond_all()
    return f"{learned} steps learned from; {dropped} facts deleted." if learned or dropped else ""


def _settles_at(entry: Unlearned, now: datetime) -> datetime | None:
    """When its task may be learned from; None: never again. Whether its caller ends tasks itself may show later."""
    row = entry.step
    if not is_open(row):
        return None
    if entry.settles_at is None:
        return row.received_at + QUIET
    waited = now - row.received_at
    return now + waited if waited < LONGEST_OPEN and not ends_tasks(row, now) else None


def _learn_from(row: StepRow, settings: Settings, now: datetime, learners: Sequence[Learner]) -> bool:
    kept, task = StepPage.objects.filter(step=row.pk).first(), row.task
    at = place(task.url, task.project, task.source, task.caller, settings.caller_state(task.caller))
    if kept is None or at is None:
        return False
    try:
        answered = AnsweredStep(row, page_archive.unpacked(bytes(kept.gz)), at, now)
        for learner in learners:
            learner(answered)
    except UNAVAILABLE:
        raise
    except Exception:
        # A page that can't be read must not stop the next ones.
        logger.exception("Nothing was learned from step %s.", row.uid)
    return True
