"""What a step tells of the one before it: how that one's actions went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.facts import Opening
from agents.models import Step
from agents.outcomes import judge

# A task lasts three minutes. The same id may come again days later, and tells nothing of what was sent then.
LONGEST_AGO = 3_600.0
_COLUMNS = ("pk", "index", "history_size", "received_at", "actions", "outcome")


def told(opening: Opening) -> Callable[[], Any] | None:
    """The write that notes how the actions of the step before went, by this step's history; None where nothing is to be noted.

    One look, outside of any transaction, so that nobody waits for it. Without a history there is nothing to look for. What a step's
    outcome is was said by the first step after it, so that the write changes nothing the second time.
    """
    found = _before(opening) if opening.heard else None
    if found is None:
        return None
    pk, index, history_size, received_at, actions, outcome = found
    if outcome or not 0 < opening.received_at - received_at.timestamp() < LONGEST_AGO:
        return None
    judged = judge(actions, index, history_size, opening.heard)
    if judged is None:
        return None
    noted = {"outcome": judged.outcome, "worked": list(judged.worked), "caller_error": judged.error}
    return lambda: Step.objects.filter(pk=pk, outcome="").update(**noted)


def _before(opening: Opening) -> tuple[Any, ...] | None:
    """The newest step of the task with the next lower index; a caller that counts no steps says 0 each time.

    Its time is not asked for: SQLite would go through all steps of that hour instead of the task's own.
    """
    of_task = Step.objects.filter(task__fingerprint=opening.fingerprint)
    lower = of_task.filter(index__lt=opening.index) if opening.index else of_task.filter(index=0).exclude(uid=opening.uid)
    return next(iter(lower.order_by("-index", "-id").values_list(*_COLUMNS)[:1]), None)
