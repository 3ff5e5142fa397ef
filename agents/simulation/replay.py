"""The last hours replayed under other settings: the same gate on a virtual clock, the steps as they arrived, the account as recorded.

The records show two kinds of refusals by the account's edge: blocks from outside, and limits that our own pace exceeded. A refusal is of
the second kind where more had been sent within 2 s, 10 s or a minute than the account accepted just before or just after the block.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from math import inf
from random import Random

from agents.policy.belief import MINUTE, USUAL
from agents.policy.reasons import PauseSource
from agents.policy.refusals import RefusalClass
from agents.simulation.past import Chain, Outcome, Past, Sent
from agents.simulation.provider import Reply, ReplyKind, drawn_latency
from agents.simulation.run import REFUSALS, Clock, Measures, Miner, Play, Record, means
from agents.simulation.scenario import Fault, Latency

# Over which accepted requests are counted, in seconds: bursts and a minute's limit.
HORIZONS = (2.0, 10.0, MINUTE)
# How far around a block requests are evidence on the limit, in seconds: a provider's limits change over hours.
NEAR = 3600.0
# And only up to the second block before and after it: the one just before may have ended a moment ago.
FAR = 2
# With these sources the provider itself states when the account may be used again.
STATED = frozenset({PauseSource.PROVIDER, PauseSource.SUBSCRIPTION})
TIMED = frozenset({RefusalClass.DAILY_QUOTA, RefusalClass.FREE_DAILY, RefusalClass.SUBSCRIPTION_CAP})


@dataclass(frozen=True, slots=True)
class Block:
    """Shut from `start` until `until` (inf: to the end); the next request was accepted at `back_at`. `stated_until`: by the provider."""

    kind: RefusalClass
    start: float
    back_at: float
    until: float
    stated_until: float | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """A block at `at` that our own pace caused: the edge had accepted `most` requests within `horizon` seconds, and no more.

    That held from `since` to `until`. `ban`: how long the account was shut.
    """

    at: float
    horizon: float
    most: int
    ban: float
    since: float = -inf
    until: float = inf


@dataclass(frozen=True, slots=True)
class Evidence:
    """Blocks that stay where they were, and violations by horizon, each by time. No block begins before the one before it is over.

    `proven`: most requests in a minute that the account accepted; `untouched`: its assumed limit where no violation shows a lower one.
    `answers`: the requests for steps that the edge accepted, by model; those of all models by "".
    """

    blocks: tuple[Block, ...]
    violations: dict[float, tuple[Violation, ...]]
    proven: int
    untouched: float
    answers: dict[str, list[Sent]]

    def limit(self, horizon: float, now: float) -> float:
        """Most requests within `horizon` seconds at `now`, by the nearest violation that holds then."""
        some = self.violations.get(horizon, ())
        place = bisect_right(some, now, key=lambda violation: violation.at)
        near = [violation for violation in some[max(0, place - 1) : place + 1] if violation.since < now < violation.until]
        if near:
            return float(min(near, key=lambda violation: abs(violation.at - now)).most)
        return self.untouched if horizon == MINUTE else inf

    def ban(self, now: float) -> float:
        """Seconds of the ban that follows a violation at `now`: as after the nearest one on record."""
        nearest = min(self.all_violations, key=lambda violation: abs(violation.at - now), default=None)
        return nearest.ban if nearest else MINUTE

    def shut(self, now: float) -> Block | None:
        place = bisect_right(self.blocks, now, key=lambda block: block.start)
        return self.blocks[place - 1] if place and now < self.blocks[place - 1].until else None

    @property
    def all_violations(self) -> list[Violation]:
        return [violation for some in self.violations.values() for violation in some]


def evidence(past: Past) -> Evidence:
    blocks = _blocks_of(past.sent)
    passed = [sent.at for sent in past.sent if sent.outcome is not Outcome.REFUSED]
    levels = {horizon: _levels(passed, horizon) for horizon in HORIZONS}
    edge = [block for block in blocks if block.kind is RefusalClass.EDGE]
    own: dict[float, list[Violation]] = {horizon: [] for horizon in HORIZONS}
    for place, block in enumerate(edge):
        since = max(block.start - NEAR, edge[place - FAR].back_at if place >= FAR else -inf)
        until = min(block.back_at + NEAR, edge[place + FAR].start if place + FAR < len(edge) else inf)
        violation = _violation(block, passed, levels, since, until)
        if violation:
            own[violation.horizon].append(violation)
            blocks.remove(block)
    answers = {"": [sent for sent in past.sent if sent.for_step and sent.outcome is not Outcome.REFUSED]}
    for sent in answers[""]:
        answers.setdefault(sent.model, []).append(sent)
    violations = {horizon: _reaching(some, passed, levels[horizon]) for horizon, some in own.items()}
    proven = max(levels[MINUTE], default=0)
    return Evidence(tuple(blocks), violations, proven, max(float(proven), past.published or USUAL), answers)


def _blocks_of(requests: Sequence[Sent]) -> list[Block]:
    """Refusals belong to one block until a request is accepted that was sent after the first refusal's answer."""
    blocks, group = list[Block](), list[Sent]()
    for sent in requests:
        if sent.outcome is Outcome.REFUSED:
            if group and sent.kind is not group[0].kind:
                blocks.append(_block(group, sent.at))
                group = []
            group.append(sent)
        elif group and sent.at > group[0].at + group[0].seconds:
            blocks.append(_block(group, sent.at))
            group = []
    if group:
        blocks.append(_block(group, inf))
    return blocks


