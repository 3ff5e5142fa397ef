"""What tasks can be filtered by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from agents.models import LLMAttempt, Route, Source, Step, Submission, Task
from agents.outcomes import Outcome
from agents.phrases import phrase
from agents.reasons import Reason
from agents.template.intents import Kind as TaskKind
from monitoring.queries import Kind, Qualifier, Query
from monitoring.search.finding import says
from monitoring.stats.filters import AnyOf, asked_one_by_one, narrowed, since
from monitoring.stats.keyset import is_few
from monitoring.wording import translated


class TaskState(StrEnum):
    """Where a task is, as the list tells and filters."""

    QUEUED = "queued"
    RUNNING = "running"
    ANSWERED = "answered"
    LATE = "late"
    UNANSWERED = "unanswered"
    CANCELLED = "cancelled"

    @property
    def sentence(self) -> str:
        """The state in an operator's words."""
        return translated(_STATES[self])


_STATES = {
    TaskState.QUEUED: phrase("Queued"),
    TaskState.RUNNING: phrase("Running"),
    TaskState.ANSWERED: phrase("Answered"),
    TaskState.LATE: phrase("A step was late"),
    TaskState.UNANSWERED: phrase("No answer on record"),
    TaskState.CANCELLED: phrase("Cancelled before a worker took it"),
}
NOT_ANSWERED = (Submission.State.QUEUED, Submission.State.RUNNING, Submission.State.CANCELLED)
# A bar offers so many names at most; others can be written all the same.
NAMES_OFFERED = 200


def task_qualifiers() -> tuple[Qualifier, ...]:
    """The qualifiers of the Tasks page, with the projects on record."""
    return (
        Qualifier("route", Kind.CHOICE, _("Who answered a step"), tuple(Route.values)),
        Qualifier("reason", Kind.CHOICE, _("Why a step took its route"), tuple(Reason)),
        Qualifier("outcome", Kind.CHOICE, _("How a step's actions went, as the next step told"), tuple(Outcome)),
        Qualifier("kind", Kind.CHOICE, _("What the task asks for, as understood"), tuple(TaskKind)),
        Qualifier("project", Kind.NAME, _("The web project"), projects()),
        Qualifier("status", Kind.STATUS, _("What the provider answered to an attempt"), ("429", "402", "503", "200")),
        Qualifier("state", Kind.CHOICE, _("Where the task is"), tuple(TaskState)),
        Qualifier("source", Kind.CHOICE, _("Who set the task"), tuple(Source.values)),
        Qualifier("caller", Kind.ADDRESS, _("The address of who posted it")),
        Qualifier("since", Kind.TIME, _("First seen from then on"), ("1h", "24h", "7d")),
        Qualifier("until", Kind.TIME, _("First seen before"), ("1h", "24h", "7d")),
    )


def projects() -> tuple[str, ...]:
    """The names to choose from."""
    return names("agents_task", "project", NAMES_OFFERED)


def names(table: str, column: str, most: int) -> tuple[str, ...]:
    """A column's values off its index alone: from each to the next one, where DISTINCT would read all rows."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES.format(table=table, column=column), [most])
        return tuple(name for (name,) in cursor.fetchall())


_NAMES = """
    WITH RECURSIVE names(name) AS (
        SELECT MIN({column}) FROM {table} WHERE {column} > ''
        UNION ALL
        SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > names.name) FROM names WHERE names.name IS NOT NULL
    )
    SELECT name FROM names WHERE name IS NOT NULL LIMIT %s
"""


def matching_tasks(query: Query, now: datetime) -> QuerySet[Task]:
    """The tasks that meet all conditions."""
    start, steps = since(query, now), steps_of(query, now)
    attempts = LLMAttempt.objects.filter(decided_at__gte=start) if start else LLMAttempt.objects.all()
    any_of: dict[str, AnyOf] = {
        "route": lambda values: _of_any(steps.filter(route__in=values), "task", "route", values),
        "reason": lambda values: _of_any(steps.filter(reason__in=values), "task", "reason", values),
        "outcome": lambda values: _of_any(steps.filter(outcome__in=values), "task", "outcome", values),
        "kind": lambda values: Q(kind__in=values),
        "status": lambda values: _of_any(attempts.filter(status__in=values), "step__task", "status", [int(value) for value in values]),
        "project": lambda values: Q(project__in=values),
        "state": lambda values: in_any_state(values, steps, now),
        "source": lambda values: Q(source__in=values),
        "caller": lambda values: Q(caller__in=values),
    }
    return Task.objects.filter(*narrowed(query, "created_at", any_of, partial(says, Task), now))


def steps_of(query: Query, now: datetime) -> QuerySet[Step]:
    """The steps that the tasks of a query's time can have: those come after their task."""
    start = since(query, now)
    return Step.objects.filter(received_at__gte=start) if start else Step.objects.all()


def _of_any(found: QuerySet[Any], task: str, column: str, values: Sequence[object]) -> Q:
    """The tasks that these steps or attempts are of.

    Where they are few, they are looked up once, by IN. Where they are many, the tasks are gone through in their order and each is asked.
    """
    if is_few(found):
        return Q(id__in=found.values(task))
    return asked_one_by_one(found, column, values, **{task: OuterRef("pk")})


def in_any_state(values: list[str], steps: QuerySet[Step], now: datetime) -> Q:
    """The tasks that are in any of these states, by these steps."""
    found = Q()
    for value in values:
        found |= _in_state(TaskState(value), steps, now)
    return found


def _in_state(state: TaskState, steps: QuerySet[Step], now: datetime) -> Q:
    states = Submission.State
    is_open = partial(steps.filter, route="")
    match state:
        case TaskState.QUEUED:
            return _submitted(states.QUEUED)
        case TaskState.RUNNING:
            return _submitted(states.RUNNING) | _of(is_open(deadline_at__gte=now))
        case TaskState.ANSWERED:
            return ~not_answered(steps)
        case TaskState.LATE:
            return _of(steps.filter(answered_at__gt=F("deadline_at")))
        case TaskState.UNANSWERED:
            return _of(is_open(deadline_at__lt=now)) & ~_submitted(*NOT_ANSWERED)
        case TaskState.CANCELLED:
            return _submitted(states.CANCELLED)


def not_answered(steps: QuerySet[Step]) -> Q:
    """The tasks with an open step, and of those set here any that waits or was cancelled. Asked so, no task is read for its source."""
    return _of(steps.filter(route="")) | _submitted(*NOT_ANSWERED)


def _of(steps: QuerySet[Step]) -> Q:
    """The tasks that these steps are of."""
    return Q(id__in=steps.values("task"))


def _submitted(*states: Submission.State) -> Q:
    return Q(id__in=Submission.objects.filter(state__in=states).values("task"))
