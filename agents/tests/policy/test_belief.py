"""What is believed of a hidden limit: always a probability, and near the limit after a few refusals."""

import json
from bisect import insort
from dataclasses import replace
from math import inf, isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.policy.belief import (
    LIMITS,
    MINUTE,
    MOST,
    STATED_PART,
    USUAL,
    Belief,
    _aged,
    accepted_with,
    best_level,
    filled,
    quantiles,
    stated,
    updated,
)

NOW, COST = 1_800_000_000.0, 1.5
# Minutes that the limit is worth finding for.
RISING = (3.0, 6.0, 12.0, 24.0, 60.0)
# Weights are kept to a millionth each, of 74 limits, in counters that are as unlikely as a tenth, before and after.
ROUNDED = 2e-3

Answer = tuple[float, int, bool]  # seconds since the one before, requests in its minute, whether it was accepted
answers = st.lists(st.tuples(st.floats(0, 2_000), st.integers(1, 120), st.booleans()), max_size=12)


def even(count: int, at: float, seconds: float = MINUTE) -> list[float]:
    """So many requests in the time before `at`, and one at it, evenly."""
    return [at - number * seconds / count for number in reversed(range(count))]


def answered(belief: Belief, count: int, at: float, *, accepted: bool) -> Belief:
    """By the answer to the last of so many requests in a minute."""
    return updated(belief, even(count, at), at, at, accepted=accepted)


def after(happenings: list[Answer]) -> tuple[Belief, float]:
    belief, now = Belief(), NOW
    for seconds, count, accepted in happenings:
        now += seconds
        belief = answered(belief, count, now, accepted=accepted)
    return belief, now


def by_counter(belief: Belief, now: float) -> list[list[float]]:
    """For each kind of counter that is not unlikely: the probability that the limit is at least each of LIMITS."""
    found, weights, size = list[list[float]](), _aged(belief, now), len(LIMITS)
    for place in range(0, len(weights), size):
        own = weights[place : place + size]
        found.append([sum(own[number:]) / sum(own) for number in range(size)] if sum(own) > 0.1 else [])
    return found


@given(answers, st.integers(1, 240), st.booleans())
def test_an_accepted_request_never_speaks_against_high_limits_and_a_refused_one_never_for_them(
    happenings: list[Answer], count: int, accepted: bool
) -> None:
    before, now = after([*happenings, (1.0, 30, True)])
    for old, new in zip(by_counter(before, now), by_counter(answered(before, count, now, accepted=accepted), now), strict=True):
        for least, most in zip(old, new, strict=True) if old and new else []:
            assert (most >= least - ROUNDED) if accepted else (most <= least + ROUNDED)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6) | st.floats(-1, 90), st.floats(-70, 70), st.booleans()), max_size=25),
    st.lists(st.sampled_from([0.0, 0.5, 7.0, 60.0, 500.0]), max_size=6),
)
def test_whatever_order_times_have_weights_stay_a_probability_of_bounded_size(
    happenings: list[tuple[float, float, bool]], published: list[float]
) -> None:
    belief, now, sends = Belief(), NOW, list[float]()
    for seconds, early, accepted in happenings:
        now += seconds
        for at in (now, now + early, now):
            insort(sends, at)
        belief = updated(belief, sends, now + early, now, accepted=accepted)
        if published:
            belief = stated(belief, published.pop(), now)
        belief, sends = filled(belief, sends[:-9]), sends[-9:]
        assert all(isfinite(each) and each >= 0 for each in (*belief.weights, *belief.excess, belief.changes, belief.watched))
        assert abs(sum(belief.weights) - 1) < ROUNDED
        assert abs(sum(belief.limits(now)) - 1) < ROUNDED
        low, middle, high = quantiles(belief, now)
        assert low <= middle <= high
        assert best_level(belief, now, 0.9, MOST) in LIMITS
        assert len(json.dumps(belief.as_json())) <= 6_000
        assert Belief.from_json(json.loads(json.dumps(belief.as_json()))) == belief


def first_refused(limit: int, sends: list[float]) -> int | None:
    """Of these requests, the first that a window of so many a minute refuses."""
    return next((place for place in range(limit, len(sends)) if sends[place - limit] > sends[place] - MINUTE), None)


