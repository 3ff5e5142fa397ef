"""One hour of raw rows, or one day of hours, as roll-up rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery, Sum

from agents.models import Account, LLMAttempt, RateLimitEvent, Step
from monitoring.models import AttemptRollup, PauseRollup, Span, StepRollup
from monitoring.rollups.histogram import Buckets, add, bucket

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LENGTHS = {Span.HOUR: HOUR, Span.DAY: DAY}
STEP_KEY = ("source", "route", "reason", "project")
STEP_SUMS = ("count", "in_time", "late", "actions", "cost")
ATTEMPT_KEY = ("account_id", "purpose", "model", "verdict", "refusal", "status")
ATTEMPT_SUMS = ("count", "prompt_tokens", "completion_tokens", "cost")
Key = tuple[Any, ...]
Row = tuple[Key, tuple[Any, ...], Buckets]
# From a time up to another.
Interval = tuple[datetime, datetime]
NO_COST = Decimal(0)
# SQLite takes so many rows of the widest roll-up in one statement.
BATCH = 50


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
    """All roll-up rows of one hour or day. `totals`: steps by source and route alone. `pauses`: seconds by account id."""

    steps: Groups
    totals: Groups
    attempts: Groups
    pauses: dict[int, float]


def roll_hour(starts_at: datetime, now: datetime) -> None:
    """Sum an hour's raw rows anew; the same again gives the same. Read first, so that the write lock is held for milliseconds only."""
    hour = (starts_at, starts_at + HOUR)
    steps, attempts = Groups(), Groups()
    for key, numbers, durations in step_rows(hour):
        steps.add(key, numbers, durations)
    for key, numbers, durations in attempt_rows(hour):
        attempts.add(key, numbers, durations)
    _write(Span.HOUR, starts_at, Summed(steps, _totals(steps), attempts, paused_seconds(hour, now)))


def roll_day(starts_at: datetime) -> None:
    """Sum a day's hours anew."""
    within = {"span": Span.HOUR, "starts_at__gte": starts_at, "starts_at__lt": starts_at + DAY}
    steps, attempts = Groups(), Groups()
    for row in StepRollup.objects.filter(is_total=False, **within).values_list(*STEP_KEY, *STEP_SUMS, "durations").iterator():
        steps.add(row[: len(STEP_KEY)], row[len(STEP_KEY) : -1], row[-1])
    for row in AttemptRollup.objects.filter(**within).values_list(*ATTEMPT_KEY, *ATTEMPT_SUMS, "latencies").iterator():
        attempts.add(row[: len(ATTEMPT_KEY)], row[len(ATTEMPT_KEY) : -1], row[-1])
    pauses = PauseRollup.objects.filter(**within).values_list("account").annotate(total=Sum("seconds")).order_by()
    _write(Span.DAY, starts_at, Summed(steps, _totals(steps), attempts, dict(pauses)))


def step_rows(within: Interval) -> Iterator[Row]:
    """Raw steps as group, sums and durations."""
    start, end = within
    attempts = LLMAttempt.objects.filter(step__received_at__gte=start, step__received_at__lt=end, cost__isnull=False)
    costs = dict(attempts.values_list("step").annotate(total=Sum("cost")).order_by())
    columns = ("id", "source", "route", "reason", "task__project", "deadline_at", "answered_at", "duration_ms", "actions")
    steps = Step.objects.filter(received_at__gte=start, received_at__lt=end).order_by().values_list(*columns)
    for pk, *key, deadline_at, answered_at, ms, actions in steps.iterator(5_000):
        is_late = answered_at is not None and answered_at > deadline_at
        numbers = (1, int(answered_at is not None and not is_late), int(is_late), len(actions), costs.get(pk, NO_COST))
        yield tuple(key), numbers, {} if ms is None else {bucket(ms): 1}


def attempt_rows(within: Interval) -> Iterator[Row]:
    """Raw attempts as group, sums and latencies."""
    start, end = within
    columns = ("account_id", "purpose", "model", "verdict", "refusal", "status", "prompt_tokens", "completion_tokens", "cost", "latency_ms")
    attempts = LLMAttempt.objects.filter(decided_at__gte=start, decided_at__lt=end).order_by().values_list(*columns)
    for *key, status, prompt, completion, cost, ms in attempts.iterator(5_000):
        yield (*key, status or 0), (1, prompt or 0, completion or 0, cost or NO_COST), {} if ms is None else {bucket(ms): 1}


def paused_seconds(within: Interval, now: datetime) -> dict[int, float]:
    """Seconds of pauses within a time, by account id."""
    found: dict[int, float] = {}
    for account, began, over in pauses([within], now):
        found[account] = found.get(account, 0.0) + (over - began).total_seconds()
    return found


def pauses(intervals: Iterable[Interval], now: datetime) -> list[tuple[int, datetime, datetime]]:
    """The accounts' pauses by refusals within some times, cut to them: account id, from, to. Of one account's, none overlaps another.

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
    return [(account, began, over) for account, began, over in cut if over > began]


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
    for model in (StepRollup, AttemptRollup, PauseRollup):
        model.objects.filter(span=span, starts_at__lt=before).delete()


def _totals(steps: Groups) -> Groups:
    totals = Groups()
    for (source, route, *_), sums in steps.items():
        totals.add((source, route, "", ""), sums.numbers, sums.durations)
    return totals


def _write(span: Span, starts_at: datetime, summed: Summed) -> None:
    of = {"span": span, "starts_at": starts_at}
    with transaction.atomic():
        for model in (StepRollup, AttemptRollup, PauseRollup):
            model.objects.filter(**of).delete()
        for is_total, groups in ((False, summed.steps), (True, summed.totals)):
            StepRollup.objects.bulk_create(_steps(groups, is_total=is_total, **of), batch_size=BATCH)
        AttemptRollup.objects.bulk_create(_attempts(summed.attempts, **of), batch_size=BATCH)
        PauseRollup.objects.bulk_create(PauseRollup(**of, account_id=account, seconds=value) for account, value in summed.pauses.items())


def _steps(groups: Groups, **of: Any) -> Iterator[StepRollup]:
    for key, sums in groups.items():
        named = dict(zip((*STEP_KEY, *STEP_SUMS), (*key, *sums.numbers), strict=True))
        yield StepRollup(**of, **named, durations=sums.durations)


def _attempts(groups: Groups, **of: Any) -> Iterator[AttemptRollup]:
    for key, sums in groups.items():
        named = dict(zip((*ATTEMPT_KEY, *ATTEMPT_SUMS), (*key, *sums.numbers), strict=True))
        yield AttemptRollup(**of, **named, latencies=sums.durations)
