"""Steps: the list; a step's page changes since the previous step; and its answer compared with its replays."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from difflib import SequenceMatcher
from enum import StrEnum
from functools import partial, reduce
from itertools import islice
from operator import or_
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Left
from django.db.models.lookups import In

from agents.common.redaction import redact
from agents.common.text import shorten
from agents.contract.action_history import Outcome
from agents.contract.actions import InvalidAction, validate
from agents.hybrid.page_archive import kept
from agents.models import LLMAttempt, Replay, Route, Source, Step, Task
from agents.page import Page, changes, read
from agents.policy.reasons import Reason, Verdict
from agents.prompting.prompt import question
from agents.template.prompt.intents import Kind as TaskKind
from monitoring.reporting.filter_query import TEXT, Kind, Qualifier, Query
from monitoring.reporting.filters import NAMES_OFFERED, AnyOf, Hidden, distinct_values, in_values, narrowed, owners_of
from monitoring.reporting.pagination import COUNT_CAP, LOOKED_UP_CAP, CappedCount, Order, Place, Slice, cut, is_few
from monitoring.reporting.search import contains, few

PAGE_SIZE = 50
ORDERS = {Order.NEWEST: "received_at", Order.OLDEST: "received_at", Order.LONGEST: "duration_ms"}
# Of a prompt in lists; the task's page shows all of it.
PROMPT_CHARS = 160
# Rows of an export that are in memory at once.
CHUNK = 250
# Qualifiers on other tables than the steps'.
OF_OTHERS = ("project", "kind", "status", TEXT)


class StepState(StrEnum):
    """The state of a step that was not answered in time."""

    RUNNING = "running"
    LATE = "late"
    UNANSWERED = "unanswered"


COLUMNS = (
    *("id", "task_id", "received_at", "source", "endpoint", "index", "project", "prompt", "route", "reason", "deadline_at", "duration_ms"),
    *("late", "outcome", "miner"),
)
# With the columns of a row only: no pages, actions and whole prompts.
ROWS: QuerySet[Any] = Step.objects.annotate(
    prompt=Left("task__prompt", PROMPT_CHARS, output_field=TextField()), project=F("task__project")
).only(*(name for name in COLUMNS if name not in ("project", "prompt", "late")), "answered_at")


def action_text(raw: object) -> str:
    """A recorded action as text, also if another version of the miner wrote it."""
    try:
        return validate(raw).in_words()
    except InvalidAction:
        return str(raw.get("type", "Unknown action")) if isinstance(raw, dict) else "Unknown action"


def kind_label(kind: str) -> str:
    return next((task_kind.row.sentence for task_kind in TaskKind if task_kind == kind), kind)


def projects() -> tuple[str, ...]:
    return distinct_values("agents_task", "project", NAMES_OFFERED)


def miners() -> tuple[str, ...]:
    return distinct_values("agents_step", "miner", NAMES_OFFERED)


def step_qualifiers() -> tuple[Qualifier, ...]:
    return (
        Qualifier("route", Kind.CHOICE, "Who answered", tuple(Route.values)),
        Qualifier("reason", Kind.CHOICE, "Why it took its route", tuple(Reason)),
        Qualifier("state", Kind.CHOICE, "Its state, if it was not answered in time", tuple(StepState)),
        Qualifier("outcome", Kind.CHOICE, "Whether the caller could execute its actions", tuple(Outcome)),
        Qualifier("project", Kind.NAME, "Web project", projects()),
        Qualifier("kind", Kind.CHOICE, "Kind of task, as understood", tuple(TaskKind)),
        Qualifier("status", Kind.STATUS, "HTTP status of an attempt", ("429", "402", "503", "200")),
        Qualifier("miner", Kind.NAME, "Miner that answered", miners()),
        Qualifier("source", Kind.CHOICE, "Who set the task", tuple(Source.values)),
        Qualifier("since", Kind.TIME, "Received at this time or later", ("1h", "24h", "7d")),
        Qualifier("until", Kind.TIME, "Received before", ("1h", "24h", "7d")),
    )


def latest_steps(count: int) -> list[Step]:
    return list(ROWS.order_by("-received_at", "-id")[:count])


def steps(query: Query, place: Place, order: Order, now: datetime) -> Slice[Step]:
    matching = matching_steps(query, now, order)
    page = cut(matching.only("pk", ORDERS[order]), ORDERS[order], place, PAGE_SIZE, ascending=order is Order.OLDEST)
    shown = ROWS.in_bulk([step.pk for step in page.rows])
    count = CappedCount.up_to(LOOKED_UP_CAP if query.has(*OF_OTHERS) else COUNT_CAP, matching)
    return replace(page, rows=[shown[step.pk] for step in page.rows], count=count)


def exported_steps(query: Query, now: datetime) -> Iterator[dict[str, Any]]:
    keys = matching_steps(query, now).order_by("-received_at", "-id").values_list("pk", flat=True).iterator(chunk_size=CHUNK)
    while batch := list(islice(keys, CHUNK)):
        shown = ROWS.in_bulk(batch)
        for step in (shown[pk] for pk in batch if pk in shown):  # it may have been pruned meanwhile
            values = {name: getattr(step, name) for name in COLUMNS if name != "late"}
            yield {**values, "prompt": redact(step.prompt), "late": step.is_late}


def matching_steps(query: Query, now: datetime, order: Order = Order.NEWEST) -> QuerySet[Step]:
    # The longest steps are the LLM's, at the start of that order. With the route's index all would be sorted first.
    is_longest, attempts = order is Order.LONGEST, LLMAttempt.objects.filter(step__isnull=False)
    is_hidden = is_longest and not query.values("since")
    special: dict[str, AnyOf] = {
        "route": lambda values: Q(In(Hidden("route"), values)) if is_hidden and Route.LLM in values else Q(route__in=values),
        "state": lambda values: _in_any_state(values, now),
        "miner": partial(in_values, Step, "miner"),
        "project": lambda values: _of_tasks("project", values),
        "kind": lambda values: _of_tasks("kind", values),
        "status": lambda values: owners_of(attempts.filter(status__in=values), "step", "status", [int(value) for value in values]),
    }
    matching = Step.objects.filter(*narrowed(query, "received_at", _with_text, now, **special))
    return matching.filter(duration_ms__isnull=False) if is_longest else matching


def _in_any_state(values: list[str], now: datetime) -> Q:
    late = Q(answered_at__gt=F("deadline_at"))
    if is_few(Step.objects.filter(late)):
        # A few are read by their own index, which does not have the page's order.
        late = Q(pk__in=Step.objects.filter(late).values("pk"))
    states = {
        StepState.RUNNING: Q(route="", deadline_at__gte=now),
        StepState.LATE: late,
        StepState.UNANSWERED: Q(route="", deadline_at__lt=now),
    }
    return reduce(or_, (states[StepState(value)] for value in values))


def _of_tasks(column: str, values: list[str]) -> Q:
    """If such tasks are few, they are looked up once; if many, the steps are read in the page's order, each with its task."""
    tasks = Task.objects.filter(**{f"{column}__in": values})
    return Q(task__in=tasks.values("pk")) if is_few(tasks) else Q(In(Hidden(f"task__{column}"), values))


