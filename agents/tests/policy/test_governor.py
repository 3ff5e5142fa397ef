"""The gate: what it lets through, whatever happens in whatever order."""

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agents.policy.callers import SETTLED_SECONDS, Claim
from agents.policy.gate import (
    Decision,
    Gate,
    GateState,
    Limits,
    cleared,
    closes,
    decide,
    earliest,
    hold,
    left_late,
    paused,
    refused,
    rekeyed,
    released,
    resumed,
    succeeded,
)
from agents.policy.late import given_up, renewed
from agents.policy.modes import Pacing, Risk
from agents.policy.pacing import BURST_GAP, GRACE
from agents.policy.reasons import PauseSource, Reason

SEED = Limits(spacing=5.0, ladder=(60.0, 120.0, 240.0, 480.0))
BUDGET = 23.5
LATENCY = 8.0


def ask(gate: Gate, now: float, limits: Limits = SEED, budget: float = BUDGET) -> tuple[Decision, Gate]:
    return decide(gate, limits, now, now + budget, LATENCY)


def test_the_first_step_goes_at_once() -> None:
    decision, gate = ask(Gate(), now=1000.0)
    assert (decision.reason, decision.slot, decision.lease) == (Reason.ANSWERED, 1000.0, None)
    assert gate.last_slot_at == 1000.0


def test_the_next_step_waits_for_the_spacing() -> None:
    _, gate = ask(Gate(), now=1000.0)
    decision, _ = ask(gate, now=1001.0)
    assert decision.slot == 1000.0 + 5.0 + GRACE


def test_a_slot_that_leaves_no_time_for_the_llm_is_not_taken() -> None:
    gate = Gate()
    for _ in range(4):
        decision, gate = ask(gate, now=1000.0)
        assert decision.slot is not None
    decision, after = ask(gate, now=1000.0)
    assert (decision.reason, decision.slot, after) == (Reason.SPACING, None, gate)


def test_a_budget_shorter_than_the_expected_latency_is_distinguished_from_a_late_slot() -> None:
    decision, gate = ask(Gate(), now=1000.0, budget=LATENCY - 0.1)
    assert decision.reason is Reason.DEADLINE
    assert gate == Gate()


def test_spacing_zero_lets_all_through_at_once() -> None:
    gate, limits = Gate(), Limits(spacing=0.0)
    for _ in range(50):
        decision, gate = ask(gate, now=1000.0, limits=limits)
        assert decision.slot == 1000.0
    assert hold(gate, limits, decision, 1000.0, now=1010.0) is None


def test_a_shorter_spacing_counts_at_once() -> None:
    _, gate = ask(Gate(), now=1000.0, limits=Limits(spacing=600.0))
    assert ask(gate, now=1002.0, limits=Limits(spacing=1.0))[0].slot == 1002.0


def test_each_refusal_in_a_row_takes_the_next_rung_and_then_doubles_up_to_the_longest() -> None:
    gate, now, pauses = Gate(), 1000.0, []
    for _ in range(6):
        gate = refused(gate, SEED, sent_at=now, now=now)
        pauses.append(gate.paused_until - now)
        now = gate.paused_until + 1
    assert pauses == [60.0, 120.0, 240.0, 480.0, 600.0, 600.0]


def test_a_paused_step_reports_when_to_retry() -> None:
    gate = refused(Gate(), SEED, sent_at=1000.0, now=1000.2)
    decision, after = ask(gate, now=1030.0)
    assert (decision.reason, decision.retry_at, after) == (Reason.PAUSED, 1060.2, gate)


def test_a_pause_that_the_provider_states_is_taken_with_its_source() -> None:
    gate = refused(Gate(), SEED, sent_at=1000.0, now=1000.0, stated=(33.0, PauseSource.PROVIDER))
    assert (gate.paused_until, gate.pause_source, gate.strikes) == (1033.0, PauseSource.PROVIDER, 1)


