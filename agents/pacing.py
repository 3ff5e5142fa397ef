"""What the account's real limit is, learned from our own sends, refusals, the published limit and time.

Pure transitions over one frozen value of bounded size. Times are Unix seconds; a level is a number of requests in a minute.

Two counters are common at an edge, and both look the same from outside: a sliding window (so many in a minute) and a leaky bucket
(a rate, and a small burst above it). So three horizons are kept: the minute's level says how fast the account may be used at all,
the two short ones how much of it at once. A refusal is blamed on the horizon in which we had just sent more than ever before;
a burst is only made where the even pace would miss a step's deadline. The level falls on the first violation below what was
accepted, comes back to just under the place of the violation, holds there, and then looks whether the limit has moved. Each
violation at the same place makes that look rarer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil, inf, sqrt
from typing import Any

from agents.reasons import PaceSource
from agents.slots import HORIZONS, MINUTE, SLACK, earliest

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
# A look above a known limit costs a pause, in seconds; limits change about this often, in seconds; no look is later than this, in seconds.
LOOK_COSTS, STEADY_FOR, RAREST_LOOK = 90.0, 21600.0, 3600.0
# Steps that all came within this time, in seconds, have no next ones: those come after an answer.
AT_ONCE = 3.0
# How far ahead of its time a request may be planned, in seconds: the longest deadline of a step.
AHEAD = 180.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of one account's limit.

    `sends`: when requests left or will leave, a good minute of them, earliest first. `level`: requests a minute, 0 unknown.
    `short`: most requests in 2 s and in 10 s, 0 unlimited. `proven`: most that were accepted in 2 s, 10 s and a minute.
    `ceiling`: where the last violation was, 0 none; until `hold_until` the level stays below it. `repeats`: violations at that place.
    `grown_at`: when the level last changed. `published`: the provider's word, 0 unknown. `slow_at`: when a step last had to wait for half
    of its time. `crowd`: when the first and the last step asked that left no slot in time for one more, of the latest such crowd;
    `comes_at_once`: whether the crowd before it came all at once.
    """

    sends: tuple[float, ...] = ()
    level: float = 0.0
    short: tuple[float, float] = (0.0, 0.0)
    proven: tuple[int, int, int] = (0, 0, 0)
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
        """The pace as a JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Pace:
        """The pace that `as_json` wrote; {} is a fresh one."""
        lists = {name: tuple(value[name]) for name in ("sends", "short", "proven", "crowd") if name in value}
        return cls(**{**value, **lists, "source": PaceSource(value.get("source", PaceSource.SPACING))})

    @property
    def most(self) -> tuple[float, float, float]:
        """Most requests in 2 s, 10 s and a minute."""
        return (self.short[0] or inf, self.short[1] or inf, float(ceil(self.level)) if self.level else inf)

    @property
    def confidence(self) -> float:
        """How well the level is known, from 0 (not at all) to 1: by requests accepted at it and by violations just above it."""
        if not self.level:
            return 0.0
        return round(0.7 * min(1.0, self.proven[2] / self.level) + 0.3 * min(1.0, self.repeats / 2), 2)

    def gap(self, spacing: float) -> float:
        """Seconds between two requests at an even pace: the spacing until a level is known."""
        if not self.level:
            return spacing and spacing + GRACE
        even = min(self.level, EVEN_PART * self.published) if self.published else self.level
        return MINUTE / max(LEAST, even)


def slot(pace: Pace, spacing: float, now: float, latest: float) -> float:
    """When the next request may leave: at the even pace if that is by `latest`, else as soon as a burst allows, where one is of use.

    A burst uses up the minute, and tasks that go on then find it empty: only a crowd that comes at once and goes is served by it.
    """
    even = earliest(pace.sends, pace.most, now, pace.gap(spacing))
    if even <= latest or not pace.level or not _is_for_bursts(pace, now):
        return even
    return min(even, earliest(pace.sends, pace.most, now, BURST_GAP))


def reserved(pace: Pace, spacing: float, at: float, now: float, latest: float) -> Pace:
    """A request of a step that asked at `now` and can wait until `latest` is to leave at `at`."""
    kept = list(pace.sends[bisect_left(pace.sends, now - MINUTE - SLACK) :])
    insort(kept, at)
    pace = replace(pace, sends=tuple(kept), slow_at=now if at - now > 0.5 * (latest - now) else pace.slow_at)
    return _crowded(pace, now) if at > now and at + pace.gap(spacing) > latest else pace


def _crowded(pace: Pace, now: float) -> Pace:
    """A step asked at `now` and took the last slot that was in time: one more like it is turned away."""
    first, last = pace.crowd
    if now > last + MINUTE:
        return replace(pace, crowd=(now, now), comes_at_once=_is_for_bursts(pace, now))
    return replace(pace, crowd=(first, max(last, now)))


def _is_for_bursts(pace: Pace, now: float) -> bool:
    """Whether crowds come at once and go: the last one did, as far as it is over."""
    first, last = pace.crowd
    if now > last + MINUTE:
        return bool(last) and last - first < AT_ONCE
    return pace.comes_at_once and last - first < AT_ONCE


def accepted(pace: Pace, spacing: float, sent_at: float, now: float, published: float | None) -> Pace:
    """A request that left at `sent_at` was accepted; `published` is the limit a minute that the answer told of, if it did."""
    pace = _told(pace, published, spacing, now)
    used = _used(pace, sent_at)
    pace = replace(pace, proven=_highest(pace.proven, used))
    return _grown(pace, spacing, used, now)


def violated(pace: Pace, spacing: float, sent_at: float, now: float, strikes: int) -> Pace:
    """A request that left at `sent_at` was refused by the edge. `strikes`: how many probes the account's last block took, from 1."""
    used = _used(pace, sent_at)
    before = (max(0, used[0] - 1), max(0, used[1] - 1), max(0, used[2] - 1))
    is_own = is_own_doing(pace, sent_at)
    # A crowd that was cut short by the refusal shows nothing of how crowds come.
    crowd = pace.crowd if pace.comes_at_once else (0.0, 0.0)
    pace = replace(pace, sends=pace.sends[: bisect_right(pace.sends, now)], crowd=crowd)
    if not before[2]:
        # Nothing had been sent for a minute: the account is blocked, and that says nothing about its limit.
        return pace
    burst = _burst_to_blame(pace, spacing, sent_at, before)
    if burst is not None:
        return _with_short(pace, burst, max(1.0, 0.75 * before[burst]))
    # Nobody has told of a limit this low: the first refusal after so few requests is a block more likely, and the next one tells.
    is_early = pace.source is not PaceSource.REFUSED and before[2] < LOWEST_LIMIT
    return _fallen(pace, before, now, strikes) if is_own and not is_early else _shaken(pace, spacing, before, now)


