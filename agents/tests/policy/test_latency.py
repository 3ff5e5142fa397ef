"""The expected latency of a model, the limit of an attempt, and the order of models."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.policy.latency import (
    CEILING,
    FEW_FACTOR,
    FLOOR,
    FORGOTTEN_AFTER,
    HANDOVER,
    KEPT_MODELS,
    KEPT_SAMPLES,
    UNKNOWN,
    Sample,
    Samples,
    expected,
    limit,
    noted,
    ordered,
    recent,
)
from agents.tests.rows import rows

NOW = 1_800_000_000.0
LEFT = 23.5
FAST, HANGS, HALF_HANGS = [(3.0, True)] * 20, [(10.0, None)] * 20, [(3.0, True), (10.0, None)] * 10


def seen(*outcomes: float | tuple[float, bool | None], model: str = "m") -> Samples:
    """A number is a usable answer after so many seconds."""
    samples: Samples = {}
    for number, each in enumerate(outcomes):
        seconds, is_usable = each if isinstance(each, tuple) else (each, True)
        samples = noted(samples, model, NOW + number, seconds, is_usable)
    return samples


def some(*outcomes: float | tuple[float, bool | None]) -> list[Sample]:
    return list(seen(*outcomes).get("m", ()))


def test_a_model_without_samples_is_expected_to_take_eight_seconds() -> None:
    assert expected([]) == UNKNOWN == 8.0


def test_nine_of_ten_recent_answers_were_faster() -> None:
    assert expected(some(*[2.0] * 17, 6.0, 7.0, 9.0)) == 6.0


def test_one_slow_answer_among_many_does_not_shut_the_gate() -> None:
    assert expected(some(*[2.0] * 19, 14.0)) == 2.0


def test_few_answers_are_not_believed_to_the_letter() -> None:
    assert expected(some(4.0)) == 4.0 * FEW_FACTOR


def test_very_fast_and_very_slow_models_stay_within_bounds() -> None:
    assert expected(some(*[0.01] * 10)) == FLOOR
    assert expected(some(*[23.5] * 10)) == CEILING


def test_attempts_that_failed_at_once_say_nothing_about_how_long_an_answer_takes() -> None:
    assert expected(some(*[(0.1, False)] * 10)) == UNKNOWN
    assert expected(some(*[(0.1, False)] * 10, *[5.0] * 10)) == 5.0


def test_what_was_cut_off_may_have_taken_as_long_as_the_answers_that_were_waited_for() -> None:
    assert expected(some(*[2.0] * 8, *[(3.0, None)] * 8, *[9.0] * 4)) == 9.0
    assert expected(some(*HANGS)) == CEILING


def test_what_lies_an_hour_back_is_forgotten() -> None:
    assert recent(seen(2.0), "m", NOW + FORGOTTEN_AFTER) == []


def test_without_another_model_an_attempt_gets_all_the_time_there_is() -> None:
    assert limit(some(*HANGS), [], LEFT, 0.0) == LEFT


def test_without_time_for_another_model_an_attempt_gets_all_the_time_there_is() -> None:
    assert limit([], [[]], UNKNOWN, 0.0) == UNKNOWN
    assert limit([], [[]], LEFT, wait=LEFT - UNKNOWN) == LEFT


def test_models_without_samples_leave_the_next_one_the_time_it_is_expected_to_take() -> None:
    assert limit([], [[]], LEFT, wait=5.0) == LEFT - 5.0 - HANDOVER - UNKNOWN == 10.0


def test_a_model_that_hangs_leaves_the_next_one_time() -> None:
    longest = limit(some(*HALF_HANGS), [some(*FAST)], LEFT, 0.0)
    assert 3.0 < longest <= LEFT - HANDOVER - expected(some(*FAST))


def test_a_slow_model_is_waited_for_where_the_next_one_only_hangs() -> None:
    assert limit(some(*[14.0] * 20), [some(*HANGS)], LEFT, 0.0) >= 14.0


def test_a_model_that_keeps_answering_until_it_is_cut_off_is_waited_for_longer_and_one_that_hangs_is_not() -> None:
    slow = some(*[4.0 + number / 2 for number in range(14)], *[(11.0, None)] * 6)
    hanging = some(*[2.0 + number / 4 for number in range(14)], *[(11.0, None)] * 6)
    assert limit(slow, [slow], LEFT, 0.0) > 11.0
    assert limit(slow, [slow], 18.0, 0.0) == 18.0
    assert limit(hanging, [hanging], 18.0, 0.0) < 11.0


def test_where_several_models_hang_now_and_then_each_gets_a_part() -> None:
    half = some(*HALF_HANGS)
    assert limit(half, [half, half], LEFT, 0.0) < limit(half, [half], LEFT, 0.0)


OUTCOMES = st.lists(st.tuples(st.floats(0, 60), st.sampled_from([True, False, None])), max_size=20)


@given(OUTCOMES, st.lists(OUTCOMES, max_size=3), st.floats(0.1, 180), st.floats(0, 60))
def test_a_limit_is_never_longer_than_the_time_left_and_leaves_the_next_model_what_it_is_expected_to_take(
    own: list[Any], others: list[list[Any]], left: float, wait: float
) -> None:
    then = [some(*each) for each in others]
    longest = limit(some(*own), then, left, wait)
    assert 0 < longest <= left
    if longest < left:
        assert longest + wait + HANDOVER + expected(then[0]) <= left + 1e-6


MODELS = ("a", "b", "c")


def history(**outcomes: list[Any]) -> Samples:
    samples: Samples = {}
    for model, some_outcomes in outcomes.items():
        samples = {**samples, **seen(*some_outcomes, model=model)}
    return samples


def failed(times: int) -> list[Any]:
    return [(0.1, False)] * times


@rows(
    ("known", "order"),
    [
        ({}, "abc"),
        ({"a": failed(2)}, "abc"),
        ({"a": failed(3)}, "bac"),
        ({"a": [3.0] * 16 + failed(4), "b": [3.0] * 4}, "abc"),
        ({"a": [3.0] * 15 + failed(5), "b": [3.0] * 5}, "bac"),
        ({"a": HANGS, "b": [3.0] * 20}, "bca"),
        ({"a": failed(10), "b": failed(10)}, "cab"),
        ({"a": [3.0] * 20, "b": [3.0] * 20, "c": [3.0] * 20}, "abc"),
        ({"b": [3.0] * 20}, "abc"),
    ],
)
def test_models_are_tried_by_how_often_they_answered_and_without_samples_as_configured(known: Any, order: str) -> None:
    assert ordered(history(**known), MODELS, NOW + 30) == tuple(order)


def test_a_model_that_failed_is_tried_first_again_after_an_hour() -> None:
    samples = history(a=failed(20))
    assert ordered(samples, MODELS, NOW + 60)[0] == "b"
    assert ordered(samples, MODELS, NOW + 30 + FORGOTTEN_AFTER) == MODELS


def test_a_model_that_is_too_slow_for_the_time_left_comes_later() -> None:
    samples = history(a=[12.0] * 20, b=[3.0] * 20)
    assert ordered(samples, MODELS, NOW + 30, seconds=LEFT) == MODELS
    assert ordered(samples, MODELS, NOW + 30, seconds=8.0)[0] == "b"


@given(st.dictionaries(st.sampled_from(MODELS), OUTCOMES), st.sampled_from(MODELS), st.integers(0, 60), st.integers(0, 60))
def test_an_order_has_all_models_once_and_one_more_success_moves_none_back(
    known: dict[str, list[Any]], model: str, seconds: float, left: float
) -> None:
    samples = history(**known)
    before = ordered(samples, MODELS, NOW + 30, left)
    after = ordered(noted(samples, model, NOW + 30, min(seconds, left), True), MODELS, NOW + 30, left)
    assert sorted(before) == sorted(after) == sorted(MODELS)
    assert after.index(model) <= before.index(model)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([f"m{number}" for number in range(40)]),
            st.floats(0, 200),
            st.sampled_from([True, False, None]),
            st.floats(-100, 4000),
        ),
        max_size=200,
    )
)
def test_the_window_stays_bounded_and_the_expectation_within_its_bounds(events: list[tuple[str, float, bool | None, float]]) -> None:
    samples: Samples = {}
    now = NOW
    for model, seconds, is_usable, passed in events:
        now += passed
        samples = noted(samples, model, now, seconds, is_usable)
        assert len(samples) <= KEPT_MODELS
        assert all(len(each) <= KEPT_SAMPLES for each in samples.values())
        assert FLOOR <= expected(recent(samples, model, now)) <= CEILING
        assert list(samples)[-1] == model
