"""A range of time, its bars, and the sources of its figures: raw rows, or roll-ups by five minutes, hours or days."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q

from monitoring.models import Of, RollupState, Span
from monitoring.reporting.filter_form import time_field
from monitoring.reporting.rollups import (
    DAY,
    FIVE,
    HOUR,
    KEPT,
    LENGTHS,
    Interval,
    Row,
    ceil,
    floor,
    raw_rows,
    rolled_rows,
    within,
)

RANGES = {"1h": HOUR, "6h": 6 * HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
DEFAULT = "24h"
# Up to this length a bar is five minutes.
FINE_UP_TO = 6 * HOUR
# By length: the period of a bar, so that there are between a dozen and some seventy.
BINS = ((FINE_UP_TO, FIVE), (2 * DAY, HOUR), (14 * DAY, 6 * HOUR), (120 * DAY, DAY), (timedelta.max, 7 * DAY))
# Limits of a custom range. Daily roll-ups are kept as long as the longest.
SHORTEST, LONGEST = timedelta(minutes=5), KEPT[Span.DAY]
MOMENT = {"type": "datetime-local", "class": "form-control"}


def bin_of(length: timedelta) -> timedelta:
    return next(size for up_to, size in BINS if length <= up_to)


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` up to `end`. `name`: one of RANGES, or "" for a custom range. `bin`: the period of a bar."""

    name: str
    start: datetime
    end: datetime
    bin: timedelta

    @classmethod
    def named(cls, name: str, now: datetime) -> "Range":
        size = bin_of(RANGES[name])
        return cls(name, floor(now - RANGES[name], size), now, size)

    @classmethod
    def between(cls, start: datetime, end: datetime, now: datetime) -> "Range":
        """A custom range. Older than the kept hours there are only whole days, so the start is moved to one."""
        length = end - start
        size = bin_of(length)
        if length > FINE_UP_TO and start < now - KEPT[Span.HOUR]:
            start, size = floor(start, DAY), max(size, DAY)
        return cls("", start, end, size)

    def before(self, now: datetime) -> "Range":
        return Range.between(self.start - (self.end - self.start), self.start, now)

    def since(self, first: datetime) -> "Range":
        start = floor(first, FIVE)
        return replace(self, start=start, bin=bin_of(self.end - start)) if self.start < start < self.end else self

    def bins(self) -> list[Interval]:
        """The bars, oldest first. The first and the last one may be partial."""
        first = floor(self.start, self.bin)
        count = -(-(self.end - first) // self.bin)
        return [(first + number * self.bin, first + (number + 1) * self.bin) for number in range(count)]


class RangeForm(forms.Form):
    """A named range, or a custom one in the user's time zone. If it is invalid, that is reported, and the default range shown."""

    range = forms.ChoiceField(required=False, choices=[(name, name) for name in RANGES])
    since = time_field("From", forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M"))
    until = time_field("Until", forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M"))

    def __init__(self, data: Any, now: datetime) -> None:
        super().__init__(data)
        self.now = now

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("since"), cleaned.get("until") or self.now
        if cleaned.get("until") and not start and "since" not in self.errors:
            self.add_error("since", "Give the start too.")
        if start and start > self.now:
            self.add_error("since", "Give a time in the past.")
        if start and end - start < SHORTEST:
            self.add_error("until", "Give a time at least 5 minutes after the first one.")
        if start and end - start > LONGEST:
            self.add_error("since", "Give a time at most 730 days before the other one.")
        return cleaned

    def chosen(self) -> Range:
        cleaned = self.cleaned_data if self.is_valid() else {}
        if cleaned.get("since"):
            return Range.between(cleaned["since"], min(cleaned.get("until") or self.now, self.now), self.now)
        return Range.named(cleaned.get("range") or DEFAULT, self.now)

    @property
    def query(self) -> str:
        kept = {name: self.data[name] for name in self.fields if self.data.get(name)}
        return urlencode(kept if self.is_valid() else {})

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        shown = self.chosen().name
        return [(name, f"{name[:-1]} {name[-1]}", name == shown) for name in RANGES]

    @property
    def is_own(self) -> bool:
        return bool(self.data.get("since") or self.data.get("until"))


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of a range's figures: intervals of raw rows, and of roll-ups by their span."""

    raw: tuple[Interval, ...]
    rolled: tuple[tuple[Span, Interval], ...] = ()

    def __add__(self, other: "Sources") -> "Sources":
        return Sources(self.raw + other.raw, self.rolled + other.rolled)

    def rows(self, of: Iterable[Of], now: datetime) -> Iterator[Row]:
        rolled = Q(pk__in=[])
        for span, interval in self.rolled:
            rolled |= within("starts_at", [interval]) & Q(span=span)
        yield from rolled_rows(rolled, of)
        yield from raw_rows(self.raw, of, now)


def sources(range_: Range, state: RollupState | None, spans: Collection[Span] = tuple(Span)) -> Sources:
    """Roll-ups of the longest `spans` that fit, shorter ones at the edges, and raw rows for what is not summed yet."""
    left, rolled = [(range_.start, range_.end)], list[tuple[Span, Interval]]()
    for span in reversed(Span):
        if state is None or span not in spans:
            continue
        # The period with roll-ups of this span
        since, until = state.checked_at - KEPT[span] + HOUR, state.fives_until if span is Span.FIVE else state.hours_until
        rest = list[Interval]()
        for start, end in left:
            first, last = ceil(max(start, since), LENGTHS[span]), floor(min(end, until), LENGTHS[span])
            if first < last:
                rolled.append((span, (first, last)))
                rest += [(began, over) for began, over in ((start, first), (last, end)) if began < over]
            else:
                rest.append((start, end))
        left = rest
    return Sources(tuple(left), tuple(rolled))
