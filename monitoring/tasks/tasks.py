from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial, reduce
from itertools import islice
from operator import or_
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Coalesce, Left

from agents.common.redaction import redact
from agents.contract.action_history import Outcome
from agents.models import JobState, LLMAttempt, Route, Source, Step, Submission, Task
from agents.policy.reasons import Reason
from agents.template.prompt.intents import Kind as TaskKind
from monitoring.reporting.filter_query import TEXT, Kind, Qualifier, Query
from monitoring.reporting.filters import AnyOf, narrowed, owners_of, since
from monitoring.reporting.pagination import COUNT_CAP, LOOKED_UP_CAP, CappedCount, Order, Place, Slice, counted_up_to, cut
from monitoring.reporting.search import contains
from monitoring.tasks.steps import CHUNK, PROMPT_CHARS, ROWS, miners, projects

PAGE_SIZE = 50
ORDERS = {Order.NEWEST: "created_at", Order.OLDEST: "created_at"}
# Qualifiers on other tables than the tasks'.
OF_STEPS = ("route", "reason", "outcome", "miner", "status", TEXT)
NOT_ANSWERED = (JobState.QUEUED, JobState.RUNNING, JobState.CANCELLED, JobState.FAILED)


class TaskState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    ANSWERED = "answered"
    LATE = "late"
    UNANSWERED = "unanswered"
    CANCELLED = "cancelled"


# Without cancelled ones, which are rare.
TABS = ("", *(state for state in TaskState if state is not TaskState.CANCELLED))


@dataclass(frozen=True, slots=True)
class TaskList(Slice[Any]):
    """Tasks with `state` and `newest` step. `tabs`: a state, its filter line, its count, and whether it is chosen."""

    tabs: Sequence[tuple[str, str, CappedCount | None, bool]] = ()


def task_qualifiers() -> tuple[Qualifier, ...]:
    return (
        Qualifier("route", Kind.CHOICE, "Who answered a step", tuple(Route.values)),
        Qualifier("reason", Kind.CHOICE, "Why a step took its route", tuple(Reason)),
        Qualifier("outcome", Kind.CHOICE, "Whether the caller could execute a step's actions", tuple(Outcome)),
        Qualifier("kind", Kind.CHOICE, "Kind of task, as understood", tuple(TaskKind)),
        Qualifier("project", Kind.NAME, "Web project", projects()),
        Qualifier("status", Kind.STATUS, "HTTP status of an attempt", ("429", "402", "503", "200")),
        Qualifier("state", Kind.CHOICE, "State of the task", tuple(TaskState)),
        Qualifier("miner", Kind.NAME, "Miner that answered a step", miners()),
        Qualifier("source", Kind.CHOICE, "Who set the task", tuple(Source.values)),
        Qualifier("caller", Kind.ADDRESS, "Caller's address"),
        Qualifier("since", Kind.TIME, "First seen at this time or later", ("1h", "24h", "7d")),
        Qualifier("until", Kind.TIME, "First seen before", ("1h", "24h", "7d")),
    )


def tasks(query: Query, place: Place, order: Order, now: datetime) -> TaskList:
    matching, cap = matching_tasks(query, now), LOOKED_UP_CAP if query.has(*OF_STEPS) else COUNT_CAP
    page = cut(_with_newest(matching), ORDERS[order], place, PAGE_SIZE, ascending=order is Order.OLDEST)
    counts, states, others = _counts(query, now, cap), query.values("state"), query.without("state")
    # The state of the filter, "" for any; None if it has several, or excludes some.
    chosen = None if len(states) > 1 or query.values("state", negated=True) else "".join(states)
    count = counts.get(chosen) if chosen is not None else None
    if count is None:
        count = CappedCount.up_to(cap, matching)
    queries = {state: others.with_only("state", state) if state else others for state in TABS}
    tabs = [(state, str(queries[state]), count if state == chosen else counts.get(state), state == chosen) for state in TABS]
    return TaskList(_completed(page.rows, now), page.older, page.newer, count, tabs)


# The columns of an export, secrets masked.
EXPORTED: dict[str, Callable[[Any], Any]] = {
    "id": lambda task: task.pk,
    "key": lambda task: task.key,
    "first_seen": lambda task: task.created_at,
    "source": lambda task: task.source,
    "caller": lambda task: task.caller,
    "project": lambda task: task.project,
    "kind": lambda task: task.kind,
    "prompt": lambda task: redact(task.prompt),
    "url": lambda task: redact(task.url),
    "state": lambda task: task.state.value,
    "steps": lambda task: task.step_count,
    "newest_route": lambda task: task.newest.route if task.newest else "",
    "newest_reason": lambda task: task.newest.reason if task.newest else "",
    "newest_step_ms": lambda task: task.newest.duration_ms if task.newest else None,
}
OUTCOMES = {"steps_worked": Outcome.WORKED, "steps_partly": Outcome.PARTLY, "steps_failed": Outcome.FAILED}
COLUMNS = (*EXPORTED, *OUTCOMES)


