"""One run: tasks post their steps, the gate decides, the account answers, all on a virtual clock. Deterministic for a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Protocol

from agents import cooling, governor
from agents.governor import Decision, Gate, Limits, State
from agents.hybrid import MARGIN
from agents.latency import Samples, expected, noted
from agents.reasons import PauseSource, Reason
from agents.refusals import RefusalClass, wait
from agents.simulation.account import Account
from agents.simulation.clock import Clock
from agents.simulation.measures import Answered, Measures, Record, means
from agents.simulation.scenario import Scenario
from agents.simulation.settings import Miner
from agents.standin.faults import Fault
from agents.standin.provider import Reply, Said

# A fixed Monday, 00:00 UTC: days and 4-hour windows start with the scenario.
EPOCH = 1_798_416_000.0
# A task's next step comes this long after the answer to the one before it.
NEXT_STEP = 2.0
# A waiting step looks at the gate this often; a job looks whether a pause has ended without a step this often.
LOOK, PROBE_AFTER = 0.2, 1.0
PROBE_BUDGET = 25.0
UNACCEPTED = frozenset({Fault.HTTP500, Fault.HTTP502, Fault.HTTP503, Fault.RESET, Fault.HANG})
REFUSALS = {
    Said.EDGE: RefusalClass.EDGE,
    Said.AUTH: RefusalClass.AUTH,
    Said.DAILY_QUOTA: RefusalClass.DAILY_QUOTA,
    Said.SUBSCRIPTION_CAP: RefusalClass.SUBSCRIPTION_CAP,
}


class Judge(Protocol):
    """Who says when a request may leave: the governor, or another gate that is to be compared with it."""

    def decide(self, gate: Gate, limits: Limits, now: float, deadline: float, expected_latency: float) -> tuple[Decision, Gate]: ...
    def hold(self, gate: Gate, limits: Limits, decision: Decision, decided_at: float, now: float) -> Reason | None: ...
    def earliest(self, gate: Gate, limits: Limits, decision: Decision) -> float: ...
    def released(self, gate: Gate, lease: float | None) -> Gate: ...
    def succeeded(self, gate: Gate, limits: Limits, sent_at: float, now: float, published: float | None = None) -> Gate: ...
    def refused(
        self,
        gate: Gate,
        limits: Limits,
        sent_at: float,
        now: float,
        told: tuple[float, PauseSource] | None = None,
        kind: RefusalClass = RefusalClass.EDGE,
        dice: float = 0.0,
    ) -> Gate: ...


@dataclass(slots=True, eq=False)
class Asking:
    """One step, or one probe, on its way through the models. `done` is told when it ends and whether the LLM answered."""

    models: list[str]
    posted_at: float
    cut_off: float
    done: Callable[[bool], None]
    decision: Decision | None = None
    decided_at: float = 0.0
    is_waiting: bool = False


class Run:
    """One seed of one scenario under one miner's settings."""

    def __init__(self, scenario: Scenario, miner: Miner, seed: int, judge: Judge = governor) -> None:
        self.scenario, self.miner, self._judge = scenario, miner, judge
        self.record, self.clock, self.gate = Record(), Clock(EPOCH), Gate()
        self.account = Account(scenario, self.clock, EPOCH, self.record, Random(f"account {seed}"))
        self._dice, self._waiting = Random(f"gate {seed}"), dict[int, Asking]()
        self._latencies: Samples = {}
        for at in scenario.load.arrivals(scenario.horizon, Random(f"load {seed}")):
            self.clock.at(EPOCH + at, partial(self._step, scenario.load.steps))

    def result(self) -> Record:
        """Runs to the end."""
        self.clock.run()
        self.record.ended_at = EPOCH + self.scenario.horizon
        return self.record

    def _step(self, left: int) -> None:
        posted_at = self.clock.now
        if posted_at >= EPOCH + self.scenario.horizon:
            return
        cut_off = posted_at + self.miner.deadline - min(MARGIN, self.miner.deadline / 2)
        self._ask(Asking(self._models(), posted_at, cut_off, partial(self._answer, posted_at, left)))

    def _models(self) -> list[str]:
        return list(cooling.ready(self.gate.cooling, self.miner.models, self.clock.now))

    def _answer(self, posted_at: float, left: int, by_llm: bool) -> None:
        now = self.clock.now
        self.record.answers.append(Answered(posted_at, now, now <= posted_at + self.miner.deadline, by_llm))
        if left > 1:
            self.clock.at(now + NEXT_STEP, partial(self._step, left - 1))

    def _ask(self, asking: Asking) -> None:
        now = self.clock.now
        latency = expected(self._latencies, asking.models[0], now)
        decision, gate = self._judge.decide(self.gate, self.miner.limits, now, asking.cut_off, latency)
        self.gate = gate
        if decision.slot is None:
            asking.done(False)  # noqa: FBT003 - the callback's one argument
            return
        asking.decision, asking.decided_at, asking.is_waiting = decision, now, True
        self._waiting[id(asking)] = asking
        self.clock.at(self._judge.earliest(gate, self.miner.limits, decision), partial(self._wake, asking))

    def _wake(self, asking: Asking) -> None:
        """The slot has come, or the gate has changed meanwhile."""
        if not asking.is_waiting:
            return
        assert asking.decision is not None
        obstacle = self._judge.hold(self.gate, self.miner.limits, asking.decision, asking.decided_at, self.clock.now)
        if obstacle is None and self.clock.now < (asking.decision.slot or 0.0):
            return
        asking.is_waiting = False
        del self._waiting[id(asking)]
        if obstacle is None:
            self._send(asking)
        else:
            self._give_up(asking, obstacle)

    def _give_up(self, asking: Asking, _: Reason) -> None:
        assert asking.decision is not None
        self.gate = self._judge.released(self.gate, asking.decision.lease)
        asking.done(False)  # noqa: FBT003 - the callback's one argument

    def _send(self, asking: Asking) -> None:
        model, sent_at = asking.models.pop(0), self.clock.now
        reply = self.account.ask(model)
        ends_at = min(sent_at + reply.seconds, asking.cut_off)
        is_cut_off = sent_at + reply.seconds > asking.cut_off
        self.clock.at(ends_at, partial(self._end, asking, model, sent_at, None if is_cut_off else reply))

    def _end(self, asking: Asking, model: str, sent_at: float, reply: Reply | None) -> None:
        assert asking.decision is not None
        lease = asking.decision.lease
        self._note_latency(model, sent_at, reply)
        if reply is not None and reply.said in REFUSALS:
            self._refused(asking, sent_at, reply)
            return
        if reply is not None and reply.said is Said.ANSWERED and reply.fault not in UNACCEPTED:
            self._accepted(sent_at, model)
            if reply.fault in (None, Fault.SLOW):
                self.record.successes.append(self.clock.now)
                asking.done(True)  # noqa: FBT003 - the callback's one argument
                return
        else:
            self._unheard(lease, model, reply)
        if asking.models and reply is not None:
            self._ask(asking)
        else:
            asking.done(False)  # noqa: FBT003 - the callback's one argument

    def _note_latency(self, model: str, sent_at: float, reply: Reply | None) -> None:
        """What an answer took, or how long one was waited for in vain."""
        if reply is None or (reply.said is Said.ANSWERED and reply.fault not in UNACCEPTED):
            self._latencies = noted(self._latencies, model, self.clock.now, self.clock.now - sent_at)

    def _accepted(self, sent_at: float, model: str) -> None:
        gate = self._judge.succeeded(self.gate, self.miner.limits, sent_at, self.clock.now, self.account.hidden.published)
        self.gate = replace(gate, cooling=cooling.warmed(gate.cooling, model))

    def _unheard(self, lease: float | None, model: str, reply: Reply | None) -> None:
        gate = self._judge.released(self.gate, lease)
        if reply is not None and reply.said in (Said.CAPACITY, Said.MODEL):
            gate = replace(gate, cooling=cooling.cooled(gate.cooling, model, self.clock.now, self._dice.random()))
        self.gate = gate

    def _refused(self, asking: Asking, sent_at: float, reply: Reply) -> None:
        now, before = self.clock.now, self.gate
        self.gate = self._judge.refused(
            before, self.miner.limits, sent_at, now, self._told(reply), REFUSALS[reply.said], self._dice.random()
        )
        asking.done(False)  # noqa: FBT003 - the callback's one argument
        if self.gate is before:
            return
        for waiting in list(self._waiting.values()):
            looks = int((now - waiting.decided_at) / LOOK) + 1
            self.clock.at(waiting.decided_at + looks * LOOK, partial(self._wake, waiting))
        if self.miner.probes:
            self.clock.at(self.gate.paused_until + PROBE_AFTER, self._probe)

    def _told(self, reply: Reply) -> tuple[float, PauseSource] | None:
        """Seconds until the time that the provider told, in the refusal or in its management API, or that its calendar tells."""
        now = self.clock.now
        if reply.reset_at is not None:
            return EPOCH + reply.reset_at - now, PauseSource.PROVIDER
        resets_at = self.account.cap_resets_at() if reply.said is Said.SUBSCRIPTION_CAP and self.miner.admin_key else None
        if resets_at is not None:
            return resets_at - now, PauseSource.PROVIDER
        until, source = wait(REFUSALS[reply.said], "", "", now)
        return None if until is None else (until - now, source)

    def _probe(self) -> None:
        now = self.clock.now
        if now >= EPOCH + self.scenario.horizon or self.gate.state(now) is not State.PROBING or now < self.gate.probe_until:
            return
        self.record.probes += 1
        self._ask(Asking(self._models()[:1], now, now + PROBE_BUDGET, lambda _: None))


def simulate(scenario: Scenario, miner: Miner, seeds: Sequence[int]) -> Measures:
    """The means over one run a seed."""
    return means([Run(scenario, miner, seed).result() for seed in seeds])
