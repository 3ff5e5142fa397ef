"""The gate with the automatic pace and all classes of refusals: what it permits, whatever happens in any order."""

from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agents.policy.backoff import JITTER
from agents.policy.belief import MOST
from agents.policy.callers import Claim
from agents.policy.gate import (
    Decision,
    Gate,
    GateState,
    Limits,
    closes,
    decide,
    earliest,
    hold,
    left_late,
    paused,
    refused,
    released,
    succeeded,
)
from agents.policy.late import LEEWAY, given_up, renewed
from agents.policy.modes import Pacing, Risk
from agents.policy.pacing import AHEAD, BURST_GAP, GRACE, Pace
from agents.policy.reasons import PaceSource, PauseSource, Reason
from agents.policy.refusals import RefusalClass
from agents.tests.rows import rows

AUTO = Limits(pacing=Pacing.AUTO)
START = 1_800_000_000.0
BUDGET, LATENCY = 23.5, 8.0
PAUSING = [kind for kind in RefusalClass if kind.pauses_account]


def refusal(gate: Gate, now: float, kind: RefusalClass = RefusalClass.EDGE, limits: Limits = AUTO, jitter: float = 0.0) -> Gate:
    return refused(gate, limits, now, now, None, kind, jitter)


def pause(gate: Gate) -> float:
    return gate.paused_until - gate.paused_at


def blocked(gate: Gate, now: float, probes: int, limits: Limits = AUTO) -> tuple[Gate, float]:
    """The gate after `probes` refusals, each at the end of the previous pause, and then a success; and the time of that."""
    for _ in range(probes):
        gate = refusal(gate, now, limits=limits)
        now = gate.paused_until
    return succeeded(gate, limits, now, now), now


def test_jitter_only_ever_stretches_a_pause() -> None:
    shortest = pause(refusal(Gate(), START))
    assert pause(refusal(Gate(), START, jitter=1.0)) == pytest.approx(shortest * (1 + JITTER))


def test_a_ladder_whose_last_rung_is_above_the_longest_pause_is_kept() -> None:
    limits = Limits(ladder=(900.0,), longest=600.0)
    assert [limits.pause(strike) for strike in (1, 2, 9)] == [900.0, 900.0, 900.0]


def test_rungs_of_a_long_block_are_kept_for_a_while_and_then_dropped() -> None:
    fixed = Limits()
    gate, now = blocked(Gate(), START, probes=3, limits=fixed)
    assert pause(refusal(gate, now + 60, limits=fixed)) == 240.0
    assert pause(refusal(gate, now + 3_700, limits=fixed)) == 120.0
    assert pause(refusal(gate, now + 7_300, limits=fixed)) == 60.0


def test_a_block_that_was_over_at_the_first_probe_leaves_no_memory() -> None:
    gate, now = blocked(Gate(), START, probes=1, limits=Limits())
    assert pause(refusal(gate, now + 60, limits=Limits())) == 60.0


@rows(("kind", "pacing"), product([RefusalClass.AUTH, RefusalClass.PAYMENT], Pacing))
def test_a_stopped_account_is_checked_at_a_constant_interval(kind: RefusalClass, pacing: Pacing) -> None:
    gate, now, limits = Gate(), START, Limits(pacing=pacing, key_check=700.0)
    for _ in range(5):
        gate = refusal(gate, now, kind, limits, jitter=1.0)
        assert gate.is_stopped
        assert (pause(gate), gate.pause_source) == (700.0, PauseSource.CHECK)
        now = gate.paused_until
    assert not succeeded(gate, limits, now, now + 1).is_stopped


def test_a_time_that_is_known_to_the_second_is_not_stretched() -> None:
    for source in (PauseSource.PROVIDER, PauseSource.CALENDAR):
        gate = refused(Gate(), AUTO, START, START, (9_000.0, source), RefusalClass.SUBSCRIPTION_CAP, jitter=1.0)
        assert (pause(gate), gate.pause_source) == (9_000.0, source)


def test_a_quota_that_runs_out_does_not_count_as_a_violation_of_the_pace() -> None:
    _, gate = decide(Gate(), AUTO, START, START + BUDGET, LATENCY)
    after = refused(gate, AUTO, START, START + 1, (500.0, PauseSource.PROVIDER), RefusalClass.DAILY_QUOTA)
    assert (after.pace, pause(after), after.pause_source) == (gate.pace, 500.0, PauseSource.PROVIDER)


