"""Tasks and LLM attempts as rows of a file: no pages, no replies, secrets masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Count

from agents.models import Step
from agents.outcomes import Outcome
from agents.redaction import redact
from monitoring.queries import Query
from monitoring.stats import attempts, tasks
from monitoring.stats.attempts import matching_attempts
from monitoring.stats.task_filters import matching_tasks

# So many rows are in memory at once.
CHUNK = 500
TASK_COLUMNS = (
    "id",
    "key",
    "first_seen",
    "source",
    "caller",
    "project",
    "kind",
    "prompt",
    "url",
    "state",
    "steps",
    "newest_route",
    "newest_reason",
    "newest_step_ms",
    "steps_worked",
    "steps_partly",
    "steps_failed",
)
ATTEMPT_COLUMNS = (
    "id",
    "decided_at",
    "account",
    "model",
    "purpose",
    "verdict",
    "refusal",
    "status",
    "wait_ms",
    "latency_ms",
    "prompt_tokens",
    "completion_tokens",
    "cost",
    "detail",
    "step_id",
    "task_id",
)
TASK_FIELDS = ("id", "key", "project", "kind", "source", "caller", "created_at", "prompt", "url")


def task_rows(query: Query, now: datetime) -> Iterator[dict[str, Any]]:
    """The tasks that match, newest first."""
    found = tasks.with_newest(matching_tasks(query, now)).only(*TASK_FIELDS).order_by("-created_at", "-id")
    each = found.iterator(chunk_size=CHUNK)
    while some := list(islice(each, CHUNK)):
        outcomes = _outcomes(some)
        for task, row in zip(some, tasks.told(some, now), strict=True):
            newest = row.newest
            yield {
                "id": row.id,
                "key": row.key,
                "first_seen": row.created_at,
                "source": row.source,
                "caller": row.caller,
                "project": row.project,
                "kind": task.kind,
                "prompt": redact(task.prompt),
                "url": redact(task.url),
                "state": row.state.value,
                "steps": row.steps,
                "newest_route": newest.route if newest else "",
                "newest_reason": newest.reason if newest else "",
                "newest_step_ms": newest.duration_ms if newest else None,
                "steps_worked": outcomes[task.pk, Outcome.WORKED],
                "steps_partly": outcomes[task.pk, Outcome.PARTLY],
                "steps_failed": outcomes[task.pk, Outcome.FAILED],
            }


def _outcomes(some: list[Any]) -> Counter[tuple[int, str]]:
    """How many steps of each task have each outcome."""
    told = Step.objects.filter(task__in=some).exclude(outcome="").order_by().values_list("task", "outcome")
    return Counter({(task, outcome): count for task, outcome, count in told.annotate(count=Count("*"))})


def attempt_rows(query: Query, now: datetime) -> Iterator[dict[str, Any]]:
    """The attempts that match, newest first."""
    found = attempts.with_account(matching_attempts(query, now)).order_by("-decided_at", "-id")
    for attempt in found.iterator(chunk_size=CHUNK):
        (row,) = attempts.told([attempt])
        yield {column: getattr(row, column) for column in ATTEMPT_COLUMNS}
