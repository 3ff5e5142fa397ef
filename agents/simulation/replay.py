"""The last hours once more, under other settings: the same gate on a virtual clock, the steps as they came, the account as recorded.

What the records show of the account's edge are blocks from outside, and limits that our own pace ran into: a refusal is our own doing
where more had been sent within 2 s, 10 s or a minute than the account took just before or just after the block.
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
from agents.simulation.provider import Reply, Said, drawn_latency
from agents.simulation.run import REFUSALS, Clock, Measures, Miner, Play, Record, means
from agents.simulation.scenario import Fault, Latency

# In which it is counted how much the edge let in, in seconds: bursts and a minute's limit.
HORIZONS = (2.0, 10.0, MINUTE)
# How far around a block requests show what the account takes, in seconds: a provider's limits move with the hours.
NEAR = 3600.0
# And no further than to the second block before and after it: the one just before may have ended a moment ago.
FAR = 2
# With these sources the provider itself states when the account may be used again.
STATED = frozenset({PauseSource.PROVIDER, PauseSource.SUBSCRIPTION})
TIMED = frozenset({RefusalClass.DAILY_QUOTA, RefusalClass.FREE_DAILY, RefusalClass.SUBSCRIPTION_CAP})


@dataclass(frozen=True, slots=True)
class Block:
    """Shut from `start` until `until` (inf: to the end); a request came through at `back_at`. `stated_until`: by the provider."""

    kind: RefusalClass
    start: float
    back_at: float
    until: float
    stated_until: float | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """A block of our own doing at `at`: the edge had let `most` requests in within `horizon` seconds, and not one more.

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

    `proven`: most requests in a minute that the account took; `untouched`: what it is assumed to take where no violation shows less.
    `answers`: the requests for steps that the edge let through, by model, of all with "".
    """

    blocks: tuple[Block, ...]
    violations: dict[float, tuple[Violation, ...]]
    proven: int
    untouched: float
    answers: dict[str, list[Sent]]

    def limit(self, horizon: float, now: float) -> float:
        """Most requests within `horizon` seconds at `now`, by the nearest violation that holds then."""
        some = self.violations.get(horizon, ())
        place = bisect_right(some, now, key=lambda each: each.at)
        near = [each for each in some[max(0, place - 1) : place + 1] if each.since < now < each.until]
        if near:
            return float(min(near, key=lambda each: abs(each.at - now)).most)
        return self.untouched if horizon == MINUTE else inf

    def ban(self, now: float) -> float:
        """Seconds of the ban that a violation at `now` brings: as after the nearest one on record."""
        nearest = min(self.all_violations, key=lambda each: abs(each.at - now), default=None)
        return nearest.ban if nearest else MINUTE

    def shut(self, now: float) -> Block | None:
        place = bisect_right(self.blocks, now, key=lambda each: each.start)
        return self.blocks[place - 1] if place and now < self.blocks[place - 1].until else None

    @property
    def all_violations(self) -> list[Violation]:
        return [each for some in self.violations.values() for each in some]


def evidence(past: Past) -> Evidence:
    blocks = _found_blocks(past.sent)
    passed = [each.at for each in past.sent if each.outcome is not Outcome.REFUSED]
    levels = {horizon: _levels(passed, horizon) for horizon in HORIZONS}
    edge = [block for block in blocks if block.kind is RefusalClass.EDGE]
    own: dict[float, list[Violation]] = {horizon: [] for horizon in HORIZONS}
    for place, block in enumerate(edge):
        since = max(block.start - NEAR, edge[place - FAR].back_at if place >= FAR else -inf)
        until = min(block.back_at + NEAR, edge[place + FAR].start if place + FAR < len(edge) else inf)
        violation = _own_doing(block, passed, levels, since, until)
        if violation:
            own[violation.horizon].append(violation)
            blocks.remove(block)
    answers = {"": [each for each in past.sent if each.for_step and each.outcome is not Outcome.REFUSED]}
    for each in answers[""]:
        answers.setdefault(each.model, []).append(each)
    violations = {horizon: _reaching(some, passed, levels[horizon]) for horizon, some in own.items()}
    proven = max(levels[MINUTE], default=0)
    return Evidence(tuple(blocks), violations, proven, max(float(proven), past.published or USUAL), answers)


def _found_blocks(sent: Sequence[Sent]) -> list[Block]:
    """Refusals belong to one block until a request came through that left after the first one's end."""
    blocks, group = list[Block](), list[Sent]()
    for each in sent:
        if each.outcome is Outcome.REFUSED:
            if group and each.kind is not group[0].kind:
                blocks.append(_block(group, each.at))
                group = []
            group.append(each)
        elif group and each.at > group[0].at + group[0].seconds:
            blocks.append(_block(group, each.at))
            group = []
    if group:
        blocks.append(_block(group, inf))
    return blocks


