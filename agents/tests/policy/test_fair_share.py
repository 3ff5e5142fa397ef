"""Slots when there are more steps than slots: callers share them max–min fairly, allowed ones first, all others as one."""

import heapq
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.policy.callers import SETTLED_SECONDS, Claim, Sender, as_json, from_json, sender, state_of, to_take_over
from agents.policy.costs import Caps, Used, allows, next_day
from agents.policy.gate import Decision, Gate, Limits, decide, hold
from agents.policy.late import LEEWAY, given_up, renewed
from agents.policy.modes import CallerState, Pacing
from agents.policy.reasons import Reason

START = 1_800_000_000.0
BUDGET, LATENCY = 23.5, 8.0
FIXED = Limits(spacing=5.0)


def ask(
    gate: Gate, attempt: str, caller: str, *, is_allowed: bool = True, now: float = START, may_take: bool = True
) -> tuple[Decision, Gate]:
    claimant = Claim(attempt, caller, is_allowed)
    return decide(gate, FIXED, now, now + BUDGET, LATENCY, claimant, may_take=may_take)


def full_of(*callers: str, is_allowed: bool = True) -> Gate:
    """A gate whose four slots in time are held, in this order."""
    gate = Gate()
    for number, caller in enumerate(callers):
        decision, gate = ask(gate, f"{caller} {number}", caller, is_allowed=is_allowed)
        assert decision.slot is not None
        assert not decision.is_taken
    return gate


def test_a_step_without_a_slot_takes_one_from_the_caller_that_has_most() -> None:
    gate = full_of("greedy", "greedy", "modest", "greedy")
    decision, after = ask(gate, "new", "newcomer")
    assert (decision.slot, decision.is_taken) == (gate.claims[1].slot, True), "the first one leaves just now"
    assert after.claim("greedy 1") is None
    assert after.pace == gate.pace


def test_the_attempt_that_lost_its_slot_is_given_up_for_that_reason() -> None:
    gate = full_of("greedy", "greedy", "greedy", "greedy")
    held, _ = ask(full_of("greedy"), "greedy 1", "greedy")
    _, gate = ask(gate, "new", "newcomer")
    assert hold(gate, FIXED, held, START, START + 0.2) is Reason.SHARE
    assert given_up(gate, FIXED, "greedy 1", None) == gate, "the slot is another attempt's now"


def test_between_callers_that_have_alike_nothing_changes_hands() -> None:
    gate = full_of("one", "two", "three", "four")
    decision, after = ask(gate, "new", "five")
    assert (decision.reason, after) == (Reason.SPACING, gate)
    assert ask(full_of("one", "two", "one", "two"), "new", "one")[0].reason is Reason.SPACING


def test_an_allowed_caller_gets_the_first_slot_of_the_others() -> None:
    gate = full_of("stranger", "stranger", is_allowed=False)
    decision, after = ask(gate, "new", "honest")
    assert (decision.slot, decision.is_taken) == (gate.claims[1].slot, True), "the first one leaves just now"
    assert [claim.caller for claim in after.claims] == ["stranger", "honest"]
    lost, _ = ask(after, "stranger 1 again", "stranger", is_allowed=False)
    assert lost.slot == pytest.approx(START + 2 * 5.1, abs=1e-3)


def test_callers_that_are_not_allowed_take_nothing_from_an_allowed_one() -> None:
    gate = full_of("honest", "honest", "honest", "honest")
    assert ask(gate, "new", "stranger", is_allowed=False)[0].reason is Reason.SPACING


def test_a_slot_that_opens_in_a_moment_stays_with_its_holder() -> None:
    gate = full_of("stranger", "stranger", "stranger", "stranger", is_allowed=False)
    at = gate.claims[3].slot - SETTLED_SECONDS
    assert not to_take_over(gate.claims, Claim("new", "honest"), at, at + 9.0, at + 15.5)


def test_a_step_of_the_miners_own_and_a_probe_are_never_displaced() -> None:
    gate = full_of("", "", "", "")
    assert ask(gate, "new", "honest")[0].reason is Reason.SPACING


def test_a_free_slot_is_used_before_one_is_taken() -> None:
    gate = full_of("stranger", "stranger", "stranger", "stranger", is_allowed=False)
    assert ask(gate, "new", "honest", may_take=False)[0].reason is Reason.SPACING


@dataclass(order=True)
class Event:
    at: float
    number: int
    act: str = field(compare=False)
    client: int = field(compare=False)
    attempt: str = field(compare=False, default="")


