"""One run: tasks post their steps, the gate decides, the account answers, all on a virtual clock. Deterministic for a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Protocol

from agents import cooling, governor, watchdog
from agents.governor import Decision, Gate, Limits, State
from agents.hybrid import LONGEST_DEADLINE, MARGIN, Candidate, Reach, Tries, retry_pause
from agents.latency import Samples, expected, noted
from agents.reasons import PauseSource, Reason
from agents.refusals import RefusalClass, wait
from agents.simulation.account import Account
from agents.simulation.clock import Clock
from agents.simulation.measures import Answered, Measures, Record, means
from agents.simulation.settings import Miner
from agents.standin.faults import Fault
from agents.standin.provider import Reply, Said, account_dice
from agents.standin.scenario import Scenario

# A fixed Monday, 00:00 UTC: days and 4-hour windows start with the scenario.
EPOCH = 1_798_416_000.0
# A task's next step comes this long after the answer to the one before it.
NEXT_STEP = 2.0
# A waiting step looks at the gate this often; the worker's canary looks this often whether a pause has ended without a step.
LOOK, CANARY = 0.2, watchdog.Limits().canary_every
# As the probing job has them: how long it waits for its answer, and before it sends another one where that said nothing.
PROBE_BUDGET, PROBE_AGAIN = 25.0, 60.0
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


class Asked(Protocol):
    """The account that a run asks. `published`: the limit a minute that its successes tell of, None where they tell of none."""

    @property
    def published(self) -> float | None: ...
    def ask(self, model: str) -> Reply: ...
    def cap_resets_at(self) -> float | None: ...


@dataclass(slots=True, eq=False)
class Asking:
    """One step, or one probe, on its way through the models. `done` is told when it ends and whether the LLM answered."""

    tries: Tries
    cut_off: float
    done: Callable[[bool], None]
    model: str = ""
    decision: Decision | None = None
    decided_at: float = 0.0
    is_waiting: bool = False


class Play:
    """A miner with its gate on a virtual clock, from `starts_at` to `ends_at`. Who plays it sets `account` and posts the steps.

    Times that the account tells are seconds from `epoch`.
    """

    account: Asked
    judge: Judge = governor

    def __init__(self, miner: Miner, seed: int, starts_at: float, ends_at: float, epoch: float) -> None:
        self.miner, self.ends_at, self.epoch = miner, ends_at, epoch
        self.record, self.clock, self.gate = Record(), Clock(starts_at), Gate()
        self._dice, self._waiting = Random(f"gate {seed}"), dict[int, Asking]()
        self._latencies: Samples = {}
        self._looks, self._probed_at = False, 0.0

    def result(self) -> Record:
        """Runs to the end."""
        self.clock.run()
        self.record.ended_at = self.ends_at
        return self.record

    def post(self, timeout: float | None, then: Callable[[], None]) -> None:
        """A step comes, with its caller's own `timeout` where it has one; `then` is told once it is answered."""
        posted_at, seconds = self.clock.now, min(timeout or self.miner.deadline, LONGEST_DEADLINE)
        cut_off = posted_at + seconds - min(MARGIN, seconds / 2)
        self._ask(Asking(self._tries(), cut_off, partial(self.answer, posted_at, seconds, then)))

    def answer(self, posted_at: float, seconds: float, then: Callable[[], None], by_llm: bool) -> None:
        """A step is answered, of which the answer was due in `seconds`."""
        now = self.clock.now
        self.record.answers.append(Answered(posted_at, now, now <= posted_at + seconds, by_llm))
        then()

    def _tries(self) -> Tries:
        return Tries((Candidate(0, self.miner.models),))

    def _ask(self, asking: Asking) -> None:
        now = self.clock.now
        asking.model = cooling.ready(self.gate.cooling, asking.tries.candidates[0].models, now)[0]
        latency = expected(self._latencies, asking.model, now)
        decision, gate = self.judge.decide(self.gate, self.miner.limits, now, asking.cut_off, latency)
        self.gate = gate
        if decision.slot is None:
            asking.done(False)  # noqa: FBT003 - the callback's one argument
            return
        asking.decision, asking.decided_at, asking.is_waiting = decision, now, True
        self._waiting[id(asking)] = asking
        self.clock.at(self.judge.earliest(gate, self.miner.limits, decision), partial(self._wake, asking))

    def _wake(self, asking: Asking) -> None:
        """The slot has come, or the gate has changed meanwhile."""
        if not asking.is_waiting:
            return
        assert asking.decision is not None
        obstacle = self.judge.hold(self.gate, self.miner.limits, asking.decision, asking.decided_at, self.clock.now)
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
        self.gate = self.judge.released(self.gate, asking.decision.lease)
        asking.done(False)  # noqa: FBT003 - the callback's one argument

    def _send(self, asking: Asking) -> None:
        sent_at = self.clock.now
        reply = self.account.ask(asking.model)
        ends_at = min(sent_at + reply.seconds, asking.cut_off)
        is_cut_off = sent_at + reply.seconds > asking.cut_off
        self.clock.at(ends_at, partial(self._end, asking, sent_at, None if is_cut_off else reply))

    def _end(self, asking: Asking, sent_at: float, reply: Reply | None) -> None:
        assert asking.decision is not None
        self._note_latency(asking.model, sent_at, reply)
        if reply is not None and reply.said in REFUSALS:
            self._refused(asking, sent_at, reply)
            return
        if reply is not None and reply.said is Said.ANSWERED and reply.fault not in UNACCEPTED:
            self._accepted(sent_at, asking.model)
            if reply.fault in (None, Fault.SLOW):
                self.record.successes.append(self.clock.now)
                asking.done(True)  # noqa: FBT003 - the callback's one argument
                return
        else:
            self._unheard(asking.decision.lease, asking.model, reply)
        self._go_on(asking, may_retry=reply is None or reply.said is Said.ANSWERED)

    def _go_on(self, asking: Asking, *, may_retry: bool) -> None:
        """The attempt brought nothing: another model, or the one retry of a single model, where time is left."""
        asking.tries = asking.tries.after(0, asking.model, Reach.MODEL, may_retry=may_retry)
        if not asking.tries.candidates:
            asking.done(False)  # noqa: FBT003 - the callback's one argument
        elif asking.tries.is_retry:
            self.clock.at(self.clock.now + retry_pause(self._dice.random()), partial(self._ask, asking))
        else:
            self._ask(asking)

    def _note_latency(self, model: str, sent_at: float, reply: Reply | None) -> None:
        """What an answer took, or how long one was waited for in vain."""
        if reply is None or (reply.said is Said.ANSWERED and reply.fault not in UNACCEPTED):
            self._latencies = noted(self._latencies, model, self.clock.now, self.clock.now - sent_at)

    def _accepted(self, sent_at: float, model: str) -> None:
        gate = self.judge.succeeded(self.gate, self.miner.limits, sent_at, self.clock.now, self.account.published)
        self.gate = replace(gate, cooling=cooling.warmed(gate.cooling, model))

    def _unheard(self, lease: float | None, model: str, reply: Reply | None) -> None:
        gate = self.judge.released(self.gate, lease)
        if reply is not None and reply.said in (Said.CAPACITY, Said.MODEL):
            gate = replace(gate, cooling=cooling.cooled(gate.cooling, model, self.clock.now, self._dice.random()))
        self.gate = gate

    def _refused(self, asking: Asking, sent_at: float, reply: Reply) -> None:
        now, before = self.clock.now, self.gate
        dice, kind = self._dice.random(), REFUSALS[reply.said]
        self.gate = self.judge.refused(before, self.miner.limits, sent_at, now, self._told(reply), kind, dice)
        asking.done(False)  # noqa: FBT003 - the callback's one argument
        if self.gate is before:
            return
        for waiting in list(self._waiting.values()):
            looks = int((now - waiting.decided_at) / LOOK) + 1
            self.clock.at(waiting.decided_at + looks * LOOK, partial(self._wake, waiting))
        if self.miner.probes and not self._looks:
            self._look_later()

    def _told(self, reply: Reply) -> tuple[float, PauseSource] | None:
        """Seconds until the time that the provider told, in the refusal or in its management API, or that its calendar tells."""
        now = self.clock.now
        if reply.reset_at is not None:
            return self.epoch + reply.reset_at - now, PauseSource.PROVIDER
        resets_at = self.account.cap_resets_at() if reply.said is Said.SUBSCRIPTION_CAP and self.miner.admin_key else None
        if resets_at is not None:
            return resets_at - now, PauseSource.PROVIDER
        until, source = wait(REFUSALS[reply.said], "", "", now)
        return None if until is None else (until - now, source)

    def _look_later(self) -> None:
        self._looks = True
        self.clock.at(self.clock.now + CANARY - (self.clock.now - self.epoch) % CANARY, self._look)

    def _look(self) -> None:
        """The worker's look at a gate that is shut, until it opens."""
        self._looks = False
        now = self.clock.now
        if now >= self.ends_at or self.gate.state(now) is State.OPEN:
            return
        self._look_later()
        since = max(self.gate.paused_until, now - PROBE_AGAIN)
        if self.gate.state(now) is State.PROBING and now >= self.gate.probe_until and self._probed_at < since:
            self._probe(now)

    def _probe(self, now: float) -> None:
        self.record.probes += 1
        self._probed_at = now
        # A probe is one request: as with a step's last try, nothing comes after it.
        self._ask(Asking(replace(self._tries(), is_retry=True), now + PROBE_BUDGET, lambda _: None))


