"""One hour of raw rows, or a longer span of hours, as roll-up rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery, Sum

from agents.models import Account, LLMAttempt, RateLimitEvent, Step
from agents.outcomes import Outcome
from monitoring.models import AttemptRollup, By, GroupRollup, PauseRollup, Span, StepRollup
from monitoring.rollups.histogram import Buckets, add, bucket

FIVE, HOUR, SIX, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6), timedelta(days=1)
# What is summed of hours.
OF_HOURS = {Span.SIX: SIX, Span.DAY: DAY}
STEP_KEY = ("source", "route", "reason", "project")
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
    """All roll-up rows of one span of time. `totals`: steps by source and route alone; `groups`: by each of By.

    `pauses`: seconds by account id.
    """

    steps: Groups
    totals: Groups
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
    write(Span.HOUR, hour, {starts_at: Summed(steps, _totals(steps), groups, attempts, paused_seconds(hour, now))})


def roll_hours(span: Span, starts_at: datetime) -> None:
    """Sum the hours of one of OF_HOURS anew."""
    end = starts_at + OF_HOURS[span]
    within = {"span": Span.HOUR, "starts_at__gte": starts_at, "starts_at__lt": end}
    steps = _regrouped(StepRollup.objects.filter(is_total=False, **within), STEP_KEY, (*STEP_SUMS, "durations"))
    groups = _regrouped(GroupRollup.objects.filter(**within), GROUP_KEY, (*STEP_SUMS, "durations"))
    attempts = _regrouped(AttemptRollup.objects.filter(**within), ATTEMPT_KEY, (*ATTEMPT_SUMS, "latencies"))
    pauses = PauseRollup.objects.filter(**within).values_list("account").annotate(total=Sum("seconds")).order_by()
    write(span, (starts_at, end), {starts_at: Summed(steps, _totals(steps), groups, attempts, dict(pauses))})


def rolled_rows(rolled: QuerySet[Any], key: tuple[str, ...], sums: tuple[str, ...]) -> Iterator[Row]:
    """Roll-up rows as group, sums and durations; the last of `sums` is the durations' column."""
    for row in rolled.order_by().values_list(*key, *sums).iterator():
        yield row[: len(key)], row[len(key) : -1], row[-1]


def step_key(key: Key) -> Key:
    """The part of a raw step's group that is STEP_KEY."""
    return key[:4]


def groups_of(key: Key) -> Iterator[Key]:
    """The groups by GROUP_KEY that a raw step is in."""
    source, route, _, *names = key
    for by, name in zip(By, names, strict=True):
        yield source, route, by, name


def step_rows(within: Interval) -> Iterator[RawRow]:
    """Raw steps as time, group, sums and durations. The group is STEP_KEY, then kind of task and use of the LLM."""
    start, end = within
    attempts = LLMAttempt.objects.filter(step__received_at__gte=start, step__received_at__lt=end, cost__isnull=False)
    costs = dict(attempts.values_list("step").annotate(total=Sum("cost")).order_by())
    key_columns = ("source", "route", "reason", "task__project", "task__kind", "limits__llm_use")
    columns = ("id", "received_at", *key_columns, "deadline_at", "answered_at", "duration_ms", "actions", "outcome")
    steps = Step.objects.filter(received_at__gte=start, received_at__lt=end).order_by().values_list(*columns)
    for pk, at, *key, llm_use, deadline_at, answered_at, ms, actions, outcome in steps.iterator(5_000):
        is_late = answered_at is not None and answered_at > deadline_at
        in_time, outcomes = answered_at is not None and not is_late, (int(outcome == each) for each in OUTCOMES)
        numbers = (1, int(in_time), int(is_late), len(actions), costs.get(pk, NO_COST), *outcomes)
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

    Of the events before a time only an account's last one can still run: a new event ends the one before it.
    """
    intervals = tuple(intervals)
    columns = ("account_id", "started_at", "pause_seconds", "ended_at")
    found = [
        (account, began, min(began + timedelta(seconds=seconds), ended_at or now, now))
        for account, began, seconds, ended_at in RateLimitEvent.objects.filter(_events_of(intervals), model="")
        .order_by()
        .values_list(*columns)
    ]
    cut = [(account, max(began, start), min(over, end)) for start, end in intervals for account, began, over in found]
    return sorted(((account, began, over) for account, began, over in cut if over > began), key=lambda pause: (pause[1], pause[0]))


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


def _totals(steps: Groups) -> Groups:
    totals = Groups()
    for (source, route, *_), sums in steps.items():
        totals.add((source, route, "", ""), sums.numbers, sums.durations)
    return totals


def write(span: Span, within: Interval, summed: Mapping[datetime, Summed]) -> None:
    """Put the sums, by when each begins, in the place of the roll-up rows within a time."""
    start, end = within
    with transaction.atomic():
        for model in ROLLUPS:
            model.objects.filter(span=span, starts_at__gte=start, starts_at__lt=end).delete()
        StepRollup.objects.bulk_create(_steps(span, summed), batch_size=BATCH)
        GroupRollup.objects.bulk_create(_rows(GroupRollup, span, summed, "groups", (*GROUP_KEY, *STEP_SUMS, "durations")), batch_size=BATCH)
        columns = (*ATTEMPT_KEY, *ATTEMPT_SUMS, "latencies")
        AttemptRollup.objects.bulk_create(_rows(AttemptRollup, span, summed, "attempts", columns), batch_size=BATCH)
        pauses = [(at, pause) for at, sums in summed.items() for pause in sums.pauses.items()]
        PauseRollup.objects.bulk_create(PauseRollup(span=span, starts_at=at, account_id=key, seconds=value) for at, (key, value) in pauses)


def _steps(span: Span, summed: Mapping[datetime, Summed]) -> Iterator[StepRollup]:
    columns = (*STEP_KEY, *STEP_SUMS, "durations")
    yield from _rows(StepRollup, span, summed, "steps", columns, is_total=False)
    yield from _rows(StepRollup, span, summed, "totals", columns, is_total=True)


def _rows(model: type[M], span: Span, summed: Mapping[datetime, Summed], of: str, columns: tuple[str, ...], **also: Any) -> Iterator[M]:
    for at, sums in summed.items():
        for key, each in getattr(sums, of).items():
            yield model(span=span, starts_at=at, **also, **dict(zip(columns, (*key, *each.numbers, each.durations), strict=True)))


def _regrouped(rolled: QuerySet[Any], key: tuple[str, ...], sums: tuple[str, ...]) -> Groups:
    groups = Groups()
    for row in rolled_rows(rolled, key, sums):
        groups.add(*row)
    return groups