class Crowd:
    """Clients that post one step after the other to one gate, on a virtual clock; the LLM answers in three seconds."""

    def __init__(self, clients: Mapping[str, int], strangers: Mapping[str, int], limits: Limits) -> None:
        self.callers = [(name, True) for name, number in clients.items() for _ in range(number)]
        self.callers += [(name, False) for name, number in strangers.items() for _ in range(number)]
        self.limits, self.gate, self.numbers = limits, Gate(succeeded_at=START), count()
        self.events: list[Event] = []
        self.waiting: dict[str, tuple[int, float]] = {}
        self.asked, self.served = Counter[str](), Counter[str]()

    def run(self, seconds: float) -> None:
        for client in range(len(self.callers)):
            self.then(START + 0.37 * client, "posts", client)
        while self.events and self.events[0].at < START + seconds:
            event = heapq.heappop(self.events)
            if event.act == "posts":
                self.asked[self.callers[event.client][0]] += 1
                self.ask(event.client, event.at, event.at + BUDGET)
            elif event.attempt in self.waiting:
                self.leave(event)

    def then(self, at: float, act: str, client: int, attempt: str = "") -> None:
        heapq.heappush(self.events, Event(at, next(self.numbers), act, client, attempt))

    def ask(self, client: int, now: float, cut_off: float) -> None:
        caller, is_allowed = self.callers[client]
        attempt = str(next(self.numbers))
        decision, self.gate = decide(self.gate, self.limits, now, cut_off, LATENCY, Claim(attempt, caller, is_allowed))
        if decision.slot is None:
            self.then(now + 2.0, "posts", client)
            return
        self.waiting[attempt] = (client, cut_off)
        self.then(decision.slot, "leaves", client, attempt)
        for lost in [each for each in self.waiting if self.gate.claim(each) is None]:
            other, until = self.waiting.pop(lost)
            self.ask(other, now, until)

    def leave(self, event: Event) -> None:
        del self.waiting[event.attempt]
        self.served[self.callers[event.client][0]] += 1
        self.then(event.at + 5.0, "posts", event.client)


@pytest.mark.parametrize("limits", [FIXED, Limits(pacing=Pacing.AUTO)])
def test_a_stranger_with_sixteen_addresses_takes_nothing_from_allowed_callers(limits: Limits) -> None:
    crowd = Crowd({"one": 1, "two": 1}, {f"stranger {number}": 1 for number in range(16)}, limits)
    crowd.run(1_200)
    for honest in ("one", "two"):
        assert crowd.served[honest] >= 0.9 * crowd.asked[honest]
    assert sum(crowd.served.values()) >= 1_200 / 5.1 - 5, "what is left is the stranger's"


@pytest.mark.long
def test_callers_with_many_clients_leave_the_others_their_max_min_share() -> None:
    crowd = Crowd({"one": 1, "two": 2, "crowd": 12, "bigger crowd": 24}, {}, FIXED)
    crowd.run(2_400)
    share = sum(crowd.served.values()) / 4
    for caller, served in crowd.served.items():
        assert served >= 0.9 * min(share, crowd.asked[caller]), caller


def test_without_a_list_of_callers_addresses_share_alike() -> None:
    crowd = Crowd({}, {"one": 1, "crowd": 16}, FIXED)
    crowd.run(1_200)
    assert crowd.served["one"] >= 0.9 * crowd.asked["one"]


CALLERS = ["one", "two", "three", "stranger", "other stranger"]


@given(st.lists(st.tuples(st.sampled_from(CALLERS), st.floats(0, 6)), max_size=60), st.sampled_from(list(Pacing)))
def test_the_slots_stay_and_no_caller_takes_more_than_its_share(steps: list[tuple[str, float]], pacing: Pacing) -> None:
    gate, limits, now = Gate(), Limits(pacing=pacing), START
    for number, (caller, later) in enumerate(steps):
        now += later
        before = gate
        decision, gate = decide(gate, limits, now, now + BUDGET, LATENCY, Claim(str(number), caller, "stranger" not in caller))
        if decision.is_taken:
            assert gate.pace == before.pace
            (lost,) = set(before.claims) - set(gate.claims)
            used = Counter(claim.caller for claim in gate.claims if claim.slot > now - 60)
            assert used[lost.caller] >= used[caller] or ("stranger" in lost.caller and "stranger" not in caller)
        slots = [claim.slot for claim in gate.claims]
        assert len(slots) == len(set(slots))