def is_own_doing(pace: Pace, sent_at: float) -> bool:
    """Whether a refusal of the request that left at `sent_at` may be our own doing: as fast as never before, or near a known limit."""
    before = _used(pace, sent_at)[2] - 1
    return before > 0 and (before >= pace.proven[2] or before >= 0.75 * pace.ceiling > 0)


def rebased(pace: Pace, now: float) -> Pace:
    """The pace under a clock that was set back: nothing planned for a time that is far away, no hold longer than it was."""
    if pace.sends and pace.sends[-1] > now + AHEAD:
        pace = replace(pace, sends=pace.sends[: bisect_right(pace.sends, now)])
    if max(pace.crowd[1], pace.slow_at) > now + AHEAD:
        pace = replace(pace, crowd=(0.0, 0.0), slow_at=0.0)
    if pace.grown_at > now + AHEAD:
        pace = replace(pace, grown_at=now, hold_until=min(pace.hold_until, now + max(0.0, pace.hold_until - pace.grown_at)))
    return pace


def _used(pace: Pace, at: float) -> tuple[int, int, int]:
    """Requests up to and with the one at `at`, in each horizon."""
    end = bisect_right(pace.sends, at)
    two, ten, minute = (end - bisect_right(pace.sends, at - horizon) for horizon in HORIZONS)
    return (two, ten, minute)


def _highest(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    return (max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2]))


def _told(pace: Pace, published: float | None, spacing: float, now: float) -> Pace:
    """The limit that a success tells of: believed to a part at first, and as a bound."""
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