def exported_tasks(query: Query, now: datetime) -> Iterator[dict[str, Any]]:
    matching = _with_newest(matching_tasks(query, now), "kind", "prompt", "url").order_by("-created_at", "-id")
    rows = matching.iterator(chunk_size=CHUNK)
    while batch := list(islice(rows, CHUNK)):
        steps = Step.objects.filter(task__in=batch).exclude(outcome="").order_by().values_list("task", "outcome")
        counts = Counter({(task, outcome): count for task, outcome, count in steps.annotate(count=Count("*"))})
        for task in _completed(batch, now):
            values = {name: read(task) for name, read in EXPORTED.items()}
            yield values | {name: counts[task.pk, outcome] for name, outcome in OUTCOMES.items()}


def _counts(query: Query, now: datetime, cap: int) -> dict[str, CappedCount]:
    """The counts of matching tasks by state, "" for any. None are counted with a text, as each count would read all prompts."""
    if query.has(TEXT):
        return {}
    base, steps = matching_tasks(query.without("state"), now), _steps_of(query, now)
    # Answered ones are counted as all but the others, which are few: that takes half the time.
    others = counted_up_to(base.filter(_not_answered(steps)), cap + 1)
    all_matching = counted_up_to(base, cap + 1 + others)
    counts = {"": CappedCount.of(all_matching, cap)}
    if others <= cap:
        counts[TaskState.ANSWERED] = CappedCount.of(all_matching - others, cap)
    left = [TaskState(state) for state in TABS if state not in counts]
    return counts | {state: CappedCount.up_to(cap, base.filter(_in_state(state, steps, now))) for state in left}


def _with_newest(tasks: QuerySet[Task], *columns: str) -> QuerySet[Any]:
    steps = Step.objects.filter(task=OuterRef("pk"))
    count = steps.order_by().values("task").annotate(count=Count("*")).values("count")
    return tasks.only("id", "key", "project", "source", "caller", "created_at", *columns).annotate(
        submission_state=F("submission__state"),
        short_prompt=Left("prompt", PROMPT_CHARS, output_field=TextField()),
        newest_id=Subquery(steps.order_by("-index", "-id").values("id")[:1]),
        step_count=Coalesce(Subquery(count, output_field=IntegerField()), 0),
    )


def _completed(tasks: Sequence[Any], now: datetime) -> list[Any]:
    """Add the `newest` step and the `state` to tasks of `_with_newest`."""
    steps = ROWS.in_bulk([task.newest_id for task in tasks if task.newest_id])
    for task in tasks:
        task.newest = steps.get(task.newest_id)
        task.state = _state(task, now)
    return list(tasks)


def _state(task: Any, now: datetime) -> TaskState:
    submission, newest = task.submission_state, task.newest
    if submission and submission != JobState.SUCCEEDED:
        return TaskState.UNANSWERED if submission == JobState.FAILED else TaskState(submission)
    if newest is None or not newest.route:
        return TaskState.UNANSWERED if newest is None or newest.deadline_at < now else TaskState.RUNNING
    return TaskState.LATE if newest.is_late else TaskState.ANSWERED


def matching_tasks(query: Query, now: datetime) -> QuerySet[Task]:
    start, steps = since(query, now), _steps_of(query, now)
    attempts = LLMAttempt.objects.filter(decided_at__gte=start) if start else LLMAttempt.objects.all()
    special: dict[str, AnyOf] = {
        "route": lambda values: owners_of(steps.filter(route__in=values), "task", "route", values),
        "reason": lambda values: owners_of(steps.filter(reason__in=values), "task", "reason", values),
        "miner": lambda values: owners_of(steps.filter(miner__in=values), "task", "miner", values),
        "outcome": lambda values: owners_of(steps.filter(outcome__in=values), "task", "outcome", values),
        "status": lambda values: owners_of(attempts.filter(status__in=values), "step__task", "status", [int(value) for value in values]),
        "state": lambda values: reduce(or_, (_in_state(TaskState(value), steps, now) for value in values)),
    }
    return Task.objects.filter(*narrowed(query, "created_at", partial(contains, Task), now, **special))


def _steps_of(query: Query, now: datetime) -> QuerySet[Step]:
    """The steps that tasks within the query's time can have, as steps are never older than their task."""
    start = since(query, now)
    return Step.objects.filter(received_at__gte=start) if start else Step.objects.all()


def _in_state(state: TaskState, steps: QuerySet[Step], now: datetime) -> Q:
    is_open = partial(steps.filter, route="")
    match state:
        case TaskState.QUEUED | TaskState.CANCELLED:
            return _submitted(JobState(state))
        case TaskState.RUNNING:
            return _submitted(JobState.RUNNING) | _of(is_open(deadline_at__gte=now))
        case TaskState.ANSWERED:
            return ~_not_answered(steps)
        case TaskState.LATE:
            return _of(steps.filter(answered_at__gt=F("deadline_at")))
        case TaskState.UNANSWERED:
            return _of(is_open(deadline_at__lt=now)) & ~_submitted(*NOT_ANSWERED) | _submitted(JobState.FAILED)


def _not_answered(steps: QuerySet[Step]) -> Q:
    """The tasks with an open step, and operators' tasks without an answer. Written without the source, so that no task is read."""
    return _of(steps.filter(route="")) | _submitted(*NOT_ANSWERED)


def _of(steps: QuerySet[Step]) -> Q:
    return Q(id__in=steps.values("task"))


def _submitted(*states: JobState) -> Q:
    return Q(id__in=Submission.objects.filter(state__in=states).values("task"))
