"""How long an account's blocks last and what a request during one does to it, learned from each probe; and when the next probe is sent.

Pure functions over a frozen value of fixed size. Durations are seconds, times Unix seconds.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import product
from math import exp, log
from typing import Any

# What a request during a block does: nothing, start it anew, or start it anew at twice its length.
OnHit = StrEnum("OnHit", "NOTHING RESTARTS DOUBLES")
# From a moment to a little more than the longest ban that Chutes is said to give, a day; each stands for the lengths around it.
LENGTHS = tuple(min(round(5.0 * 2 ** (step / 2), 1), 90_000.0) for step in range(30))
KINDS = tuple(product(OnHit, LENGTHS))
# Before any evidence, by OnHit: how likely it is, and by how many powers of e lengths lie around the median. A limit's ban is said to take
# 60 to 180 s and to grow with each violation; outages, which no request makes longer, take minutes to hours.
PRIOR = ((0.7, 2.0), (0.15, 0.6), (0.15, 0.6))
MEDIAN = 90.0
# How often a probe contradicts the true length (others may use the account), and how often the next block is of another kind.
WRONG, ANOTHER = 0.03, 0.35
# A series of probes waits so many times longer each time; after a few, the most, since by then much would have been learned.
GROWTHS, FEW = (1.0, 2.0, 4.0), 5
# Refused probes cost this much in seconds. A block that has lasted for long does not end within a small part of that.
PROBE_SECONDS, LEAST_PART = 30.0, 0.2
# A second by which hits make a block longer weighs as much as so many by which a probe is late: it is certain, and others may follow.
LONGER_WEIGHS, LONGEST = 5.0, 6 * 3600.0
# A block is met late by about this part of its length.
LATE_PART = 0.5


@lru_cache(maxsize=1)
def _prior() -> tuple[float, ...]:
    found = list[float]()
    for part, spread in PRIOR:
        sizes = [exp(-0.5 * (log(length / MEDIAN) / spread) ** 2) for length in LENGTHS]
        found += [round(part * each / sum(sizes), 6) for each in sizes]
    return tuple(found)


@lru_cache(maxsize=256)
def _cost_of(weights: tuple[float, ...]) -> float:
    return (1 + LATE_PART) * exp(sum(weight * log(length) for (_, length), weight in zip(KINDS, weights, strict=True)))


@dataclass(frozen=True, slots=True)
class Blocks:
    """`weights`: the probabilities of KINDS, empty before the first probe. `measured`: how many blocks were seen to end."""

    weights: tuple[float, ...] = ()
    measured: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Blocks":
        """Of another version, which knew other lengths, only the count is kept."""
        weights = tuple(value.get("weights", ()))
        return cls(weights if len(weights) == len(KINDS) else (), value.get("measured", 0))

    @property
    def known(self) -> tuple[float, ...]:
        return self.weights or _prior()

    @property
    def cost(self) -> float:
        """Seconds that the next block most likely takes: the geometric mean, since few very long ones must not outweigh all others."""
        return _cost_of(self.known)

    @property
    def lengthening(self) -> float:
        """The probability that a hit makes a block longer."""
        return sum(weight for (on_hit, _), weight in zip(KINDS, self.known, strict=True) if on_hit is not OnHit.NOTHING)


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
    joint = [weight * each for weight, each in zip(blocks.known, likely, strict=True)]
    mixed = ((1 - part) * each / sum(joint) + part * prior for each, prior in zip(joint, _prior(), strict=True))
    return Blocks(tuple(round(max(each, 1e-6), 6) for each in mixed), blocks.measured + is_over)


def next_wait(blocks: Blocks, block: Block, risk: float) -> float:
    """After a hit just now: the first wait of the series of probes that costs least relative to the block's length.

    `risk`: what making the block longer weighs beside coming late.
    """
    lasted = block.hit_at - block.began_at
    likely = [(weight, *kind, max(0.0, block.left(*kind))) for kind, weight in zip(KINDS, blocks.known, strict=True) if weight > 0.002]
    blocked = [(weight / (lasted + max(left, PROBE_SECONDS)), on_hit, length, left) for weight, on_hit, length, left in likely]
    series = [each for each in product(LENGTHS, GROWTHS) if each[0] >= min(LEAST_PART * lasted, LENGTHS[-1])]
    costs = [sum(weight * _cost(on_hit, length, left, *each, risk) for weight, on_hit, length, left in blocked) for each in series]
    return series[costs.index(min(costs))][0]


def _cost(on_hit: OnHit, length: float, left: float, wait: float, growth: float, risk: float) -> float:
    """Of a series of probes, in seconds: how late it gets through, by how much it moves the end, and the probes themselves."""
    end, at, probes = left, wait, 1
    while at < end and probes < 4 * FEW:
        if on_hit is not OnHit.NOTHING:
            length = min(2 * (end - at + wait), LENGTHS[-1]) if on_hit is OnHit.DOUBLES else length
            end = at + length
        wait *= growth if probes < FEW else GROWTHS[-1]
        at, probes = at + wait, probes + 1
    return min(at - left, LONGEST) + LONGER_WEIGHS * risk * min(end - left, LONGEST) + PROBE_SECONDS * probes