def _block(group: Sequence[Sent], back_at: float) -> Block:
    """Until the stated time; without one, until midway between the last refusal and the first accepted request."""
    first, last = group[0], group[-1]
    assert first.kind is not None
    until = (last.at + back_at) / 2
    if first.kind in TIMED and last.stated_until is not None and last.stated_until <= back_at:
        until = last.stated_until
    stated = last.stated_until if last.source in STATED and until == last.stated_until else None
    return Block(first.kind, first.at, back_at, until, stated)


def _levels(passed: Sequence[float], horizon: float) -> list[int]:
    """For each accepted request: how many were accepted within `horizon` seconds, itself included."""
    levels, first = [], 0
    for place, at in enumerate(passed):
        while passed[first] <= at - horizon:
            first += 1
        levels.append(place - first + 1)
    return levels


def _violation(block: Block, passed: Sequence[float], levels: dict[float, list[int]], since: float, until: float) -> Violation | None:
    """The limit that a refusal by the edge shows: of the longest horizon in which the account never accepted as many about that time.

    Where there is none, the limit has changed: of the longest in which it accepted fewer before the block, or fewer after it. None where
    it accepted as many before and after.
    """
    here = bisect_left(passed, block.start)
    before = slice(bisect_left(passed, since), here)
    after = slice(bisect_left(passed, block.back_at), bisect_left(passed, until))
    for worst in (max, min):
        for horizon in reversed(HORIZONS):
            most = here - bisect_right(passed, block.start - horizon, hi=here)
            sides = [max(levels[horizon][side]) for side in (before, after) if levels[horizon][side]]
            if most and (not sides or worst(sides) <= most):
                return Violation(block.start, horizon, most, block.until - block.start)
    return None


def _reaching(some: Sequence[Violation], passed: Sequence[float], levels: Sequence[int]) -> tuple[Violation, ...]:
    """Each violation with the time in which its limit held: on either side up to midway to a request that contradicts it."""
    reaching = []
    for place, violation in enumerate(some):
        here = bisect_left(passed, violation.at)
        first = bisect_left(passed, some[place - 1].at) if place else 0
        last = bisect_left(passed, some[place + 1].at) if place + 1 < len(some) else len(passed)
        since = next((passed[at] for at in range(here - 1, first - 1, -1) if levels[at] > violation.most), -inf)
        until = next((passed[at] for at in range(here, last) if levels[at] > violation.most), inf)
        reaching.append(replace(violation, since=(since + violation.at) / 2, until=(violation.at + until) / 2))
    return tuple(reaching)


