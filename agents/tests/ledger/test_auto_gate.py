"""The gate with the learned pace and all classes of refusals: what it lets through, whatever happens in whatever order."""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.policy.backoff import JITTER
from agents.policy.callers import Claim
from agents.policy.gate import Decision, Gate, GateState, Limits, closes, decide, earliest, hold, left_late, refused, released, succeeded
from agents.policy.late import LEEWAY, given_up, renewed
from agents.policy.modes import Pacing
from agents.policy.pacing import AHEAD, BURST_GAP, GRACE, Pace
from agents.policy.reasons import PauseSource, Reason
from agents.policy.refusals import RefusalClass

LEARNED = Limits(pacing=Pacing.LEARNED)
START = 1_800_000_000.0
BUDGET, LATENCY = 23.5, 8.0
PAUSING = [kind for kind in RefusalClass if kind.pauses_account]


def refusal(gate: Gate, now: float, kind: RefusalClass = RefusalClass.EDGE, limits: Limits = LEARNED, jitter: float = 0.0) -> Gate:
    return refused(gate, limits, now, now, None, kind, jitter)


def pause(gate: Gate) -> float:
    return gate.paused_until - gate.paused_at


def blocked(gate: Gate, now: float, probes: int, limits: Limits = LEARNED) -> tuple[Gate, float]:
    """The gate after so many refusals, each at the end of the pause before, and then a success; and when that was."""
    for _ in range(probes):
        gate = refusal(gate, now, limits=limits)
        now = gate.paused_until
    return succeeded(gate, limits, now, now), now


def test_jitter_only_ever_stretches_a_pause() -> None:
    assert pause(refusal(Gate(), START)) == 60.0
    assert pause(refusal(Gate(), START, jitter=1.0)) == pytest.approx(60.0 * (1 + JITTER))


def test_a_ladder_whose_last_rung_is_above_the_longest_pause_is_kept() -> None:
    limits = Limits(ladder=(900.0,), longest=600.0)
    assert [limits.pause(strike) for strike in (1, 2, 9)] == [900.0, 900.0, 900.0]


def test_rungs_of_a_long_block_are_remembered_for_a_while_and_then_forgotten() -> None:
    fixed = Limits()
    gate, now = blocked(Gate(), START, probes=3, limits=fixed)
    assert pause(refusal(gate, now + 60, limits=fixed)) == 240.0
    assert pause(refusal(gate, now + 3_700, limits=fixed)) == 120.0
    assert pause(refusal(gate, now + 7_300, limits=fixed)) == 60.0


def test_a_block_that_was_over_at_the_first_probe_leaves_no_memory() -> None:
    gate, now = blocked(Gate(), START, probes=1)
    assert pause(refusal(gate, now + 60)) == 60.0


