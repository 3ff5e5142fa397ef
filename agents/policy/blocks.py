"""How long an account's blocks last and what a request during one does to it, learned from each probe; and when the next probe is sent.

Pure functions over a frozen value of fixed size. Durations are seconds, times Unix seconds.
"""

from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, product
from math import exp, log
from typing import Any

from agents.policy.packing import packed, unpacked

# What a request during a block does: nothing, or restart it at twice its length. A wait that outlasts a doubled block outlasts one that
# restarts at the same length too.
OnHit = StrEnum("OnHit", "NOTHING DOUBLES")
# In minutes: from the shortest reported ban to a little more than the longest, a day. They are round, as bans are: a ban that is taken
# for a shorter one is probed too early.
MINUTES = (1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 1080, 1500)
LENGTHS = tuple(60.0 * minutes for minutes in MINUTES)
KINDS = tuple(product(OnHit, LENGTHS))
# Before any evidence: the probability of each OnHit; and the log-normal distribution of lengths. Bans are
# reported to take a minute at first and to grow with each violation, other blocks to take minutes to hours.
PRIOR = (0.6, 0.4)
MEDIAN, SPREAD = 60.0, 1.75
# The part of refusals for our own pace that no ban follows: they are over with the minute that was full.
UNBANNED = 0.4
# How often a probe contradicts the true length (others may use the account), and how often the next block is of another kind.
WRONG, ANOTHER = 0.01, 0.1
# How much likelier a block is over than not when a probe is sent, at a risk of 1. One that hits a doubling ban makes it at most three times
# as long as it was, a second one at least four times: the first may be sent early, the second one when its success is almost sure. After
# two hits a doubling ban is over four times its length anyway, and others are worth a probe.
ODDS, SECOND_ODDS = 1.5, 6.0


@lru_cache(maxsize=2)
def _prior(*, is_ours: bool) -> tuple[float, ...]:
    sizes = [exp(-0.5 * (log(length / MEDIAN) / SPREAD) ** 2) for length in LENGTHS]
    unbanned = UNBANNED if is_ours else 0.0
    sizes = [(1 - unbanned) * size / sum(sizes) for size in sizes]
    sizes[0] += unbanned
    return tuple(part * size for part in PRIOR for size in sizes)


@dataclass(frozen=True, slots=True)
class Blocks:
    """`weights`: the probabilities of KINDS, empty before the first probe. `measured`: how many blocks ended with a success.

    `is_ours`: they began with a refusal for our own pace, not from outside. `lasted`: seconds that the last one of those took, if its
    first probe was refused, else 0.
    """

    weights: tuple[float, ...] = ()
    measured: int = 0
    is_ours: bool = False
    lasted: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {"weights": packed(self.weights), "measured": self.measured, "lasted": self.lasted}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], *, is_ours: bool = False) -> "Blocks":
        """Of a value of a version with other lengths only the count is kept."""
        weights = unpacked(value.get("weights", ()))
        return cls(weights if len(weights) == len(KINDS) else (), value.get("measured", 0), is_ours, value.get("lasted", 0.0))

    @property
    def probabilities(self) -> tuple[float, ...]:
        return self.weights or _prior(is_ours=self.is_ours)

    @property
    def cost(self) -> float:
        """Seconds that the next block takes: until its first probe, or as long as the last one if that outlasted it."""
        return max(_first_wait(self), self.lasted)

    @property
    def lengthening(self) -> float:
        """The probability that a hit makes a block longer."""
        return sum(weight for (on_hit, _), weight in zip(KINDS, self.probabilities, strict=True) if on_hit is not OnHit.NOTHING)


@dataclass(frozen=True, slots=True)
class Block:
    """One that began at `began_at`; `hits` requests have met it since, the last one at `hit_at`."""

    began_at: float
    hit_at: float
    hits: int

    def left(self, on_hit: OnHit, length: float) -> float:
        """Seconds from the last hit to the block's end, below 0 where it was over before."""
        if on_hit is OnHit.NOTHING:
            return self.began_at + length - self.hit_at
        return min(length * 2.0 ** min(self.hits, 60), LENGTHS[-1]) if on_hit is OnHit.DOUBLES else length


def probed(blocks: Blocks, block: Block, now: float, *, is_over: bool) -> Blocks:
    """By a probe at `now`; `block` as it was before the probe."""
    waited, part = now - block.hit_at, ANOTHER if is_over else 0.0
    likely = [1 - WRONG if (block.left(*kind) <= waited) is is_over else WRONG for kind in KINDS]
    joint = [weight * chance for weight, chance in zip(blocks.probabilities, likely, strict=True)]
    mixed = ((1 - part) * weight / sum(joint) + part * prior for weight, prior in zip(joint, _prior(is_ours=blocks.is_ours), strict=True))
    lasted = (now - block.began_at if block.hits and blocks.is_ours else 0.0) if is_over else blocks.lasted
    return Blocks(tuple(max(weight, 1e-6) for weight in mixed), blocks.measured + is_over, blocks.is_ours, lasted)


def next_wait(blocks: Blocks, block: Block, risk: float) -> float:
    """After a hit just now: the least time by which the block is over with the required odds. `risk`: the weight of a refused probe.

    The second probe outlasts what the first one may have caused, whatever a hit does. Later ones weigh both effects by their probability.
    """
    if block.hits == 1:
        return max(_over_by(blocks, block, (on_hit,), risk * SECOND_ODDS) for on_hit in OnHit)
    return _over_by(blocks, block, tuple(OnHit), risk * ODDS)


def _over_by(blocks: Blocks, block: Block, effects: Collection[OnHit], odds: float) -> float:
    """Seconds by which a block is over with these odds, if a hit has one of `effects`."""
    weights = zip(KINDS, blocks.probabilities, strict=True)
    lefts = sorted((block.left(*kind), weight) for kind, weight in weights if kind[0] in effects and block.left(*kind) > 0)
    if not lefts:  # it has lasted for longer than any known one
        return LENGTHS[-1]
    over = list(accumulate(weight for _, weight in lefts))
    return max(LENGTHS[0], lefts[bisect_left(over, odds / (1 + odds) * over[-1])][0])


@lru_cache(maxsize=256)
def _first_wait(blocks: Blocks) -> float:
    return next_wait(blocks, Block(0.0, 0.0, 0), 1.0)
