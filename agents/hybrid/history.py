"""What our records hold of a step's task."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from agents import ledger
from agents.contract.earlier import Earlier
from agents.contract.protocol import Step
from agents.contract.step_facts import fingerprint
from agents.database import UNAVAILABLE
from agents.ledger import Request
from agents.models import Source
from agents.prompting.task_history import TaskHistory

logger = logging.getLogger(__name__)


def recorded(step: Step, source: Source, caller: str | None, received_at: float) -> Sequence[Earlier] | None:
    """The task's steps before this one; None: the records can't be read."""
    try:
        of_task = fingerprint(source, caller, step.task_id, step.prompt)
        return ledger.earlier_steps(of_task, step.index, len(step.history), received_at)
    except UNAVAILABLE as error:
        logger.warning("The task's earlier steps can't be read (%s). Its history is used as the caller sends it.", error)
        return None


def not_asked(history: TaskHistory, digest: str, requests: Sequence[Request]) -> list[Request]:
    """The requests with those models that have not replied to this prompt in this task."""
    fresh = [replace(each, models=history.not_asked(digest, each.models)) for each in requests]
    return [each for each in fresh if each.models]
