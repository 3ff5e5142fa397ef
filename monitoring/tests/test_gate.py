"""An account's gate as the page draws it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from agents.governor import Gate, Limits, Pacing
from agents.models import Account, RateLimitEvent
from agents.pacing import Pace
from agents.reasons import PaceSource, PauseSource, Reason
from agents.standing import Look, Standing, foremost
from monitoring.gate_actions import GateAction, offer
from monitoring.stats.gate import gate_now, ladder, models, pace
from monitoring.tests.records import NOW

AT = NOW.timestamp()
LOOK = Look(Account(name="default"), models=("a/model", "b/model"))
PAUSED = Gate(strikes=2, paused_at=AT - 5, paused_until=AT + 100, cause="edge", succeeded_at=AT - 900, blocked_at=AT - 70)
LEARNED = Limits(pacing=Pacing.LEARNED)


@pytest.mark.parametrize(
    ("look", "standing"),
    [
        (LOOK, Standing.OPEN),
        (replace(LOOK, gate=Gate(last_slot_at=AT)), Standing.SPACING),
        (replace(LOOK, limits=LEARNED, gate=Gate(pace=Pace(sends=(AT - 1,), level=10))), Standing.SPACING),
        (replace(LOOK, gate=PAUSED), Standing.PAUSED),
        (replace(LOOK, gate=replace(PAUSED, paused_until=AT)), Standing.PROBING),
        (replace(LOOK, gate=replace(PAUSED, cause="auth")), Standing.STOPPED),
        (replace(LOOK, gate=replace(PAUSED, cause="payment", pause_source=PauseSource.OPERATOR)), Standing.PAUSED),
        (replace(LOOK, obstacle=Reason.MODE), Standing.OFF),
        (replace(LOOK, gate=PAUSED, unreadable="Enter it again."), Standing.OFF),
    ],
)
def test_one_state_is_lit(look: Look, standing: Standing) -> None:
    found = gate_now(look, NOW)
    assert found.standing is standing
    assert [stage.standing for stage in found.stages if stage.is_now] == [standing]
    assert {stage.standing for stage in found.stages} == set(Standing)


def test_a_taken_slot_says_when_the_next_one_opens() -> None:
    assert gate_now(replace(LOOK, gate=Gate(last_slot_at=AT)), NOW).next_slot_at == NOW + timedelta(seconds=5.1)
    learned = replace(LOOK, limits=LEARNED, gate=Gate(pace=Pace(sends=(AT - 1,), level=10)))
    assert gate_now(learned, NOW).next_slot_at == NOW + timedelta(seconds=5)
    assert gate_now(LOOK, NOW).next_slot_at is None


def test_the_ladder_marks_the_rung_that_runs_and_goes_on_doubling() -> None:
    def drawn(strikes: int, limits: Limits = Limits(), cause: str = "edge") -> list[str]:
        look = replace(LOOK, limits=limits, gate=replace(PAUSED, strikes=strikes, cause=cause))
        return [f"{'*' if rung.is_now else ''}{rung.seconds:g}" for rung in ladder(look)]

    assert drawn(2) == ["60", "*120", "240", "480"]
    assert drawn(5) == ["60", "120", "240", "480", "*600", "600"]
    assert drawn(9, LEARNED) == ["60", "120", "240", "480", "960", "*1920"]
    assert drawn(1, cause="daily_quota") == ["60", "120", "240", "480"]
    assert [rung.is_now for rung in ladder(LOOK)] == [False] * 4


def test_a_fixed_pace_is_its_spacing() -> None:
    assert pace(LOOK, AT).words == "Fixed: one every 5 s"
    assert pace(replace(LOOK, limits=Limits(spacing=0)), AT).words == "Fixed: no spacing"


def test_a_learned_pace_says_how_it_is_known_and_when_it_looks_higher() -> None:
    known = Pace(level=18, proven=(2, 4, 18), ceiling=20, hold_until=AT + 90, repeats=1, published=60, source=PaceSource.REFUSED)
    found = pace(replace(LOOK, limits=LEARNED, gate=Gate(pace=known)), AT)
    assert found.words == "Learned: 18 a minute"
    assert dict(found.facts) == {
        "Sure to": "0.85 of 1",
        "Known from": "a refusal, and what was accepted before it",
        "Most accepted": "18 in a minute, 4 in 10 s, 2 in 2 s",
        "Last refused at": "20 a minute",
        "Published by the provider": "60 a minute",
    }
    assert found.looks_above_at == NOW + timedelta(seconds=90)


def test_what_is_not_known_of_the_pace_is_said_to_be_unknown() -> None:
    found = pace(replace(LOOK, limits=LEARNED), AT)
    assert found.words == "Learned: nothing is known yet: the spacing holds, one every 5 s"
    assert found.facts == (("Published by the provider", "Unknown"),)


def test_models_say_which_cool_and_how_long_an_answer_takes() -> None:
    gate = Gate(cooling=(("b/model", AT + 30, 2), ("a/model", AT - 1, 1)))
    first, second = models(replace(LOOK, gate=gate, latencies={"a/model": [[AT - 9, 2.0]] * 6}), AT)
    assert (first.cooling_until, first.expected, first.answers) == (None, 2.0, 6)
    assert (second.cooling_until, second.times, second.expected, second.answers) == (NOW + timedelta(seconds=30), 2, 8.0, 0)


def test_of_several_accounts_the_first_usable_speaks_else_the_one_that_is_back_first() -> None:
    late, soon = replace(LOOK, gate=PAUSED), replace(LOOK, gate=replace(PAUSED, paused_until=AT + 9))
    stopped, off = replace(LOOK, gate=replace(PAUSED, cause="auth")), replace(LOOK, obstacle=Reason.DISABLED)
    assert foremost([late, LOOK, soon], AT) is LOOK
    assert foremost([off, stopped, late, soon], AT) is soon
    assert foremost([off, stopped], AT) is stopped
    back_at = RateLimitEvent(refusal="edge", prediction_source="history", predicted_at=NOW + timedelta(seconds=500))
    assert foremost([replace(soon, event=back_at), late], AT) is late


@pytest.mark.parametrize(
    ("gate", "limits", "risk"),
    [
        (PAUSED, Limits(), "If the limit still holds, the next pause is longer: 4 min."),
        (PAUSED, LEARNED, "If the limit still holds, the next pause is longer: up to 4 min."),
        (replace(PAUSED, strikes=7), Limits(), "If the limit still holds, the next pause is again 10 min."),
        (replace(PAUSED, cause="auth"), Limits(), "If it is refused again, the next look is in 5 min."),
        (Gate(), Limits(), "If it is refused by the edge, the account is paused for 1 min."),
    ],
)
def test_a_probe_says_what_a_refusal_would_bring(gate: Gate, limits: Limits, risk: str) -> None:
    assert offer(GateAction.PROBE, replace(LOOK, gate=gate, limits=limits), AT).risk == risk