@pytest.mark.parametrize("kind", [RefusalClass.AUTH, RefusalClass.PAYMENT])
def test_a_stopped_account_is_looked_at_ever_more_rarely_but_once_an_hour(kind: RefusalClass) -> None:
    gate, now, pauses = Gate(), START, []
    for _ in range(12):
        gate = refusal(gate, now, kind, jitter=1.0)
        assert gate.is_stopped
        assert gate.pause_source is PauseSource.CHECK
        pauses.append(pause(gate))
        now = gate.paused_until
    assert pauses[:5] == [300.0, 300.0, 300.0, 450.0, 675.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 3600.0
    assert not succeeded(gate, LEARNED, now, now).is_stopped
    assert pause(refusal(succeeded(gate, LEARNED, now, now), now + 9, kind)) == 300.0


def test_a_key_check_that_is_rarer_than_an_hour_stays_as_rare() -> None:
    assert pause(refusal(Gate(), START, RefusalClass.AUTH, replace(LEARNED, key_check=7200.0))) == 7200.0


@pytest.mark.parametrize("kind", [RefusalClass.AUTH, RefusalClass.PAYMENT])
def test_under_the_fixed_pace_a_stopped_account_is_looked_at_once_each_check(kind: RefusalClass) -> None:
    gate, now, limits = Gate(), START, Limits()
    for _ in range(5):
        gate = refusal(gate, now, kind, limits, jitter=1.0)
        assert pause(gate) == 300.0
        now = gate.paused_until


def test_a_time_that_is_known_to_the_second_is_not_stretched() -> None:
    for source in (PauseSource.PROVIDER, PauseSource.CALENDAR):
        gate = refused(Gate(), LEARNED, START, START, (9_000.0, source), RefusalClass.SUBSCRIPTION_CAP, jitter=1.0)
        assert (pause(gate), gate.pause_source) == (9_000.0, source)


def test_a_quota_that_runs_out_does_not_count_as_a_violation_of_the_pace() -> None:
    _, gate = decide(Gate(), LEARNED, START, START + BUDGET, LATENCY)
    after = refused(gate, LEARNED, START, START + 1, (500.0, PauseSource.PROVIDER), RefusalClass.DAILY_QUOTA)
    assert (after.pace, pause(after), after.pause_source) == (gate.pace, 500.0, PauseSource.PROVIDER)


def test_a_key_that_never_worked_is_told_apart_from_a_limit() -> None:
    fresh = refusal(Gate(), START)
    assert fresh.never_worked
    assert not refusal(succeeded(Gate(), LEARNED, START, START + 3), START + 9).never_worked


def test_a_long_block_that_came_by_itself_is_left_to_longer_silences_and_then_looked_at_steadily() -> None:
    gate, now, pauses = Gate(), START, []
    while now < START + 3_600:
        gate = refusal(gate, now, jitter=1.0)
        pauses.append(pause(gate))
        now = gate.paused_until
    assert len(pauses) <= 15
    assert pauses[:5] == pytest.approx([63, 126, 252, 504, 1008])
    assert max(pauses[5:]) <= 1.05 * 360


def test_a_block_that_our_own_pace_brought_about_is_outwaited_by_doubling() -> None:
    gate, now = Gate(), START
    for _ in range(6):
        decision, gate = decide(gate, LEARNED, now, now + BUDGET, LATENCY)
        now = decision.slot or now
        gate = succeeded(gate, LEARNED, now, now)
    decision, gate = decide(gate, LEARNED, now, now + BUDGET, LATENCY)
    now, pauses = decision.slot or now, []
    for _ in range(6):
        gate = refusal(gate, now)
        pauses.append(pause(gate))
        now = gate.paused_until
    assert pauses == [60, 120, 240, 480, 960, 1920]


def test_no_burst_falls_into_a_slot_that_stays_open_longer() -> None:
    late = Claim("late", slot=START, latest=START + BUDGET, leeway=LEEWAY)
    pace = Pace(sends=(START + LEEWAY,), level=45.0, crowd=(START - 100, START - 100), comes_at_once=True)
    decision, _ = decide(Gate(pace=pace, claims=(late,)), LEARNED, START, START + LATENCY + 1, LATENCY, Claim("next"))
    assert (decision.slot or 0.0) - START == pytest.approx(LEEWAY + BURST_GAP, abs=0.001)


@dataclass
class Flight:
    decision: Decision
    decided_at: float
    cut_off: float
    sent_at: float | None = None


class LearnedGateUnderAnything(RuleBasedStateMachine):
    """Steps come, wait, send, end, die, in any order and at any time, under a limit that is told or not."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.gate, self.limits = START, Gate(), LEARNED
        self.flights: list[Flight] = []
        self.sends: list[float] = []
        self.levels: list[tuple[float, float]] = []
        self.asked = 0

    @rule(seconds=st.one_of(st.floats(0, 0.3), st.floats(0, 5), st.floats(0, 90), st.floats(0, 700)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(budget=st.floats(1.0, 60.0), count=st.integers(1, 12), caller=st.sampled_from(["one", "two", "stranger"]))
    def steps_ask(self, budget: float, count: int, caller: str) -> None:
        for _ in range(count):
            self.asked += 1
            claimant = Claim(str(self.asked), caller, caller != "stranger")
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
    @rule(data=st.data(), outcome=st.sampled_from(["ok", "ok", "ok", "told", "429", "other", "fault", "dies"]))
    def a_sent_request_ends(self, data: st.DataObject, outcome: str) -> None:
        flight = data.draw(st.sampled_from(self.sent()))
        self.flights.remove(flight)
        sent_at = flight.sent_at or 0.0
        if outcome in ("ok", "told"):
            published = data.draw(st.sampled_from([6.0, 60.0, float("inf")])) if outcome == "told" else None
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
        if self.gate.strikes:
            probes = [other for other in self.sent() if other.decision.lease is not None and other.cut_off > self.now]
            assert not probes, "two probes at once"
        assert all(abs(self.now - other) >= BURST_GAP - 0.1 - 1e-6 for other in self.sends), "closer than a burst's gap"
        self.sends.append(self.now)
        flight.sent_at = self.now
        inside = sum(self.now - 60 < at for at in self.sends)
        highest = max((level for at, level in self.levels if at > self.now - 180), default=0.0)
        assert inside <= max(ceil(highest), 60 / self.limits.spacing + 1), "more than the learned limit"

    @invariant()
    def what_is_kept_is_bounded(self) -> None:
        self.levels.append((self.now, self.gate.pace.level))
        assert len(self.gate.pace.sends) <= 300
        assert 0.0 <= self.gate.pace.confidence <= 1.0
        assert self.gate.probe_until <= self.now + AHEAD


LearnedGateUnderAnything.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestLearnedGateUnderAnything = LearnedGateUnderAnything.TestCase


@given(st.lists(st.floats(0.0, 3.0), min_size=2, max_size=60), st.floats(1.0, 60.0))
def test_before_anything_is_known_requests_are_never_closer_than_the_spacing(gaps: list[float], spacing: float) -> None:
    gate, limits, now, slots = Gate(), replace(LEARNED, spacing=spacing), START, []
    for gap in gaps:
        now += gap
        decision, gate = decide(gate, limits, now, now + 180.0, LATENCY)
        if decision.slot is not None:
            slots.append(decision.slot)
    assert all(later - earlier >= spacing - 1e-6 for earlier, later in pairwise(sorted(slots)))


@given(
    st.lists(st.tuples(st.sampled_from(["asks", "ok", "429", "auth", "cap"]), st.floats(-90_000, 90_000) | st.floats(0, 30)), max_size=40),
    st.sampled_from(list(Pacing)),
)
def test_a_clock_that_jumps_blocks_no_longer_than_the_pause_itself_and_breaks_nothing(
    happenings: list[tuple[str, float]], pacing: Pacing
) -> None:
    gate, limits, now = Gate(), Limits(pacing=pacing), START
    for what, seconds in happenings:
        now += seconds
        decision, gate = decide(gate, limits, now, now + BUDGET, LATENCY)
        if decision.retry_at is not None:
            longest = max(pause(gate), AHEAD) + 61 + limits.spacing + 5
            assert decision.retry_at - now <= longest
        if what == "ok":
            gate = succeeded(gate, limits, now, now, 60.0)
        elif what != "asks":
            kind = {"429": RefusalClass.EDGE, "auth": RefusalClass.AUTH, "cap": RefusalClass.SUBSCRIPTION_CAP}[what]
            gate = refusal(gate, now, kind, limits)
        assert gate.state(now) in GateState


def test_a_pause_outlives_a_clock_that_was_set_back_by_its_own_length_only() -> None:
    gate = refusal(Gate(), START)
    back = START - 86_400
    decision, gate = decide(gate, LEARNED, back, back + BUDGET, LATENCY)
    assert (decision.reason, decision.retry_at) == (Reason.PAUSED, back + 60.0)
    assert decide(gate, LEARNED, back + 60.0, back + 60.0 + BUDGET, LATENCY)[0].slot == back + 60.0


@given(st.lists(st.tuples(st.sampled_from(["ok", "429", "asks"]), st.floats(0, 40)), max_size=60))
def test_a_replay_gives_the_same_gate(happenings: list[tuple[str, float]]) -> None:
    def replay() -> Gate:
        gate, now = Gate(), START
        for what, seconds in happenings:
            now += seconds
            decision, gate = decide(gate, LEARNED, now, now + BUDGET, LATENCY)
            sent_at = decision.slot or now
            if what == "ok":
                gate = succeeded(gate, LEARNED, sent_at, sent_at + 3, 60.0)
            elif what == "429":
                gate = refusal(gate, sent_at)
        return gate

    assert replay() == replay()
