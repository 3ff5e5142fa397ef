"""One run: tasks post their steps, the gate decides, the account answers, all on a virtual clock. Deterministic for a seed."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from heapq import heappop, heappush
from itertools import accumulate
from random import Random
from typing import Protocol

from agents.policy import backoff, costs, latency
from agents.policy import gate as governor
from agents.policy.costs import Caps, Used, allows, day_of
from agents.policy.gate import Decision, Gate, GateState, Limits
from agents.policy.latency import Sample, Samples, recent
from agents.policy.reasons import PauseSource, Reason
from agents.policy.refusals import RefusalClass, wait
from agents.policy.routing import Candidate, Reach, Tries, budget, retry_pause
from agents.simulation.provider import Reply, ReplyKind, World, account_dice, answer_request, banned_now
from agents.simulation.scenario import MODELS, Change, Fault, Scenario, merged
from agents.worker import watchdog

# A fixed Monday, 00:00 UTC: days and 4-hour windows start with the scenario.
EPOCH = 1_798_416_000.0
# A task's next step comes this long after the answer to the one before it.
NEXT_STEP = 2.0
# After this long a task is over for its validator: its remaining steps never come.
TASK_SECONDS = 180.0
# A waiting step checks the gate this often; the worker checks this often whether a pause has ended without a step.
CHECK_EVERY, CANARY = 0.2, watchdog.Limits().canary_every
# As in the probing job: how long it waits for an answer, and how long it waits after an answer without information, in seconds.
PROBE_BUDGET, PROBE_AGAIN = 25.0, 60.0
# A waiting process wakes late, on average this many seconds for each unit of the load average, on two cores: at 12 some six in a hundred
# slots of 100 ms are missed. Measured there: a process that does nothing else 0.5 ms a unit, one with eight busy threads 15 ms.
LATE_A_LOAD = 0.003
# What a request costs here: the provider's tokens are not simulated. 2,000 tokens of page and prompt and 150 of a reply.
USD_A_REQUEST = costs.of_tokens(None, 2_000, 150)
USABLE = frozenset({None, Fault.SLOW})
UNACCEPTED = frozenset({Fault.HTTP500, Fault.HTTP502, Fault.HTTP503, Fault.RESET, Fault.HANG})
REFUSALS = {kind: RefusalClass(kind.value) for kind in (ReplyKind.EDGE, ReplyKind.AUTH, ReplyKind.DAILY_QUOTA, ReplyKind.SUBSCRIPTION_CAP)}


@dataclass(frozen=True, slots=True)
class Miner:
    """`admin_key`: whether it can read when a cap is reset. `probes`: whether a job probes when a pause ends. `caps`: of a UTC day.

    `load`: the machine's load average; at 0 every step wakes at its slot.
    """

    limits: Limits = field(default_factory=Limits)
    deadline: float = 25.0
    models: tuple[str, ...] = MODELS
    admin_key: bool = True
    probes: bool = True
    caps: Caps = field(default_factory=Caps)
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class Answered:
    posted_at: float
    answered_at: float
    in_time: bool
    by_llm: bool


@dataclass(slots=True)
class Record:
    """One run, in the order of its times. `blocks`: when the account was shut: from, and until when it would have been without requests.

    `longest_ban`: of all bans, as a multiple of its length at the first refusal: what was added later was caused by our own requests.
    """

    answers: list[Answered] = field(default_factory=list)
    edge_429: int = 0
    in_ban: int = 0
    wasted: int = 0
    blocks: dict[float, float] = field(default_factory=dict)
    successes: list[float] = field(default_factory=list)
    ended_at: float = 0.0
    longest_ban: float = 0.0
    missed: int = 0

    def count(self, reply: Reply) -> None:
        self.edge_429 += reply.kind is ReplyKind.EDGE
        self.in_ban += reply.in_ban
        self.wasted += reply.kind in REFUSALS and reply.kind is not ReplyKind.EDGE


@dataclass(frozen=True, slots=True)
class Measures:
    """Counts, and seconds for `p50` and `p95` of all answers. `resume_minutes` is None where the account was never shut.

    `missed`: slots for which a step woke too late.
    """

    steps: float
    in_time: float
    llm: float
    edge_429: float
    in_ban: float
    wasted: float
    resume_minutes: float | None
    p50: float
    p95: float
    missed: float = 0.0


def means(records: Sequence[Record]) -> Measures:
    def mean(values: Sequence[float]) -> float:
        return round(sum(values) / len(values), 2)

    waits = [wait / 60 for record in records for wait in resumes(record)]
    seconds = [sorted(answer.answered_at - answer.posted_at for answer in record.answers) or [0.0] for record in records]
    p50, p95 = (mean([some[min(len(some) - 1, int(part * len(some)))] for some in seconds]) for part in (0.5, 0.95))
    return Measures(
        steps=mean([len(record.answers) for record in records]),
        in_time=mean([sum(answer.in_time for answer in record.answers) for record in records]),
        llm=mean([sum(answer.by_llm for answer in record.answers) for record in records]),
        edge_429=mean([record.edge_429 for record in records]),
        in_ban=mean([record.in_ban for record in records]),
        wasted=mean([record.wasted for record in records]),
        resume_minutes=mean(waits) if waits else None,
        p50=p50,
        p95=p95,
        missed=mean([record.missed for record in records]),
    )


def resumes(record: Record) -> list[float]:
    """For each block: seconds from its end, with a step waiting, to the next LLM answer (or the end of the run)."""
    first_posted = list(accumulate((answer.posted_at for answer in reversed(record.answers)), min))[::-1]
    waits = []
    for until in record.blocks.values():
        place = bisect_left(record.answers, until, key=lambda answer: answer.answered_at)
        if place < len(record.answers):
            start = max(until, first_posted[place])
            back = bisect_left(record.successes, start)
            waits.append((record.successes[back] if back < len(record.successes) else max(start, record.ended_at)) - start)
    return waits


class Clock:
    """`now` moves from one event to the next. Of two events at the same time the one planned first runs first."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._planned: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, time: float, event: Callable[[], None]) -> None:
        self._count += 1
        heappush(self._planned, (max(time, self.now), self._count, event))

    def run(self) -> None:
        while self._planned:
            self.now, _, event = heappop(self._planned)
            event()