# An answer is drawn from this many about the same time: enough for the outcomes' shares, few enough to follow changes within an hour.
DRAWN_FROM = 30
# How often in a run its progress is reported.
PROGRESS_STEPS = 50
REPLY_KINDS = {refusal: kind for kind, refusal in REFUSALS.items()}
REPLY_KINDS |= {RefusalClass.PAYMENT: ReplyKind.AUTH, RefusalClass.FREE_DAILY: ReplyKind.DAILY_QUOTA}
FAULTS = {Outcome.INVALID: Fault.EMPTY, Outcome.FAILED: Fault.HTTP500, Outcome.CUT_OFF: Fault.HANG}
MODEL_KINDS = {Outcome.CAPACITY: ReplyKind.CAPACITY, Outcome.MODEL: ReplyKind.MODEL}
REFUSAL_SECONDS = Latency().refusal

Progress = Callable[[float], None]


class PastAccount:
    """The account as the records show it: blocks when they were, limits when they were reached, answers as recorded."""

    def __init__(self, past: Past, shown: Evidence, clock: Clock, record: Record, rng: Random) -> None:
        self.published = past.published or None
        self._shown, self._clock, self._record, self._rng = shown, clock, record, rng
        self._accepted, self._banned_until = list[float](), 0.0
        for block in shown.blocks:
            record.blocks[block.start] = block.until

    def answer_request(self, model: str) -> Reply:
        now = self._clock.now
        reply = self._refusal(now)
        if reply is None:
            self._accepted.append(now)
            reply = self._answer(model, now)
        self._record.count(reply)
        return reply

    def _refusal(self, now: float) -> Reply | None:
        if now < self._banned_until:
            return Reply(ReplyKind.EDGE, REFUSAL_SECONDS, in_ban=True)
        if block := self._shown.shut(now):
            kind = REPLY_KINDS[block.kind]
            return Reply(kind, REFUSAL_SECONDS, in_ban=kind is ReplyKind.EDGE, reset_at=block.stated_until)
        for horizon in HORIZONS:
            within = len(self._accepted) - bisect_right(self._accepted, now - horizon)
            if within >= self._shown.limit(horizon, now):
                self._banned_until = now + self._shown.ban(now)
                self._record.blocks[now] = self._banned_until
                return Reply(ReplyKind.EDGE, REFUSAL_SECONDS)
        return None

    def _answer(self, model: str, now: float) -> Reply:
        """One of the outcomes nearest in time. For a model without requests, one of all models'."""
        some = self._shown.answers.get(model) or self._shown.answers[""]
        if not some:
            return Reply(ReplyKind.ANSWERED, drawn_latency(Latency(), self._rng), model)
        place = bisect_left(some, now, key=lambda sent: sent.at)
        first = max(0, min(place - DRAWN_FROM // 2, len(some) - DRAWN_FROM))
        sent = some[self._rng.randrange(first, min(first + DRAWN_FROM, len(some)))]
        seconds = inf if sent.outcome is Outcome.CUT_OFF else sent.seconds
        return Reply(MODEL_KINDS.get(sent.outcome, ReplyKind.ANSWERED), seconds, model, FAULTS.get(sent.outcome))


class Replay(Play):
    def __init__(self, past: Past, shown: Evidence, miner: Miner, seed: int, progress: Progress | None = None) -> None:
        super().__init__(miner, seed, past.starts_at, past.ends_at, epoch=0.0)
        self.account = PastAccount(past, shown, self.clock, self.record, Random(f"account {seed}"))
        for chain in past.chains:
            self.clock.at(chain.at, partial(self._arrive, chain, 0))
        if progress:
            for part in range(1, PROGRESS_STEPS):
                done = part / PROGRESS_STEPS
                self.clock.at(past.starts_at + done * (past.ends_at - past.starts_at), partial(progress, done))

    def _arrive(self, chain: Chain, place: int) -> None:
        step, then = chain.steps[place], partial(self._next, chain, place + 1)
        if step.tries_llm:
            self.post(step.timeout, then)
        else:
            self.answer(self.clock.now, self.clock.now, then, by_llm=False)

    def _next(self, chain: Chain, place: int) -> None:
        if place < len(chain.steps):
            self.clock.at(self.clock.now + chain.steps[place].gap, partial(self._arrive, chain, place))


def replayed(past: Past, miner: Miner, seeds: Sequence[int], progress: Progress | None = None) -> Measures:
    """The means over one run a seed. `progress` is called with the share that is done, from 0 to 1."""
    shown = evidence(past)

    def record(place: int, seed: int) -> Record:
        part = (lambda done: progress((place + done) / len(seeds))) if progress else None
        return Replay(past, shown, miner, seed, part).result()

    return means([record(place, seed) for place, seed in enumerate(seeds)])


ALWAYS = (
    "The gate starts without what it had learned before this time.",
    "Deadlines that a caller set stay; where a step's deadline came from the settings, the tried setting applies.",
    "A step that waited for the answer to the one before it arrives as long after that answer as it did; others arrive when they did.",
    "Requests that were cut off stay without an answer under any deadline. The template agent answers at once.",
)


def assumptions(past: Past) -> list[str]:
    shown = evidence(past)
    return [_met(shown), _taken(past, shown), *_blocks(shown), *_answers(past, shown)]


def _met(shown: Evidence) -> str:
    if not shown.all_violations:
        return "The account's limit was never reached in this time."
    places = []
    for horizon, some in shown.violations.items():
        if some:
            least, most = (choose(violation.most for violation in some) for choose in (min, max))
            count = f"{least}" if least == most else f"{least} to {most}"
            places.append(f"{count} requests in {'a minute' if horizon == MINUTE else f'{horizon:.0f} s'}")
    return (
        f"Our own pace reached the account's limit {_times(len(shown.all_violations))}, at {' and '.join(places)}. About those times that "
        "is its limit, and reaching it causes a block as long as the nearest one on record; a provider may block for longer."
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _taken(past: Past, shown: Evidence) -> str:
    limit, source = (past.published, "the limit that the provider publishes") if past.published else (USUAL, "the provider's usual limit")
    taken = f"It accepted up to {shown.proven} requests in a minute" if shown.proven else "It accepted no request"
    taken += f"; {'elsewhere' if shown.all_violations else 'here'} it is assumed to accept"
    if shown.proven < limit:
        return f"{taken} {limit:.0f}, {source}. That is not proven."
    return f"{taken} that many and no more, though its limit may be higher."


def _blocks(shown: Evidence) -> Iterator[str]:
    for kind in RefusalClass:
        starts = [block.start for block in shown.blocks if block.kind is kind]
        if starts:
            what = "The edge blocked the account without a cause in our pace" if kind is RefusalClass.EDGE else kind.sentence.rstrip(".")
            first = f"{datetime.fromtimestamp(starts[0], UTC):%-d %b %H:%M} UTC"
            yield f"{what}: {_times(len(starts))}, first {first}. It is so in each simulation, whatever was sent before."
    if shown.blocks or shown.all_violations:
        yield (
            "Where no end of a block or a limit was stated, it is assumed to have ended midway between the last refused request "
            "and the first one that shows otherwise."
        )


def _answers(past: Past, shown: Evidence) -> Iterator[str]:
    if shown.answers[""]:
        yield (
            f"Latencies, failures, unusable replies and full models are drawn from {len(shown.answers['']):,} requests on record: those of "
            "the same model about the same time. For a model without requests, those of all models are used."
        )
    else:
        yield "No request was accepted in this time: answers are assumed to be usable, after 2 to 6 s."
    yield from ALWAYS
    if past.elsewhere:
        yield f"Only the account {past.account} is simulated; {past.elsewhere:,} requests went to other accounts."
    if past.changes:
        yield "Settings were changed within this time; the simulation uses one set of them from beginning to end."
    if past.operator_pauses:
        yield "Pauses by operators are left out."
