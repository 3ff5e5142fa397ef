"""Where one more request fits between those that left or will leave. Pure arithmetic over their times, in seconds, earliest first."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import isfinite

MINUTE = 60.0
SHORT = (2.0, 10.0)
HORIZONS = (*SHORT, MINUTE)
# Requests arrive a little earlier or later than they left: a window is taken to be this much longer, in seconds.
SLACK = 1.0


def earliest(sends: tuple[float, ...], most: tuple[float, float, float], start: float, gap: float) -> float:
    """The first time from `start` at which one more request beside `sends` keeps `most` in every horizon and the gap to all others."""
    two, ten, minute = most
    at = _after_the_minute(sends, start, minute)
    while True:
        apart = _between(sends, at, gap)
        moved = _after_a_burst(sends, _after_a_burst(sends, apart, SHORT[0], two), SHORT[1], ten)
        if moved == apart:
            return apart
        at = moved


def _after_the_minute(sends: tuple[float, ...], start: float, most: float) -> float:
    """The first time from `start` with fewer than `most` sends in the minute before it, counting all that are planned after it."""
    if not isfinite(most) or len(sends) - bisect_right(sends, start - MINUTE - SLACK) < most:
        return start
    return max(start, sends[len(sends) - int(most)] + MINUTE + SLACK)


def _after_a_burst(sends: tuple[float, ...], start: float, horizon: float, most: float) -> float:
    """`start`, or a later time to look at where a horizon around it would hold more than `most`."""
    if not isfinite(most):
        return start
    near = sends[bisect_right(sends, start - horizon) : bisect_left(sends, start + horizon)]
    for first, send in enumerate(near[: max(0, len(near) - int(most) + 1)]):
        if max(near[first + int(most) - 1], start) - min(send, start) < horizon:
            return max(start, min(send, start) + horizon)
    return start


def _between(sends: tuple[float, ...], start: float, gap: float) -> float:
    """The first time from `start` that is a gap away from every send."""
    at = start
    for each in sends[bisect_right(sends, start - gap) :]:
        if each >= at + gap:
            break
        at = max(at, each + gap)
    return at
