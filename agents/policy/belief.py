"""What an account's real limit is: a probability for each limit and kind of counter, moved by Bayes' rule with each answer.

Two kinds of counter are common at an edge, and their refusals look the same: a sliding window (so many in a minute) and
a leaky bucket (a rate, and a burst above it). Pure functions over a frozen value of fixed size; times are Unix seconds, limits requests a
minute.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from math import exp, inf, log, sqrt
from typing import Any

from agents.policy.others import Others

MINUTE, HOUR = 60.0, 3600.0
# About a tenth apart: a pace needs to be no nearer to its limit. Each stands for the limits up to the next one.
LIMITS = tuple(float(each) for each in (*range(1, 13), 14, 16, 18, 20, 22, 24, 27, 30, 33, 36, 40, 44, 48, 54, 60, 66, 72, 80, 90, 100))
LIMITS = (*LIMITS, 110.0, 120.0, 135.0, 150.0, 165.0, 180.0, 200.0, 220.0, 240.0)
ABOVE = (*LIMITS[1:], 2 * LIMITS[-1])
MOST = LIMITS[-1]
RATES = (*LIMITS, ABOVE[-1])
# The burst that a counter takes: a sliding window any, a leaky bucket one of these; and how likely each is at first.
BURSTS = (inf, 1.0, 4.0, 12.0)
PRIOR_OF_BURSTS = (0.7, 0.1, 0.1, 0.1)
# The limit that the edge is said to have (chutes.md's claim), and how far it or a published limit is believed before any evidence.
USUAL, STATED_PART = 60.0, 0.3
# A request within the limit that is refused all the same (a block from outside), and one above it that gets through.
STRAY, LEAK = 0.001, 0.02
# A limit is taken to change once in so many hours, until changes were seen or not seen for twice as long.
STEADY = 4 * HOUR


@dataclass(frozen=True, slots=True)
class Belief:
    """`weights`: the probabilities of BURSTS × LIMITS, as of `at`. `changes` of the limit in `watched` seconds: its rate of change.

    `stated`: the published limit, 0 unknown. `excess`: what a bucket of each of RATES would hold at `filled_at`, by all requests before.
    """

    weights: tuple[float, ...] = ()
    at: float = 0.0
    changes: float = 1.0
    watched: float = STEADY
    stated: float = 0.0
    excess: tuple[float, ...] = (0.0,) * (len(LIMITS) + 1)
    filled_at: float = 0.0
    others: Others = field(default_factory=Others)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Belief":
        lists = {name: tuple(value[name]) for name in ("weights", "excess") if name in value}
        return cls(**{**value, **lists, "others": Others(**value.get("others", {}))})

    def limits(self, now: float) -> list[float]:
        """The probability of each of LIMITS at `now`."""
        size, change = len(LIMITS), _change(self, now)
        rows = [self.weights[place : place + size] for place in range(0, len(self.weights), size)]
        known = [sum(each) for each in zip(*rows, strict=True)] or [0.0] * size
        return [(1 - change) * each + change * prior for each, prior in zip(known, _prior(self.stated), strict=True)]


@lru_cache(maxsize=64)
def _prior(stated: float) -> tuple[float, ...]:
    """Of LIMITS: even on a logarithmic scale, and a part for what is stated."""
    place = bisect_right(LIMITS, min(stated or USUAL, MOST)) - 1
    whole = log(ABOVE[-1] / LIMITS[0])
    even = [(1 - STATED_PART) * log(above / limit) / whole for limit, above in zip(LIMITS, ABOVE, strict=True)]
    return tuple(each + STATED_PART * (number == max(place, 0)) for number, each in enumerate(even))


def _change(belief: Belief, now: float) -> float:
    """The probability that the limit has changed since the belief was updated."""
    if not belief.weights:
        return 1.0
    return 1.0 - exp(-max(0.0, now - belief.at) * belief.changes / belief.watched)


def _aged(belief: Belief, now: float) -> list[float]:
    """The weights at `now`. A counter stays what it is when its limit changes."""
    prior, size = _prior(belief.stated), len(LIMITS)
    if not belief.weights:
        return [part * each for part in PRIOR_OF_BURSTS for each in prior]
    change, weights = _change(belief, now), list[float]()
    for place in range(0, len(belief.weights), size):
        own = belief.weights[place : place + size]
        whole = change * sum(own)
        weights += [(1 - change) * each + whole * new for each, new in zip(own, prior, strict=True)]
    return weights


def _rates(belief: Belief) -> list[float]:
    """RATES less what others send."""
    return [max(0.0, rate - belief.others.rate) for rate in RATES]


def filled(belief: Belief, sends: Sequence[float]) -> Belief:
    """With these requests, which are older than all others, in the buckets."""
    for send in sends:
        leaked = max(0.0, send - belief.filled_at) / MINUTE
        excess = tuple(round(max(0.0, held - rate * leaked + 1), 3) for held, rate in zip(belief.excess, _rates(belief), strict=True))
        belief = replace(belief, excess=excess, filled_at=max(send, belief.filled_at))
    return belief


def chances(belief: Belief, sends: Sequence[float], at: float) -> list[float]:
    """The probability that a request at `at` is accepted, for each of BURSTS × LIMITS. `sends`: all others of a minute, earliest first."""
    before = sends[: bisect_left(sends, at)]
    others = belief.others.rate
    # Theirs come at random: a minute has so many more or fewer than expected.
    count, spread = len(before) - bisect_right(before, at - MINUTE) + 1 + others, sqrt(others)
    pairs = zip(LIMITS, ABOVE, strict=True)
    found = [min(1.0, max(0.0, (above + spread - count) / (above - limit + 2 * spread))) for limit, above in pairs]
    excess = _excess(belief, before, at)
    for burst in BURSTS[1:]:
        for most, least in pairwise(excess):
            found.append(1.0 if most <= burst else 0.0 if least > burst else (burst - least) / (most - least))
    return found


def _excess(belief: Belief, before: Sequence[float], at: float) -> list[float]:
    """What a leaky bucket of each of RATES would hold with a request at `at`.

    It is the most, over the requests before it, of those that came since less what has leaked since.
    """
    points: list[tuple[float, int]] = []  # (age, requests since): those that are the most at some rate
    for since, send in enumerate(reversed(before), start=1):
        while len(points) > 1 and _is_below(points[-2], points[-1], (at - send, since)):
            points.pop()
        points.append((at - send, since))
    filled_for, since = at - belief.filled_at, len(before) + 1
    return [
        max([0.0, held + since - filled_for * rate / MINUTE, *(count - age * rate / MINUTE for age, count in points)])
        for held, rate in zip(belief.excess, _rates(belief), strict=True)
    ]


def _is_below(first: tuple[float, int], middle: tuple[float, int], last: tuple[float, int]) -> bool:
    """Whether the middle point is on or below the line between the two others (to a millionth, so that an even pace leaves few points)."""
    return (middle[1] - first[1]) * (last[0] - first[0]) <= (last[1] - first[1]) * (middle[0] - first[0]) + 1e-6


def accepted_with(belief: Belief, sends: Sequence[float], at: float, now: float) -> float:
    """The probability that a request at `at` beside `sends` is accepted."""
    return sum(weight * chance for weight, chance in zip(_aged(belief, now), chances(belief, sends, at), strict=True))


def updated(belief: Belief, sends: Sequence[float], at: float, now: float, *, accepted: bool) -> Belief:
    """By the answer to the request at `at`."""
    passes = [LEAK + (1 - LEAK - STRAY) * each for each in chances(belief, sends, at)]
    likely = passes if accepted else [1 - each for each in passes]
    change, weights, prior = _change(belief, now), _aged(belief, now), _prior(belief.stated)
    joint = [weight * each for weight, each in zip(weights, likely, strict=True)]
    whole = sum(joint)
    if belief.weights and (whole > 1 - 2 * STRAY or max(likely) - min(likely) < STRAY):
        return belief  # it was sure to come, and says nothing: time goes on counting from the last one that did
    shares = [sum(weights[place : place + len(prior)]) for place in range(0, len(weights), len(prior))]
    by_change = change * sum(each * likely[number] * shares[number // len(prior)] for number, each in enumerate(prior * len(shares)))
    # At least a millionth, so that a limit can become likely again; rounded, so that the JSON stays small.
    kept = tuple(round(max(each / whole, 1e-6), 6) for each in joint)
    if not belief.weights:
        return replace(belief, weights=kept, at=now)
    watched, changes = belief.watched + max(0.0, now - belief.at), belief.changes + by_change / whole
    forgotten = min(1.0, 2 * STEADY / watched)
    return replace(belief, weights=kept, at=now, changes=round(changes * forgotten, 6), watched=round(watched * forgotten, 3))


def stated(belief: Belief, limit: float, now: float) -> Belief:
    """The provider publishes another limit than before: as likely as not, the real one has changed with it."""
    if not belief.weights:
        return replace(belief, stated=limit)
    weights, size = _aged(belief, now), len(LIMITS)
    prior = _prior(limit)
    halved = [each / 2 + prior[number % size] / 2 * sum(weights[number // size * size :][:size]) for number, each in enumerate(weights)]
    return replace(belief, stated=limit, weights=tuple(round(each, 6) for each in halved), at=now)


def best_level(belief: Belief, now: float, minutes: float, cost: float, most: float) -> float:
    """The pace n that gets most accepted within the next `minutes`, when a refusal costs `cost` minutes and shows the limit.

    With probability P(limit ≥ n) that is n · minutes; below it, each limit is kept to for what is left of the time. `most`: no pace above.
    """
    best, value, enough, below = LIMITS[0], -inf, 1.0, 0.0
    for limit, above, chance in zip(LIMITS, ABOVE, belief.limits(now), strict=True):
        level = min(limit, most)
        gained = level * enough * minutes + below * (minutes - cost)
        if gained > value:
            best, value = level, gained
        if above > most:
            break
        enough, below = enough - chance, below + chance * limit
    return best


def band(belief: Belief, now: float) -> tuple[float, float, float]:
    """The limits that it is below with a probability of a tenth, a half and nine tenths."""
    found, whole = list[float](), 0.0
    for limit, chance in zip(LIMITS, belief.limits(now), strict=True):
        whole += chance
        while len(found) < 3 and whole >= (0.1, 0.5, 0.9)[len(found)] - 1e-9:
            found.append(limit)
    return found[0], found[1], found[2]