def test_an_attempt_that_wakes_late_leaves_at_once_and_those_behind_it_a_little_later() -> None:
    gate = full_of("one", "two", "three")
    first, _ = ask(Gate(), "one 0", "one")
    again, gate = renewed(gate, FIXED, first, START, START + 0.3, START + BUDGET, LATENCY)
    assert (again.slot, again.leeway) == (START + 0.3, LEEWAY)
    assert sorted(claim.slot for claim in gate.claims) == pytest.approx([START + 0.3, START + 5.8, START + 10.9], abs=1e-3)
    assert hold(gate, FIXED, again, START, START + 0.3 + LEEWAY) is None
    assert ask(gate, "next", "four", now=START + 0.5)[0].slot == pytest.approx(START + 16.0, abs=1e-3)


def test_a_late_attempt_pushes_no_other_over_its_deadline() -> None:
    gate = full_of("one", "two", "three", "four")
    first, _ = ask(Gate(), "one 0", "one")
    again, after = renewed(gate, FIXED, first, START, START + 0.3, START + BUDGET, LATENCY)
    assert (again.reason, after) == (Reason.MISSED, gate)


def test_a_slot_that_was_not_used_is_free_again() -> None:
    gate = full_of("one", "two")
    gate = given_up(gate, FIXED, "two 1", None)
    assert ask(gate, "new", "three")[0].slot == START + 5.1
    assert len(gate.pace.sends) == 1


def test_slots_that_were_not_used_are_free_again_whoever_gives_up_first() -> None:
    gate = full_of("one", "two", "three")
    for attempt in ("two 1", "three 2"):
        gate = given_up(gate, FIXED, attempt, None)
    assert ask(gate, "new", "four")[0].slot == START + 5.1


def test_a_slot_that_was_not_used_keeps_the_distance_to_the_one_before_it() -> None:
    slow = Limits(spacing=600.0)
    gate, later = Gate(), START + 400
    _, gate = decide(gate, slow, START, START + 180, LATENCY, Claim("first", "one"))
    _, gate = decide(gate, slow, later, later + 1_000, LATENCY, Claim("second", "one"))
    gate = given_up(gate, slow, "second", None)
    assert decide(gate, slow, later, later + 1_000, LATENCY, Claim("third", "one"))[0].slot == START + 600.1


def test_the_smaller_network_decides() -> None:
    allowed, blocked = ["10.1.0.0/16", "203.0.113.7"], ["10.0.0.0/8", "203.0.113.0/24", "10.1.2.3"]
    states = {address: state_of(address, allowed, blocked) for address in ("10.1.0.1", "10.2.0.1", "10.1.2.3", "203.0.113.7", "::1")}
    assert list(states.values()) == ["allowed", "blocked", "blocked", "allowed", "other"]


def test_an_unknown_address_is_blocked_with_the_whole_internet_only() -> None:
    assert state_of(None, ["10.0.0.0/8"], ["203.0.113.0/24"]) is CallerState.OTHER
    assert state_of(None, ["10.0.0.0/8"], ["0.0.0.0/0"]) is CallerState.BLOCKED


def test_addresses_of_one_ipv6_customer_are_one_caller() -> None:
    one, other, far = (sender(address, CallerState.OTHER, Caps()) for address in ("2001:db8::1", "2001:db8::ffff", "2001:db8:1::1"))
    assert one.name == other.name != far.name
    assert one.address != other.address
    assert sender(None, CallerState.OTHER, Caps()).name != Sender().name


@pytest.mark.parametrize(
    ("caps", "used", "most_usd", "is_allowed"),
    [
        (Caps(), Used(10**6, 1e6), 1.0, True),
        (Caps(attempts=10), Used(9, 0), 0.0, True),
        (Caps(attempts=10), Used(10, 0), 0.0, False),
        (Caps(usd=1.0), Used(0, 0.95), 0.04, True),
        (Caps(usd=1.0), Used(0, 0.95), 0.06, False),
    ],
)
def test_one_more_attempt_has_to_keep_to_the_caps(caps: Caps, used: Used, most_usd: float, is_allowed: bool) -> None:
    assert allows(caps, used, most_usd) is is_allowed


def test_caps_start_anew_at_midnight_utc() -> None:
    assert next_day(1_798_416_000.0) == 1_798_416_000.0 + 86_400
    assert next_day(1_798_416_000.0 + 86_399.5) == 1_798_416_000.0 + 86_400


def test_a_claim_survives_being_stored() -> None:
    claim = Claim("attempt", "10.0.0.1", is_allowed=False, slot=START, latest=START + 1, leeway=0.4, is_taken=True, may_lose=False)
    assert from_json(json.loads(json.dumps(as_json((claim, Claim("next")))))) == (claim, Claim("next"))
    assert from_json(as_json(())) == from_json([["of another version"]]) == ()
