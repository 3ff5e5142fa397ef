"""What the account's real limit is, learned from our own sends, refusals, the published limit and time.

Pure transitions over one frozen value of bounded size. Times are Unix seconds; a level is a number of requests in a minute.

Two counters are common at an edge, and cannot be distinguished from outside: a sliding window (so many in a minute) and a leaky bucket
(a rate, and a small burst above it). So three horizons are kept: the minute's level limits the rate, the two short ones limit bursts.
A refusal is attributed to the horizon in which more had been sent than ever before; a burst is only made where the even pace would miss a
step's deadline. On a violation the level falls below what was accepted, comes back to just under the place of the violation, holds there,
and then probes whether the limit has moved: more rarely with each violation at the same place.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil, inf, isfinite, sqrt
from typing import Any

from agents.policy.reasons import PaceSource

MINUTE = 60.0
SHORT = (2.0, 10.0)
HORIZONS = (*SHORT, MINUTE)
# Requests arrive a little earlier or later than they left: a window is taken to be this much longer, in seconds.
SLACK = 1.0
# How late a request may leave for its slot, in seconds.
GRACE = 0.1
# Between two requests of a burst: the first refusal of an edge is back before the next request leaves.
BURST_GAP = 0.25
# A published limit is believed to this part at first; an even pace stays this far below it for good.
FIRST_PART, EVEN_PART = 0.75, 0.95
# Levels are kept between these; what is published as more, or as no limit at all, starts as the edge's usual limit would.
LEAST, MOST, CLAIMED = 1.0, 240.0, 60.0
LOWEST_LIMIT = 4
# After a violation: the level at first, and where it rests.
FALLEN_PART, REST_PART = 0.8, 0.95
# Probing above a known limit costs a pause of so many seconds; limits change about this often; the longest time between two such probes.
PROBE_COSTS, STEADY_FOR, RAREST_PROBE = 90.0, 21600.0, 3600.0
# Steps that all came within this time, in seconds, have no next ones: those come after an answer.
AT_ONCE = 3.0
# How far ahead of its time a request may be planned, in seconds: the longest deadline of a step.
AHEAD = 180.0


def earliest(sends: tuple[float, ...], most: tuple[float, float, float], start: float, gap: float) -> float:
    """The first time from `start` at which one more request beside `sends` keeps `most` in every horizon and the gap to all others."""
    two, ten, minute = most
    at = start
    # Fewer than `minute` sends in the minute before, counting all that are planned after it.
    if isfinite(minute) and len(sends) - bisect_right(sends, start - MINUTE - SLACK) >= minute:
        at = max(start, sends[len(sends) - int(minute)] + MINUTE + SLACK)
    while True:
        apart = _between(sends, at, gap)
        at = _after_a_burst(sends, _after_a_burst(sends, apart, SHORT[0], two), SHORT[1], ten)
        if at == apart:
            return apart


def _after_a_burst(sends: tuple[float, ...], start: float, horizon: float, most: float) -> float:
    """A later time to try where a horizon around `start` would hold more than `most`, else `start`."""
    if not isfinite(most):
        return start
    near = sends[bisect_right(sends, start - horizon) : bisect_left(sends, start + horizon)]
    for first, send in enumerate(near[: max(0, len(near) - int(most) + 1)]):
        if max(near[first + int(most) - 1], start) - min(send, start) < horizon:
            return max(start, min(send, start) + horizon)
    return start


def _between(sends: tuple[float, ...], start: float, gap: float) -> float:
    for each in sends[bisect_right(sends, start - gap) :]:
        if each >= start + gap:
            break
        start = max(start, each + gap)
    return start


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of one account's limit.

    `sends`: when requests were or will be sent, a good minute of them, earliest first. `level`: requests a minute, 0 unknown.
    `short`: most requests in 2 s and in 10 s, 0 unlimited. `proven`: most that were accepted in 2 s, 10 s and a minute.
    `ceiling`: where the last violation was, 0 none; until `hold_until` the level stays below it. `repeats`: violations at that place.
    `grown_at`: when the level last changed. `published`: the limit that the provider states, 0 unknown. `slow_at`: when a step last had to
    wait for half of its time. `crowd`: when the first and the last step came that left no slot in time for one more, of the latest such
    crowd; `comes_at_once`: whether the crowd before it came all at once.
    """

    sends: tuple[float, ...] = ()
    level: float = 0.0
    short: tuple[float, float] = (0.0, 0.0)
    proven: tuple[int, ...] = (0, 0, 0)
    ceiling: float = 0.0
    hold_until: float = 0.0
    repeats: int = 0
    grown_at: float = 0.0
    published: float = 0.0
    slow_at: float = 0.0
    crowd: tuple[float, float] = (0.0, 0.0)
    comes_at_once: bool = False
    source: PaceSource = PaceSource.SPACING

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Pace":
        lists = {name: tuple(value[name]) for name in ("sends", "short", "proven", "crowd") if name in value}
        return cls(**{**value, **lists, "source": PaceSource(value.get("source", PaceSource.SPACING))})

    @property
    def most(self) -> tuple[float, float, float]:
        """Most requests in 2 s, 10 s and a minute."""
        return (self.short[0] or inf, self.short[1] or inf, float(ceil(self.level)) if self.level else inf)

    @property
    def confidence(self) -> float:
        """0 (nothing is known) to 1: by requests accepted at the level and by violations just above it."""
        if not self.level:
            return 0.0
        return round(0.7 * min(1.0, self.proven[2] / self.level) + 0.3 * min(1.0, self.repeats / 2), 2)

    def gap(self, spacing: float) -> float:
        if not self.level:
            return spacing and spacing + GRACE
        even = min(self.level, EVEN_PART * self.published) if self.published else self.level
        return MINUTE / max(LEAST, even)


