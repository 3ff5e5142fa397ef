"""What happened in a range, bar by bar, and in the range before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from django.db.models import Case, DateTimeField, F, Sum, Value, When

from agents.models import LLMAttempt, Route, Source, Step
from monitoring.models import AttemptRollup, PauseRollup, RollupState, StepRollup
from monitoring.rollups.histogram import Buckets, add, bucket
from monitoring.rollups.summing import NO_COST, Interval, pauses
from monitoring.stats.ranges import Range, Sources, sources

TOO_MANY = 429
# A range is drawn so many pixels wide, about.
TOLD_APART = 1_000
EARLIER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Tally:
    """Numbers of one bar or one range. Steps are validators'; attempts are all of the accounts'. `durations`: in ms by route.

    `under_way`: steps whose deadline is still to come; `unanswered`: those whose deadline is over.
    """

    llm: int = 0
    template: int = 0
    unanswered: int = 0
    under_way: int = 0
    in_time: int = 0
    durations: dict[str, Buckets] = field(default_factory=lambda: {Route.LLM: {}, Route.TEMPLATE: {}})
    refusals: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    too_many: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal = NO_COST
    paused_seconds: float = 0.0

    @property
    def answered(self) -> int:
        """Steps with an answer."""
        return self.llm + self.template

    @property
    def tokens(self) -> int:
        """Tokens of prompts and answers."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def all_durations(self) -> Buckets:
        """Of all routes."""
        total: Buckets = {}
        for buckets in self.durations.values():
            add(total, buckets)
        return total

    def add_steps(self, route: str, count: int, in_time: int, durations: Buckets, *, is_under_way: bool = False) -> None:
        """Steps of one route; "": none yet."""
        name = route or ("under_way" if is_under_way else "unanswered")
        setattr(self, name, getattr(self, name) + count)
        self.in_time += in_time
        if route:
            add(self.durations[route], durations)

    def add_attempts(self, refusal: str, status: int | None, count: int, prompt: int, completion: int, cost: Decimal) -> None:
        """Attempts of one kind."""
        self.attempts += count
        if refusal:
            self.refusals[refusal] += count
        self.too_many += count if status == TOO_MANY else 0
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self.cost += cost


@dataclass(frozen=True, slots=True)
class Series:
    """`bins`: each bar's times and numbers, oldest first. `pauses`: times, where the range is short enough to draw each; else None."""

    range: Range
    bins: list[tuple[Interval, Tally]]
    total: Tally
    before: Tally
    pauses: list[Interval] | None
    missing_before: datetime | None


class _Tallies:
    """Where each row is counted: in its bar and the range's total, or in the range's before."""

    def __init__(self, of: Range) -> None:
        self.range = of
        self.bins = {start: (Tally(), (start, end)) for start, end in of.bins()}
        self.total, self.before = Tally(), Tally()

    def at(self, at: datetime) -> tuple[Tally, ...]:
        if at < self.range.start:
            return (self.before,)
        return (self.bins[self.range.bin_of(at)][0], self.total)


def series(of: Range, now: datetime) -> Series:
    """A range and the one before it, in a fixed number of queries."""
    state = RollupState.objects.filter(pk=RollupState.ONLY).first()
    current, before = sources(of, state), sources(of.before(now), state, is_drawn=False)
    both, tallies = current + before, _Tallies(of)
    _read_steps(both, tallies, now)
    _read_attempts(both, tallies)
    # What is drawn one by one is read one by one.
    paused = _read_pauses((Sources(raw=((of.start, of.end),)) if of.is_fine else current) + before, tallies, now)
    bins = [(interval, tally) for tally, interval in tallies.bins.values()]
    return Series(of, bins, tallies.total, tallies.before, _drawn(of, paused) if of.is_fine else None, current.missing_before)


def _read_steps(where: Sources, tallies: _Tallies, now: datetime) -> None:
    columns = ("received_at", "route", "deadline_at", "answered_at", "duration_ms")
    raw = Step.objects.filter(where.raw_rows("received_at", source=Source.VALIDATOR)).order_by().values_list(*columns)
    for at, route, deadline_at, answered_at, ms in raw.iterator(5_000):
        in_time, durations = int(bool(route) and answered_at <= deadline_at), {} if ms is None else {bucket(ms): 1}
        for tally in tallies.at(at):
            tally.add_steps(route, 1, in_time, durations, is_under_way=deadline_at >= now)
    rolled = StepRollup.objects.filter(where.rollups(source=Source.VALIDATOR)).order_by()
    for at, *row in rolled.values_list("starts_at", "route", "count", "in_time", "durations"):
        for tally in tallies.at(at):
            tally.add_steps(*row)


def _read_attempts(where: Sources, tallies: _Tallies) -> None:
    columns = ("decided_at", "refusal", "status", "prompt_tokens", "completion_tokens", "cost")
    raw = LLMAttempt.objects.filter(where.raw_rows("decided_at")).order_by().values_list(*columns)
    for at, refusal, status, prompt, completion, cost in raw.iterator(5_000):
        for tally in tallies.at(at):
            tally.add_attempts(refusal, status, 1, prompt or 0, completion or 0, cost or NO_COST)
    # What was before the range is one sum.
    at_or_before = Case(When(starts_at__lt=tallies.range.start, then=Value(EARLIER)), default=F("starts_at"), output_field=DateTimeField())
    rolled = AttemptRollup.objects.filter(where.rollups()).order_by().values_list(at_or_before, "refusal", "status")
    for at, *row in rolled.annotate(*(Sum(name) for name in ("count", "prompt_tokens", "completion_tokens", "cost"))):
        for tally in tallies.at(at):
            tally.add_attempts(*row)


def _read_pauses(where: Sources, tallies: _Tallies, now: datetime) -> list[Interval]:
    """Returns the pauses that were read one by one, oldest first."""
    found = [(start, end) for _, start, end in pauses(where.raw, now)]
    for start, end in found:
        for began, over in _split(start, end, tallies.range):
            for tally in tallies.at(began):
                tally.paused_seconds += (over - began).total_seconds()
    rolled = PauseRollup.objects.filter(where.rollups()).order_by().values_list("starts_at")
    for at, seconds in rolled.annotate(total=Sum("seconds")):
        for tally in tallies.at(at):
            tally.paused_seconds += seconds
    return found


def _drawn(of: Range, paused: list[Interval]) -> list[Interval]:
    """The pauses of a range, oldest first; those that no eye could tell apart are one."""
    gap = (of.end - of.start) / TOLD_APART
    found: list[Interval] = []
    for start, end in ((max(start, of.start), end) for start, end in paused if end > of.start):
        if found and start - found[-1][1] <= gap:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _split(start: datetime, end: datetime, of: Range) -> list[Interval]:
    """A time cut where bars end, and where the range begins."""
    cuts, at = [start], start
    while (at := of.bin_of(at) + of.bin) < end:
        cuts.append(at)
    if start < of.start < end:
        cuts.append(of.start)
    edges = [*sorted(set(cuts)), end]
    return [(began, over) for began, over in pairwise(edges) if over - began > timedelta(0)]
