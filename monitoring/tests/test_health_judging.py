"""From looks to states: patience before down, since when, and flapping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.health.judging import FLAPPING_CHANGES, Judged, Look, flaps, judged
from monitoring.models import HealthState

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)
UP, DEGRADED, DOWN, UNKNOWN = HealthState.UP, HealthState.DEGRADED, HealthState.DOWN, HealthState.UNKNOWN


def after(states: list[HealthState], patience: int = 2) -> list[Judged]:
    told: list[Judged] = []
    recent: list[HealthState] = []
    for place, state in enumerate(states):
        before = told[-1] if told else None
        told.append(judged(before, Look("web", state, ""), NOW + timedelta(minutes=place), patience, recent))
        recent = [state, *recent][:20]
    return told


def test_one_bad_look_degrades_and_the_second_is_down() -> None:
    assert [each.state for each in after([UP, DOWN, DOWN, UP])] == [UP, DEGRADED, DOWN, UP]


def test_a_good_look_starts_the_count_anew() -> None:
    assert [each.failures for each in after([DOWN, UP, DOWN, DOWN])] == [1, 0, 1, 2]


def test_since_is_when_the_state_began() -> None:
    told = after([UP, UP, DOWN, DOWN, DOWN])
    assert [each.since for each in told] == [NOW, NOW, NOW + timedelta(minutes=2), NOW + timedelta(minutes=3), NOW + timedelta(minutes=3)]


def test_what_goes_up_and_down_again_and_again_flaps() -> None:
    assert not after([UP, DOWN, UP])[-1].is_flapping
    assert after([UP, DOWN, UP, DOWN, UP])[-1].is_flapping
    assert not flaps([UP, UNKNOWN, UP, UNKNOWN, UP, UNKNOWN]), "an unknown look says nothing"
    assert not after([DOWN, UP, DOWN, UP, DOWN, *[UP] * 20])[-1].is_flapping, "it is forgotten"


@given(st.lists(st.sampled_from(list(HealthState)), min_size=1, max_size=40), st.integers(1, 5))
def test_down_means_that_many_bad_looks_in_a_row(states: list[HealthState], patience: int) -> None:
    for place, each in enumerate(after(states, patience)):
        row = states[max(0, place - patience + 1) : place + 1]
        assert (each.state == DOWN) == (len(row) == patience and set(row) == {DOWN})
        assert each.since <= NOW + timedelta(minutes=place)
    assert FLAPPING_CHANGES > 1
