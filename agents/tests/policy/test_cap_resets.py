"""A cap's pause whose end is stated later: the gate moves that pause alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.gate import Gate, GateState, Limits, paused, refused, rescheduled, resumed, succeeded
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass

NOW = 1_790_000_000.0
LIMITS = Limits()
SUBSCRIPTION = PauseSource.SUBSCRIPTION


def capped(source: PauseSource = PauseSource.CALENDAR, kind: RefusalClass = RefusalClass.SUBSCRIPTION_CAP) -> Gate:
    """A gate that was refused at NOW, for 1,000 s."""
    return refused(Gate(succeeded_at=NOW - 60), LIMITS, NOW, NOW, (1_000.0, source), kind)


@pytest.mark.parametrize("seconds", [300, 5_000])
def test_the_pause_ends_when_the_subscription_states(seconds: float) -> None:
    moved = rescheduled(capped(), NOW + 10, NOW + seconds, SUBSCRIPTION)
    assert moved == replace(capped(), paused_until=NOW + seconds, pause_source=SUBSCRIPTION)
    assert (moved.state(NOW + seconds - 1), moved.state(NOW + seconds)) == (GateState.PAUSED, GateState.PROBING)


def test_a_newer_word_of_the_same_source_counts() -> None:
    moved = rescheduled(rescheduled(capped(), NOW, NOW + 300, SUBSCRIPTION), NOW, NOW + 400, SUBSCRIPTION)
    assert moved.paused_until == NOW + 400


@pytest.mark.parametrize(
    "gate",
    [
        Gate(),
        capped(PauseSource.PROVIDER),
        capped(kind=RefusalClass.DAILY_QUOTA),
        capped(PauseSource.LADDER, RefusalClass.EDGE),
        paused(capped(), NOW, 5_000),
        resumed(capped(), NOW),
        succeeded(resumed(capped(), NOW), LIMITS, NOW + 1, NOW + 2),
    ],
    ids=["open", "the provider's own word", "daily quota", "edge", "operator", "resumed", "back"],
)
def test_any_other_pause_stays(gate: Gate) -> None:
    assert rescheduled(gate, NOW + 5, NOW + 300, SUBSCRIPTION) is gate


def test_a_time_that_has_passed_changes_nothing() -> None:
    gate = capped()
    assert rescheduled(gate, NOW + 10, NOW + 10, SUBSCRIPTION) is gate


@given(st.floats(0, 2_000), st.floats(-2_000, 20_000))
def test_a_running_pause_never_ends_in_the_past(later: float, seconds: float) -> None:
    moved = rescheduled(capped(), NOW + later, NOW + seconds, SUBSCRIPTION)
    assert moved is not None and (moved.paused_until > NOW + later or moved == capped())
