"""What tasks can be filtered by."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.db.models import F, Q, QuerySet

from agents.models import LLMAttempt, Route, Source, Step, Submission, Task
from agents.reasons import Reason
from monitoring.queries import Kind, Qualifier, Query
from monitoring.stats.filters import narrowed, since


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
# A bar offers so many names at most; others can be written all the same.
NAMES_OFFERED = 200


def task_qualifiers() -> tuple[Qualifier, ...]:
    """The qualifiers of the Tasks page, with the projects on record."""
    return (
        Qualifier("route", Kind.CHOICE, "Who answered a step", tuple(Route.values)),
        Qualifier("reason", Kind.CHOICE, "Why a step took its route", tuple(Reason)),
        Qualifier("project", Kind.NAME, "The web project", projects()),
        Qualifier("status", Kind.STATUS, "What the provider answered to an attempt", ("429", "402", "503", "200")),
        Qualifier("state", Kind.CHOICE, "Where the task is", tuple(TaskState)),
        Qualifier("source", Kind.CHOICE, "Who set the task", tuple(Source.values)),
        Qualifier("caller", Kind.ADDRESS, "The address of who posted it"),
        Qualifier("since", Kind.TIME, "First seen from then on", ("1h", "24h", "7d")),
        Qualifier("until", Kind.TIME, "First seen before", ("1h", "24h", "7d")),
    )


def projects() -> tuple[str, ...]:
    """The names to choose from."""
    return tuple(Task.objects.exclude(project="").order_by("project").values_list("project", flat=True).distinct()[:NAMES_OFFERED])


def matching_tasks(query: Query, now: datetime) -> QuerySet[Task]:
    """The tasks that meet all conditions.

    What steps and attempts say is asked once for all tasks, by IN. Asked task by task, by EXISTS, SQLite picks the wrong index: minutes.
    """
    start = since(query, now)
    # A task's steps come after the task.
    steps = Step.objects.filter(received_at__gte=start) if start else Step.objects.all()
    attempts = LLMAttempt.objects.filter(decided_at__gte=start) if start else LLMAttempt.objects.all()
    any_of = {
        "route": lambda values: _of(steps.filter(route__in=values)),
        "reason": lambda values: _of(steps.filter(reason__in=values)),
        "project": lambda values: Q(project__in=values),
        "status": lambda values: Q(id__in=attempts.filter(status__in=map(int, values)).values("step__task")),
        "state": lambda values: _in_any_state(values, steps, now),
        "source": lambda values: Q(source__in=values),
        "caller": lambda values: Q(caller__in=values),
    }
    return Task.objects.filter(*narrowed(query, "created_at", any_of, ("prompt", "url", "key"), now))


def _in_any_state(values: list[str], steps: QuerySet[Step], now: datetime) -> Q:
    found = Q()
    for value in values:
        found |= _in_state(TaskState(value), steps, now)
    return found


def _in_state(state: TaskState, steps: QuerySet[Step], now: datetime) -> Q:
    states = Submission.State
    queued, running, answered = (_submitted(each) for each in (states.QUEUED, states.RUNNING, states.ANSWERED))
    is_open, is_lost = _of(steps.filter(route="", deadline_at__gte=now)), _of(steps.filter(route="", deadline_at__lt=now))
    return {
        TaskState.QUEUED: queued,
        TaskState.RUNNING: running | is_open,
        TaskState.ANSWERED: ~_of(steps.filter(route="")) & (~Q(source=Source.OPERATOR) | answered),
        TaskState.LATE: _of(steps.filter(answered_at__gt=F("deadline_at"))),
        TaskState.UNANSWERED: is_lost & ~(queued | running),
    }[state]


def _of(steps: QuerySet[Step]) -> Q:
    """The tasks that these steps are of."""
    return Q(id__in=steps.values("task"))


def _submitted(state: Submission.State) -> Q:
    return Q(id__in=Submission.objects.filter(state=state).values("task"))