def test_after_the_pause_one_step_probes_and_the_others_report_that() -> None:
    gate = refused(Gate(), SEED, sent_at=1000.0, now=1000.0)
    assert gate.state(1060.0) is GateState.PROBING
    probe, gate = ask(gate, now=1060.0)
    assert probe.lease == 1060.0 + BUDGET
    other, _ = ask(gate, now=1066.0)
    assert (other.reason, other.retry_at) == (Reason.PROBING, probe.lease)


def test_a_step_may_wait_for_a_pause_that_ends_in_time_and_for_any_probe() -> None:
    gate = refused(Gate(), SEED, sent_at=1000.0, now=1000.0)
    latest = 1060.0 - (BUDGET - LATENCY)
    assert (ask(gate, now=latest - 1)[0].may_wait, ask(gate, now=latest)[0].may_wait) == (False, True)
    probe, probing = ask(gate, now=1060.0)
    assert not probe.may_wait
    assert ask(probing, now=1061.0)[0].may_wait
    assert not ask(refused(probing, SEED, sent_at=1060.0, now=1061.0), now=1062.0)[0].may_wait


@pytest.mark.parametrize("pacing", Pacing)
def test_a_step_does_not_wait_for_the_end_of_a_pause_or_a_probe_where_no_slot_opens_in_time_after_it(pacing: Pacing) -> None:
    slow = Limits(spacing=30.0, pacing=pacing)
    _, gate = ask(Gate(), now=1000.0, limits=slow)
    gate = paused(gate, now=1001.0, seconds=5.0)
    assert not ask(gate, now=1002.0, limits=slow)[0].may_wait, "the slot opens at 1030, and the pause ends at 1006"
    assert ask(gate, now=1002.0, limits=slow, budget=40.0)[0].may_wait
    blocked = refused(Gate(), slow, sent_at=1000.0, now=1000.0)
    over = blocked.paused_until
    _, probing = ask(blocked, now=over, limits=slow)
    assert not ask(probing, now=over + 2, limits=slow)[0].may_wait, "the next slot opens 30 s after the probe"
    assert ask(probing, now=over + 2, limits=slow, budget=40.0)[0].may_wait


def test_a_probe_that_succeeds_opens_the_gate_and_starts_the_ladder_over() -> None:
    gate = refused(Gate(), SEED, sent_at=1000.0, now=1000.0)
    _, gate = ask(gate, now=1060.0)
    gate = succeeded(gate, SEED, sent_at=1060.0, now=1060.1)
    assert (gate.state(1060.1), gate.strikes, gate.probe_until) == (GateState.OPEN, 0, 0.0)


def test_a_probe_that_is_refused_takes_the_next_rung() -> None:
    gate = refused(Gate(), SEED, sent_at=1000.0, now=1000.0)
    _, gate = ask(gate, now=1060.0)
    gate = refused(gate, SEED, sent_at=1060.0, now=1060.5)
    assert (gate.strikes, gate.paused_until) == (2, 1180.5)


def test_a_probe_that_dies_blocks_no_longer_than_its_lease() -> None:
    gate = refused(Gate(), SEED, sent_at=1000.0, now=1000.0)
    probe, gate = ask(gate, now=1060.0)
    assert probe.lease is not None
    assert ask(gate, now=probe.lease)[0].slot == probe.lease


def test_a_probe_that_ends_late_does_not_free_the_lease_of_the_next_one() -> None:
    gate = refused(Gate(), SEED, sent_at=1000.0, now=1000.0)
    first, gate = ask(gate, now=1060.0)
    second, gate = ask(gate, now=first.lease or 0)
    assert released(gate, first.lease).probe_until == second.lease
    assert released(gate, second.lease).probe_until == 0.0


def test_a_pause_that_ends_before_a_running_probe_promises_no_slot_before_the_probe_ends() -> None:
    gate = resumed(refused(Gate(), SEED, sent_at=1000.0, now=1000.0), now=1000.0)
    probe, gate = decide(gate, SEED, 1000.0, 1011.0, 0.0)
    gate = paused(gate, 1000.0, 1.0)
    refusal, _ = decide(gate, SEED, 1000.0, 1001.0, 0.0)
    assert (refusal.reason, refusal.retry_at) == (Reason.PAUSED, probe.lease)
    assert decide(gate, SEED, refusal.retry_at or 0.0, 1012.0, 0.0)[0].slot == refusal.retry_at


