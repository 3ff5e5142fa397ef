"""When a paused account will be back: best source first, never before the pause is over, surer with more blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.reasons import PauseSource
from agents.policy.reset_times import FEWEST, Prediction, predicted

NOW = 1_790_000_000.0
blocks = st.lists(st.floats(0, 100_000), max_size=60)


def told(
    source: PauseSource = PauseSource.LADDER, *, lasted: float = 0.0, pause: float = 60.0, past: list[float] | None = None
) -> Prediction:
    return predicted(source, NOW, NOW - lasted, NOW + pause, 120.0, past or [])


def test_without_a_history_the_ladder_is_a_guess_that_may_be_one_rung_too_short() -> None:
    assert told() == Prediction(PauseSource.LADDER, 0.2, NOW + 60, NOW + 60, NOW + 180)


@pytest.mark.parametrize("source", [PauseSource.PROVIDER, PauseSource.SUBSCRIPTION, PauseSource.CALENDAR])
def test_a_stated_time_counts_more_than_any_history(source: PauseSource) -> None:
    prediction = told(source, pause=3600, past=[10.0] * 50)
    assert (prediction.source, prediction.at, prediction.latest) == (source, NOW + 3600, NOW + 3660)
    assert prediction.confidence >= 0.8


def test_nobody_can_say_when_an_operator_tops_up() -> None:
    assert told(PauseSource.CHECK, past=[10.0] * 50) == Prediction(PauseSource.CHECK, 0.0)


def test_earlier_blocks_say_how_long_this_one_takes() -> None:
    prediction = told(past=[90, 100, 110, 120, 400])
    assert (prediction.source, prediction.at) == (PauseSource.HISTORY, NOW + 110)
    assert (prediction.earliest, prediction.latest) == (NOW + 90, NOW + 400)


def test_a_block_that_has_lasted_long_is_compared_with_those_that_lasted_longer() -> None:
    past = [60.0] * 20 + [600.0, 700.0, 800.0]
    assert told(past=past).at == NOW + 60
    assert told(lasted=120, past=past).at == NOW - 120 + 700
    assert told(lasted=750, past=past).source is PauseSource.LADDER, "one block says nothing"


def test_more_blocks_make_it_surer_and_never_certain() -> None:
    sureness = [told(past=[100.0] * count).confidence for count in (FEWEST, 10, 50)]
    assert sureness == sorted(sureness)
    assert sureness[-1] < 0.9


@given(st.sampled_from(list(PauseSource)), st.floats(0, 10_000), st.floats(1, 10_000), blocks)
def test_a_prediction_lies_in_its_range_and_not_before_the_pause_is_over(
    source: PauseSource, lasted: float, pause: float, past: list[float]
) -> None:
    prediction = told(source, lasted=lasted, pause=pause, past=past)
    assert 0 <= prediction.confidence <= 1
    if prediction.at is None:
        assert prediction.earliest is None and prediction.latest is None
    else:
        assert prediction.earliest is not None and prediction.latest is not None
        assert NOW + pause <= prediction.earliest <= prediction.at <= prediction.latest
