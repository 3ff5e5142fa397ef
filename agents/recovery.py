"""When a paused account will be back: a point, a range, how that is known and how sure it is.

Best source first: the provider's own time; how long earlier blocks of this kind took, given that this one has lasted so long; our
ladder. Times are Unix seconds, durations seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from agents.reasons import PauseSource
from agents.resets import CACHED

# How often a source was right where it was looked at: a provider's word nearly always, a calendar's most often, our ladder by luck.
CONFIDENCE = {
    PauseSource.PROVIDER: 0.95,
    PauseSource.SUBSCRIPTION: 0.95,
    PauseSource.CALENDAR: 0.8,
    PauseSource.LEARNED: 0.2,
    PauseSource.LADDER: 0.2,
}
STATED = frozenset({PauseSource.PROVIDER, PauseSource.SUBSCRIPTION, PauseSource.CALENDAR})
# Fewer blocks than this that lasted as long as this one say nothing.
FEWEST = 3
# So many blocks make a history half as sure as it can get.
HALF_SURE, SUREST = 4, 0.9
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9


@dataclass(frozen=True, slots=True)
class Prediction:
    """When the account is expected back: `at`, most likely between `earliest` and `latest`. All None: nobody can know.

    `confidence`: 0 to 1.
    """

    source: PauseSource
    confidence: float
    at: float | None = None
    earliest: float | None = None
    latest: float | None = None


def predicted(
    source: PauseSource, now: float, blocked_at: float, paused_until: float, next_pause: float, past: Sequence[float]
) -> Prediction:
    """The prediction for a pause that runs until `paused_until` as `source` says.

    `blocked_at`: when the block began; `next_pause`: seconds of the pause that would follow if the next probe is refused; `past`: how
    many seconds earlier blocks of this kind took.
    """
    if source is PauseSource.CHECK:
        return Prediction(source, 0.0)
    if source in STATED:
        return Prediction(source, CONFIDENCE[source], paused_until, paused_until, paused_until + CACHED)
    told = _from_history(now, blocked_at, paused_until, past)
    return told or Prediction(source, CONFIDENCE.get(source, 1.0), paused_until, paused_until, paused_until + next_pause)


def _from_history(now: float, blocked_at: float, paused_until: float, past: Sequence[float]) -> Prediction | None:
    """Nobody sends before the pause is over, so that is the earliest time at which anything can be known."""
    lasted = now - blocked_at
    longer = sorted(each for each in past if each > lasted)
    if len(longer) < FEWEST:
        return None
    low, middle, high = (max(paused_until, blocked_at + _quantile(longer, part)) for part in (LOW, MIDDLE, HIGH))
    return Prediction(PauseSource.HISTORY, round(SUREST * len(longer) / (len(longer) + HALF_SURE), 2), middle, low, high)


def _quantile(some: Sequence[float], part: float) -> float:
    return some[ceil(part * len(some)) - 1]
