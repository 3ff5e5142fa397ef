"""What steps can be filtered by."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.lookups import In
from django.utils.translation import gettext as _

from agents.models import LLMAttempt, Route, Source, Step, Task
from agents.outcomes import Outcome
from agents.reasons import Reason
from agents.template.intents import Kind as TaskKind
from monitoring.queries import Kind, Qualifier, Query
from monitoring.search.finding import few, says
from monitoring.stats.filters import AnyOf, Hidden, asked_one_by_one, narrowed
from monitoring.stats.keyset import is_few
from monitoring.stats.task_filters import projects


class StepState(StrEnum):
    """Where a step is that was not answered in time; who answered the others says their route."""

    RUNNING = "running"
    LATE = "late"
    UNANSWERED = "unanswered"


def step_qualifiers() -> tuple[Qualifier, ...]:
    """The qualifiers of the Steps page, with the projects on record."""
    return (
        Qualifier("route", Kind.CHOICE, _("Who answered"), tuple(Route.values)),
        Qualifier("reason", Kind.CHOICE, _("Why it took its route"), tuple(Reason)),
        Qualifier("state", Kind.CHOICE, _("Where it is"), tuple(StepState)),
        Qualifier("outcome", Kind.CHOICE, _("How its actions went, as the next step told"), tuple(Outcome)),
        Qualifier("project", Kind.NAME, _("The web project"), projects()),
        Qualifier("kind", Kind.CHOICE, _("What the task asks for, as understood"), tuple(TaskKind)),
        Qualifier("status", Kind.STATUS, _("What the provider answered to an attempt"), ("429", "402", "503", "200")),
        Qualifier("source", Kind.CHOICE, _("Who set the task"), tuple(Source.values)),
        Qualifier("since", Kind.TIME, _("Received from then on"), ("1h", "24h", "7d")),
        Qualifier("until", Kind.TIME, _("Received before"), ("1h", "24h", "7d")),
    )


def matching_steps(query: Query, now: datetime, *, longest_first: bool = False) -> QuerySet[Step]:
    """The steps that meet all conditions. `longest_first`: how they will be ordered."""
    # The longest steps of all times are the LLM's: they are at the beginning of that order, where by their route all were sorted first.
    is_hidden = longest_first and not query.values("since")
    any_of: dict[str, AnyOf] = {
        "route": lambda values: Q(In(Hidden("route"), values)) if is_hidden and Route.LLM in values else Q(route__in=values),
        "reason": lambda values: Q(reason__in=values),
        "state": lambda values: _in_any_state(values, now),
        "outcome": lambda values: Q(outcome__in=values),
        "project": lambda values: _of_tasks("project", values),
        "kind": lambda values: _of_tasks("kind", values),
        "status": _of_attempts,
        "source": lambda values: Q(source__in=values),
    }
    return Step.objects.filter(*narrowed(query, "received_at", any_of, _say, now))


def _in_any_state(values: list[str], now: datetime) -> Q:
    states = {
        StepState.RUNNING: Q(route="", deadline_at__gte=now),
        StepState.LATE: _late(),
        StepState.UNANSWERED: Q(route="", deadline_at__lt=now),
    }
    found = Q()
    for value in values:
        found |= states[StepState(value)]
    return found


def _late() -> Q:
    """While they are few they are read off their own index, which is not in the order of a page."""
    late = Q(answered_at__gt=F("deadline_at"))
    return Q(pk__in=Step.objects.filter(late).values("pk")) if is_few(Step.objects.filter(late)) else late


def _of_tasks(column: str, values: list[str]) -> Q:
    """The steps of the tasks that have any of these values.

    Where such tasks are few, they are looked up once. Where they are many, the steps are gone through in their order, each with its task.
    """
    tasks = Task.objects.filter(**{f"{column}__in": values})
    return Q(task__in=tasks.values("pk")) if is_few(tasks) else Q(In(Hidden(f"task__{column}"), values))


def _of_attempts(values: list[str]) -> Q:
    """The steps with an attempt that was answered with any of these statuses."""
    numbers = [int(value) for value in values]
    attempts = LLMAttempt.objects.filter(status__in=numbers, step__isnull=False)
    if is_few(attempts):
        return Q(pk__in=attempts.values("step"))
    return asked_one_by_one(attempts, "status", numbers, step=OuterRef("pk"))


def _say(text: str) -> Q:
    """The steps of the tasks that hold a text."""
    found = few(Task, text)
    if found is not None:
        return Q(task__in=Task.objects.filter(found).values("pk"))
    return Q(Exists(Task.objects.filter(says(Task, text), pk=OuterRef("task"))))
