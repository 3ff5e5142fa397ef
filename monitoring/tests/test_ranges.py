"""Ranges: whatever is summed, each moment is read from one source."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitoring.models import RollupState, Span
from monitoring.rollups.summing import DAY, HOUR, Interval, floor
from monitoring.stats.ranges import LENGTHS, RANGES, Range, Sources, sources
from monitoring.tests.records import NOW

SECONDS = st.integers(0, 100 * 86_400).map(lambda seconds: timedelta(seconds=seconds))


def summed(from_at: timedelta, until_at: timedelta, *, is_complete: bool) -> RollupState:
    """As if hours were summed from so long ago to so long ago."""
    until = floor(NOW - until_at, HOUR)
    start = min(floor(NOW - from_at, HOUR), until)
    return RollupState(from_at=start, until_at=until, fives_from=start, fives_until=until, is_complete=is_complete, looked_at=NOW)


STATES = st.none() | st.builds(summed, SECONDS, SECONDS, is_complete=st.booleans())
WANTED = st.sampled_from(list(RANGES)).map(lambda name: Range.named(name, NOW)) | st.builds(
    lambda length, ago: Range.between(NOW - ago - length - HOUR, NOW - ago, NOW), SECONDS, SECONDS
)


def intervals(where: Sources) -> list[Interval]:
    return sorted([*where.raw, *(interval for _, interval in where.rolled)])


@given(WANTED, STATES, st.booleans(), st.none() | SECONDS)
def test_each_moment_is_read_from_one_source(of: Range, state: RollupState | None, is_drawn: bool, since: timedelta | None) -> None:
    where = sources(of, state, is_drawn=is_drawn, fives_since=None if since is None else NOW - since)
    start, found = max(of.start, where.missing_before or of.start), intervals(where)
    assert (found == []) == (start >= of.end)
    assert all(start < end for start, end in found)
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert not found or (found[0][0], found[-1][1]) == (start, of.end)


@given(WANTED, STATES, st.booleans())
def test_spans_are_read_whole_and_only_where_they_are_summed(of: Range, state: RollupState | None, is_drawn: bool) -> None:
    for span, (start, end) in sources(of, state, is_drawn=is_drawn).rolled:
        length, step = LENGTHS[span]
        assert state is not None
        assert floor(start, step) == start < floor(end, step) == end <= state.until_at
        assert (end - start) % length == timedelta(0)
        assert state.is_complete or start >= state.from_at
        assert not is_drawn or length <= of.bin


def test_a_month_is_read_from_few_rows() -> None:
    month = sources(Range.named("30d", NOW), summed(90 * DAY, HOUR, is_complete=True), is_drawn=False)
    rows = {span: sum((end - start) // LENGTHS[span][0] for of, (start, end) in month.rolled if of == span) for span in LENGTHS}
    assert rows[Span.MONTH] == 1
    assert rows[Span.DAY] <= 1
    assert rows[Span.SIX] <= 6
    assert rows[Span.HOUR] <= 10
    assert sum((end - start for start, end in month.raw), timedelta()) < 2 * HOUR


def test_a_week_and_a_month_begin_with_a_full_hour_and_are_as_long_before() -> None:
    now = NOW + timedelta(minutes=47)
    for name in ("7d", "30d"):
        of = Range.named(name, now)
        assert timedelta(0) <= now - RANGES[name] - of.start < HOUR
        assert (of.start, of.end) == (floor(of.start, HOUR), now)
        assert of.before(now).end - of.before(now).start == of.end - of.start
    assert Range.named("24h", now).start == now - DAY


def test_months_that_were_forgotten_are_read_from_days() -> None:
    long_ago = sources(Range.between(NOW - 150 * DAY, NOW - 110 * DAY, NOW), summed(400 * DAY, HOUR, is_complete=True), is_drawn=False)
    assert {span for span, _ in long_ago.rolled} >= {Span.DAY}
    assert Span.MONTH not in {span for span, _ in long_ago.rolled}
