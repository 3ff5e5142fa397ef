"""When the cluster of job workers is restarted."""

from hypothesis import given
from hypothesis import strategies as st

from agents.worker.watchdog import MOST_WAITING, Limits, Signs, canary_due, restart_delay, seen, why_restart

LIMITS = Limits(canary_every=10, stalled_after=45)
SIGNS = Signs(alive_at=1000)


def test_a_cluster_that_ended_is_started_again() -> None:
    assert why_restart(SIGNS, running=False, now=1001, limits=LIMITS) == "its main process ended"


def test_a_new_cluster_has_as_long_as_a_silent_one() -> None:
    assert why_restart(SIGNS, running=True, now=1045, limits=LIMITS) == ""
    assert why_restart(SIGNS, running=True, now=1045.1, limits=LIMITS) == "no job came through"


def test_a_canary_that_came_through_keeps_the_cluster() -> None:
    signs = seen(SIGNS, beaten_at=1040, now=1044)
    assert why_restart(signs, running=True, now=1085, limits=LIMITS) == ""
    assert why_restart(signs, running=True, now=1086, limits=LIMITS) == "no job came through"


def test_a_heartbeat_from_the_future_counts_as_now() -> None:
    assert seen(SIGNS, beaten_at=99_999, now=1010).alive_at == 1010


@given(beats=st.lists(st.floats(min_value=0, max_value=10_000)), now=st.floats(min_value=1000, max_value=10_000))
def test_signs_of_life_never_go_back(beats: list[float], now: float) -> None:
    signs = SIGNS
    for beat in beats:
        later = seen(signs, beat, now)
        assert signs.alive_at <= later.alive_at <= max(now, SIGNS.alive_at)
        signs = later


def test_canaries_are_sent_at_intervals_and_more_often_while_the_cluster_is_silent() -> None:
    fresh = Signs(alive_at=1000, canary_sent_at=1000)
    assert not canary_due(fresh, waiting=0, now=1009, limits=LIMITS)
    assert canary_due(fresh, waiting=0, now=1010, limits=LIMITS)
    silent = Signs(alive_at=1000, canary_sent_at=1030)
    assert canary_due(silent, waiting=0, now=1031, limits=LIMITS)


def test_canaries_do_not_pile_up() -> None:
    assert not canary_due(SIGNS, waiting=MOST_WAITING, now=2000, limits=LIMITS)


def test_a_cluster_that_ends_at_once_is_restarted_with_growing_delays() -> None:
    assert restart_delay(lived=60, failures=0) == 0
    assert [restart_delay(lived=1, failures=number) for number in (1, 2, 3, 9)] == [2, 4, 8, 30]
