"""Steps as rows of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Left

from agents.models import Step
from agents.reasons import Reason
from monitoring.wording import translated

# A prompt's beginning tells tasks apart; the task's page shows the whole.
PROMPT_CHARS = 160
FIELDS = (
    "id",
    "task_id",
    "prompt",
    "project",
    "source",
    "endpoint",
    "index",
    "route",
    "reason",
    "received_at",
    "deadline_at",
    "duration_ms",
    "outcome",
)


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step in a table. `sentence`: why it took its route, as decided then; duration in ms."""

    id: int
    task_id: int
    prompt: str
    project: str
    source: str
    endpoint: str
    index: int
    route: str
    reason: str
    received_at: datetime
    deadline_at: datetime
    duration_ms: float | None
    outcome: str
    sentence: str
    late: bool


def latest_steps(count: int) -> list[StepRow]:
    """The newest steps of all sources."""
    return rows(Step.objects.order_by("-received_at", "-id"), count)


def rows(steps: QuerySet[Step], count: int) -> list[StepRow]:
    """At most `count` of these steps, as rows. Pages, actions and whole prompts stay in the database."""
    short = steps.annotate(prompt=Left("task__prompt", PROMPT_CHARS, output_field=TextField()), project=F("task__project"))
    said = cache(sentence_of)
    return [_row(values, said) for values in short.values(*FIELDS, "answered_at")[:count]]


def sentence_of(reason: str) -> str:
    """A reason in words; "" while nothing is decided."""
    return translated(Reason(reason).sentence) if reason else ""


def is_late(answered_at: datetime | None, deadline_at: datetime) -> bool:
    """Whether an answer left after its deadline."""
    return answered_at is not None and answered_at > deadline_at


def _row(values: dict[str, Any], said: Callable[[str], str]) -> StepRow:
    answered_at = values.pop("answered_at")
    return StepRow(**values, sentence=said(values["reason"]), late=is_late(answered_at, values["deadline_at"]))
