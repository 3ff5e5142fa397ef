"""One hour of raw rows, or a longer span of shorter ones, as roll-up rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Case, F, IntegerField, Model, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.fields.json import KT

from agents.models import Account, LLMAttempt, RateLimitEvent, Step
from agents.outcomes import Outcome
from monitoring.models import AttemptRollup, By, GroupRollup, PauseRollup, Span, StepRollup
from monitoring.rollups.histogram import Buckets, add, bucket
from monitoring.rollups.joining import JsonLength

FIVE, HOUR, SIX, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6), timedelta(days=1)
# So many whole days are in any thirty days, whenever these begin.
MONTH = timedelta(days=29)
STEP_KEY = ("source", "route")
GROUP_KEY = ("source", "route", "by", "name")
STEP_SUMS = ("count", "in_time", "late", "actions", "cost", "worked", "partly", "failed")
OUTCOMES = (Outcome.WORKED, Outcome.PARTLY, Outcome.FAILED)
ATTEMPT_KEY = ("account_id", "purpose", "model", "verdict", "refusal", "status")
ATTEMPT_SUMS = ("count", "prompt_tokens", "completion_tokens", "cost")
Key = tuple[Any, ...]
Row = tuple[Key, tuple[Any, ...], Buckets]
RawRow = tuple[datetime, Key, tuple[Any, ...], Buckets]
# From a time up to another.
Interval = tuple[datetime, datetime]
NO_COST = Decimal(0)
# SQLite takes so many rows of the widest roll-up in one statement.
BATCH = 50
ROLLUPS = (StepRollup, GroupRollup, AttemptRollup, PauseRollup)
M = TypeVar("M", bound=Model)
IS_LATE = Case(When(answered_at__gt=F("deadline_at"), then=Value(1)), default=Value(0), output_field=IntegerField())


@dataclass(frozen=True, slots=True)
class Longer:
    """A span that is summed of shorter ones. One of `length` begins every `step`."""

    span: Span
    of: Span
    length: timedelta
    step: timedelta


LONGER = (Longer(Span.SIX, Span.HOUR, SIX, SIX), Longer(Span.DAY, Span.HOUR, DAY, DAY), Longer(Span.MONTH, Span.DAY, MONTH, DAY))


@dataclass(slots=True)
class Sums:
    """What is added up of the rows of one group: numbers in a fixed order, and durations."""

    numbers: list[Any]
    durations: Buckets = field(default_factory=dict)

    def add(self, numbers: Iterable[Any], durations: Buckets) -> None:
        """Add a row's or another group's."""
        self.numbers = [old + new for old, new in zip(self.numbers, numbers, strict=True)]
        add(self.durations, durations)


class Groups(dict[Key, Sums]):
    """Sums by group."""

    def add(self, key: Key, numbers: Iterable[Any], durations: Buckets) -> None:
        """Add a row to its group."""
        if key in self:
            self[key].add(numbers, durations)
        else:
            self[key] = Sums(list(numbers), dict(durations))


@dataclass(frozen=True, slots=True)
class Summed:
    """All roll-up rows of one span of time. `steps`: by source and route; `groups`: by each of By. `pauses`: seconds by account id."""

    steps: Groups
    groups: Groups
    attempts: Groups
    pauses: dict[int, float]


def floor(at: datetime, span: timedelta) -> datetime:
    """The start of the UTC hour or day, or of any other span, that a time lies in."""
    return datetime.fromtimestamp(at.timestamp() // span.total_seconds() * span.total_seconds(), UTC)


def roll_hour(starts_at: datetime, now: datetime) -> None:
    """Sum an hour's raw rows anew; the same again gives the same. Read first, so that the write lock is held for milliseconds only."""
    hour = (starts_at, starts_at + HOUR)
    steps, groups, attempts = Groups(), Groups(), Groups()
    for _, key, numbers, durations in step_rows(hour):
        steps.add(step_key(key), numbers, durations)
        for group in groups_of(key):
            groups.add(group, numbers, durations)
    for _, key, numbers, durations in attempt_rows(hour):
        attempts.add(key, numbers, durations)
    write(Span.HOUR, hour, {starts_at: Summed(steps, groups, attempts, paused_seconds(hour, now))})


