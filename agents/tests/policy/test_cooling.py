"""Models that are left alone for a moment."""

from hypothesis import given
from hypothesis import strategies as st

from agents.policy.backoff import LONGEST_COOLDOWN, MOST_MODELS, Cooldown, cooled, ready, warmed

MODELS = ("a", "b", "c")


def test_a_cooling_model_is_skipped_until_its_time_is_over() -> None:
    cooldowns = cooled((), "a", 100.0, 0.0)
    assert (ready(cooldowns, MODELS, 114.9), ready(cooldowns, MODELS, 115.0)) == (("b", "c"), MODELS)


def test_each_refusal_in_a_row_cools_longer_and_jitter_only_stretches() -> None:
    cooldowns: tuple[Cooldown, ...] = ()
    now, seconds = 0.0, []
    for _ in range(5):
        cooldowns = cooled(cooldowns, "a", now, 0.0)
        seconds.append(cooldowns[0][1] - now)
        now = cooldowns[0][1]
    assert seconds == [15, 30, 60, 120, 120]
    assert cooled((), "a", 0.0, 1.0)[0][1] == 22.5


def test_a_success_ends_a_cooling() -> None:
    assert warmed(cooled((), "a", 0.0, 0.0), "a") == ()


def test_where_all_models_cool_the_one_that_is_done_first_is_tried() -> None:
    cooldowns = cooled(cooled(cooled((), "b", 0.0, 0.0), "a", 1.0, 0.0), "c", 2.0, 0.0)
    assert ready(cooldowns, MODELS, 3.0) == ("b",)


def test_a_clock_that_was_set_back_ends_a_cooling() -> None:
    assert ready(cooled((), "a", 100_000.0, 1.0), MODELS, 0.0) == MODELS


@given(st.lists(st.tuples(st.text(max_size=3), st.floats(0, 400)), max_size=60))
def test_what_is_kept_is_bounded_and_something_is_always_ready(refusals: list[tuple[str, float]]) -> None:
    cooldowns: tuple[Cooldown, ...] = ()
    now = 0.0
    for model, gap in refusals:
        now += gap
        cooldowns = cooled(cooldowns, model, now, 1.0)
        assert len(cooldowns) <= MOST_MODELS
        assert all(until <= now + 1.5 * LONGEST_COOLDOWN for _, until, _ in cooldowns)
        assert ready(cooldowns, [model, "x"], now)