class Run(Play):
    """One seed of one scenario under one miner's settings. Another `luck`: the same load and account, other stretches of pauses."""

    def __init__(self, scenario: Scenario, miner: Miner, seed: int, luck: int | None = None, judge: Judge = governor) -> None:
        super().__init__(miner, seed if luck is None else luck, EPOCH, EPOCH + scenario.horizon, EPOCH)
        self.judge = judge
        self.account = Account(scenario, self.clock, EPOCH, self.record, account_dice(seed))
        for at in scenario.load.arrivals(scenario.horizon, load_dice(seed)):
            self.clock.at(EPOCH + at, partial(self._step, scenario.load.steps))

    def _step(self, left: int) -> None:
        if self.clock.now < self.ends_at:
            self.post(None, partial(self._next, left - 1))

    def _next(self, left: int) -> None:
        if left:
            self.clock.at(self.clock.now + NEXT_STEP, partial(self._step, left))


def load_dice(seed: int) -> Random:
    """What the times of the tasks are drawn with. Who plays the same load for real draws the same times."""
    return Random(f"load {seed}")


def simulate(scenario: Scenario, miner: Miner, seeds: Sequence[int]) -> Measures:
    """The means over one run a seed."""
    return means([Run(scenario, miner, seed).result() for seed in seeds])