def tried(belief: Belief, limit: int, now: float, trials: int) -> tuple[Belief, float]:
    """The belief after so many trials, each of a few minutes at an even pace, which risks more each time and starts over.

    It is updated by some of the last requests that are accepted and by the first that is refused.
    """
    for number in range(trials):
        now += 360
        sends = even(round(5 * level(belief, now, RISING[number % len(RISING)])), now, 5 * MINUTE)
        first = first_refused(limit, sends) or len(sends)
        for place in [*range(max(0, first - limit), first, max(1, limit // 8)), *([first] if first < len(sends) else [])]:
            belief = updated(belief, sends[: place + 1], sends[place], sends[place], accepted=place < first)
    return belief, now


def level(belief: Belief, now: float, minutes: float = 1.0) -> float:
    return best_level(belief, now, 1.0 - COST / minutes, MOST)


def check_found(belief: Belief, limit: int, now: float) -> None:
    low, _, high = quantiles(belief, now)
    above = [*LIMITS[1:], inf][LIMITS.index(high)]
    assert low <= limit <= above, quantiles(belief, now)
    assert 0.8 * limit <= level(belief, now) <= limit


@settings(max_examples=15)
@given(st.integers(3, 200))
def test_the_limit_of_a_window_is_found(limit: int) -> None:
    belief, now = tried(Belief(), limit, NOW, 30)
    check_found(belief, limit, now)


@settings(max_examples=8)
@given(st.sampled_from([6, 20, 60, 130]), st.sampled_from([6, 20, 60, 130]))
def test_a_limit_that_has_changed_is_found_again(before: int, limit: int) -> None:
    belief, now = tried(Belief(), before, NOW, 30)
    belief, now = tried(belief, limit, now, 40)
    check_found(belief, limit, now)


@given(answers)
def test_a_refusal_with_nothing_sent_before_changes_no_limits_odds(happenings: list[Answer]) -> None:
    belief, now = after(happenings)
    refused = answered(belief, 1, now + 7_200, accepted=False)
    changes = [abs(new - old) for new, old in zip(refused.limits(now + 7_200), belief.limits(now + 7_200), strict=True)]
    assert max(changes) < ROUNDED


def test_an_answer_without_information_leaves_the_belief_unchanged() -> None:
    belief = answered(Belief(), 30, NOW, accepted=True)
    assert answered(belief, 1, NOW + 500, accepted=True) == belief


def test_what_is_published_is_believed_in_part_until_answers_show_otherwise() -> None:
    belief = stated(Belief(), 30.0, NOW)
    place = LIMITS.index(30.0)
    assert STATED_PART < belief.limits(NOW)[place] < STATED_PART + 0.1
    assert level(belief, NOW, minutes=1.0) == 30.0
    for minute in range(10):
        belief = answered(belief, 12, NOW + MINUTE * minute, accepted=minute % 2 > 0)
    assert belief.limits(NOW + 600)[place] < 0.05
    assert level(belief, NOW + 600) <= 12.0


def test_without_a_published_limit_the_usual_one_is_believed_in_part() -> None:
    assert Belief().limits(NOW)[LIMITS.index(USUAL)] > STATED_PART
    assert stated(Belief(), 10 * MOST, NOW).limits(NOW)[-1] > STATED_PART, "the most that is distinguished"


def test_another_published_limit_is_as_likely_as_not_a_change_of_the_real_one() -> None:
    belief, now = tried(stated(Belief(), 60.0, NOW), 60, NOW, 10)
    assert STATED_PART / 2 < stated(belief, 20.0, now).limits(now)[LIMITS.index(20.0)] < 0.5
    assert stated(belief, 20.0, now).limits(now)[LIMITS.index(60.0)] > 0.3


def test_what_is_believed_drifts_back_to_the_prior_with_time() -> None:
    belief, now = tried(Belief(), 20, NOW, 20)
    later = [belief.limits(now + hours * 3_600)[LIMITS.index(20.0)] for hours in (0, 1, 6, 48, 1_000)]
    assert later == sorted(later, reverse=True)
    assert max(abs(new - old) for new, old in zip(belief.limits(now + 1e8), Belief().limits(NOW), strict=True)) < ROUNDED


def test_an_account_whose_limit_changes_often_is_believed_to_change_sooner() -> None:
    steady, restless, now = Belief(), Belief(), NOW
    for trial in range(8):
        steady, _ = tried(steady, 40, now, 6)
        restless, now = tried(restless, 6 if trial % 2 else 40, now, 6)
    assert restless.changes / restless.watched > 2 * steady.changes / steady.watched


@given(answers, st.floats(-2, 1), st.floats(0, 2), st.floats(1, MOST))
def test_the_more_a_refusal_costs_the_lower_is_the_level(happenings: list[Answer], kept: float, less: float, most: float) -> None:
    belief, now = after(happenings)
    assert best_level(belief, now, kept - less, most) <= best_level(belief, now, kept, most) <= max(most, LIMITS[0])


def test_a_request_is_the_likelier_refused_the_more_were_sent() -> None:
    belief, now = tried(Belief(), 20, NOW, 20)
    likely = [accepted_with(belief, even(count, now)[:-1], now, now) for count in (5, 15, 25, 60)]
    assert likely == sorted(likely, reverse=True)
    assert likely[0] > 0.95
    assert likely[-1] < 0.1


def test_a_bucket_still_holds_what_was_sent_before_the_minute() -> None:
    belief = filled(Belief(), even(90, NOW - MINUTE, 10.0))
    assert accepted_with(belief, [], NOW, NOW) < accepted_with(Belief(), [], NOW, NOW) == accepted_with(belief, [], NOW + 7_200, NOW)
    assert filled(replace(belief, filled_at=NOW + 60), [NOW]).filled_at == NOW + 60, "a clock set back"
