"""What an account's limit leaves to us: a probability for each limit and kind of counter, moved by Bayes' rule with each answer.

What others use of the account is not subtracted: the answers depend only on what is left. Two kinds of counter are common at an edge, with
the same refusals: a sliding window (so many in a minute) and a leaky bucket (a rate, and a burst above it). Pure functions over a frozen
value of fixed size; times are Unix seconds, limits requests a minute.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, pairwise
from math import exp, log, sqrt
from operator import mul
from typing import Any

from agents.policy.packing import packed, unpacked

MINUTE, HOUR = 60.0, 3600.0
MOST = 240.0
# A twentieth apart, in whole numbers. Each stands for the limits up to the next one.
LIMITS = tuple(map(float, (*range(1, 30), *range(30, 60, 2), *range(60, 120, 4), *range(120, 241, 8))))
ABOVE = (*LIMITS[1:], 2 * MOST)
RATES = (*LIMITS, ABOVE[-1])
# What an edge may count, with the prior probability of each: a minute's requests; the same with a varying limit, since others share the
# account or several balancers count separately; what a leaky bucket holds, whose burst is one request, a few, or many.
PRIOR_OF_COUNTERS = (0.5, 0.2, 0.1, 0.1, 0.1)
BURSTS = (0.5, 1.5, 5.0, 15.0)
# A varying limit refuses few requests a little above it and nearly all above limit + VARIES · √limit, as for Poisson counts.
VARIES = 4.0
# The limit that is commonly reported for the edge, and the weight of it or of a published limit before any evidence.
USUAL, STATED_PART = 60.0, 0.5
# Probabilities that a request within the limit is refused (a block from outside), and that one above it is accepted.
STRAY, LEAK = 0.0005, 0.02
# A limit is assumed to change once in this time, as if a quarter of it had been observed; twice as much is remembered.
STEADY = 4 * HOUR
# Paces whose probabilities differ by less than this are not compared.
NEGLIGIBLE = 0.01
# So many accepted requests leave little doubt about a limit, even one that varies.
ACCEPTED = 10
PACKED = ("weights", "excess")


@dataclass(frozen=True, slots=True)
class Belief:
    """`weights`: of each counter × LIMITS, as of `at`. `changes` of the limit in `watched` seconds: its rate of change.

    `stated`: the published limit, 0 unknown, of which others take `taken`. `excess`: what a bucket of each of RATES would hold at
    `filled_at`, by all requests before.
    """

    weights: tuple[float, ...] = ()
    at: float = 0.0
    changes: float = 0.25
    watched: float = STEADY / 4
    stated: float = 0.0
    taken: float = 0.0
    excess: tuple[float, ...] = (0.0,) * (len(LIMITS) + 1)
    filled_at: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {name: packed(getattr(self, name)) for name in PACKED}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Belief":
        """A value of a version with other limits or counters is replaced by the prior of its published limit."""
        made = {**value, **{name: unpacked(value[name]) for name in PACKED if name in value}}
        sizes = len(made.get("weights", ())), len(made.get("excess", RATES))
        if sizes[0] not in (0, len(PRIOR_OF_COUNTERS) * len(LIMITS)) or sizes[1] != len(RATES) or not made.keys() <= set(cls.__slots__):
            return cls(stated=value.get("stated", 0.0))
        return cls(**made)

    def limits(self, now: float) -> list[float]:
        """The probability of each of LIMITS at `now`, whatever the counter."""
        prior, change = _prior(self.stated, self.taken), _change(self, now)
        return [(1 - change) * weight + change * new for weight, new in zip(_limits(self.weights), prior, strict=True)]


@lru_cache(maxsize=64)
def _limits(weights: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum(weights[number :: len(LIMITS)]) for number in range(len(LIMITS)))


@lru_cache(maxsize=64)
def _prior(stated: float, taken: float) -> tuple[float, ...]:
    """Of LIMITS: uniform on a logarithmic scale, and a part for what is stated."""
    place = bisect_right(LIMITS, min(stated or USUAL, MOST) - taken) - 1
    whole = log(ABOVE[-1] / LIMITS[0])
    uniform = [(1 - STATED_PART) * log(above / limit) / whole for limit, above in zip(LIMITS, ABOVE, strict=True)]
    return tuple(part + STATED_PART * (number == max(place, 0)) for number, part in enumerate(uniform))


def _change(belief: Belief, now: float) -> float:
    """The probability that the limit has changed since the belief was updated."""
    if not belief.weights:
        return 1.0
    return 1.0 - exp(-max(0.0, now - belief.at) * belief.changes / belief.watched)


def _aged(belief: Belief, now: float) -> list[float]:
    """The weights at `now`. A counter stays what it is when its limit changes."""
    prior, size = _prior(belief.stated, belief.taken), len(LIMITS)
    if not belief.weights:
        return [part * weight for part in PRIOR_OF_COUNTERS for weight in prior]
    change, weights = _change(belief, now), list[float]()
    for place in range(0, len(belief.weights), size):
        own = belief.weights[place : place + size]
        whole = change * sum(own)
        weights += [(1 - change) * weight + whole * new for weight, new in zip(own, prior, strict=True)]
    return weights


def filled(belief: Belief, sends: Sequence[float]) -> Belief:
    """With these requests, which are older than all others, in the buckets."""
    if not sends:
        return belief
    *before, last = sends
    excess = tuple(round(held, 3) for held in _excess(belief, before, last))
    return replace(belief, excess=excess, filled_at=max(last, belief.filled_at))


def chances(belief: Belief, sends: Sequence[float], at: float) -> list[float]:
    """The probability that a request at `at` is accepted, for each counter × LIMITS. `sends`: all others since `filled_at`, in order."""
    before = bisect_left(sends, at)
    count = before - bisect_right(sends, at - MINUTE) + 1
    accepted = [*_in_window(count, 0.0), *_in_window(count, VARIES)]
    levels = [(most + least) / 2 for most, least in pairwise(_excess(belief, sends[:before], at))]
    for low, high in pairwise(BURSTS):
        accepted += [1.0 if held <= low else 0.0 if held >= high else (high - held) / (high - low) for held in levels]
    return accepted


@lru_cache(maxsize=1024)
def _in_window(count: int, varies: float) -> tuple[float, ...]:
    """Of the `count`-th request in a minute, for each of LIMITS."""
    accepted = list[float]()
    for limit, above in zip(LIMITS, ABOVE, strict=True):
        over = (count - limit) / (above - limit + varies * sqrt(limit))
        accepted.append(1.0 - min(1.0, max(0.0, over)) ** (2 if varies else 1))
    return tuple(accepted)


def _excess(belief: Belief, before: Sequence[float], at: float) -> list[float]:
    """What a leaky bucket of each of RATES would hold with a request at `at`.

    It is the most, over the requests before it, of those that came since less what has leaked since.
    """
    points, filled_for, since, levels = _corners(before, at), max(0.0, at - belief.filled_at), len(before) + 1, list[float]()
    for held, rate in zip(belief.excess, RATES, strict=True):
        most = points[-1][1] - points[-1][0] * rate / MINUTE if points else 0.0
        while len(points) > 1 and (nearer := points[-2][1] - points[-2][0] * rate / MINUTE) >= most:
            most = nearer
            points.pop()  # the higher the rate, the nearer the request since which the most came
        levels.append(max(0.0, held + since - filled_for * rate / MINUTE, most))
    return levels


def _corners(before: Sequence[float], at: float) -> list[tuple[float, int]]:
    """The age of each request that is the most at some rate, the newest first, and how many came since."""
    points: list[tuple[float, int]] = []
    for since, send in enumerate(reversed(before), start=1):
        age = at - send
        while len(points) > 1:
            (near, fewer), (middle, count) = points[-2:]
            # Above the line between its neighbours by more than a millionth, so that an even pace leaves few points
            if (count - fewer) * (age - near) > (since - fewer) * (middle - near) + 1e-6:
                break
            points.pop()
        points.append((age, since))
    return points


def accepted_with(belief: Belief, sends: Sequence[float], at: float, now: float) -> float:
    """The probability that a request at `at` beside `sends` is accepted."""
    return sum(weight * chance for weight, chance in zip(_aged(belief, now), chances(belief, sends, at), strict=True))


def updated(belief: Belief, sends: Sequence[float], at: float, now: float, *, accepted: bool) -> Belief:
    """By the answer to the request at `at`."""
    passes = [LEAK + (1 - LEAK - STRAY) * chance for chance in chances(belief, sends, at)]
    likely = passes if accepted else [1 - chance for chance in passes]
    change, weights, prior = _change(belief, now), _aged(belief, now), _prior(belief.stated, belief.taken)
    joint = [weight * chance for weight, chance in zip(weights, likely, strict=True)]
    whole = sum(joint)
    if belief.weights and (whole > 1 - LEAK or max(likely) - min(likely) < STRAY):
        return belief  # expected, so nearly without information: the time of the last informative answer stays
    counters = [slice(place, place + len(prior)) for place in range(0, len(weights), len(prior))]
    by_change = change * sum(sum(weights[counter]) * sum(map(mul, prior, likely[counter])) for counter in counters)
    # At least a millionth, so that a limit can become likely again.
    kept = tuple(max(weight / whole, 1e-6) for weight in joint)
    if not belief.weights:
        return replace(belief, weights=kept, at=now)
    watched, changes = belief.watched + max(0.0, now - belief.at), belief.changes + by_change / whole
    forgotten = min(1.0, 2 * STEADY / watched)
    return replace(belief, weights=kept, at=now, changes=round(changes * forgotten, 6), watched=round(watched * forgotten, 3))


def stated(belief: Belief, limit: float, now: float) -> Belief:
    """The provider publishes another limit than before. The real one has changed with it with probability ½."""
    if not belief.weights:
        return replace(belief, stated=limit)
    weights, size = _aged(belief, now), len(LIMITS)
    prior = _prior(limit, belief.taken)
    halved = [weight / 2 + prior[number % size] / 2 * sum(weights[number // size * size :][:size]) for number, weight in enumerate(weights)]
    return replace(belief, stated=limit, weights=tuple(round(weight, 6) for weight in halved), at=now)


def is_ours(belief: Belief, sends: Sequence[float], at: float, since: float) -> bool:
    """Whether a refusal of the request at `at` is more likely for our pace than a block from outside.

    Such blocks are assumed to be as frequent as changes of a limit. `since`: the last accepted answer; the limit had not fallen by then,
    and of the requests before it the last ones, which need not have changed the belief, were accepted.
    """
    weights, before = _aged(belief, min(since, at)), bisect_left(sends, min(since, at))
    for send in sends[max(0, before - ACCEPTED) : before]:
        weights = [weight * (LEAK + chance) for weight, chance in zip(weights, chances(belief, sends, send), strict=True)]
    whole = sum(weights)
    known = replace(belief, weights=tuple(weight / whole for weight in weights), at=max(belief.at, since))
    refused = sum(weight * (1 - chance) for weight, chance in zip(_aged(known, at), chances(belief, sends, at), strict=True))
    return refused > STRAY + 1 - exp(-max(0.0, at - since) / STEADY)


def best_level(belief: Belief, now: float, kept: float, most: float) -> float:
    """The pace n of the greatest value  P(limit ≥ n) · n + kept · value of the best pace below n, given that the limit is.

    `kept`: what part of the time that a pace is used a refusal leaves for the next one. `most`: no pace above.
    """
    steps, values = _steps(belief.limits(now), most), [0.0]
    for enough in [part for _, part in steps[1:]]:
        values.append(max(_gains(steps, values, enough, max(0.0, kept))))
    gains = _gains(steps, values, 0.0, kept)
    return steps[gains.index(max(gains))][0]


def _gains(steps: Sequence[tuple[float, float]], values: Sequence[float], enough: float, kept: float) -> list[float]:
    """For each of the paces that have values below them: what it gets where the limit is none of those with the probability `enough`."""
    return [(part - enough) * limit + kept * value for (limit, part), value in zip(steps, values, strict=False)]


def _steps(limits: Sequence[float], most: float) -> list[tuple[float, float]]:
    """Some of LIMITS up to `most`, and the probability of each or a higher one, enough of them for the best."""
    steps, whole, last = list[tuple[float, float]](), 0.0, 0.0
    for limit, chance in zip(reversed(LIMITS), reversed(limits), strict=True):
        whole += chance
        if limit <= most and whole - last > NEGLIGIBLE:
            steps.append((limit, whole))
            last = whole
    return [(LIMITS[0], 1.0), *[step for step in reversed(steps) if step[0] > LIMITS[0]]]


def quantiles(belief: Belief, now: float) -> tuple[float, float, float]:
    """The 10th, 50th and 90th percentile of the limit."""
    up_to = list(accumulate(belief.limits(now)))
    low, middle, high = (LIMITS[bisect_left(up_to, part - 1e-9)] for part in (0.1, 0.5, 0.9))
    return low, middle, high
