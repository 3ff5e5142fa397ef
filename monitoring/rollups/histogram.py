"""Durations counted in buckets: small enough to keep by the hour, fine enough for percentiles, and they can be added. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

# A bucket ends 10 % above its start, so its middle is at most 5 % away from whatever fell into it.
RATIO = 1.1
# In ms. The template's fastest answers take tenths of one.
FIRST_MS = 0.01
_LOG_RATIO = math.log(RATIO)

# Bucket to count, as JSON keeps it: the keys are numbers in text.
Buckets = dict[str, int]


def bucket(ms: float) -> str:
    """Where a duration is counted."""
    return str(max(0, math.floor(math.log(max(ms, FIRST_MS) / FIRST_MS) / _LOG_RATIO)))


def middle(name: str) -> float:
    """What a bucket's durations are taken for, in ms: the geometric middle."""
    return FIRST_MS * math.exp((int(name) + 0.5) * _LOG_RATIO)


def add(total: Buckets, more: Mapping[str, int]) -> None:
    """Add the counts of `more` to `total`."""
    for name, count in more.items():
        total[name] = total.get(name, 0) + count


def percentile(buckets: Mapping[str, int], share: float) -> float | None:
    """The smallest duration in ms that `share` (0 to 1) of them did not exceed, within 5 %. None: there are none."""
    wanted, seen = share * sum(buckets.values()), 0
    for name in sorted(buckets, key=int):
        seen += buckets[name]
        if seen >= wanted:
            return middle(name)
    return None
