"""Tasks as rows of a table, filtered and paged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Coalesce, Left

from agents.models import Step, Submission, Task
from agents.phrases import phrase
from monitoring.queries import TEXT, Query
from monitoring.stats.keyset import COUNT_CAP, LOOKED_UP_CAP, CappedCount, Place, Slice, counted_up_to, cut
from monitoring.stats.steps import PROMPT_CHARS, StepRow, rows
from monitoring.stats.task_filters import TaskState, in_any_state, matching_tasks, not_answered, steps_of
from monitoring.wording import translated

PAGE_SIZE = 50
# What is asked of a task's steps and attempts, not of the task itself.
OF_STEPS = ("route", "reason", "outcome", "status", TEXT)
# What is rarer than these is found by the filter.
TAB_WORDS = {
    "": phrase("All"),
    TaskState.QUEUED: phrase("Queued"),
    TaskState.RUNNING: phrase("Running"),
    TaskState.ANSWERED: phrase("Answered"),
    TaskState.LATE: phrase("Late"),
    TaskState.UNANSWERED: phrase("Unanswered"),
}


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
class Tab:
    """One state to choose: the filter with it, and how many tasks there are; None: not counted."""

    words: str
    query: str
    count: CappedCount | None
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class TaskList:
    """One page of tasks, how many match in all, and all tasks, then each state, to choose."""

    page: Slice[Any]
    rows: list[TaskRow]
    count: CappedCount
    tabs: list[Tab]


def tasks(query: Query, place: Place, now: datetime, *, oldest_first: bool = False) -> TaskList:
    """The tasks that match, newest first unless asked otherwise."""
    matching = matching_tasks(query, now)
    page: Slice[Any] = cut(with_newest(matching), "created_at", place, PAGE_SIZE, ascending=oldest_first)
    counts, chosen = _counts(query, now), _chosen(query)
    count = counts.get(chosen) if chosen is not None else None
    if count is None:
        count = CappedCount.up_to(cap_of(query), matching)
    tabs = [_tab(state, query, count if state == chosen else counts.get(state), is_chosen=state == chosen) for state in TAB_WORDS]
    return TaskList(page, told(page.rows, now), count, tabs)


def cap_of(query: Query) -> int:
    """How far the tasks that match are counted."""
    is_looked_up = any(query.values(name) or query.values(name, negated=True) for name in OF_STEPS)
    return LOOKED_UP_CAP if is_looked_up else COUNT_CAP


def told(found: Sequence[Any], now: datetime) -> list[TaskRow]:
    """Tasks of `with_newest` as rows, each with its newest step."""
    newest = {row.id: row for row in rows(Step.objects.filter(id__in=[task.newest_id for task in found if task.newest_id]), len(found))}
    return [_row(task, newest.get(task.newest_id), now) for task in found]


def _chosen(query: Query) -> str | None:
    """The one state that is asked for, "" for any; None where several are, or some are not to be."""
    states = query.values("state")
    return None if len(states) > 1 or query.values("state", negated=True) else "".join(states)


def _counts(query: Query, now: datetime) -> dict[str, CappedCount]:
    """How many tasks match in each state; "": in any. Not counted where a text is looked for: each count would read all prompts."""
    if query.values(TEXT) or query.values(TEXT, negated=True):
        return {}
    base, steps, cap = matching_tasks(query.without("state"), now), steps_of(query, now), cap_of(query)
    # To count what is left beside the others, which are few, takes half the time of looking at all once more.
    others = counted_up_to(base.filter(not_answered(steps)), cap + 1)
    found = counted_up_to(base, cap + 1 + others)
    counts = {"": CappedCount.of(found, cap)}
    if others <= cap:
        counts[TaskState.ANSWERED] = CappedCount.of(found - others, cap)
    asked = [TaskState(state) for state in TAB_WORDS if state not in counts]
    return counts | {state: CappedCount.up_to(cap, base.filter(in_any_state([state], steps, now))) for state in asked}


def _tab(state: str, query: Query, count: CappedCount | None, *, is_chosen: bool) -> Tab:
    others = query.without("state")
    return Tab(translated(TAB_WORDS[state]), str(others.having("state", state) if state else others), count, is_chosen)


def with_newest(found: QuerySet[Task]) -> QuerySet[Task]:
    """Tasks with the beginning of their prompt, their submission's state, their newest step's id and how many steps they have."""
    steps = Step.objects.filter(task=OuterRef("pk"))
    count = steps.order_by().values("task").annotate(count=Count("*")).values("count")
    return found.only("id", "key", "project", "source", "caller", "created_at").annotate(
        submission_state=F("submission__state"),
        short_prompt=Left("prompt", PROMPT_CHARS, output_field=TextField()),
        newest_id=Subquery(steps.order_by("-index", "-id").values("id")[:1]),
        step_count=Coalesce(Subquery(count, output_field=IntegerField()), 0),
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
        state=_state_of(task.submission_state, newest, now),
        newest=newest,
    )


def _state_of(submission: str | None, newest: StepRow | None, now: datetime) -> TaskState:
    """Where a task is, by its submission's state and its newest step."""
    if submission and submission != Submission.State.ANSWERED:
        return TaskState(submission)
    if newest is None or not newest.route:
        return TaskState.UNANSWERED if newest is None or newest.deadline_at < now else TaskState.RUNNING
    return TaskState.LATE if newest.late else TaskState.ANSWERED