class SimulatedAccount(Protocol):
    @property
    def published(self) -> float | None: ...
    def answer_request(self, model: str) -> Reply: ...


class Account:
    def __init__(self, scenario: Scenario, clock: Clock, epoch: float, record: Record, rng: Random) -> None:
        self.hidden, self.world = scenario.account, World()
        self._clock, self._epoch, self._record, self._rng = clock, epoch, record, rng
        self._shut_at, self._outside, self._shown = None if self.hidden.valid else 0.0, -1.0, (0.0, 0.0)
        for change in scenario.timeline:
            clock.at(epoch + change.at, partial(self._change, change))

    @property
    def published(self) -> float:
        return self.hidden.published

    def answer_request(self, model: str) -> Reply:
        now = self._clock.now - self._epoch
        self.world, reply = answer_request(self.world, self.hidden, model.split(","), now, self._rng)
        self._record.count(reply)
        self._note_ban()
        resets_at = reply.reset_at or reply.cap_reset_at
        if resets_at and self._epoch + resets_at not in self._record.blocks.values():
            self._record.blocks[self._epoch + now] = self._epoch + resets_at
        return reply

    def _change(self, change: Change) -> None:
        self.hidden = merged(self.hidden, change.changes or {})
        if not self.hidden.valid and self._shut_at is None:
            self._shut_at = change.at
        elif self.hidden.valid and self._shut_at is not None:
            self._record.blocks[self._epoch + self._shut_at] = self._epoch + change.at
            self._shut_at = None
        if change.ban is not None:
            self.world, self._outside = banned_now(self.world, change.at, change.ban), change.at
            self._note_ban()

    def _note_ban(self) -> None:
        ban = self.world.edge.ban
        if ban:
            self._record.blocks[self._epoch + ban.began_at] = self._epoch + ban.untouched_until
            # The refusal that starts a ban is no hit; a ban from outside is shown by the first one.
            if ban.hits <= (ban.began_at == self._outside):
                self._shown = self._clock.now - self._epoch, ban.seconds
            since, first = self._shown
            self._record.longest_ban = max(self._record.longest_ban, (ban.until - since) / (first or 1.0))


@dataclass(slots=True, eq=False)
class Sending:
    """A step or a probe on its way through the models. `done` is called at its end with `by_llm`: whether the LLM answered.

    `then`: the samples of the models that come next.
    """

    tries: Tries
    cut_off: float
    done: Callable[..., None]
    model: str = ""
    then: Sequence[Sequence[Sample]] = ()
    decision: Decision | None = None
    decided_at: float = 0.0


