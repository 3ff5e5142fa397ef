"""Times that a provider writes, and the calendar by which its limits reset."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.reset_times import CACHED, DAY, FOUR_HOURS, FURTHEST_RESET, LONGEST_RETRY, period_ends_at, quota_resets_at, retry_at
from agents.tests.rows import rows

NOW = datetime(2026, 9, 1, 13, 30, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 9, 2, tzinfo=UTC).timestamp()


def quota(value: str) -> str:
    return f'{{"message": "Quota exceeded", "quota_reset_timestamp": {value}, "payment_address": "5F"}}'


@rows(
    "value",
    [
        '"2026-09-02T00:00:00Z"',
        '"2026-09-02T00:00:00+00:00"',
        '"2026-09-02T02:00:00.000000+02:00"',
        '"2026-09-02T00:00:00"',
        '"2026-09-02"',
        f"{MIDNIGHT:.0f}",
        f"{MIDNIGHT}",
        f"{MIDNIGHT:.0f}000",
        f'"{MIDNIGHT:.0f}"',
        f'"{MIDNIGHT:.0f}000"',
    ],
)
def test_a_reset_is_read_in_every_form(value: str) -> None:
    assert quota_resets_at(quota(value), NOW) == MIDNIGHT


def test_a_reset_is_read_where_the_body_was_cut_off_behind_it() -> None:
    assert quota_resets_at(quota('"2026-09-02T00:00:00Z"')[:-10], NOW) == MIDNIGHT


@rows(
    "value",
    ['"soon"', '""', "null", "true", "{}", "-1", "0", "1e999", "1-2", '"9999-99-99"', '"2026-08-31T00:00:00Z"', '"2026-09-09T00:00:00Z"'],
)
def test_a_reset_that_cannot_be_meant_is_none(value: str) -> None:
    assert quota_resets_at(quota(value), NOW) is None


def test_a_reset_that_has_just_passed_waits_out_the_providers_cache() -> None:
    assert quota_resets_at(quota(f"{NOW - 2}"), NOW) == NOW - 2 + CACHED
    assert quota_resets_at(quota(f"{NOW - CACHED}"), NOW) is None


def test_a_body_without_a_reset_has_none() -> None:
    assert quota_resets_at("Quota exceeded", NOW) is None


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("17", 17),
        (" 1.5 ", 1.5),
        ("1e9", LONGEST_RETRY),
        ("Tue, 01 Sep 2026 13:35:00 GMT", 300),
        ("Tue, 01 Sep 2026 13:35:00 -0000", 300),
        ("Tue, 01 Sep 2099 13:35:00 GMT", LONGEST_RETRY),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_and_at_most_a_day(header: str, wait: float) -> None:
    assert retry_at(header, NOW) == NOW + wait


@rows("header", ["", "0", "-5", "nan", "inf", "soon", "Mon, 99 Foo", "Tue, 01 Sep 2026 13:25:00 GMT", "\x00"])
def test_a_retry_after_without_a_later_time_is_ignored(header: str) -> None:
    assert retry_at(header, NOW) is None


@given(st.floats(0, 4e9))
def test_the_calendar_names_the_next_boundary(now: float) -> None:
    for period in (DAY, FOUR_HOURS):
        ends_at = period_ends_at(period, now)
        assert ends_at % period == CACHED
        assert 0 < ends_at - now <= period


def test_a_refusal_from_the_cache_of_the_day_before_is_over_with_the_cache() -> None:
    assert period_ends_at(DAY, MIDNIGHT + 5) == MIDNIGHT + CACHED
    assert period_ends_at(FOUR_HOURS, MIDNIGHT + CACHED) == MIDNIGHT + 14_400 + CACHED


@given(st.text() | st.text(alphabet='0123456789.-+eE:TZ"').map(quota))
def test_whatever_stands_there_a_reset_lies_ahead_and_near(text: str) -> None:
    reset = quota_resets_at(text, NOW)
    assert reset is None or NOW < reset <= NOW + FURTHEST_RESET