def _block(group: Sequence[Sent], back_at: float) -> Block:
    """Until the time that was stated; where none was, midway between the last refusal and the first request that came through."""
    first, last = group[0], group[-1]
    assert first.kind is not None
    until = (last.at + back_at) / 2
    if first.kind in TIMED and last.stated_until is not None and last.stated_until <= back_at:
        until = last.stated_until
    stated = last.stated_until if last.source in STATED and until == last.stated_until else None
    return Block(first.kind, first.at, back_at, until, stated)


def _levels(passed: Sequence[float], horizon: float) -> list[int]:
    """For each request that came through: how many had within `horizon` seconds, with this one."""
    levels, first = [], 0
    for place, at in enumerate(passed):
        while passed[first] <= at - horizon:
            first += 1
        levels.append(place - first + 1)
    return levels


def _own_doing(block: Block, passed: Sequence[float], levels: dict[float, list[int]], since: float, until: float) -> Violation | None:
    """The limit that a refusal by the edge shows: of the longest horizon in which the account never took as much about that time.

    Where there is none, the limit has moved: of the longest in which it took less before the block, or less after it. None where it
    took as much before and after.
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
    """Each violation with the time in which its limit held: on either side half the way to a request that contradicts it."""
    reaching = []
    for place, each in enumerate(some):
        here = bisect_left(passed, each.at)
        first = bisect_left(passed, some[place - 1].at) if place else 0
        last = bisect_left(passed, some[place + 1].at) if place + 1 < len(some) else len(passed)
        since = next((passed[at] for at in range(here - 1, first - 1, -1) if levels[at] > each.most), -inf)
        until = next((passed[at] for at in range(here, last) if levels[at] > each.most), inf)
        reaching.append(replace(each, since=(since + each.at) / 2, until=(each.at + until) / 2))
    return tuple(reaching)


# An answer is drawn from so many that were given about that time: enough for their shares, few enough to follow the hour.
DRAWN_FROM = 30
# How often in a run its progress is reported.
PROGRESS_STEPS = 50
SAID = {kind: said for said, kind in REFUSALS.items()} | {RefusalClass.PAYMENT: Said.AUTH, RefusalClass.FREE_DAILY: Said.DAILY_QUOTA}
FAULTS = {Outcome.INVALID: Fault.EMPTY, Outcome.FAILED: Fault.HTTP500, Outcome.CUT_OFF: Fault.HANG}
MODEL_SAID = {Outcome.CAPACITY: Said.CAPACITY, Outcome.MODEL: Said.MODEL}
REFUSAL_SECONDS = Latency().refusal

Progress = Callable[[float], None]


class PastAccount:
    """The account as the records show it: blocks where they were, limits where they were met, answers as they came."""

    def __init__(self, past: Past, shown: Evidence, clock: Clock, record: Record, rng: Random) -> None:
        self.published = past.published or None
        self._shown, self._clock, self._record, self._rng = shown, clock, record, rng
        self._accepted, self._banned_until = list[float](), 0.0
        for block in shown.blocks:
            record.blocks[block.start] = block.until

    def ask(self, model: str) -> Reply:
        now = self._clock.now
        reply = self._refusal(now)
        if reply is None:
            self._accepted.append(now)
            reply = self._answer(model, now)
        self._record.count(reply)
        return reply

    def _refusal(self, now: float) -> Reply | None:
        if now < self._banned_until:
            return Reply(Said.EDGE, REFUSAL_SECONDS, in_ban=True)
        if block := self._shown.shut(now):
            said = SAID[block.kind]
            return Reply(said, REFUSAL_SECONDS, in_ban=said is Said.EDGE, reset_at=block.stated_until)
        for horizon in HORIZONS:
            within = len(self._accepted) - bisect_right(self._accepted, now - horizon)
            if within >= self._shown.limit(horizon, now):
                self._banned_until = now + self._shown.ban(now)
                self._record.blocks[now] = self._banned_until
                return Reply(Said.EDGE, REFUSAL_SECONDS)
        return None

    def _answer(self, model: str, now: float) -> Reply:
        """One of the outcomes nearest in time. A model without requests answers as all others did."""
        some = self._shown.answers.get(model) or self._shown.answers[""]
        if not some:
            return Reply(Said.ANSWERED, drawn_latency(Latency(), self._rng), model)
        place = bisect_left(some, now, key=lambda each: each.at)
        first = max(0, min(place - DRAWN_FROM // 2, len(some) - DRAWN_FROM))
        each = some[self._rng.randrange(first, min(first + DRAWN_FROM, len(some)))]
        seconds = inf if each.outcome is Outcome.CUT_OFF else each.seconds
        return Reply(MODEL_SAID.get(each.outcome, Said.ANSWERED), seconds, model, FAULTS.get(each.outcome))


class Replay(Play):
    def __init__(self, past: Past, shown: Evidence, miner: Miner, seed: int, progress: Progress | None = None) -> None:
        super().__init__(miner, seed, past.starts_at, past.ends_at, epoch=0.0)
        self.account = PastAccount(past, shown, self.clock, self.record, Random(f"account {seed}"))
        for chain in past.chains:
            self.clock.at(chain.at, partial(self._come, chain, 0))
        if progress:
            for part in range(1, PROGRESS_STEPS):
                done = part / PROGRESS_STEPS
                self.clock.at(past.starts_at + done * (past.ends_at - past.starts_at), partial(progress, done))

    def _come(self, chain: Chain, place: int) -> None:
        step, then = chain.steps[place], partial(self._next, chain, place + 1)
        if step.asks:
            self.post(step.timeout, then)
        else:
            self.answer(self.clock.now, self.clock.now, then, by_llm=False)

    def _next(self, chain: Chain, place: int) -> None:
        if place < len(chain.steps):
            self.clock.at(self.clock.now + chain.steps[place].gap, partial(self._come, chain, place))


def replayed(past: Past, miner: Miner, seeds: Sequence[int], progress: Progress | None = None) -> Measures:
    """The means over one run a seed. `progress` is called with how much is done, from 0 to 1, now and then."""
    shown = evidence(past)

    def record(place: int, seed: int) -> Record:
        part = (lambda done: progress((place + done) / len(seeds))) if progress else None
        return Replay(past, shown, miner, seed, part).result()

    return means([record(place, seed) for place, seed in enumerate(seeds)])


ALWAYS = (
    "The gate starts afresh at the beginning of this time: what it had learned before is not known to it.",
    "Deadlines that a caller set hold; where a step's time was the setting's, the setting tried counts.",
    "A step that waited for the answer to the one before it comes as long after that answer as it did; others come when they came.",
    "Answers that were cut off stay without an answer under any deadline. The template agent answers at once.",
)


def assumptions(past: Past) -> list[str]:
    shown = evidence(past)
    return [_met(shown), _taken(past, shown), *_blocks(shown), *_answers(past, shown)]


def _met(shown: Evidence) -> str:
    if not shown.all_violations:
        return "The account's limit was never met in this time."
    places = []
    for horizon, some in shown.violations.items():
        if some:
            least, most = min(each.most for each in some), max(each.most for each in some)
            count = f"{least}" if least == most else f"{least} to {most}"
            places.append(f"{count} requests in {'a minute' if horizon == MINUTE else f'{horizon:.0f} s'}")
    return (
        f"Our own pace ran into the account's limit {_times(len(shown.all_violations))}, at {' and '.join(places)}. About those times that "
        "is its limit, and to meet it brings a block as long as the nearest one on record; a provider may punish more."
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _taken(past: Past, shown: Evidence) -> str:
    limit, source = (past.published, "the limit that the provider publishes") if past.published else (USUAL, "the provider's usual limit")
    known = f"It took up to {shown.proven} requests in a minute" if shown.proven else "It took no request"
    known += f"; {'elsewhere' if shown.all_violations else 'here'} it is taken to let"
    if shown.proven < limit:
        return f"{known} {limit:.0f} in, {source}. That is not proven."
    return f"{known} so many in and no more, though it may take more."


def _blocks(shown: Evidence) -> Iterator[str]:
    for kind in RefusalClass:
        starts = [block.start for block in shown.blocks if block.kind is kind]
        if starts:
            what = "The edge shut the account out without our doing" if kind is RefusalClass.EDGE else kind.sentence.rstrip(".")
            first = f"{datetime.fromtimestamp(starts[0], UTC):%-d %b %H:%M} UTC"
            yield f"{what}: {_times(len(starts))}, first {first}. So it is here, whatever is sent before."
    if shown.blocks or shown.all_violations:
        yield (
            "Where no end of a block or a limit was stated, it is taken to have ended midway between the last request that met it and the "
            "first one that shows otherwise."
        )


def _answers(past: Past, shown: Evidence) -> Iterator[str]:
    if shown.answers[""]:
        yield (
            f"Latencies, failures, unusable replies and full models are drawn from {len(shown.answers['']):,} requests on record: those of "
            "the same model about the same time. A model without requests answers as the others did."
        )
    else:
        yield "No request came through in this time: answers are taken to be usable, after 2 to 6 s."
    yield from ALWAYS
    if past.elsewhere:
        yield f"Only the account {past.account} is played; {past.elsewhere:,} requests went to other accounts."
    if past.changes:
        yield "Settings were changed within this time; here one set of them holds from beginning to end."
    if past.operator_pauses:
        yield "Pauses by operators are left out."
