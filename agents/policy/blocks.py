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
# Before any evidence, by OnHit, and by how many powers of e lengths lie around the median. A limit's ban is said to take 60 to 180 s and to
# grow with each violation, other blocks to take minutes to hours.
PRIOR = (0.6, 0.2, 0.2)
MEDIAN, SPREAD = 90.0, 2.0
# How often a probe contradicts the true length (others may use the account), and how often the next block is of another kind.
WRONG, ANOTHER = 0.01, 0.1
# A series of probes is planned to wait so many times longer each time.
GROWTHS = (4.0, 16.0)
# No wait is longer than an hour, or so many times what the block has lasted: so long it is unlikely to go on.
LEAST_BOUND, BOUND = 3_700.0, 6.0
# Kinds that are less likely are not weighed.
UNLIKELY = 0.0005
# A block is met late by about this part of its length, since probes are patient.
LATE_PART = 1.0


@lru_cache(maxsize=1)
def _prior() -> tuple[float, ...]:
    sizes = [exp(-0.5 * (log(length / MEDIAN) / SPREAD) ** 2) for length in LENGTHS]
    return tuple(round(part * each / sum(sizes), 6) for part in PRIOR for each in sizes)


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
    """After a hit just now: the first wait of the series of probes that costs least.

    `risk`: what making the block longer weighs beside coming late.
    """
    lasted = block.hit_at - block.began_at
    likely = [(weight, kind, max(0.0, block.left(*kind))) for kind, weight in zip(KINDS, blocks.known, strict=True) if weight > UNLIKELY]

    def cost(series: tuple[float, float]) -> float:
        return sum(weight * _cost(kind, left, lasted, *series, risk) for weight, kind, left in likely)

    bound = max(1.0, risk) * max(LEAST_BOUND, BOUND * lasted)
    return min(product((length for length in LENGTHS if length <= bound), GROWTHS), key=cost)[0]


def _cost(kind: tuple[OnHit, float], left: float, lasted: float, wait: float, growth: float, risk: float) -> float:
    """Of a series of probes: how late it gets through, in lengths of the block, and how many times its first length it makes it, cubed.

    The cube, since one hit is to count little and a second one much: at most 26 and 342 where hits double.
    """
    (on_hit, length), end, at, last = kind, left, wait, left
    while at < end:
        if on_hit is not OnHit.NOTHING:
            last = min(2 * last, LENGTHS[-1]) if on_hit is OnHit.DOUBLES else length
            end = at + last
        wait *= growth
        at += wait
    longer = ((lasted + end) / length) ** 3 - ((lasted + left) / length) ** 3
    return (at - left) / (lasted + max(left, LENGTHS[0])) + risk * longer