def _with_text(text: str) -> Q:
    by_index = few(Task, text)
    if by_index is not None:
        return Q(task__in=Task.objects.filter(by_index).values("pk"))
    return Q(Exists(Task.objects.filter(contains(Task, text), pk=OuterRef("task"))))


# Of a text in the list of changes.
LONGEST_TEXT = 160
REPLAYS_SHOWN = 10


def page_changes(step: Step, now: datetime) -> dict[str, Any]:
    """The changes of a step's page since the previous step, secrets masked. Reads both pages, so not for refreshed parts.

    `missing`: the indexes of the steps whose page is not kept. `opened`: the name of a dialog that was not open before.
    """
    before = step.task.steps.filter(pk__lt=step.pk).order_by("-pk").first()
    if before is None:
        return {"step": step}
    shown = {"step": step, "before": before, "actions": [action_text(action) for action in before.actions]}
    old, new = _page(before, now), _page(step, now)
    if old is None or new is None:
        return {**shown, "missing": [row.index for row, page in ((before, old), (step, new)) if page is None]}
    changed = changes(old, new)
    differences = {
        "moved_to": redact(new.url) if changed.moved else "",
        "errors": _masked(changed.errors),
        "opened": "" if changed.opened is None else redact(changed.opened or "?"),
        "closed": changed.closed,
        "appeared": _masked(changed.appeared),
        "gone": _masked(changed.gone),
    }
    return {**shown, **differences, "is_same": not any(differences.values())}


