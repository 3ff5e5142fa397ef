"""From health checks to a status: the delay before down, its start, and flapping."""

from copy import copy
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.health.health_checks import FLAPPING_CHANGES, flaps, follow
from monitoring.models import Component, HealthState

NOW = datetime(2026, 9, 21, 12, tzinfo=UTC)
UP, DEGRADED, DOWN, UNKNOWN = HealthState.UP, HealthState.DEGRADED, HealthState.DOWN, HealthState.UNKNOWN


def after(states: list[HealthState], patience: int = 2) -> list[Component]:
    """The component after each check."""
    row, listed = Component(name="web"), []
    for place, state in enumerate(states):
        follow(row, state, NOW + timedelta(minutes=place), patience, states[:place][::-1][:20])
        listed.append(copy(row))
    return listed


def test_one_failed_check_degrades_and_the_second_is_down() -> None:
    assert [status.state for status in after([UP, DOWN, DOWN, UP])] == [UP, DEGRADED, DOWN, UP]


def test_a_good_check_starts_the_count_anew() -> None:
    assert [status.failures for status in after([DOWN, UP, DOWN, DOWN])] == [1, 0, 1, 2]


def test_since_is_when_the_state_began() -> None:
    result = after([UP, UP, DOWN, DOWN, DOWN])
    assert [row.since for row in result] == [NOW, NOW, NOW + timedelta(minutes=2), NOW + timedelta(minutes=3), NOW + timedelta(minutes=3)]


def test_a_component_that_alternates_flaps() -> None:
    assert not after([UP, DOWN, UP])[-1].is_flapping
    assert after([UP, DOWN, UP, DOWN, UP])[-1].is_flapping
    assert not flaps([UP, UNKNOWN, UP, UNKNOWN, UP, UNKNOWN]), "an unknown check does not count"
    assert not after([DOWN, UP, DOWN, UP, DOWN, *[UP] * 20])[-1].is_flapping, "it is forgotten"


@given(st.lists(st.sampled_from(list(HealthState)), min_size=1, max_size=40), st.integers(1, 5))
def test_down_means_that_many_failed_checks_in_a_row(states: list[HealthState], patience: int) -> None:
    for place, status in enumerate(after(states, patience)):
        row = states[max(0, place - patience + 1) : place + 1]
        assert (status.state == DOWN) == (len(row) == patience and set(row) == {DOWN})
        assert status.since <= NOW + timedelta(minutes=place)
    assert FLAPPING_CHANGES > 1
