"""What the records show of an account's edge: blocks that came by themselves, and limits that our own pace ran into.

Three horizons are looked at, as the learned pace does: an edge may count in a minute or leak from a bucket. A refusal is our own doing
where more had been sent in one of them than the account took just before or just after the block; else the block came from outside.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from agents.pacing import CLAIMED
from agents.reasons import PauseSource
from agents.refusals import RefusalClass
from agents.simulation.past import Outcome, Past, Sent
from agents.slots import HORIZONS, MINUTE

# How far around a block the account is looked at to say what it takes, in seconds: a provider's limits move with the hours.
NEAR = 3600.0
# And no further than to the second block before and after it: the one just before may have ended a moment ago.
FAR = 2
# By these the provider itself says when it lets the account in again.
STATED = frozenset({PauseSource.PROVIDER, PauseSource.SUBSCRIPTION})
TIMED = frozenset({RefusalClass.DAILY_QUOTA, RefusalClass.FREE_DAILY, RefusalClass.SUBSCRIPTION_CAP})


@dataclass(frozen=True, slots=True)
class Block:
    """The account was shut from `start` until `until` (infinite: to the end). `last_at`: the last refused request.

    `told_until`: the time that the provider told with the refusal, None where it told none.
    """

    kind: RefusalClass
    start: float
    last_at: float
    back_at: float
    until: float
    told_until: float | None = None


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
    """Blocks that stay where they were, by kind, and violations by horizon, each by time.

    `proven`: most requests in a minute that the account took; `untouched`: what it is taken to take where no violation says less.
    """

    blocks_by_kind: dict[RefusalClass, tuple[Block, ...]]
    violations: dict[float, tuple[Violation, ...]]
    proven: int
    untouched: float

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
        """The block in which `now` lies."""
        for some in self.blocks_by_kind.values():
            place = bisect_right(some, now, key=lambda each: each.start)
            if place and now < some[place - 1].until:
                return some[place - 1]
        return None

    @property
    def blocks(self) -> list[Block]:
        """Of all kinds, by their time."""
        return sorted((block for some in self.blocks_by_kind.values() for block in some), key=lambda block: block.start)

    @property
    def all_violations(self) -> list[Violation]:
        """Of all horizons."""
        return [each for some in self.violations.values() for each in some]


def evidence(past: Past) -> Evidence:
    """What the records of `past` show."""
    blocks = found_blocks(past.sent)
    passed = [each.at for each in past.sent if each.outcome is not Outcome.REFUSED]
    levels = {horizon: _levels(passed, horizon) for horizon in HORIZONS}
    edge = [block for block in blocks if block.kind is RefusalClass.EDGE]
    own: dict[float, list[Violation]] = {horizon: [] for horizon in HORIZONS}
    outside = [block for block in blocks if block.kind is not RefusalClass.EDGE]
    for place, block in enumerate(edge):
        since = max(block.start - NEAR, edge[place - FAR].back_at if place >= FAR else -inf)
        until = min(block.back_at + NEAR, edge[place + FAR].start if place + FAR < len(edge) else inf)
        violation = _own_doing(block, passed, levels, since, until)
        if violation:
            own[violation.horizon].append(violation)
        else:
            outside.append(block)
    proven = max(levels[MINUTE], default=0)
    return Evidence(
        blocks_by_kind={kind: tuple(block for block in outside if block.kind is kind) for kind in RefusalClass},
        violations={horizon: _reaching(some, passed, levels[horizon]) for horizon, some in own.items()},
        proven=proven,
        untouched=max(float(proven), past.published or CLAIMED),
    )


def found_blocks(sent: Sequence[Sent]) -> list[Block]:
    """Refusals of the whole account, those together that no request which left after the first one's end came through between."""
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
    """It ended at the time that was told; where none was, midway between the last refusal and the first request that came through."""
    first, last = group[0], group[-1]
    assert first.kind is not None
    until = (last.at + back_at) / 2
    if first.kind in TIMED and last.told_until is not None and last.told_until <= back_at:
        until = last.told_until
    told = last.told_until if last.source in STATED and until == last.told_until else None
    return Block(first.kind, first.at, last.at, back_at, until, told)


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