class Play:
    """A miner with its gate on a virtual clock. Subclasses set `account` and post steps. Reset times are seconds from `epoch`."""

    account: SimulatedAccount

    def __init__(self, miner: Miner, seed: int, starts_at: float, ends_at: float, epoch: float) -> None:
        self.miner, self.ends_at, self.epoch = miner, ends_at, epoch
        self.record, self.clock, self.gate = Record(), Clock(starts_at), Gate()
        self._dice, self._sleep, self._waiting = Random(f"gate {seed}"), Random(f"sleep {seed}"), dict[int, Sending]()
        self._tries, self._used = Tries((Candidate(0, miner.models),)), dict[date, int]()
        self._latencies: Samples = {}
        self._is_checking, self._probed_at = False, 0.0

    def result(self) -> Record:
        self.clock.run()
        self.record.ended_at = self.ends_at
        return self.record

    def post(self, timeout: float | None, then: Callable[[], None]) -> None:
        posted_at = self.clock.now
        time = budget(timeout or self.miner.deadline, posted_at)
        self._attempt(Sending(self._tries, time.cut_off, partial(self.answer, posted_at, time.deadline, then)))

    def answer(self, posted_at: float, deadline: float, then: Callable[[], None], *, by_llm: bool) -> None:
        self.record.answers.append(Answered(posted_at, self.clock.now, self.clock.now <= deadline, by_llm))
        then()

    def _attempt(self, sending: Sending) -> None:
        now, limits = self.clock.now, self.miner.limits
        today = self._used.get(day_of(now), 0)
        if not allows(self.miner.caps, Used(today, today * USD_A_REQUEST), USD_A_REQUEST):
            sending.done(by_llm=False)
            return
        models = latency.ordered(self._latencies, sending.tries.candidates[0].models, now, sending.cut_off - now)
        ready = backoff.ready(self.gate.cooldowns, models, now)
        sending.model, sending.then = ready[0], [self._samples(model) for model in ready[1:]]
        decision, self.gate = governor.decide(self.gate, limits, now, sending.cut_off, latency.expected(self._samples(sending.model)))
        if decision.may_wait:
            self.clock.at(max(now, self.gate.paused_until) + CHECK_EVERY, partial(self._attempt, sending))
            return
        if decision.slot is None:
            sending.done(by_llm=False)
            return
        sending.decision, sending.decided_at = decision, now
        self._used[day_of(now)] = today + 1
        self._waiting[id(sending)] = sending
        late = self._sleep.expovariate(1 / (LATE_A_LOAD * self.miner.load)) if self.miner.load else 0.0
        self.clock.at(governor.earliest(self.gate, limits, decision) + late, partial(self._wake, sending))

    def _samples(self, model: str) -> Sequence[Sample]:
        return recent(self._latencies, model, self.clock.now)

    def _wake(self, sending: Sending) -> None:
        if id(sending) not in self._waiting:
            return
        now, decision = self.clock.now, sending.decision
        assert decision is not None
        obstacle = governor.hold(self.gate, self.miner.limits, decision, sending.decided_at, now)
        if obstacle is None and now < (decision.slot or 0.0):
            return
        del self._waiting[id(sending)]
        if obstacle:
            self.gate = governor.released(self.gate, decision.lease)
            self._used[day_of(sending.decided_at)] -= 1
            self.record.missed += obstacle is Reason.MISSED
            self._attempt(sending)
            return
        reply, wait = self.account.answer_request(sending.model), (decision.slot or 0.0) - sending.decided_at
        longest = latency.limit(self._samples(sending.model), sending.then, sending.cut_off - now, wait)
        self.clock.at(now + min(reply.seconds, longest), partial(self._end, sending, now, None if reply.seconds > longest else reply))

    def _end(self, sending: Sending, sent_at: float, reply: Reply | None) -> None:
        """`reply` None: it was cut off."""
        assert sending.decision is not None
        now, is_answered = self.clock.now, reply is not None and reply.kind is ReplyKind.ANSWERED
        is_accepted = reply is not None and is_answered and reply.fault not in UNACCEPTED
        if reply is None or is_answered:
            is_usable = None if reply is None else reply.fault in USABLE
            self._latencies = latency.noted(self._latencies, sending.model, now, now - sent_at, is_usable)
        if reply is not None and reply.kind in REFUSALS:
            self._refused(sending, sent_at, reply)
            return
        if reply is not None and is_accepted:
            gate = governor.succeeded(self.gate, self.miner.limits, sent_at, now, self.account.published, reply.used)
            self.gate = replace(gate, cooldowns=backoff.warmed(gate.cooldowns, sending.model))
            if reply.fault in USABLE:
                self.record.successes.append(now)
                sending.done(by_llm=True)
                return
        else:
            lease, is_refused = sending.decision.lease, reply is not None and reply.kind in (ReplyKind.CAPACITY, ReplyKind.MODEL)
            self.gate = governor.released(self.gate, lease) if is_refused else governor.failed(self.gate, lease, now)
            if is_refused:
                cooldowns = backoff.cooled(self.gate.cooldowns, sending.model, now, self._dice.random())
                self.gate = replace(self.gate, cooldowns=cooldowns)
        self._try_next(sending, may_retry=reply is None or is_answered)

    def _try_next(self, sending: Sending, *, may_retry: bool) -> None:
        sending.tries = sending.tries.after(0, sending.model, Reach.MODEL, may_retry=may_retry)
        if not sending.tries.candidates:
            sending.done(by_llm=False)
        elif sending.tries.is_retry:
            self.clock.at(self.clock.now + retry_pause(self._dice.random()), partial(self._attempt, sending))
        else:
            self._attempt(sending)

    def _refused(self, sending: Sending, sent_at: float, reply: Reply) -> None:
        now, before = self.clock.now, self.gate
        jitter, kind = self._dice.random(), REFUSALS[reply.kind]
        self.gate = governor.refused(before, self.miner.limits, sent_at, now, self._stated(reply), kind, jitter)
        sending.done(by_llm=False)
        if self.gate is before:
            return
        for waiting in list(self._waiting.values()):
            checks = int((now - waiting.decided_at) / CHECK_EVERY) + 1
            self.clock.at(waiting.decided_at + checks * CHECK_EVERY, partial(self._wake, waiting))
        if self.miner.probes and not self._is_checking:
            self._check_gate_later()

    def _stated(self, reply: Reply) -> tuple[float, PauseSource] | None:
        now, kind = self.clock.now, REFUSALS[reply.kind]
        resets_at = reply.cap_reset_at if reply.reset_at is None and self.miner.admin_key else reply.reset_at
        if resets_at is not None:
            return self.epoch + resets_at - now, PauseSource.PROVIDER
        until, source = wait(kind, "", "", now)
        return None if until is None else (until - now, source)

    def _check_gate_later(self) -> None:
        self._is_checking = True
        self.clock.at(self.clock.now + CANARY - (self.clock.now - self.epoch) % CANARY, self._check_gate)

    def _check_gate(self) -> None:
        self._is_checking = False
        now, state = self.clock.now, self.gate.state(self.clock.now)
        if now >= self.ends_at or state is GateState.OPEN:
            return
        self._check_gate_later()
        since = max(self.gate.paused_until, now - PROBE_AGAIN)
        if state is GateState.PROBING and now >= self.gate.probe_until and self._probed_at < since:
            self._probed_at = now
            # A probe is one request without a retry, as a step's last try.
            models = latency.ordered(self._latencies, self.miner.models, now)
            last = Tries((Candidate(0, backoff.ready(self.gate.cooldowns, models, now)[:1]),), tried=1)
            self._attempt(Sending(last, now + PROBE_BUDGET, lambda by_llm: None))


