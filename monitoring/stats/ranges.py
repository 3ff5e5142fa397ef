"""A range of time, the bars it is drawn in, and where its numbers come from: raw rows, five minutes, hours or days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitoring.models import RollupState, Span
from monitoring.rollups.rolling import KEPT_HOURS
from monitoring.rollups.summing import DAY, FIVE, HOUR, LONGER, MONTH, SIX, Interval, floor
from monitoring.stats.within import Within

RANGES = {"1h": HOUR, "6h": 6 * HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
DEFAULT = "24h"
# Up to here a bar is five minutes.
FINE_UP_TO = 6 * HOUR
# From a length on, how much of it is one bar: between a dozen and some seventy bars each.
BINS = ((FINE_UP_TO, FIVE), (2 * DAY, HOUR), (14 * DAY, SIX), (120 * DAY, DAY))
LONGEST_BIN = 7 * DAY
# What is read where it fits in, before anything shorter: how long it is, and how far apart two of them begin.
LENGTHS = {**{each.span: (each.length, each.step) for each in LONGER[::-1]}, Span.HOUR: (HOUR, HOUR), Span.FIVE: (FIVE, FIVE)}
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` up to `end`. `name`: one of RANGES, or "" for times of one's own. `bin`: what one bar covers."""

    name: str
    start: datetime
    end: datetime
    bin: timedelta

    @classmethod
    def named(cls, name: str, now: datetime) -> Range:
        """One of RANGES, up to now.

        A week and longer begin with a full hour: nobody means the minute, and a part of an hour so long ago is read row by row.
        """
        length = RANGES[name]
        return cls.between(now - length if length <= DAY else floor(now - length, HOUR), now, now, name=name)

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
    """Where the numbers of some ranges are read: raw rows, and roll-ups by their span.

    `missing_before`: older rows are still being summed, and are left out.
    """

    raw: tuple[Interval, ...]
    rolled: tuple[tuple[Span, Interval], ...] = ()
    missing_before: datetime | None = None

    def __add__(self, other: Sources) -> Sources:
        return Sources(self.raw + other.raw, self.rolled + other.rolled, self.missing_before or other.missing_before)

    def raw_rows(self, at: str, **also: str) -> Within:
        """The raw rows, by their time's field, for which `also` holds."""
        return Within(at, [(interval, also) for interval in self.raw])

    def rollups(self, **also: str) -> Within:
        """The roll-up rows for which `also` holds."""
        return Within("starts_at", [(_starts(span, whole), {"span": span, **also}) for span, whole in self.rolled])


def sources(range_: Range, state: RollupState | None, *, is_drawn: bool = True, fives_since: datetime | None = None) -> Sources:
    """The longest spans that fit in come from their roll-ups, what is at the edges from shorter ones, and what is not summed from raw rows.

    What is drawn comes from spans as long as its bars at most. `fives_since`: of what is read there are no older five minutes.
    """
    start, end = range_.start, range_.end
    if state is None:
        return Sources(raw=((start, end),))
    longest = range_.bin if is_drawn else MONTH
    is_missing = longest > FIVE and not state.is_complete and start < state.from_at
    left = _some((max(start, state.from_at) if is_missing else start, end))
    rolled: list[tuple[Span, Interval]] = []
    for span in (span for span in LENGTHS if LENGTHS[span][0] <= longest):
        whole, left = _cut(left, *LENGTHS[span], _summed(span, state, fives_since))
        rolled += ((span, interval) for interval in whole)
    return Sources(left, tuple(rolled), state.from_at if is_missing else None)


def _summed(span: Span, state: RollupState, fives_since: datetime | None) -> Interval:
    """From when to when a span's roll-ups are there."""
    if span is Span.FIVE:
        return max(state.fives_from, fives_since or state.fives_from), state.fives_until
    # Longer ones are summed when the hours before them are looked at. Of days, and where all is summed of hours, nothing is older.
    from_at = EARLIEST if state.is_complete else state.from_at + (LENGTHS[span][1] if span is not Span.HOUR else timedelta(0))
    return max(from_at, state.looked_at - KEPT_HOURS + DAY) if span is Span.MONTH else from_at, state.until_at


def _cut(
    intervals: Iterable[Interval], length: timedelta, step: timedelta, summed: Interval
) -> tuple[list[Interval], tuple[Interval, ...]]:
    """The parts of some intervals that are whole spans and summed, and what is left of them. Spans that overlap are parts of their own."""
    whole: list[Interval] = []
    left: list[Interval] = []
    for start, end in intervals:
        first = _ceil(max(start, summed[0]), step)
        count = max(0, (min(end, summed[1]) - first) // length)
        last = first + count * length
        whole += _some((first, last)) if step == length else [(first + n * length, first + (n + 1) * length) for n in range(count)]
        left += _some((start, first), (last, end)) if count else [(start, end)]
    return whole, tuple(left)


def _starts(span: Span, whole: Interval) -> Interval:
    """From when to when those begin that make up a part."""
    length, step = LENGTHS[span]
    return whole[0], whole[1] - length + step


def _some(*intervals: Interval) -> tuple[Interval, ...]:
    return tuple((start, end) for start, end in intervals if start < end)


def _ceil(at: datetime, length: timedelta) -> datetime:
    below = floor(at, length)
    return below if below == at else below + length
