"""How long a model's next answer will take: rather too long, since the rest of a deadline is planned by it."""

from collections.abc import Mapping, Sequence
from math import ceil

# Before anything is known of a model.
UNKNOWN = 8.0
# No answer of a few hundred tokens comes sooner for long.
FLOOR = 1.0
# Where most answers are slower than this, steps are admitted all the same: no attempt for an hour would be worse.
CEILING = 15.0
QUANTILE = 0.9
# Few samples say little about the slow ones among the next.
FEW, FEW_FACTOR = 5, 1.5
KEPT_SAMPLES, KEPT_MODELS = 20, 20
FORGOTTEN_AFTER = 3600.0

# By model, newest last: when an attempt ended, and how long it took. A JSON value.
Samples = Mapping[str, Sequence[Sequence[float]]]


def expected(samples: Samples, model: str, now: float) -> float:
    """Seconds that the next answer of `model` will most likely not exceed."""
    recent = sorted(seconds for _, seconds in _fresh(samples.get(model, ()), now))
    if not recent:
        return UNKNOWN
    high = recent[ceil(QUANTILE * len(recent)) - 1]
    return min(max(high * (FEW_FACTOR if len(recent) < FEW else 1.0), FLOOR), CEILING)


def known(samples: Samples, model: str, now: float) -> int:
    """How many recent answers of `model` the expectation is based on."""
    return len(_fresh(samples.get(model, ()), now))


def noted(samples: Samples, model: str, now: float, seconds: float) -> dict[str, list[list[float]]]:
    """The samples with one more. An attempt that was cut off counts as long as it lasted."""
    fresh = {name: [list(pair) for pair in _fresh(pairs, now)] for name, pairs in samples.items()}
    fresh[model] = [*fresh.pop(model, []), [round(now, 3), round(seconds, 3)]][-KEPT_SAMPLES:]
    known = {name: pairs for name, pairs in fresh.items() if pairs}
    return dict(list(known.items())[-KEPT_MODELS:])


def _fresh(pairs: Sequence[Sequence[float]], now: float) -> list[Sequence[float]]:
    return [pair for pair in pairs if now - pair[0] < FORGOTTEN_AFTER]
