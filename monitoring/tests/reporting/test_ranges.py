"""Ranges: each moment is read from exactly one source, whatever is summed."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.models import RollupState, Span
from monitoring.reporting.ranges import RANGES, Range, Sources, sources
from monitoring.reporting.rollups import DAY, FIVE, HOUR, LENGTHS, Interval, floor
from monitoring.tests.records import NOW

SECONDS = st.integers(0, 100 * 86_400).map(lambda seconds: timedelta(seconds=seconds))


def summed(ago: timedelta) -> RollupState:
    """As if hours were summed up to this age."""
    hours = floor(NOW - ago, HOUR)
    return RollupState(since=NOW - 200 * DAY, hours_until=hours, fives_until=hours + 3 * FIVE, checked_at=NOW)


STATES = st.none() | st.builds(summed, SECONDS)
WANTED = st.sampled_from(list(RANGES)).map(lambda name: Range.named(name, NOW)) | st.builds(
    lambda length, ago: Range.between(NOW - ago - length - HOUR, NOW - ago, NOW), SECONDS, SECONDS
)
SPANS = st.sets(st.sampled_from(Span))


def intervals(where: Sources) -> list[Interval]:
    return sorted([*where.raw, *(interval for _, interval in where.rolled)])


@given(WANTED, STATES, SPANS)
def test_each_moment_is_read_from_one_source(of: Range, state: RollupState | None, spans: set[Span]) -> None:
    result = intervals(sources(of, state, spans))
    assert all(start < end for start, end in result)
    assert all(before[1] == after[0] for before, after in pairwise(result))
    assert (result[0][0], result[-1][1]) == (of.start, of.end)


@given(WANTED, STATES, SPANS)
def test_spans_are_read_completely_and_only_if_summed(of: Range, state: RollupState | None, spans: set[Span]) -> None:
    for span, (start, end) in sources(of, state, spans).rolled:
        assert state is not None
        assert span in spans
        assert floor(start, LENGTHS[span]) == start < end == floor(end, LENGTHS[span])
        assert end <= (state.fives_until if span is Span.FIVE else state.hours_until)


def test_a_month_is_read_from_few_rows() -> None:
    month = sources(Range.named("30d", NOW), summed(HOUR))
    rows = {span: sum((end - start) // LENGTHS[span] for of, (start, end) in month.rolled if of == span) for span in Span}
    assert rows[Span.DAY] == 30
    assert rows[Span.SIX] < 4
    assert rows[Span.HOUR] < 6
    assert rows[Span.FIVE] < 12
    assert sum((end - start for start, end in month.raw), timedelta()) < HOUR


@pytest.mark.parametrize("name", RANGES)
def test_a_named_range_begins_with_a_full_bar_and_is_as_long_before(name: str) -> None:
    now = NOW + timedelta(minutes=47)
    of = Range.named(name, now)
    assert timedelta(0) <= now - RANGES[name] - of.start < of.bin
    assert (of.start, of.end) == (floor(of.start, of.bin), now)
    assert of.before(now).end - of.before(now).start == of.end - of.start


def test_bars_of_a_short_record_begin_with_it() -> None:
    first = NOW - timedelta(minutes=12)
    of = Range.named("24h", NOW).since(first)
    assert (of.name, of.start, of.bin, len(of.bins())) == ("24h", floor(first, FIVE), FIVE, 3)
    assert Range.named("24h", NOW).since(NOW - 2 * DAY) == Range.named("24h", NOW)