def test_a_key_that_never_worked_is_distinguished_from_a_limit() -> None:
    fresh = refusal(Gate(), START)
    assert fresh.never_worked
    assert not refusal(succeeded(Gate(), AUTO, START, START + 3), START + 9).never_worked


def test_the_first_pause_is_at_least_the_admins_and_the_next_ones_are_learned_from_blocks() -> None:
    gate, now, sources = Gate(), START, []
    assert pause(refusal(gate, now, limits=replace(AUTO, ladder=(900.0,)))) == 900.0
    assert pause(refusal(gate, now)) > AUTO.ladder[0]
    for _ in range(3):
        gate = refusal(gate, now)
        sources.append(gate.pause_source)
        now = gate.paused_until
    assert sources == [PauseSource.LADDER, PauseSource.LEARNED, PauseSource.LEARNED]


def test_once_a_block_was_measured_the_first_pause_is_by_it_too() -> None:
    gate, now = Gate(), START
    for _ in range(4):
        gate = refusal(gate, now)
        while now < gate.blocked_at + 1_000:
            now = gate.paused_until
            gate = refusal(gate, now)
        now = gate.paused_until
        gate = succeeded(gate, AUTO, now, now)
        now += 1_000
    again = refusal(gate, now)
    assert again.pause_source is PauseSource.LEARNED
    assert pause(again) > 2 * AUTO.ladder[0]


def decide_at(gate: Gate, now: float, limits: Limits = AUTO) -> tuple[Decision, Gate]:
    return decide(gate, limits, now, now + BUDGET, LATENCY)


def test_until_the_account_works_one_attempt_at_a_time_is_sent() -> None:
    first, gate = decide_at(Gate(), START)
    assert first.lease == START + BUDGET
    assert decide_at(gate, START + 6)[0].reason is Reason.PROBING
    assert decide_at(released(gate, first.lease), START + 6)[0].slot == START + 6, "it ended without an answer"
    after, gate = decide_at(succeeded(gate, AUTO, START, START + 3), START + 6)
    assert (after.slot, after.lease) == (START + 6, None)
    assert decide_at(gate, START + 7)[0].slot


def test_after_an_operators_pause_one_attempt_at_a_time_is_sent_until_one_succeeds() -> None:
    _, gate = decide_at(Gate(), START)
    gate = paused(succeeded(gate, AUTO, START, START + 3), START + 10, 60)
    first, gate = decide_at(gate, START + 70)
    assert first.lease
    assert decide_at(gate, START + 76)[0].reason is Reason.PROBING
    assert decide_at(succeeded(gate, AUTO, START + 70, START + 73), START + 76)[0].lease is None


def test_under_the_fixed_spacing_only_a_refusal_requires_a_probe() -> None:
    fixed = Limits()
    first, gate = decide_at(Gate(), START, fixed)
    assert first.lease is None
    assert decide_at(gate, START + 6, fixed)[0].slot == START + 6
    assert decide_at(paused(gate, START + 6, 60), START + 66, fixed)[0].lease is None
    assert decide_at(refusal(gate, START + 6, limits=fixed), START + 66, fixed)[0].lease


@rows("later", [3.0, 70.0])
def test_a_late_success_of_a_request_from_before_a_pause_opens_nothing(later: float) -> None:
    _, gate = decide_at(Gate(), START)
    _, gate = decide_at(succeeded(gate, AUTO, START, START + 3), START + 8)
    gate = paused(gate, START + 10, 60)
    first, gate = decide_at(gate, START + 70) if later > 60 else (None, gate)
    late = succeeded(gate, AUTO, START + 8, START + 10 + later)
    assert (late.paused_until, late.probe_until) == (gate.paused_until, gate.probe_until)
    assert late.is_single(AUTO)
    if first:
        assert decide_at(late, START + 81)[0].reason is Reason.PROBING


def test_no_burst_falls_into_a_slot_that_stays_open_longer() -> None:
    late = Claim("late", slot=START, latest=START + BUDGET, leeway=LEEWAY)
    pace = Pace(sends=(START + LEEWAY,), source=PaceSource.USUAL, crowd=(START - 100, START - 100), comes_at_once=True)
    decision, _ = decide(Gate(pace=pace, claims=(late,), succeeded_at=START), AUTO, START, START + LATENCY + 1, LATENCY, Claim("next"))
    assert (decision.slot or 0.0) - START == pytest.approx(LEEWAY + BURST_GAP, abs=0.001)