def slot(pace: Pace, spacing: float, now: float, latest: float) -> float:
    """When the next request may be sent: at the even pace if that is by `latest`, else as soon as a burst allows, where one is of use.

    A burst uses up the minute, and tasks that go on then find it empty: only a crowd that comes at once and goes is served by it.
    """
    even = earliest(pace.sends, pace.most, now, pace.gap(spacing))
    if even <= latest or not pace.level or not _is_for_bursts(pace, now):
        return even
    return min(even, earliest(pace.sends, pace.most, now, BURST_GAP))


def reserved(pace: Pace, spacing: float, at: float, now: float, latest: float) -> Pace:
    """With a request at `at` for a step that came at `now` and can wait until `latest`."""
    kept = list(pace.sends[bisect_left(pace.sends, now - MINUTE - SLACK) :])
    insort(kept, at)
    crowd, comes_at_once = pace.crowd, pace.comes_at_once
    if at > now and at + pace.gap(spacing) > latest:  # the last slot in time: one more step like it is turned away
        first, last = crowd
        crowd = (first, max(last, now))
        if now > last + MINUTE:
            crowd, comes_at_once = (now, now), _is_for_bursts(pace, now)
    slow_at = now if at - now > 0.5 * (latest - now) else pace.slow_at
    return replace(pace, sends=tuple(kept), slow_at=slow_at, crowd=crowd, comes_at_once=comes_at_once)


def _is_for_bursts(pace: Pace, now: float) -> bool:
    """Crowds come at once and go: the last one did, as far as it is over."""
    first, last = pace.crowd
    if now > last + MINUTE:
        return bool(last) and last - first < AT_ONCE
    return pace.comes_at_once and last - first < AT_ONCE


def accepted(pace: Pace, spacing: float, sent_at: float, now: float, published: float | None) -> Pace:
    pace = _stated(pace, published, spacing, now)
    used = _used(pace, sent_at)
    return _grown(replace(pace, proven=tuple(map(max, pace.proven, used))), spacing, used, now)


def violated(pace: Pace, spacing: float, sent_at: float, now: float, strikes: int) -> Pace:
    """`strikes`: how many probes the account's last block took, from 1."""
    before = tuple(max(0, count - 1) for count in _used(pace, sent_at))
    is_own = is_own_doing(pace, sent_at)
    # A crowd that was cut short by the refusal shows nothing of how crowds come.
    crowd = pace.crowd if pace.comes_at_once else (0.0, 0.0)
    pace = replace(pace, sends=pace.sends[: bisect_right(pace.sends, now)], crowd=crowd)
    if not before[2]:
        # Nothing had been sent for a minute: the account is blocked, and that says nothing about its limit.
        return pace
    burst = _burst_to_blame(pace, spacing, sent_at, before)
    if burst is not None:
        most = max(1.0, 0.75 * before[burst])
        return replace(pace, short=(most, pace.short[1]) if burst == 0 else (pace.short[0], most))
    # The first refusal after so few requests is more likely a block than a limit this low; the next one decides.
    is_early = pace.source is not PaceSource.REFUSED and before[2] < LOWEST_LIMIT
    return _fallen(pace, before, now, strikes) if is_own and not is_early else _shaken(pace, spacing, before, now)


def is_own_doing(pace: Pace, sent_at: float) -> bool:
    """The request was sent faster than ever, or near a known limit."""
    before = _used(pace, sent_at)[2] - 1
    return before > 0 and (before >= pace.proven[2] or before >= 0.75 * pace.ceiling > 0)


def rebased(pace: Pace, now: float) -> Pace:
    """Under a clock that was set back: nothing planned for a time that is far away, no hold longer than it was."""
    if pace.sends and pace.sends[-1] > now + AHEAD:
        pace = replace(pace, sends=pace.sends[: bisect_right(pace.sends, now)])
    if max(pace.crowd[1], pace.slow_at) > now + AHEAD:
        pace = replace(pace, crowd=(0.0, 0.0), slow_at=0.0)
    if pace.grown_at > now + AHEAD:
        pace = replace(pace, grown_at=now, hold_until=min(pace.hold_until, now + max(0.0, pace.hold_until - pace.grown_at)))
    return pace


