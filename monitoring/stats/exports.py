"""Tasks and LLM attempts as rows of a file: no pages, no replies, secrets masked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

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
    "prompt",
    "url",
    "state",
    "steps",
    "newest_route",
    "newest_reason",
    "newest_step_ms",
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
TASK_FIELDS = ("id", "key", "project", "source", "caller", "created_at", "prompt", "url", "submission__state")


def task_rows(query: Query, now: datetime) -> Iterator[dict[str, Any]]:
    """The tasks that match, newest first."""
    found = tasks.with_newest(matching_tasks(query, now)).only(*TASK_FIELDS).order_by("-created_at", "-id")
    each = found.iterator(chunk_size=CHUNK)
    while some := list(islice(each, CHUNK)):
        for task, row in zip(some, tasks.told(some, now), strict=True):
            newest = row.newest
            yield {
                "id": row.id,
                "key": row.key,
                "first_seen": row.created_at,
                "source": row.source,
                "caller": row.caller,
                "project": row.project,
                "prompt": redact(task.prompt),
                "url": redact(task.url),
                "state": row.state.value,
                "steps": row.steps,
                "newest_route": newest.route if newest else "",
                "newest_reason": newest.reason if newest else "",
                "newest_step_ms": newest.duration_ms if newest else None,
            }


def attempt_rows(query: Query, now: datetime) -> Iterator[dict[str, Any]]:
    """The attempts that match, newest first."""
    found = attempts.with_account(matching_attempts(query, now)).order_by("-decided_at", "-id")
    for attempt in found.iterator(chunk_size=CHUNK):
        (row,) = attempts.told([attempt])
        yield {column: getattr(row, column) for column in ATTEMPT_COLUMNS}