def roll_longer(longer: Longer, starts_at: datetime) -> None:
    """Sum the shorter spans of a longer one anew."""
    within = {"span": longer.of, "starts_at__gte": starts_at, "starts_at__lt": starts_at + longer.length}
    steps = _regrouped(StepRollup.objects.filter(**within), STEP_KEY, (*STEP_SUMS, "durations"))
    groups = _regrouped(GroupRollup.objects.filter(**within), GROUP_KEY, (*STEP_SUMS, "durations"))
    attempts = _regrouped(AttemptRollup.objects.filter(**within), ATTEMPT_KEY, (*ATTEMPT_SUMS, "latencies"))
    pauses = PauseRollup.objects.filter(**within).values_list("account").annotate(total=Sum("seconds")).order_by()
    write(longer.span, (starts_at, starts_at + longer.step), {starts_at: Summed(steps, groups, attempts, dict(pauses))})


def rolled_rows(rolled: QuerySet[Any], key: tuple[str, ...], sums: tuple[str, ...]) -> Iterator[Row]:
    """Roll-up rows as group, sums and durations; the last of `sums` is the durations' column."""
    for row in rolled.order_by().values_list(*key, *sums).iterator():
        yield row[: len(key)], row[len(key) : -1], row[-1]


def step_key(key: Key) -> Key:
    """The part of a raw step's group that is STEP_KEY."""
    return key[:2]


def groups_of(key: Key) -> Iterator[Key]:
    """The groups by GROUP_KEY that a raw step is in."""
    source, route, *names = key
    for by, name in zip(By, names, strict=True):
        yield source, route, by, name


def step_rows(within: Interval) -> Iterator[RawRow]:
    """Raw steps as time, group, sums and durations. The group is STEP_KEY, then project, kind of task and use of the LLM."""
    start, end = within
    attempts = LLMAttempt.objects.filter(step__received_at__gte=start, step__received_at__lt=end, cost__isnull=False)
    costs = dict(attempts.values_list("step").annotate(total=Sum("cost")).order_by())
    key_columns = (*STEP_KEY, "task__project", "task__kind", KT("limits__llm_use"))
    columns = ("id", "received_at", *key_columns, IS_LATE, "duration_ms", JsonLength("actions"), "outcome")
    steps = Step.objects.filter(received_at__gte=start, received_at__lt=end).order_by().values_list(*columns)
    for pk, at, *key, llm_use, is_late, ms, actions, outcome in steps.iterator(5_000):
        in_time, outcomes = int(bool(key[1]) and not is_late), (int(outcome == each) for each in OUTCOMES)
        numbers = (1, in_time, is_late, actions, costs.get(pk, NO_COST), *outcomes)
        yield at, (*key, llm_use or ""), numbers, {} if ms is None else {bucket(ms): 1}


def attempt_rows(within: Interval) -> Iterator[RawRow]:
    """Raw attempts as time, group, sums and latencies."""
    start, end = within
    columns = ("decided_at", *ATTEMPT_KEY, "prompt_tokens", "completion_tokens", "cost", "latency_ms")
    attempts = LLMAttempt.objects.filter(decided_at__gte=start, decided_at__lt=end).order_by().values_list(*columns)
    for at, *key, status, prompt, completion, cost, ms in attempts.iterator(5_000):
        yield at, (*key, status or 0), (1, prompt or 0, completion or 0, cost or NO_COST), {} if ms is None else {bucket(ms): 1}


