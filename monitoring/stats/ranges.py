"""A range of time, the bars it is drawn in, and where its numbers come from: raw rows, five minutes, hours or days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Q

from monitoring.models import RollupState, Span
from monitoring.rollups.rolling import KEPT_HOURS
from monitoring.rollups.summing import DAY, FIVE, HOUR, Interval, floor

RANGES = {"1h": HOUR, "6h": 6 * HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
DEFAULT = "24h"
# Up to here a bar is five minutes.
FINE_UP_TO = 6 * HOUR
# From a length on, how much of it is one bar: between a dozen and some seventy bars each.
BINS = ((FINE_UP_TO, FIVE), (2 * DAY, HOUR), (14 * DAY, 6 * HOUR), (120 * DAY, DAY))
LONGEST_BIN = 7 * DAY


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` up to `end`. `name`: one of RANGES, or "" for times of one's own. `bin`: what one bar covers."""

    name: str
    start: datetime
    end: datetime
    bin: timedelta

    @classmethod
    def named(cls, name: str, now: datetime) -> Range:
        """One of RANGES, up to now."""
        return cls.between(now - RANGES[name], now, now, name=name)

    @classmethod
    def between(cls, start: datetime, end: datetime, now: datetime, *, name: str = "") -> Range:
        """From one time to another. Beyond the hours that are kept only whole days are known, so the start moves to one."""
        length = end - start
        size = next((size for up_to, size in BINS if length <= up_to), LONGEST_BIN)
        if length > FINE_UP_TO and start < now - KEPT_HOURS:
            start, size = floor(start, DAY), max(size, DAY)
        return cls(name, start, end, size)

    def before(self, now: datetime) -> Range:
        """The same length, just before."""
        return Range.between(self.start - (self.end - self.start), self.start, now)

    @property
    def is_fine(self) -> bool:
        """Whether it is drawn in bars of five minutes."""
        return self.bin == FIVE

    def bins(self) -> list[Interval]:
        """The bars, oldest first. The first one and the last one may be cut."""
        first = floor(self.start, self.bin)
        count = -(-(self.end - first) // self.bin)
        return [(first + number * self.bin, first + (number + 1) * self.bin) for number in range(count)]

    def bin_of(self, at: datetime) -> datetime:
        """Where the bar begins that a time lies in."""
        return floor(at, self.bin)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the numbers of some ranges are read. `missing_before`: older rows are still being summed, and are left out."""

    raw: tuple[Interval, ...]
    fives: tuple[Interval, ...] = ()
    hours: tuple[Interval, ...] = ()
    days: tuple[Interval, ...] = ()
    missing_before: datetime | None = None

    def __add__(self, other: Sources) -> Sources:
        missing = self.missing_before or other.missing_before
        return Sources(self.raw + other.raw, self.fives + other.fives, self.hours + other.hours, self.days + other.days, missing)

    def raw_rows(self, at: str, **also: object) -> Q:
        """The raw rows, by their time's field, for which `also` holds. It stands beside each time, where an index finds both together."""
        return _within(at, self.raw, **also)

    def rollups(self, **also: object) -> Q:
        """The roll-up rows for which `also` holds."""
        spans = ((Span.FIVE, self.fives), (Span.HOUR, self.hours), (Span.DAY, self.days))
        return reduce(or_, (_within("starts_at", intervals, span=span, **also) for span, intervals in spans))


def sources(range_: Range, state: RollupState | None, *, is_drawn: bool = True, fives_since: datetime | None = None) -> Sources:
    """Whole hours, or days where the bars are that long, from the roll-ups; what is at the edges, and not summed yet, from those of five
    minutes, and what is at theirs from raw rows. A short range that is drawn has bars of minutes: no hours. `fives_since`: of what is read
    there are no older ones.
    """
    start, end = range_.start, range_.end
    if state is None:
        return Sources(raw=((start, end),))
    if is_drawn and range_.is_fine:
        return _fine(((start, end),), state, fives_since)
    is_missing = not state.is_complete and start < state.from_at
    low = max(start, state.from_at) if is_missing else start
    first, last = _ceil(low, HOUR), max(floor(min(end, state.until_at), HOUR), _ceil(low, HOUR))
    day, over = (_ceil(first, DAY), floor(last, DAY)) if range_.bin >= DAY else (last, last)
    if is_missing and day == state.from_at:  # its day may not be summed yet
        day += DAY
    day, over = (day, over) if day < over else (last, last)
    edges = _some((low, min(first, end)), (last, end))
    missing = state.from_at if is_missing else None
    return replace(
        _fine(edges, state, fives_since), hours=_some((first, day), (over, last)), days=_some((day, over)), missing_before=missing
    )


def _fine(intervals: Iterable[Interval], state: RollupState, since: datetime | None) -> Sources:
    """Five minutes as far as they are summed, and raw rows."""
    raw: list[Interval] = []
    fives: list[Interval] = []
    for start, end in intervals:
        first = max(_ceil(start, FIVE), state.fives_from, _ceil(since, FIVE) if since else state.fives_from)
        last = min(floor(end, FIVE), state.fives_until)
        if first < last:
            fives.append((first, last))
            raw += _some((start, first), (last, end))
        else:
            raw.append((start, end))
    return Sources(raw=tuple(raw), fives=tuple(fives))


def _some(*intervals: Interval) -> tuple[Interval, ...]:
    return tuple((start, end) for start, end in intervals if start < end)


def _ceil(at: datetime, span: timedelta) -> datetime:
    below = floor(at, span)
    return below if below == at else below + span


def _within(at: str, intervals: Iterable[Interval], **also: object) -> Q:
    """Rows within any of the intervals; none where there is none."""
    found = Q(pk__in=())
    for start, end in intervals:
        found |= Q(**{f"{at}__gte": start, f"{at}__lt": end}, **also)
    return found