def _grown(pace: Pace, spacing: float, used: tuple[int, int, int], now: float) -> Pace:
    """The level after one more minute in which it was used up, steps were pressed for more, and nothing was refused."""
    if not spacing and not pace.level:
        return pace
    level = pace.level or MINUTE / spacing
    if pace.ceiling and used[2] > 1.1 * pace.ceiling:
        pace = replace(pace, ceiling=0.0, repeats=0)
    if now < pace.grown_at + MINUTE or used[2] < 0.75 * int(level):
        return pace
    grown = min(_next_level(pace, level, now), _bound(pace, now))
    if grown <= level:
        return pace
    return _regrown_bursts(replace(pace, level=grown, grown_at=now, source=PaceSource.ACCEPTED), used)


def _bound(pace: Pace, now: float) -> float:
    """How far the level may rise: to a usual published limit if steps wait long at it, and else only if they are turned away."""
    since = max(pace.grown_at, now - MINUTE)
    if pace.crowd[1] > since:
        return pace.published or MOST
    return min(pace.published, CLAIMED) if pace.slow_at > since and not pace.ceiling and pace.published < MOST else 0.0


def _next_level(pace: Pace, level: float, now: float) -> float:
    if not pace.ceiling:
        return 2 * level
    if now < pace.hold_until:
        return min(level * 1.2 + 0.5, REST_PART * pace.ceiling)
    return level * 1.2 + 0.5


def _regrown_bursts(pace: Pace, used: tuple[int, int, int]) -> Pace:
    """Bursts come back a little where they are used to the full."""
    for place in (0, 1):
        if pace.short[place] and used[place] >= int(pace.short[place]):
            pace = _with_short(pace, place, pace.short[place] * 1.05)
    return pace


def _burst_to_blame(pace: Pace, spacing: float, sent_at: float, before: tuple[int, int, int]) -> int | None:
    """The short horizon in which more had been sent than ever, if the request came sooner than at the even pace; None: there is none.

    Where a good part of the minute's level was used up, the minute is the likelier cause.
    """
    earlier = pace.sends[: bisect_right(pace.sends, sent_at) - 1]
    if sent_at - earlier[-1] > 0.75 * pace.gap(spacing) or before[2] >= 0.4 * pace.level > 0:
        return None
    return next((place for place in (0, 1) if before[place] and before[place] + 1 > pace.proven[place]), None)


def _with_short(pace: Pace, place: int, most: float) -> Pace:
    return replace(pace, short=(most, pace.short[1]) if place == 0 else (pace.short[0], most))


def _fallen(pace: Pace, before: tuple[int, int, int], now: float, strikes: int) -> Pace:
    place = float(before[2])
    is_repeat = bool(pace.ceiling) and 0.6 <= place / pace.ceiling <= 1.5
    repeats = pace.repeats + 1 if is_repeat else 1
    return replace(
        pace,
        level=max(LEAST, FALLEN_PART * place),
        ceiling=place,
        repeats=repeats,
        hold_until=now + _until_next_look(pace, place, repeats, strikes),
        grown_at=now,
        proven=(min(pace.proven[0], before[0]), min(pace.proven[1], before[1]), before[2]),
        source=PaceSource.REFUSED,
    )


def _shaken(pace: Pace, spacing: float, before: tuple[int, int, int], now: float) -> Pace:
    """A refusal of what was always accepted so far: a block that came by itself, or a limit that fell. The next one tells.

    Few requests before a block from outside are no sign of a low limit, so the level falls no lower than the admins' spacing.
    """
    level = min(pace.level or inf, max(LEAST, FALLEN_PART * before[2], MINUTE / spacing if spacing else 0.0))
    return replace(pace, level=level, grown_at=now, proven=(0, 0, 0), source=PaceSource.REFUSED)


def _until_next_look(pace: Pace, place: float, repeats: int, strikes: int) -> float:
    """Seconds for which looking above `place` costs more than it may gain.

    A look each T seconds costs c / T of the time; a limit that rises once in S seconds to the bound B is missed for T / 2 each time,
    and (B - place) / place is what is missed: the two are least together at T = sqrt(2 S c place / (B - place)). Each look that found
    the limit where it was makes S longer.
    """
    bound = pace.published if 0 < pace.published < MOST else CLAIMED
    gain = max(bound - place, 0.05 * place) / place
    cost = LOOK_COSTS * 2.0 ** (strikes - 1)
    return min(RAREST_LOOK, sqrt(2 * STEADY_FOR * cost / gain * 2.0 ** (repeats - 1)))
