"""The expected latency of a model."""

from hypothesis import given
from hypothesis import strategies as st

from agents.policy.latency import CEILING, FEW_FACTOR, FLOOR, FORGOTTEN_AFTER, KEPT_MODELS, KEPT_SAMPLES, UNKNOWN, Samples, expected, noted

NOW = 1_800_000_000.0


def seen(*seconds: float, model: str = "m") -> Samples:
    samples: Samples = {}
    for number, each in enumerate(seconds):
        samples = noted(samples, model, NOW + number, each)
    return samples


def test_a_model_that_nobody_has_asked_is_expected_to_take_eight_seconds() -> None:
    assert expected({}, "m", NOW) == UNKNOWN == 8.0
    assert expected(seen(2.0), "other", NOW) == UNKNOWN


def test_nine_of_ten_recent_answers_were_faster() -> None:
    assert expected(seen(*[2.0] * 17, 6.0, 7.0, 9.0), "m", NOW + 30) == 6.0


def test_one_slow_answer_among_many_does_not_shut_the_gate() -> None:
    assert expected(seen(*[2.0] * 19, 14.0), "m", NOW + 30) == 2.0


def test_few_answers_are_not_believed_to_the_letter() -> None:
    assert expected(seen(4.0), "m", NOW) == 4.0 * FEW_FACTOR


def test_very_fast_and_very_slow_models_stay_within_bounds() -> None:
    assert expected(seen(*[0.01] * 10), "m", NOW + 10) == FLOOR
    assert expected(seen(*[23.5] * 10), "m", NOW + 10) == CEILING


def test_what_lies_an_hour_back_is_forgotten() -> None:
    assert expected(seen(2.0), "m", NOW + FORGOTTEN_AFTER) == UNKNOWN


@given(st.lists(st.tuples(st.sampled_from([f"m{number}" for number in range(40)]), st.floats(0, 200), st.floats(-100, 4000)), max_size=200))
def test_the_window_stays_bounded_and_the_expectation_within_its_bounds(events: list[tuple[str, float, float]]) -> None:
    samples: Samples = {}
    now = NOW
    for model, seconds, passed in events:
        now += passed
        samples = noted(samples, model, now, seconds)
        assert len(samples) <= KEPT_MODELS
        assert all(len(pairs) <= KEPT_SAMPLES for pairs in samples.values())
        assert FLOOR <= expected(samples, model, now) <= CEILING
        assert list(samples)[-1] == model
