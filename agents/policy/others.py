"""Requests of others with the same account: how much faster the day's count in the answers rises than our own requests.

A pure transition over a frozen value. Times are Unix seconds.
"""

from dataclasses import dataclass, replace
from math import exp

from agents.policy.costs import day_of

# Between two readings that are compared, in seconds. Requests that are answered out of order move a reading by a few, and a limit is
# counted by the minute.
APART = 60.0
# A minute is forgotten after about this many seconds: tasks of a second miner arrive in rounds of minutes.
MEMORY = 300.0


@dataclass(frozen=True, slots=True)
class Others:
    """`used`: the day's requests by an answer that came at `at`, 0 before the first; `own`: requests of ours that were counted since.

    `mean`: requests a minute that were not ours, below 0 where answers came out of order; `weight`: of the minutes behind it, up to 1.
    """

    used: float = 0.0
    at: float = 0.0
    own: int = 0
    mean: float = 0.0
    weight: float = 0.0

    @property
    def rate(self) -> float:
        """Whole requests a minute, 0 for none or unknown: fewer cannot be distinguished from answers out of order."""
        return max(0.0, float(round(self.mean)))

    def counted(self, used: float | None, at: float) -> "Others":
        """With one more request of ours that the provider has counted; `used` is what its answer states."""
        own, seconds = self.own + 1, at - self.at
        if used is None or seconds < APART:
            return replace(self, own=own)
        # The count starts again at 00:00 UTC; one that is lower after a minute was corrected.
        if day_of(at) != day_of(self.at) or used < self.used:
            return replace(self, used=used, at=at, own=0)
        new = 1.0 - exp(-seconds / MEMORY)
        weight = self.weight * (1.0 - new) + new
        mean = self.mean + (60.0 * (used - self.used - own) / seconds - self.mean) * new / weight
        return Others(used, at, 0, round(mean, 3), round(weight, 6))
