"""Forecasts: what the pace of the last hours says of quota, caps and balance, and what is to be warned of."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from agents.policy.quota_forecast import HOUR, LONG_SPANS, STALE, Forecast, Limit, Outcome, Sample, Use, balance, use, warnings
from agents.policy.reset_times import DAY

MIDNIGHT = datetime(2026, 5, 4, tzinfo=UTC).timestamp()
NOON = MIDNIGHT + 12 * HOUR
DAILY = Limit("daily quota", 300, MIDNIGHT, MIDNIGHT + DAY)
MONTHLY = Limit("monthly cap", 20, None, NOON + 6 * DAY, LONG_SPANS)
values = st.lists(st.floats(0, 400), min_size=1, max_size=60)


def steady(an_hour: float, *, start: float = 0.0, since: float = MIDNIGHT, until: float = NOON) -> list[Sample]:
    """A reading every five minutes of something that rises at one pace."""
    return [Sample(since + 300 * i, start + an_hour * 300 * i / HOUR) for i in range(int((until - since) / 300) + 1)]


def daily(samples: list[Sample], now: float = NOON, limit: Limit = DAILY) -> Forecast:
    return use(Use(limit, samples), now)


def test_a_quota_that_runs_out_before_its_reset_has_a_time() -> None:
    found = daily(steady(300 / (17 + 2 / 3)))
    assert found.outcome is Outcome.RUNS_OUT
    assert found.sentence == "At this pace the daily quota is used up at 17:40 UTC, 6 h 20 min before it resets at 00:00 UTC."
    assert found.at is not None and abs(found.at - (MIDNIGHT + (17 + 2 / 3) * HOUR)) < 1


def test_a_quota_that_lasts_is_reported_so() -> None:
    found = daily(steady(5))
    assert (found.outcome, found.at) == (Outcome.LASTS, None)
    assert found.sentence == "At this pace the daily quota lasts until it resets."


def test_an_unused_quota_lasts() -> None:
    assert daily(steady(0, start=12)).outcome is Outcome.LASTS


def test_a_quota_that_is_used_up_reports_its_reset() -> None:
    found = daily([Sample(NOON - 60, 300)])
    assert found == Forecast(Outcome.USED_UP, "The daily quota is used up. It resets at 00:00 UTC, in 12 h.", at=NOON)


def test_one_reading_is_enough_since_the_day_began_with_none_used() -> None:
    assert daily([Sample(NOON, 200)]).at == NOON + 6 * HOUR


def test_a_window_that_has_only_begun_has_no_forecast() -> None:
    found = daily([Sample(MIDNIGHT + 300, 5)], now=MIDNIGHT + 400)
    assert found.sentence == "Too few readings yet to estimate how long the daily quota lasts."


def test_two_readings_are_too_few_where_the_beginning_is_unknown() -> None:
    assert daily([Sample(NOON - HOUR, 5), Sample(NOON, 6)], limit=MONTHLY).outcome is Outcome.UNKNOWN
    assert balance([Sample(NOON - HOUR, 5), Sample(NOON, 4)], NOON).outcome is Outcome.UNKNOWN


def test_one_hours_burst_does_not_speak_for_the_day() -> None:
    calm = steady(5, until=NOON - HOUR)
    burst = steady(100, start=55, since=NOON - HOUR)[1:]
    found = daily([*calm, *burst])
    assert found.pace is not None and 5 < found.pace < 50, "neither the burst's 100 an hour nor the calm's 5"


def test_what_was_used_yesterday_does_not_count_today() -> None:
    yesterday = steady(20, since=MIDNIGHT - 6 * HOUR, until=MIDNIGHT - 300)
    assert daily(yesterday, now=MIDNIGHT + 60).sentence == "The daily quota was not read recently."
    both = [*yesterday, *steady(5)]
    assert daily(both) == daily(steady(5))


def test_an_old_reading_gives_no_forecast() -> None:
    found = daily([Sample(NOON - STALE - 60, 100)])
    assert (found.outcome, found.sentence) == (Outcome.UNKNOWN, "The daily quota was last read 1 h 1 min ago.")


def test_a_reading_from_before_the_clock_was_set_back_counts_for_nothing() -> None:
    assert daily([*steady(5), Sample(NOON + HOUR, 299)]) == daily(steady(5))


def test_a_reset_that_is_unknown_or_past_is_not_claimed() -> None:
    samples = steady(1, since=NOON - DAY)
    for resets_at in (None, NOON - 1):
        found = daily(samples, limit=Limit("monthly cap", 30, None, resets_at, LONG_SPANS))
        assert found.sentence.endswith("UTC. When it resets is unknown.")


def test_a_distant_time_is_shown_with_its_day() -> None:
    found = daily(steady(0.1, since=NOON - DAY, start=10), limit=MONTHLY)
    assert "is used up at 7 May, 16:00 UTC, 2 d 20 h before it resets at 10 May, 12:00 UTC." in found.sentence


def falling(an_hour: float, start: float, *, hours: float = 24) -> list[Sample]:
    return [Sample(each.at, start - each.value) for each in steady(an_hour, since=NOON - hours * HOUR)]


def test_a_falling_balance_reports_how_long_it_lasts() -> None:
    found = balance(falling(0.1, 12.0), NOON)
    assert found.sentence == "At this pace the balance is used up in about 4 d."
    assert balance(falling(0, 12.0), NOON).outcome is Outcome.LASTS
    assert balance([Sample(NOON, 0)], NOON).sentence == "There is no balance: what goes beyond quota and caps is refused."


def test_a_top_up_is_no_spending() -> None:
    topped_up = [Sample(each.at, each.value + (10 if each.at > NOON - 6 * HOUR else 0)) for each in falling(0.1, 12.0)]
    found = balance(topped_up, NOON)
    assert found.pace is not None and abs(found.pace - 0.1) < 0.005


def test_silent_billing_is_warned_of() -> None:
    over = [Sample(NOON - 600 + 300 * i, 300) for i in range(3)]
    money = [Sample(each.at, 5 - 0.1 * i) for i, each in enumerate(over)]
    assert warnings([Use(DAILY, over)], money, NOON) == (
        "The daily quota is used up and the balance is being billed: 0.20 USD since 11:50 UTC. It resets at 00:00 UTC, in 12 h.",
    )


def test_requests_beyond_a_quota_are_billed_where_the_balance_cannot_be_read() -> None:
    beyond, reached = (warnings([Use(DAILY, [Sample(NOON, used)])], [], NOON) for used in (301, 300))
    assert beyond == (
        "The daily quota is used up and requests are still accepted: the balance pays for them. It resets at 00:00 UTC, in 12 h.",
    )
    assert reached == (), "the last request of the quota tells this too"


def test_a_balance_that_fell_before_the_quota_was_used_up_is_no_silent_billing() -> None:
    used = [Sample(NOON - 600, 100), Sample(NOON - 300, 300), Sample(NOON, 300)]
    money = [Sample(NOON - 600, 5), Sample(NOON - 300, 4), Sample(NOON, 4)]
    assert warnings([Use(DAILY, used)], money, NOON) == ()


def test_a_limit_that_is_nearly_used_up_is_warned_of() -> None:
    cap = Limit("4-hour cap", 2.0, NOON, NOON + 4 * HOUR)
    at = NOON + HOUR
    assert warnings([Use(cap, [Sample(at, 1.9)])], [], at) == ("95 % of the 4-hour cap is used. It resets at 16:00 UTC, in 3 h.",)
    assert warnings([Use(cap, [Sample(at, 1.7)])], [], at) == ()


def test_a_balance_for_less_than_a_week_is_warned_of() -> None:
    (found,) = warnings([], falling(0.1, 4.8), NOON)
    assert found == "The balance is falling: 2.40 USD left, about 1 d at this pace. Top up the account."
    assert warnings([], falling(0.1, 40), NOON) == ()


def spread(numbers: list[float]) -> list[Sample]:
    """Readings over the day's first half, the last one just now."""
    return [Sample(NOON - 300 * (len(numbers) - 1 - i), value) for i, value in enumerate(numbers)]