def paused_seconds(within: Interval, now: datetime) -> dict[int, float]:
    """Seconds of pauses within a time, by account id."""
    found: dict[int, float] = {}
    for account, began, over in pauses([within], now):
        found[account] = found.get(account, 0.0) + (over - began).total_seconds()
    return found


def pauses(intervals: Iterable[Interval], now: datetime) -> list[tuple[int, datetime, datetime]]:
    """The accounts' pauses by refusals within some times, cut to them, oldest first: account id, from, to. One account's don't overlap.
    Times that touch count as one.

    Of the events before a time only an account's last one can still run: a new event ends the one before it.
    """
    intervals = _joined(intervals)
    columns = ("account_id", "started_at", "pause_seconds", "ended_at")
    found = [
        (account, began, min(began + timedelta(seconds=seconds), ended_at or now, now))
        for account, began, seconds, ended_at in RateLimitEvent.objects.filter(_events_of(intervals), model="")
        .order_by()
        .values_list(*columns)
    ]
    cut = [(account, max(began, start), min(over, end)) for start, end in intervals for account, began, over in found]
    return sorted(((account, began, over) for account, began, over in cut if over > began), key=lambda pause: (pause[1], pause[0]))


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Those that touch as one, oldest first: what each is asked of costs a page half a millisecond."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _events_of(intervals: Sequence[Interval]) -> Q:
    """The events that began within the times, and each account's last one before each. Ids and accounts are named one by one: then
    indexes lead to each, where a subquery makes SQLite read all events."""
    account_events = RateLimitEvent.objects.filter(model="", account=OuterRef("pk"))
    last = {
        f"last{n}": Subquery(account_events.filter(started_at__lt=start).order_by("-started_at").values("pk")[:1])
        for n, (start, _) in enumerate(intervals)
    }
    rows = list(Account.objects.order_by().annotate(**last).values_list("pk", *last))
    wanted = Q(pk__in={pk for row in rows for pk in row[1:] if pk})
    for start, end in intervals:
        wanted |= Q(account__in=[row[0] for row in rows], started_at__gte=start, started_at__lt=end)
    return wanted


def prune(span: Span, before: datetime) -> None:
    """Forget the rows of a span that began before a time."""
    for model in ROLLUPS:
        model.objects.filter(span=span, starts_at__lt=before).delete()


def write(span: Span, within: Interval, summed: Mapping[datetime, Summed]) -> None:
    """Put the sums, by when each begins, in the place of the roll-up rows within a time."""
    start, end = within
    with transaction.atomic():
        for model in ROLLUPS:
            model.objects.filter(span=span, starts_at__gte=start, starts_at__lt=end).delete()
        _create(StepRollup, span, summed, "steps", (*STEP_KEY, *STEP_SUMS, "durations"))
        _create(GroupRollup, span, summed, "groups", (*GROUP_KEY, *STEP_SUMS, "durations"))
        _create(AttemptRollup, span, summed, "attempts", (*ATTEMPT_KEY, *ATTEMPT_SUMS, "latencies"))
        pauses = [(at, pause) for at, sums in summed.items() for pause in sums.pauses.items()]
        PauseRollup.objects.bulk_create(PauseRollup(span=span, starts_at=at, account_id=key, seconds=value) for at, (key, value) in pauses)


def _create(model: type[M], span: Span, summed: Mapping[datetime, Summed], of: str, columns: tuple[str, ...]) -> None:
    rows = (
        model(span=span, starts_at=at, **dict(zip(columns, (*key, *each.numbers, each.durations), strict=True)))
        for at, sums in summed.items()
        for key, each in getattr(sums, of).items()
    )
    model._default_manager.bulk_create(rows, batch_size=BATCH)  # noqa: SLF001 -- Django's documented manager of any model


def _regrouped(rolled: QuerySet[Any], key: tuple[str, ...], sums: tuple[str, ...]) -> Groups:
    groups = Groups()
    for row in rolled_rows(rolled, key, sums):
        groups.add(*row)
    return groups
