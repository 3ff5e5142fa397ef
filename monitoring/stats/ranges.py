"""A range of time, the bars it is drawn in, and where its numbers come from: raw rows, hours or days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from monitoring.models import RollupState, Span
from monitoring.rollups.rolling import KEPT_HOURS, floor
from monitoring.rollups.summing import DAY, HOUR, Interval

RANGES = {"1h": HOUR, "6h": 6 * HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
DEFAULT = "24h"
# Up to here raw rows alone are read: some thousands at most.
RAW_UP_TO = 6 * HOUR
# From a length on, how much of it is one bar: between a dozen and some seventy bars each.
BINS = ((RAW_UP_TO, timedelta(minutes=5)), (2 * DAY, HOUR), (14 * DAY, 6 * HOUR), (120 * DAY, DAY))
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
        if length > RAW_UP_TO and start < now - KEPT_HOURS:
            start, size = floor(start, DAY), max(size, DAY)
        return cls(name, start, end, size)

    def before(self, now: datetime) -> Range:
        """The same length, just before."""
        return Range.between(self.start - (self.end - self.start), self.start, now)

    @property
    def is_raw(self) -> bool:
        """Whether raw rows alone are read."""
        return self.end - self.start <= RAW_UP_TO

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
    hours: tuple[Interval, ...] = ()
    days: tuple[Interval, ...] = ()
    missing_before: datetime | None = None

    def __add__(self, other: Sources) -> Sources:
        missing = self.missing_before or other.missing_before
        return Sources(self.raw + other.raw, self.hours + other.hours, self.days + other.days, missing)

    def raw_rows(self, at: str, **also: object) -> Q:
        """The raw rows, by their time's field, for which `also` holds. It stands beside each time, where an index finds both together."""
        return _within(at, self.raw, **also)

    def rollups(self, **also: object) -> Q:
        """The roll-up rows for which `also` holds."""
        return _within("starts_at", self.hours, span=Span.HOUR, **also) | _within("starts_at", self.days, span=Span.DAY, **also)


def sources(range_: Range, state: RollupState | None, *, is_drawn: bool = True) -> Sources:
    """Whole hours, or days where the bars are that long, from the roll-ups; what is at the edges, and not summed yet, from raw rows.

    A short range that is drawn has bars of minutes: raw rows alone.
    """
    start, end = range_.start, range_.end
    if (is_drawn and range_.is_raw) or state is None:
        return Sources(raw=((start, end),))
    is_missing = not state.is_complete and start < state.from_at
    low = max(start, state.from_at) if is_missing else start
    first, last = _ceil(low, HOUR), max(floor(min(end, state.until_at), HOUR), _ceil(low, HOUR))
    day, over = (_ceil(first, DAY), floor(last, DAY)) if range_.bin >= DAY else (last, last)
    if is_missing and day == state.from_at:  # its day may not be summed yet
        day += DAY
    day, over = (day, over) if day < over else (last, last)
    return Sources(
        raw=_some((low, min(first, end)), (last, end)),
        hours=_some((first, day), (over, last)),
        days=_some((day, over)),
        missing_before=state.from_at if is_missing else None,
    )


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