def test_what_should_be_used_up_by_now_is_foreseen_for_now() -> None:
    now = NOON + HOUR / 2
    found = daily(steady(24.9), now)
    assert (found.outcome, found.at) == (Outcome.RUNS_OUT, now), "298.8 of 300 were used half an hour ago"
    assert balance(falling(0.1, 2.41), now).at == now


@given(values, st.floats(0, 2 * DAY), st.floats(-DAY, DAY))
def test_a_forecast_never_lies_in_the_past_whatever_the_clock_does(numbers: list[float], later: float, reset: float) -> None:
    for now in (NOON + later, NOON - later):
        found = use(Use(Limit("daily quota", 300, MIDNIGHT, NOON + reset), spread(numbers)), now)
        assert found.at is None or found.at >= now
        left = balance(spread(numbers), now)
        assert left.at is None or left.at >= now


@given(values, st.floats(0, 200))
def test_more_use_never_lengthens_the_forecast(numbers: list[float], more: float) -> None:
    little, much = numbers, [*numbers[:-1], numbers[-1] + more]
    endless = Limit("daily quota", 300, MIDNIGHT)
    soon, later = (use(Use(endless, spread(each)), NOON) for each in (much, little))
    assert (soon.at or 1e12) <= (later.at or 1e12) + 1e-3


@given(values, st.floats(1, 400))
def test_a_larger_limit_does_not_end_sooner(numbers: list[float], more: float) -> None:
    small, large = (use(Use(Limit("daily quota", total, MIDNIGHT), spread(numbers)), NOON) for total in (300.0, 300 + more))
    assert (small.at or 1e12) <= (large.at or 1e12) + 1e-3


@given(values)
def test_what_runs_out_does_so_before_it_resets(numbers: list[float]) -> None:
    found = daily(spread(numbers))
    if found.outcome is Outcome.RUNS_OUT:
        assert found.at is not None and NOON <= found.at < MIDNIGHT + DAY