def test_refusals_of_requests_that_left_before_the_pause_are_one_violation() -> None:
    gate = refused(Gate(), SEED, sent_at=1000.0, now=1000.3)
    for late in (1000.4, 1000.5, 1007.0):
        assert refused(gate, SEED, sent_at=1000.1, now=late) == gate


def test_a_success_of_a_request_that_left_before_the_pause_does_not_end_it() -> None:
    gate = refused(Gate(), SEED, sent_at=1000.0, now=1000.3)
    late = succeeded(gate, SEED, sent_at=999.0, now=1001.0)
    assert replace(late, pace=gate.pace) == replace(gate, succeeded_at=999.0)


@pytest.mark.parametrize(("woke_late", "verdict"), [(0.0, None), (GRACE, None), (GRACE + 0.001, Reason.MISSED)])
def test_a_step_that_wakes_too_late_for_its_slot_gives_it_up(woke_late: float, verdict: Reason | None) -> None:
    decision, gate = ask(Gate(), now=1000.0)
    assert hold(gate, SEED, decision, 1000.0, now=1000.0 + woke_late) is verdict


def test_a_step_that_waits_gives_up_when_the_gate_pauses() -> None:
    _, gate = ask(Gate(), now=1000.0)
    waiting, gate = ask(gate, now=1000.1)
    gate = refused(gate, SEED, sent_at=1000.0, now=1000.2)
    assert hold(gate, SEED, waiting, 1000.1, now=1000.3) is Reason.PAUSED


def test_a_step_that_slept_through_a_whole_pause_does_not_probe_by_accident() -> None:
    _, gate = ask(Gate(), now=1000.0)
    waiting, gate = ask(gate, now=1000.1)
    gate = refused(gate, SEED, sent_at=1000.0, now=1000.2)
    assert hold(gate, SEED, waiting, 1000.1, now=1070.0) is Reason.PAUSED


def test_a_request_that_left_late_pushes_back_the_next_one() -> None:
    first, gate = ask(Gate(), now=1000.0)
    waiting, gate = ask(gate, now=1000.0)
    assert left_late(gate, SEED, first.slot or 0, sent_at=1000.0 + GRACE) == gate
    gate = left_late(gate, SEED, first.slot or 0, sent_at=1000.15)
    assert earliest(gate, SEED, waiting) == 1005.15
    assert hold(gate, SEED, waiting, 1000.0, now=1005.1) is None
    assert ask(gate, now=1005.12)[0].slot == 1005.1 + 5.0 + GRACE
    assert ask(replace(gate, last_slot_at=1000.0), now=1005.12)[0].slot == 1005.15


def test_a_step_that_is_pushed_out_of_its_window_gives_it_up() -> None:
    first, gate = ask(Gate(), now=1000.0)
    waiting, gate = ask(gate, now=1000.0)
    gate = left_late(gate, SEED, first.slot or 0, sent_at=1001.0)
    assert hold(gate, SEED, waiting, 1000.0, now=1005.1) is Reason.MISSED


@dataclass
class Flight:
    decision: Decision
    decided_at: float
    cut_off: float
    latency: float = 0.0
    sent_at: float | None = None