@dataclass
class Flight:
    decision: Decision
    decided_at: float
    cut_off: float
    sent_at: float | None = None


class AutoGateUnderAnything(RuleBasedStateMachine):
    """Steps arrive, wait, send, end and die in any order and at any time, under a limit that is stated or not."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.gate, self.limits = START, Gate(), AUTO
        self.flights: list[Flight] = []
        self.sends: list[float] = []
        self.levels: list[tuple[float, float]] = []
        self.steps = 0

    @initialize(risk=st.sampled_from(Risk))
    def an_admin_chooses(self, risk: Risk) -> None:
        self.limits = replace(AUTO, risk=risk)

    @rule(seconds=st.one_of(st.floats(0, 0.3), st.floats(0, 5), st.floats(0, 90), st.floats(0, 700)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(budget=st.floats(1.0, 60.0), count=st.integers(1, 12), caller=st.sampled_from(["one", "two", "stranger"]))
    def steps_arrive(self, budget: float, count: int, caller: str) -> None:
        for _ in range(count):
            self.steps += 1
            claimant = Claim(str(self.steps), caller, caller != "stranger")
            decision, gate = decide(self.gate, self.limits, self.now, self.now + budget, LATENCY, claimant)
            if decision.slot is None:
                assert gate == self.gate
                self.check_retry(decision, budget)
                return
            assert self.now <= decision.slot <= self.now + budget - LATENCY + 1e-6
            self.gate = gate
            self.flights.append(Flight(decision, self.now, self.now + budget))

    def check_retry(self, decision: Decision, budget: float) -> None:
        if decision.retry_at is not None:
            again, _ = decide(self.gate, self.limits, decision.retry_at, decision.retry_at + budget, LATENCY)
            assert again.slot is not None, "retry_at must be true"

    @precondition(lambda self: self.waiting())
    @rule(held_up=st.sampled_from([0.0, 0.0, 0.05, 0.3]), overslept=st.sampled_from([0.0, 0.0, 0.2, 2.0]), count=st.integers(1, 12))
    def waiting_steps_wake_at_their_slots(self, held_up: float, overslept: float, count: int) -> None:
        for flight in sorted(self.waiting(), key=lambda flight: flight.decision.slot or 0.0)[:count]:
            self.now = max(self.now, earliest(self.gate, self.limits, flight.decision)) + overslept
            obstacle = hold(self.gate, self.limits, flight.decision, flight.decided_at, self.now)
            if obstacle is Reason.MISSED and self.renew(flight):
                continue
            if obstacle is not None:
                self.flights.remove(flight)
                self.gate = given_up(self.gate, self.limits, flight.decision.attempt, flight.decision.lease)
                continue
            self.now += held_up
            self.send(flight)
            self.gate = left_late(self.gate, self.limits, closes(self.gate, self.limits, flight.decision) - GRACE, self.now)

    def renew(self, flight: Flight) -> bool:
        again, gate = renewed(self.gate, self.limits, flight.decision, flight.decided_at, self.now, flight.cut_off, LATENCY)
        if again.slot is None:
            return False
        self.gate, flight.decision = gate, again
        return True

    @precondition(lambda self: self.sent())
    @rule(data=st.data(), outcome=st.sampled_from(["ok", "ok", "ok", "stated", "429", "other", "fault", "dies"]))
    def a_sent_request_ends(self, data: st.DataObject, outcome: str) -> None:
        flight = data.draw(st.sampled_from(self.sent()))
        self.flights.remove(flight)
        sent_at = flight.sent_at or 0.0
        if outcome in ("ok", "stated"):
            published = data.draw(st.sampled_from([6.0, 60.0, float("inf")])) if outcome == "stated" else None
            self.gate = succeeded(self.gate, self.limits, sent_at, self.now, published)
        elif outcome in ("429", "other"):
            kind = RefusalClass.EDGE if outcome == "429" else data.draw(st.sampled_from(PAUSING))
            self.gate = refused(self.gate, self.limits, sent_at, self.now, None, kind, data.draw(st.floats(0, 1)))
        elif outcome == "fault":
            self.gate = released(self.gate, flight.decision.lease)

    def waiting(self) -> list[Flight]:
        return [flight for flight in self.flights if flight.sent_at is None]

    def sent(self) -> list[Flight]:
        return [flight for flight in self.flights if flight.sent_at is not None]

    def send(self, flight: Flight) -> None:
        assert not self.gate.paused_at < self.now < self.gate.paused_until, "sent while paused"
        if self.gate.is_single(self.limits):
            probes = [other for other in self.sent() if other.decision.lease is not None and other.cut_off > self.now]
            assert not probes, "two probes at once"
        assert all(abs(self.now - other) >= BURST_GAP - 0.1 - 1e-6 for other in self.sends), "closer than a burst's gap"
        self.sends.append(self.now)
        flight.sent_at = self.now
        inside = sum(self.now - 60 < at for at in self.sends)
        highest = max((level for at, level in self.levels if at > self.now - 180), default=0.0)
        assert inside <= max(ceil(highest), 60 / self.limits.spacing + 1), "more than the level"

    @invariant()
    def stored_state_is_bounded(self) -> None:
        self.levels.append((self.now, self.gate.pace.level(self.now, self.limits.risk.weight)))
        assert len(self.gate.pace.sends) <= 2 * MOST
        assert self.gate.probe_until <= self.now + AHEAD


AutoGateUnderAnything.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestAutoGateUnderAnything = AutoGateUnderAnything.TestCase


@given(st.lists(st.floats(0.0, 3.0), min_size=2, max_size=60), st.floats(1.0, 60.0))
def test_before_the_first_answer_requests_are_never_closer_than_the_spacing(gaps: list[float], spacing: float) -> None:
    gate, limits, now, slots = Gate(), replace(AUTO, spacing=spacing), START, []
    for gap in gaps:
        now += gap
        decision, gate = decide(gate, limits, now, now + 180.0, LATENCY)
        gate = released(gate, decision.lease)
        if decision.slot is not None:
            slots.append(decision.slot)
    assert slots[1] == pytest.approx(max(START + gaps[0] + gaps[1], slots[0] + spacing + GRACE))
    assert all(later - earlier >= spacing + GRACE - 1e-6 for earlier, later in pairwise(slots))


@given(
    st.lists(st.tuples(st.sampled_from(["step", "ok", "429", "auth", "cap"]), st.floats(-90_000, 90_000) | st.floats(0, 30)), max_size=40),
    st.sampled_from(list(Pacing)),
    st.sampled_from(list(Risk)),
)
def test_a_clock_that_jumps_blocks_no_longer_than_the_pause_itself_and_breaks_nothing(
    happenings: list[tuple[str, float]], pacing: Pacing, risk: Risk
) -> None:
    gate, limits, now = Gate(), Limits(pacing=pacing, risk=risk), START
    for what, seconds in happenings:
        now += seconds
        decision, gate = decide(gate, limits, now, now + BUDGET, LATENCY)
        if decision.retry_at is not None:
            longest = max(pause(gate), AHEAD) + 61 + limits.spacing + 5
            assert decision.retry_at - now <= longest
        if what == "ok":
            gate = succeeded(gate, limits, now, now, 60.0)
        elif what != "step":
            kind = {"429": RefusalClass.EDGE, "auth": RefusalClass.AUTH, "cap": RefusalClass.SUBSCRIPTION_CAP}[what]
            gate = refusal(gate, now, kind, limits)
        assert gate.state(now) in GateState


def test_a_pause_outlives_a_clock_that_was_set_back_by_its_own_length_only() -> None:
    gate = refusal(Gate(), START)
    back, over = START - 86_400, START - 86_400 + pause(gate)
    decision, gate = decide(gate, AUTO, back, back + BUDGET, LATENCY)
    assert (decision.reason, decision.retry_at) == (Reason.PAUSED, over)
    assert decide(gate, AUTO, over, over + BUDGET, LATENCY)[0].slot == over


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["ok", "429", "step"]), st.floats(0, 40)), max_size=60))
def test_a_replay_gives_the_same_gate(happenings: list[tuple[str, float]]) -> None:
    def replay() -> Gate:
        gate, now = Gate(), START
        for what, seconds in happenings:
            now += seconds
            decision, gate = decide(gate, AUTO, now, now + BUDGET, LATENCY)
            sent_at = decision.slot or now
            if what == "ok":
                gate = succeeded(gate, AUTO, sent_at, sent_at + 3, 60.0)
            elif what == "429":
                gate = refusal(gate, sent_at)
        return gate

    assert replay() == replay()