def _used(pace: Pace, at: float) -> tuple[int, ...]:
    """Requests up to and with the one at `at`, in each horizon."""
    end = bisect_right(pace.sends, at)
    return tuple(end - bisect_right(pace.sends, at - horizon) for horizon in HORIZONS)


def _stated(pace: Pace, published: float | None, spacing: float, now: float) -> Pace:
    limit = min(published or 0.0, MOST)
    if not limit and spacing and not pace.level:
        return replace(pace, level=FIRST_PART * CLAIMED, source=PaceSource.USUAL, grown_at=now)
    if not limit or limit == pace.published:
        return pace
    pace = replace(pace, published=limit)
    if pace.level > limit and pace.source is not PaceSource.USUAL:
        return replace(pace, level=limit, source=PaceSource.PUBLISHED, grown_at=now)
    if pace.source in (PaceSource.REFUSED, PaceSource.ACCEPTED) or not spacing:
        return pace
    first = max(LEAST, float(int(FIRST_PART * min(limit, CLAIMED))))
    return replace(pace, level=first, source=PaceSource.PUBLISHED, grown_at=now)


def _grown(pace: Pace, spacing: float, used: tuple[int, ...], now: float) -> Pace:
    """The level after one more minute in which it was used up, steps were pressed for more, and nothing was refused."""
    if not spacing and not pace.level:
        return pace
    level = pace.level or MINUTE / spacing
    if pace.ceiling and used[2] > 1.1 * pace.ceiling:
        pace = replace(pace, ceiling=0.0, repeats=0)
    if now < pace.grown_at + MINUTE or used[2] < 0.75 * int(level):
        return pace
    grown = min(level * 1.2 + 0.5 if pace.ceiling else 2 * level, _bound(pace, now))
    if pace.ceiling and now < pace.hold_until:
        grown = min(grown, REST_PART * pace.ceiling)
    if grown <= level:
        return pace
    # Bursts come back a little where they are used to the full.
    two, ten = (most * 1.05 if most and count >= int(most) else most for most, count in zip(pace.short, used, strict=False))
    return replace(pace, level=grown, grown_at=now, source=PaceSource.ACCEPTED, short=(two, ten))


def _bound(pace: Pace, now: float) -> float:
    since = max(pace.grown_at, now - MINUTE)
    if pace.crowd[1] > since:
        return pace.published or MOST
    # Steps that only wait long, and are not turned away, show no need for more than the usual limit.
    return min(pace.published, CLAIMED) if pace.slow_at > since and not pace.ceiling and pace.published < MOST else 0.0


def _burst_to_blame(pace: Pace, spacing: float, sent_at: float, before: tuple[int, ...]) -> int | None:
    """The short horizon in which more had been sent than ever, if the request came sooner than at the even pace.

    Where a good part of the minute's level was used up, the minute is the likelier cause.
    """
    earlier = pace.sends[: bisect_right(pace.sends, sent_at) - 1]
    if not earlier or sent_at - earlier[-1] > 0.75 * pace.gap(spacing) or before[2] >= 0.4 * pace.level > 0:
        return None
    return next((place for place in (0, 1) if before[place] and before[place] + 1 > pace.proven[place]), None)


def _fallen(pace: Pace, before: tuple[int, ...], now: float, strikes: int) -> Pace:
    place = float(before[2])
    repeats = pace.repeats + 1 if pace.ceiling and 0.6 <= place / pace.ceiling <= 1.5 else 1
    proven = (min(pace.proven[0], before[0]), min(pace.proven[1], before[1]), before[2])
    hold_until, level = now + _until_next_probe(pace, place, repeats, strikes), max(LEAST, FALLEN_PART * place)
    fallen = replace(pace, level=level, ceiling=place, repeats=repeats, hold_until=hold_until, proven=proven)
    return replace(fallen, grown_at=now, source=PaceSource.REFUSED)


def _shaken(pace: Pace, spacing: float, before: tuple[int, ...], now: float) -> Pace:
    """A refusal of what was always accepted so far: a block from outside, or a limit that fell. The next one decides.

    Few requests before a block from outside are no sign of a low limit, so the level falls no lower than the admins' spacing.
    """
    level = min(pace.level or inf, max(LEAST, FALLEN_PART * before[2], MINUTE / spacing if spacing else 0.0))
    return replace(pace, level=level, grown_at=now, proven=(0, 0, 0), source=PaceSource.REFUSED)


def _until_next_probe(pace: Pace, place: float, repeats: int, strikes: int) -> float:
    """Seconds for which probing above `place` costs more than it may gain.

    A probe each T seconds costs c / T of the time; a limit that rises once in S seconds to the bound B is missed for T / 2 each time,
    and (B - place) / place is what is missed: the two are least together at T = sqrt(2 S c place / (B - place)). Each probe that found
    the limit where it was makes S longer.
    """
    bound = pace.published if 0 < pace.published < MOST else CLAIMED
    gain = max(bound - place, 0.05 * place) / place
    cost = PROBE_COSTS * 2.0 ** (strikes - 1)
    return min(RAREST_PROBE, sqrt(2 * STEADY_FOR * cost / gain * 2.0 ** (repeats - 1)))