class GateUnderAnything(RuleBasedStateMachine):
    """Steps come, wait, send, end, die, in any order and at any time; settings change in between."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000.0
        self.gate = Gate()
        self.limits = SEED
        self.flights: list[Flight] = []
        self.sends: list[tuple[float, float]] = []
        self.asked = 0

    @initialize(pacing=st.sampled_from(Pacing), risk=st.sampled_from(Risk))
    def an_admin_chooses(self, pacing: Pacing, risk: Risk) -> None:
        self.limits = replace(SEED, pacing=pacing, risk=risk)

    @property
    def apart(self) -> float:
        """Two requests are never closer than this, in seconds. Each may leave so much later than its slot."""
        return BURST_GAP - GRACE if self.limits.is_auto else self.limits.spacing

    @rule(seconds=st.one_of(st.floats(0, 0.3), st.floats(0, 30), st.floats(0, 600)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        budget=st.floats(1.0, 180.0),
        latency=st.sampled_from([0.0, 1.0, 8.0, 20.0]),
        caller=st.sampled_from(["", "one", "two", "three", "stranger", "other stranger"]),
    )
    def a_step_asks(self, budget: float, latency: float, caller: str) -> None:
        self.asked += 1
        claimant = Claim(str(self.asked), caller, "stranger" not in caller)
        decision, gate = decide(self.gate, self.limits, self.now, self.now + budget, latency, claimant)
        if decision.is_taken:
            self.check_taken(decision, gate, claimant)
        if decision.slot is None:
            assert gate == self.gate
            if decision.retry_at is not None:
                later, _ = decide(self.gate, self.limits, decision.retry_at, decision.retry_at + budget, latency)
                assert later.slot == decision.retry_at, "retry_at must be true"
            return
        assert self.now <= decision.slot <= self.now + budget - latency + 1e-6
        self.gate = gate
        self.flights.append(Flight(decision, self.now, self.now + budget, latency))

    def check_taken(self, decision: Decision, gate: Gate, claimant: Claim) -> None:
        """The slot was another caller's, who has no less than the new one now, unless it is not allowed and the new one is."""
        assert gate.pace == self.gate.pace
        (lost,) = set(self.gate.claims) - set(gate.claims)
        assert lost.slot == decision.slot
        assert lost.slot > self.now + SETTLED_SECONDS
        assert lost.caller
        if lost.is_allowed == claimant.is_allowed:
            used = Counter(claim.caller for claim in gate.claims if claim.slot > self.now - 60)
            assert used[lost.caller] >= used[claimant.caller]
        else:
            assert claimant.is_allowed

    @precondition(lambda self: self.waiting())
    @rule(data=st.data(), overslept=st.sampled_from([0.0, 0.0, 0.05, 0.2, 2.0, 20.0]))
    def a_waiting_step_oversleeps(self, data: st.DataObject, overslept: float) -> None:
        flight = data.draw(st.sampled_from(self.waiting()))
        self.now = max(self.now, earliest(self.gate, self.limits, flight.decision)) + overslept
        if hold(self.gate, self.limits, flight.decision, flight.decided_at, self.now) is not Reason.MISSED:
            return
        again, gate = renewed(self.gate, self.limits, flight.decision, flight.decided_at, self.now, flight.cut_off, flight.latency)
        if again.slot is None:
            assert gate == self.gate
            self.give_up(flight)
        else:
            assert self.now <= again.slot <= flight.cut_off - flight.latency + 1e-6
            self.gate, flight.decision = gate, again

    @precondition(lambda self: self.waiting())
    @rule(data=st.data(), held_up=st.sampled_from([0.0, 0.0, 0.05, 0.3, 2.0]))
    def a_waiting_step_wakes_at_its_slot(self, data: st.DataObject, held_up: float) -> None:
        flight = data.draw(st.sampled_from(self.waiting()))
        self.now = max(self.now, earliest(self.gate, self.limits, flight.decision))
        obstacle = hold(self.gate, self.limits, flight.decision, flight.decided_at, self.now)
        if obstacle is None:
            self.now += held_up
            self.send(flight)
            self.gate = left_late(self.gate, self.limits, closes(self.gate, self.limits, flight.decision) - GRACE, self.now)
        else:
            self.give_up(flight)

    def give_up(self, flight: Flight) -> None:
        self.flights.remove(flight)
        self.gate = given_up(self.gate, self.limits, flight.decision.attempt, flight.decision.lease)

    @precondition(lambda self: self.sent())
    @rule(data=st.data(), outcome=st.sampled_from(["ok", "429", "429 with a time", "fault", "dies"]))
    def a_sent_request_ends(self, data: st.DataObject, outcome: str) -> None:
        flight = data.draw(st.sampled_from(self.sent()))
        self.flights.remove(flight)
        sent_at = flight.sent_at or 0.0
        if outcome == "ok":
            self.gate = succeeded(self.gate, self.limits, sent_at, self.now)
        elif outcome == "429":
            self.gate = refused(self.gate, self.limits, sent_at, self.now)
        elif outcome == "429 with a time":
            self.gate = refused(self.gate, self.limits, sent_at, self.now, stated=(17.0, PauseSource.PROVIDER))
        elif outcome == "fault":
            self.gate = released(self.gate, flight.decision.lease)

    @rule(spacing=st.sampled_from([1.0, 5.0, 30.0]))
    def an_admin_changes_the_spacing(self, spacing: float) -> None:
        self.limits = replace(self.limits, spacing=spacing)
        # A request that waits for a slot of the old spacing keeps the gate's order, not the new distance.
        self.sends.clear()
        self.flights = [flight for flight in self.flights if flight.sent_at]
        self.gate = replace(self.gate, claims=())

    @rule(seconds=st.floats(1, 3600))
    def an_operator_pauses(self, seconds: float) -> None:
        self.gate = paused(self.gate, self.now, seconds)
        assert self.gate.state(self.now) is GateState.PAUSED

    @rule()
    def an_operator_resumes(self) -> None:
        self.gate = resumed(self.gate, self.now)
        assert self.gate.state(self.now) is not GateState.PAUSED

    @rule()
    def the_key_is_changed(self) -> None:
        self.gate = rekeyed(self.gate, self.now)
        assert not self.gate.succeeded_at

    @rule()
    def an_operator_clears(self) -> None:
        self.gate = cleared(self.gate)
        assert self.gate.state(self.now) is GateState.OPEN
        # A probe under way is one request of many now.
        self.flights = [flight for flight in self.flights if flight.decision.lease is None]

    def waiting(self) -> list[Flight]:
        return [flight for flight in self.flights if flight.sent_at is None]

    def sent(self) -> list[Flight]:
        return [flight for flight in self.flights if flight.sent_at is not None]

    def send(self, flight: Flight) -> None:
        assert not self.gate.paused_at < self.now < self.gate.paused_until, "sent while paused"
        if self.gate.is_single(self.limits):
            probes = [other for other in self.sent() if other.decision.lease is not None and other.cut_off > self.now]
            assert not probes, "two probes at once"
        for earlier, _ in self.sends:
            assert abs(self.now - earlier) >= self.apart - 1e-6, "closer than the gap"
        self.sends.append((self.now, flight.cut_off))
        flight.sent_at = self.now

    @invariant()
    def slots_that_are_held_keep_the_gap(self) -> None:
        held = [self.gate.claim(flight.decision.attempt) for flight in self.waiting()]
        slots = sorted(claim.slot for claim in held if claim)
        assert all(later - earlier >= self.apart - 1e-6 for earlier, later in pairwise(slots))

    @invariant()
    def a_lease_never_outlives_the_longest_step(self) -> None:
        assert self.gate.probe_until <= self.now + 180.0


GateUnderAnything.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestGateUnderAnything = GateUnderAnything.TestCase


@given(st.lists(st.floats(0.0, 20.0), min_size=2, max_size=60), st.floats(0.001, 60.0))
def test_slots_are_never_closer_than_the_spacing_even_when_each_is_used_at_the_other_end_of_its_window(
    gaps: list[float], spacing: float
) -> None:
    gate, limits, now, slots = Gate(), Limits(spacing=spacing), 1_800_000_000.0, []
    for gap in gaps:
        now += gap
        decision, gate = ask(gate, now, limits, budget=180.0)
        if decision.slot is not None:
            slots.append(decision.slot)
    for earlier, later in pairwise(slots):
        assert later - (earlier + GRACE) >= spacing - 1e-6


@given(st.lists(st.sampled_from(["ok", "429"]), max_size=30))
def test_a_replay_of_the_same_outcomes_gives_the_same_gate(outcomes: list[str]) -> None:
    def replay() -> Gate:
        gate, now = Gate(), 1000.0
        for outcome in outcomes:
            now = max(now + 6.0, gate.paused_until)
            gate = succeeded(gate, SEED, now, now) if outcome == "ok" else refused(gate, SEED, now, now)
        return gate

    assert replay() == replay()
