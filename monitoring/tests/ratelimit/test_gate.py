"""An account's gate on the page."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agents.accounts.status import AccountState, AccountStatus, foremost
from agents.models import Account, RateLimitEvent
from agents.policy.gate import Gate, Limits, decide, succeeded
from agents.policy.latency import Samples
from agents.policy.modes import Pacing
from agents.policy.reasons import PauseSource, Reason
from agents.policy.refusals import RefusalClass
from monitoring.ratelimit.gate import MEANINGS, GateAction, backoff_pauses, gate_now, models, offer
from monitoring.tests.records import NOW

AT = NOW.timestamp()
SNAPSHOT = AccountStatus(Account(name="default"), models=("a/model", "b/model"))
PAUSED = Gate(strikes=2, paused_at=AT - 5, paused_until=AT + 100, cause="edge", succeeded_at=AT - 900, blocked_at=AT - 70)
AUTO = Limits(pacing=Pacing.AUTO)


def answered(gate: Gate, times: int, published: float | None = None) -> Gate:
    """The gate after a number of answers, the last one to a request sent now."""
    for ago in reversed(range(times)):
        at = AT - 6.0 * ago
        _, gate = decide(gate, AUTO, at, at + 25, 3)
        gate = succeeded(gate, AUTO, at, at, published)
    return gate


@pytest.mark.parametrize(
    ("snapshot", "state"),
    [
        (SNAPSHOT, AccountState.OPEN),
        (replace(SNAPSHOT, gate=Gate(last_slot_at=AT)), AccountState.SPACING),
        (replace(SNAPSHOT, limits=AUTO, gate=answered(Gate(), 1)), AccountState.SPACING),
        (replace(SNAPSHOT, gate=PAUSED), AccountState.PAUSED),
        (replace(SNAPSHOT, gate=replace(PAUSED, paused_until=AT)), AccountState.PROBING),
        (replace(SNAPSHOT, gate=replace(PAUSED, cause="auth")), AccountState.STOPPED),
        (replace(SNAPSHOT, gate=replace(PAUSED, cause="payment", pause_source=PauseSource.OPERATOR)), AccountState.PAUSED),
        (replace(SNAPSHOT, obstacle=Reason.MODE), AccountState.OFF),
        (replace(SNAPSHOT, gate=PAUSED, obstacle=Reason.UNREADABLE), AccountState.OFF),
    ],
)
def test_one_state_is_lit(snapshot: AccountStatus, state: AccountState) -> None:
    result = gate_now(snapshot, NOW)
    assert result["state"] is state
    assert [name for name, _, is_now in result["states"] if is_now] == [MEANINGS[state][0]]
    assert len(result["states"]) == len(AccountState)


def test_after_a_taken_slot_the_next_one_is_shown() -> None:
    assert gate_now(replace(SNAPSHOT, gate=Gate(last_slot_at=AT)), NOW)["next_slot_at"] == pytest.approx(AT + 5.1, abs=1e-5)
    automatic = replace(SNAPSHOT, limits=AUTO, gate=answered(Gate(), 1))
    assert gate_now(automatic, NOW)["next_slot_at"] == pytest.approx(AT + 1, abs=1e-5)
    assert gate_now(SNAPSHOT, NOW)["next_slot_at"] is None


def test_the_backoff_marks_the_current_pause_and_continues_doubling() -> None:
    def drawn(strikes: int, limits: Limits = Limits(), cause: str = "edge") -> list[str]:
        snapshot = replace(SNAPSHOT, limits=limits, gate=replace(PAUSED, strikes=strikes, cause=cause))
        return [f"{'*' if is_now else ''}{seconds:g}" for seconds, is_now in backoff_pauses(snapshot)]

    assert drawn(2) == ["60", "*120", "240", "480"]
    assert drawn(5) == ["60", "120", "240", "480", "*600", "600"]
    assert drawn(9, AUTO) == [], "its pauses follow no list"
    assert drawn(1, cause="daily_quota") == ["60", "120", "240", "480"]
    assert [is_now for _, is_now in backoff_pauses(SNAPSHOT)] == [False] * 4


def test_models_show_cooldown_usable_answers_and_expected_time() -> None:
    gate = Gate(cooldowns=(("b/model", AT + 30, 2), ("a/model", AT - 1, 1)))
    refused = {"b/model": RefusalClass.MODEL_UNPAID}
    latencies: Samples = {"a/model": [(AT - 9, 2.0, True)] * 5 + [(AT - 1, 0.1, False)]}
    first, second = models(replace(SNAPSHOT, gate=gate, latencies=latencies, refused=refused), AT)
    answered = {"place": None, "usable": 5, "tried": 6, "expected": 2.0}
    assert first == {"name": "a/model", "cooling_until": None, "refusals": 0, "refused": "", **answered}
    untried = {"place": None, "usable": 0, "tried": 0, "expected": 8.0}
    assert second == {"name": "b/model", "cooling_until": AT + 30, "refusals": 2, "refused": refused["b/model"].sentence, **untried}


def test_of_several_accounts_the_first_usable_speaks_else_the_one_that_is_back_first() -> None:
    late, soon = replace(SNAPSHOT, gate=PAUSED), replace(SNAPSHOT, gate=replace(PAUSED, paused_until=AT + 9))
    stopped, off = replace(SNAPSHOT, gate=replace(PAUSED, cause="auth")), replace(SNAPSHOT, obstacle=Reason.DISABLED)
    assert foremost([late, SNAPSHOT, soon], AT) is SNAPSHOT
    assert foremost([off, stopped, late, soon], AT) is soon
    assert foremost([off, stopped], AT) is stopped
    back_at = RateLimitEvent(refusal="edge", prediction_source="history", predicted_at=NOW + timedelta(seconds=500))
    assert foremost([replace(soon, event=back_at), late], AT) is late


@pytest.mark.parametrize(
    ("gate", "limits", "risk"),
    [
        (PAUSED, Limits(), "If the limit still holds, the next pause takes 4 min."),
        (PAUSED, AUTO, "If the limit still holds, the next pause takes 8 min."),
        (Gate(), AUTO, "If it is refused by the edge, the account is paused for 4 min."),
        (replace(PAUSED, strikes=7), Limits(), "If the limit still holds, the next pause takes 10 min."),
        (replace(PAUSED, cause="auth"), Limits(), "If it is refused again, the next check is in 5 min."),
        (Gate(), Limits(), "If it is refused by the edge, the account is paused for 1 min."),
    ],
)
def test_a_probe_shows_the_effect_of_a_refusal(gate: Gate, limits: Limits, risk: str) -> None:
    assert offer(GateAction.PROBE, replace(SNAPSHOT, gate=gate, limits=limits), AT).risk == risk