class Run(Play):
    """A scenario under a miner's settings. Another `luck`: the same load and account, other jitter of pauses."""

    account: Account

    def __init__(self, scenario: Scenario, miner: Miner, seed: int, luck: int | None = None) -> None:
        if miner.caps == Caps():
            miner = replace(miner, caps=scenario.caps)
        super().__init__(miner, seed if luck is None else luck, EPOCH, EPOCH + scenario.horizon, EPOCH)
        self.account = Account(scenario, self.clock, EPOCH, self.record, account_dice(seed))
        for at in scenario.load.arrivals(scenario.horizon, load_dice(seed)):
            over = min(EPOCH + at + TASK_SECONDS, self.ends_at)
            self.clock.at(EPOCH + at, partial(self._step, scenario.load.steps, over))

    def _step(self, left: int, over: float) -> None:
        if left and self.clock.now < over:
            self.post(None, lambda: self.clock.at(self.clock.now + NEXT_STEP, partial(self._step, left - 1, over)))


def load_dice(seed: int) -> Random:
    """For the times of the tasks: the same load sent for real has the same times."""
    return Random(f"load {seed}")


def simulate(scenario: Scenario, miner: Miner, seeds: Sequence[int]) -> Measures:
    return means([Run(scenario, miner, seed).result() for seed in seeds])
