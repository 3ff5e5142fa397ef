"""Tasks as rows of a table, filtered and paged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Coalesce, Left

from agents.models import LLMAttempt, Source, Step, Submission, Task
from monitoring.stats.keyset import COUNT_CAP, Place, Slice, capped_count, cut
from monitoring.stats.steps import PROMPT_CHARS, StepRow, rows

PAGE_SIZE = 50


class TaskState(StrEnum):
    """Where a task is, as the list tells and filters."""

    QUEUED = "queued"
    RUNNING = "running"
    ANSWERED = "answered"
    LATE = "late"
    UNANSWERED = "unanswered"

    @property
    def sentence(self) -> str:
        """The state in an operator's words."""
        return _STATES[self]


_STATES = {
    TaskState.QUEUED: "Queued",
    TaskState.RUNNING: "Running",
    TaskState.ANSWERED: "Answered",
    TaskState.LATE: "A step was late",
    TaskState.UNANSWERED: "No answer on record",
}


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """What to list. Empty: no condition. Times bound when a task was first seen; `text` is looked for in prompt, URL and id."""

    route: str = ""
    reason: str = ""
    project: str = ""
    status: int | None = None
    source: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task in a table, with its newest step."""

    id: int
    key: str
    prompt: str
    project: str
    source: str
    caller: str | None
    created_at: datetime
    steps: int
    state: TaskState
    newest: StepRow | None


@dataclass(frozen=True, slots=True)
class TaskList:
    """One page of tasks, and how many match in all: at most the count's cap + 1."""

    page: Slice[Any]
    rows: list[TaskRow]
    count: int


def tasks(query: TaskQuery, place: Place, now: datetime) -> TaskList:
    """The tasks that match, newest first."""
    matching = _matching(query, now)
    page: Slice[Any] = cut(_with_newest(matching), "created_at", place, PAGE_SIZE)
    newest = {row.id: row for row in rows(Step.objects.filter(id__in=[task.newest_id for task in page.rows if task.newest_id]), PAGE_SIZE)}
    return TaskList(page, [_row(task, newest.get(task.newest_id), now) for task in page.rows], capped_count(matching))


def projects() -> list[str]:
    """The names to choose from, of the index alone: from each name to the next one, where DISTINCT would read all tasks."""
    with connection.cursor() as cursor:
        cursor.execute(_PROJECTS)
        return [name for (name,) in cursor.fetchall()]


_PROJECTS = """
    WITH RECURSIVE names(name) AS (
        SELECT MIN(project) FROM agents_task WHERE project > ''
        UNION ALL
        SELECT (SELECT MIN(project) FROM agents_task WHERE project > names.name) FROM names WHERE names.name IS NOT NULL
    )
    SELECT name FROM names WHERE name IS NOT NULL LIMIT 200
"""


def _matching(query: TaskQuery, now: datetime) -> QuerySet[Task]:
    found = Task.objects.all()
    for value, condition in _conditions(query, now):
        if value:
            found = found.filter(condition)
    return found


def _conditions(query: TaskQuery, now: datetime) -> list[tuple[object, Q]]:
    """Each condition beside the value that switches it on.

    Where few steps or attempts match, their tasks are looked up, by IN; where many do, tasks are asked one by one, newest first, by
    EXISTS: the page is full soon. EXISTS names nothing but the step's task, and no indexed status: else SQLite picks the wrong index.
    """
    text = Q(prompt__icontains=query.text) | Q(url__icontains=query.text) | Q(key__icontains=query.text)
    # A task's steps come after the task.
    steps = Step.objects.filter(received_at__gte=query.since) if query.since else Step.objects.all()
    refused = LLMAttempt.objects.filter(status=query.status, **({"decided_at__gte": query.since} if query.since else {}))
    of_step = {name: value for name, value in (("route", query.route), ("reason", query.reason)) if value}
    return [
        (query.source, Q(source=query.source)),
        (query.project, Q(project=query.project)),
        (query.since, Q(created_at__gte=query.since)),
        (query.until, Q(created_at__lt=query.until)),
        (query.text, text),
        (of_step, _with_step(steps.filter(**of_step), Q(**of_step)) if of_step else Q()),
        (query.status, _with_attempt(refused, query.status) if query.status else Q()),
        (query.state, _in_state(query.state, steps, now)),
    ]


def _in_state(state: str, steps: QuerySet[Step], now: datetime) -> Q:
    queued, running = (Q(submission__state=of) for of in (Submission.State.QUEUED, Submission.State.RUNNING))
    is_open, is_lost = _of(steps.filter(route="", deadline_at__gte=now)), _of(steps.filter(route="", deadline_at__lt=now))
    is_operators = Q(source=Source.OPERATOR)
    return {
        TaskState.QUEUED: queued,
        TaskState.RUNNING: running | is_open,
        TaskState.ANSWERED: ~_of(steps.filter(route="")) & (~is_operators | Q(submission__state=Submission.State.ANSWERED)),
        TaskState.LATE: _of(steps.filter(answered_at__gt=F("deadline_at"))),
        TaskState.UNANSWERED: is_lost & ~(queued | running),
        "": Q(),
    }[state]


def _of(steps: QuerySet[Step]) -> Q:
    """The tasks that these steps are of."""
    return Q(id__in=steps.values("task"))


def _steps_of_task() -> QuerySet[Step]:
    return Step.objects.filter(task=OuterRef("pk"))


def _with_step(steps: QuerySet[Step], condition: Q) -> Q:
    """The tasks of which a step meets the condition; `steps` are all that do."""
    return _of(steps) if capped_count(steps) <= COUNT_CAP else Q(Exists(_steps_of_task().filter(condition)))


def _with_attempt(attempts: QuerySet[LLMAttempt], status: int) -> Q:
    """The tasks of which an attempt had this status; `attempts` are all that had."""
    if capped_count(attempts) <= COUNT_CAP:
        return Q(id__in=attempts.values("step__task"))
    of_step = LLMAttempt.objects.filter(step=OuterRef("pk")).alias(code=F("status") + 0).filter(code=status)
    return Q(Exists(_steps_of_task().filter(Exists(of_step))))


def _with_newest(found: QuerySet[Task]) -> QuerySet[Task]:
    steps = Step.objects.filter(task=OuterRef("pk"))
    count = steps.order_by().values("task").annotate(count=Count("*")).values("count")
    return (
        found.select_related("submission")
        .only("id", "key", "project", "source", "caller", "created_at", "submission__state")
        .annotate(
            short_prompt=Left("prompt", PROMPT_CHARS, output_field=TextField()),
            newest_id=Subquery(steps.order_by("-index", "-id").values("id")[:1]),
            step_count=Coalesce(Subquery(count, output_field=IntegerField()), 0),
        )
    )


def _row(task: Any, newest: StepRow | None, now: datetime) -> TaskRow:
    return TaskRow(
        id=task.pk,
        key=task.key,
        prompt=task.short_prompt,
        project=task.project,
        source=task.source,
        caller=task.caller,
        created_at=task.created_at,
        steps=task.step_count,
        state=state_of(task, newest, now),
        newest=newest,
    )


def state_of(task: Task, newest: StepRow | None, now: datetime) -> TaskState:
    """Where a task is, by its submission and its newest step."""
    submission = getattr(task, "submission", None)
    if submission and submission.state != Submission.State.ANSWERED:
        return TaskState(submission.state)
    if newest is None or not newest.route:
        return TaskState.UNANSWERED if newest is None or newest.deadline_at < now else TaskState.RUNNING
    return TaskState.LATE if newest.late else TaskState.ANSWERED
