"""What a learned pace is compared with: an oracle that knows the hidden account, and a simple gate that counts its own sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from random import Random

from agents import governor
from agents.governor import Decision, Gate, Limits
from agents.pacing import CLAIMED, FIRST_PART, Pace, reserved, slot
from agents.reasons import PauseSource, Reason
from agents.refusals import RefusalClass
from agents.simulation.account import Account
from agents.simulation.clock import Clock
from agents.simulation.measures import Record
from agents.simulation.run import NEXT_STEP
from agents.standin.edge import EdgeVerdict, pass_edge
from agents.standin.faults import Fault
from agents.standin.provider import Said
from agents.standin.scenario import Scenario
from agents.standin.timeline import Change

DEADLINE = 25.0
# How often a step that waits looks again, in seconds: fine enough beside the seconds that an answer takes.
LOOK = 0.25
# The simple gate always makes bursts.
ALWAYS_AT_ONCE = (1.0, 1.0)


def oracle(scenario: Scenario, seeds: Sequence[int]) -> tuple[float, float]:
    """LLM answers and steps, as means over the runs, of the better of two ways to use what the account will take."""
    ways = [[Oracle(scenario, seed, even=even) for seed in seeds] for even in (True, False)]
    llm, steps = max((sum(each.run() for each in runs), sum(each.steps for each in runs)) for runs in ways)
    return llm / len(seeds), steps / len(seeds)


class Oracle:
    """Sends whenever the account will take it (`even`: in even steps), and never else.

    Where several balancers count, it gets the most out of all of them.
    """

    def __init__(self, scenario: Scenario, seed: int, *, even: bool) -> None:
        self._clock, self.llm, self.steps = Clock(0.0), 0, 0
        self._horizon, self._dice, self._even, self._sent_at = scenario.horizon, Random(f"dice {seed}"), even, -inf
        self._account = Account(_open(scenario), self._clock, 0.0, Record(), Random(f"account {seed}"))
        for at in scenario.load.arrivals(scenario.horizon, Random(f"load {seed}")):
            self._clock.at(at, partial(self._step, scenario.load.steps))

    def run(self) -> int:
        """The steps that it answers by the LLM."""
        self._clock.run()
        return self.llm

    def _step(self, left: int) -> None:
        if self._clock.now < self._horizon:
            self.steps += 1
            self._look(left, self._clock.now)

    def _look(self, left: int, posted_at: float) -> None:
        now = self._clock.now
        if self._is_open():
            seconds, answered = self._asked()
            if now + seconds > posted_at + DEADLINE:
                self._next(left, posted_at + DEADLINE)
            elif answered:
                self.llm += 1
                self._next(left, now + seconds)
            else:
                self._clock.at(now + seconds, partial(self._look, left, posted_at))
        elif now + LOOK < posted_at + DEADLINE - self._account.hidden.latency.low:
            self._clock.at(now + LOOK, partial(self._look, left, posted_at))
        else:
            self._next(left, now)

    def _next(self, left: int, answered_at: float) -> None:
        if left > 1:
            self._clock.at(answered_at + NEXT_STEP, partial(self._step, left - 1))

    def _is_open(self) -> bool:
        hidden, world, now = self._account.hidden, self._account.world, self._clock.now
        gap = hidden.window / hidden.limit if self._even and hidden.limit else 0.0
        if not hidden.valid or world.edge.is_banned(now) or now < self._sent_at + gap:
            return False
        return pass_edge(world.edge, hidden, now, self._dice)[1] is EdgeVerdict.ACCEPTED

    def _asked(self) -> tuple[float, bool]:
        """Seconds until the reply, and whether it is an answer. A full model is known to be full."""
        models, self._sent_at = self._account.hidden.models, self._clock.now
        reply = self._account.ask(min(models, key=lambda model: models[model].full))
        if reply.fault is Fault.HANG:
            return DEADLINE, False
        return reply.seconds, reply.said is Said.ANSWERED and reply.fault in (None, Fault.SLOW)


def _open(scenario: Scenario) -> Scenario:
    """The account as the oracle has it: one counter for all its balancers, since it can't be said which one a request meets."""
    hidden = scenario.account

    def widened(changes: Mapping[str, object]) -> dict[str, object]:
        limit = changes.get("limit")
        return {**changes, "limit": limit * hidden.balancers} if isinstance(limit, int) else dict(changes)

    timeline = tuple(Change(each.at, widened(each.changes) if each.changes else each.changes, each.ban) for each in scenario.timeline)
    one = replace(hidden, limit=hidden.limit * hidden.balancers, burst=(hidden.burst + 1) * hidden.balancers - 1, balancers=1)
    return replace(scenario, account=one, timeline=timeline)


@dataclass
class SimpleGate:
    """Counts its own sends against three quarters of the usual limit, learns nothing, and pauses by the ladder. It plays one run."""

    pace: Pace = field(default_factory=lambda: Pace(level=FIRST_PART * CLAIMED, crowd=ALWAYS_AT_ONCE))
    limits: Limits = Limits(spacing=0.0)

    def decide(self, gate: Gate, _: Limits, now: float, deadline: float, expected_latency: float) -> tuple[Decision, Gate]:
        """Evenly where that is in time, else as soon as the minute before has room."""
        at = slot(self.pace, 0.0, now, deadline - expected_latency)
        if at + expected_latency > deadline:
            return Decision(Reason.SPACING, retry_at=at), gate
        decision, gate = governor.decide(gate, self.limits, now, deadline, expected_latency)
        if decision.slot is None:
            return decision, gate
        self.pace = replace(reserved(self.pace, 0.0, at, now, inf), crowd=ALWAYS_AT_ONCE)
        return replace(decision, slot=at), gate

    def hold(self, gate: Gate, _: Limits, decision: Decision, decided_at: float, now: float) -> Reason | None:
        """As the governor without a spacing."""
        return governor.hold(gate, self.limits, decision, decided_at, now)

    def earliest(self, gate: Gate, _: Limits, decision: Decision) -> float:
        """The slot."""
        return governor.earliest(gate, self.limits, decision)

    def released(self, gate: Gate, lease: float | None) -> Gate:
        """As the governor."""
        return governor.released(gate, lease)

    def succeeded(self, gate: Gate, _: Limits, sent_at: float, now: float, published: float | None = None) -> Gate:
        """As the governor with a fixed pace."""
        return governor.succeeded(gate, self.limits, sent_at, now, published)

    def refused(
        self,
        gate: Gate,
        _: Limits,
        sent_at: float,
        now: float,
        told: tuple[float, PauseSource] | None = None,
        kind: RefusalClass = RefusalClass.EDGE,
        dice: float = 0.0,
    ) -> Gate:
        """As the governor with a fixed pace."""
        return governor.refused(gate, self.limits, sent_at, now, told, kind, dice)