def _page(step: Step, now: datetime) -> Page | None:
    request = kept(step.pk, now)
    return read(request.page, request.url) if request and request.page else None


def _masked(texts: Iterable[str]) -> list[str]:
    return [redact(shorten(text, LONGEST_TEXT)) for text in texts]


def prompt_of(step: Step, now: datetime) -> str:
    """The LLM's prompt, secrets masked. Reads the page again, so not for refreshed parts."""
    request = kept(step.pk, now)
    if request is None:
        return ""
    page = read(request.page, request.url) if request.page else None
    return redact("\n\n".join(message["content"] for message in question(request, page).messages))


@dataclass(frozen=True, slots=True)
class Answer:
    """Tokens and cost in USD of all attempts, None if unknown. `actions`: texts, and whether the other answer has the same there."""

    row: Step | Replay
    model: str
    tokens: tuple[int, int] | None
    cost: Decimal | None
    actions: list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class ReplayDetail:
    row: Replay
    then: Answer | None = None
    now: Answer | None = None

    @property
    def who(self) -> str:
        return f"{self.row.model} of {self.row.account.name}" if self.row.account else self.row.get_way_display()

    @property
    def comparison(self) -> str:
        if self.then is None or self.now is None:
            return ""
        then, now = ([is_same for _, is_same in answer.actions] for answer in (self.then, self.now))
        ends = {True: " Now it reports that the task is done.", False: " Only then it reported that the task is done."}
        end = "" if self.then.row.done == self.now.row.done else ends[self.now.row.done]
        if all(then + now) and not end:
            return "The same answer."
        return f"The answers differ: {then.count(False)} of {len(then)} actions then, {now.count(False)} of {len(now)} now.{end}"


def latest_replays(step: Step) -> list[ReplayDetail]:
    rows = step.replays.select_related("account").prefetch_related("attempts").order_by("-requested_at", "-pk")[:REPLAYS_SHOWN]
    attempts = list(step.attempts.all())
    return [_detail(replay, step, attempts) for replay in rows]


def _detail(replay: Replay, step: Step, attempts: list[LLMAttempt]) -> ReplayDetail:
    if replay.state != Replay.State.SUCCEEDED:
        return ReplayDetail(replay)
    # The places in both lists at which the actions are the same, in order
    old, new = ([json.dumps(action, sort_keys=True) for action in row.actions] for row in (step, replay))
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    same_then = {block.a + n for block in blocks for n in range(block.size)}
    same_now = {block.b + n for block in blocks for n in range(block.size)}
    return ReplayDetail(replay, _answer(step, attempts, same_then), _answer(replay, list(replay.attempts.all()), same_now))


def _answer(row: Step | Replay, attempts: list[LLMAttempt], same: set[int]) -> Answer:
    counted = [(attempt.prompt_tokens, attempt.completion_tokens or 0) for attempt in attempts if attempt.prompt_tokens is not None]
    costs = [attempt.cost for attempt in attempts if attempt.cost is not None]
    return Answer(
        row=row,
        model=next((attempt.model for attempt in attempts if attempt.verdict == Verdict.OK), ""),
        tokens=(sum(prompt for prompt, _ in counted), sum(reply for _, reply in counted)) if counted else None,
        cost=sum(costs, Decimal()) if costs else None,
        actions=[(action_text(raw), place in same) for place, raw in enumerate(row.actions)],
    )
