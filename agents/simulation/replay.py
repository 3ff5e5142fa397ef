"""The last hours once more, under other settings: the same gate on a virtual clock, the steps as they came, the account as the records
show it. Deterministic for a seed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from agents.refusals import RefusalClass
from agents.simulation.clock import Clock
from agents.simulation.evidence import Evidence, evidence
from agents.simulation.measures import Measures, Record, means
from agents.simulation.past import Chain, Outcome, Past, Sent
from agents.simulation.run import Play
from agents.simulation.settings import Miner
from agents.slots import HORIZONS
from agents.standin.faults import Fault
from agents.standin.hidden import Latency
from agents.standin.provider import Reply, Said, drawn_latency

# An answer is drawn from so many that were given about that time: enough for their shares, few enough to follow the hour.
DRAWN_FROM = 30
# How often in a run its progress is told.
TOLD = 50
SAID = {
    RefusalClass.EDGE: Said.EDGE,
    RefusalClass.AUTH: Said.AUTH,
    RefusalClass.PAYMENT: Said.AUTH,
    RefusalClass.DAILY_QUOTA: Said.DAILY_QUOTA,
    RefusalClass.FREE_DAILY: Said.DAILY_QUOTA,
    RefusalClass.SUBSCRIPTION_CAP: Said.SUBSCRIPTION_CAP,
}
FAULTS = {Outcome.INVALID: Fault.EMPTY, Outcome.FAILED: Fault.HTTP500, Outcome.CUT_OFF: Fault.HANG}
MODEL_SAID = {Outcome.CAPACITY: Said.CAPACITY, Outcome.MODEL: Said.MODEL}
REFUSAL_SECONDS = Latency().refusal

Progress = Callable[[float], None]


class Answers:
    """What models came to at which time. One that was never asked answers as all others did."""

    def __init__(self, sent: Sequence[Sent]) -> None:
        self._all = [each for each in sent if each.for_step and each.outcome is not Outcome.REFUSED]
        self._by_model: dict[str, list[Sent]] = {}
        for each in self._all:
            self._by_model.setdefault(each.model, []).append(each)

    def drawn(self, model: str, now: float, rng: Random) -> Reply:
        """One of the outcomes nearest in time."""
        some = self._by_model.get(model, self._all)
        if not some:
            return Reply(Said.ANSWERED, drawn_latency(Latency(), rng), model)
        place = bisect_left(some, now, key=lambda each: each.at)
        first = max(0, min(place - DRAWN_FROM // 2, len(some) - DRAWN_FROM))
        each = some[rng.randrange(first, min(first + DRAWN_FROM, len(some)))]
        seconds = float("inf") if each.outcome is Outcome.CUT_OFF else each.seconds
        return Reply(MODEL_SAID.get(each.outcome, Said.ANSWERED), seconds, model, FAULTS.get(each.outcome))


class PastAccount:
    """The account as the records show it: blocks where they were, limits where they were met, answers as they came."""

    def __init__(self, past: Past, shown: Evidence, answers: Answers, clock: Clock, record: Record, rng: Random) -> None:
        self.published = past.published or None
        self._shown, self._answers, self._clock, self._record, self._rng = shown, answers, clock, record, rng
        self._accepted, self._banned_until = list[float](), 0.0
        for block in shown.blocks:
            record.blocks[block.start] = block.until

    def cap_resets_at(self) -> float | None:
        """What the provider told of a cap is told with its refusal."""
        return None

    def ask(self, model: str) -> Reply:
        """The reply to one request now. It is counted at once."""
        now = self._clock.now
        reply = self._shut(now) or self._over_limit(now)
        if reply is None:
            self._accepted.append(now)
            return self._answers.drawn(model, now, self._rng)
        self._record.edge_429 += reply.said is Said.EDGE
        self._record.in_ban += reply.in_ban
        self._record.wasted += reply.said is not Said.EDGE
        return reply

    def _shut(self, now: float) -> Reply | None:
        if now < self._banned_until:
            return Reply(Said.EDGE, REFUSAL_SECONDS, in_ban=True)
        block = self._shown.shut(now)
        if block is None:
            return None
        said = SAID[block.kind]
        return Reply(said, REFUSAL_SECONDS, in_ban=said is Said.EDGE, reset_at=block.told_until)

    def _over_limit(self, now: float) -> Reply | None:
        for horizon in HORIZONS:
            within = len(self._accepted) - bisect_right(self._accepted, now - horizon)
            if within >= self._shown.limit(horizon, now):
                self._banned_until = now + self._shown.ban(now)
                self._record.blocks[now] = self._banned_until
                return Reply(Said.EDGE, REFUSAL_SECONDS)
        return None


class Replay(Play):
    """One seed of the past under one miner's settings."""

    def __init__(self, past: Past, shown: Evidence, answers: Answers, miner: Miner, seed: int, heard: Progress | None = None) -> None:
        super().__init__(miner, seed, past.starts_at, past.ends_at, epoch=0.0)
        self.account = PastAccount(past, shown, answers, self.clock, self.record, Random(f"account {seed}"))
        for chain in past.chains:
            self.clock.at(chain.at, partial(self._come, chain, 0))
        if heard:
            for part in range(1, TOLD):
                self.clock.at(past.starts_at + part / TOLD * (past.ends_at - past.starts_at), partial(heard, part / TOLD))

    def _come(self, chain: Chain, place: int) -> None:
        step, then = chain.steps[place], partial(self._next, chain, place + 1)
        if step.asks:
            self.post(step.timeout, then)
        else:
            self.answer(self.clock.now, step.timeout or self.miner.deadline, then, by_llm=False)

    def _next(self, chain: Chain, place: int) -> None:
        if place < len(chain.steps):
            self.clock.at(self.clock.now + chain.steps[place].gap, partial(self._come, chain, place))


def replayed(past: Past, miner: Miner, seeds: Sequence[int], heard: Progress | None = None) -> Measures:
    """The means over one run a seed. `heard` is told how much is done, from 0 to 1, now and then."""
    shown, answers, records = evidence(past), Answers(past.sent), []
    for place, seed in enumerate(seeds):
        part = partial(_part, heard, place, len(seeds)) if heard else None
        records.append(Replay(past, shown, answers, miner, seed, part).result())
    return means(records)


def _part(heard: Progress, place: int, count: int, done: float) -> None:
    heard((place + done) / count)
