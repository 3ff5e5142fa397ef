"""Which waiting step is planned next, and which would be late by waiting. Times are seconds of one clock."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush

# Threads share Python's interpreter: a second plan at the same time slows the first one down little only while it is short.
MOST_PLACES = 2
# Twice what a typical page (50 kB, 1,200 elements) needs. Longer steps never take all places: typical ones do not wait for pages of MBs.
LONG = 0.25
# Shorter steps count as equally short.
SHORTEST = 0.02
# Measured with the LLM's prompt on pages of 3, 48 and 500 kB: 14, 90 and 360 ms where they are full of elements (12,000), 200 ms where
# texts are longer.
SECONDS_A_BYTE = 5e-7
# How much of a caller's past each of its steps keeps: a page that took long is forgotten after ten quick ones.
KEPT_OF_THE_PAST = 0.8
# The most that a machine is assumed to be slowed down by: beyond it steps would be turned away that had time.
SLOWEST_PACE = 20.0
# Callers that are remembered, most recent first. Validators are some hundred.
MOST_CALLERS = 1_024


@dataclass(frozen=True, slots=True)
class Running:
    """A step with a place, expected to be done `seconds` of the clock after `started_at`."""

    seconds: float
    started_at: float
    is_long: bool = False

    def left(self, now: float) -> float:
        return max(0.0, self.started_at + self.seconds - now)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that waits for a place. `number`: in the order of arrival; `work`: expected seconds of the processor; `seconds` of the clock
    that these take on this machine just now; `due`: when it must be over."""

    number: int
    work: float
    seconds: float
    due: float

    @property
    def size(self) -> int:
        return max(0, math.ceil(math.log2(max(self.work, SHORTEST) / SHORTEST)))

    @property
    def is_long(self) -> bool:
        return self.work > LONG

    def started(self, now: float) -> Running:
        return Running(self.seconds, now, self.is_long)


@dataclass(frozen=True, slots=True)
class Turn:
    admitted: tuple[Waiting, ...] = ()
    late: tuple[Waiting, ...] = ()


def next_turn(waiting: Iterable[Waiting], running: Iterable[Running], places: int, now: float) -> Turn:
    """The shortest goes first where that makes no other step late, else the earliest deadline. Where not all can be in time, the longest
    are given up and answered at once."""
    left, busy, admitted = list(waiting), list(running), list[Waiting]()
    while len(busy) < places:
        may_be_long = sum(step.is_long for step in busy) < max(1, places - 1)
        eligible = [step for step in left if may_be_long or not step.is_long]
        if not eligible:
            break
        chosen = _chosen(eligible, _free_at(busy, now))
        left.remove(chosen)
        busy.append(chosen.started(now))
        admitted.append(chosen)
    return Turn(tuple(admitted), tuple(given_up(left, _free_at(busy, now))))


def given_up(waiting: Iterable[Waiting], free_at: float) -> list[Waiting]:
    """By Moore and Hodgson: in the order of deadlines, whenever a step would be late, the longest so far is left out."""
    kept, late, at = list[tuple[float, int, Waiting]](), list[Waiting](), free_at
    for step in sorted(waiting, key=_by_deadline):
        heappush(kept, (-step.seconds, -step.number, step))
        at += step.seconds
        if at > step.due:
            longest = heappop(kept)[2]
            at -= longest.seconds
            late.append(longest)
    return late


def _chosen(eligible: list[Waiting], free_at: float) -> Waiting:
    late = {step.number for step in given_up(eligible, free_at)}
    in_time = [step for step in eligible if step.number not in late] or eligible
    shortest = min(in_time, key=lambda step: (step.size, *_by_deadline(step)))
    others = [step for step in in_time if step is not shortest]
    return min(in_time, key=_by_deadline) if given_up(others, free_at + shortest.seconds) else shortest


def _free_at(busy: Iterable[Running], now: float) -> float:
    """When the steps with places are done: they work one after the other, as threads that share an interpreter."""
    return now + sum(step.left(now) for step in busy)


def _by_deadline(step: Waiting) -> tuple[float, int]:
    return step.due, step.number


@dataclass(slots=True)
class Expectation:
    """Seconds of the processor that planning a step is expected to need, by the size of its page and by what this caller's steps needed."""

    _factors: dict[str, float] = field(default_factory=dict)

    def work(self, size: int, caller: str | None) -> float:
        return _usual(size) * self._factors.get(caller or "", 1.0)

    def learn(self, size: int, caller: str | None, work: float) -> None:
        name, ratio = caller or "", work / _usual(size)
        before = self._factors.pop(name, ratio)
        self._factors[name] = max(ratio, KEPT_OF_THE_PAST * before + (1 - KEPT_OF_THE_PAST) * ratio)
        if len(self._factors) > MOST_CALLERS:
            del self._factors[next(iter(self._factors))]


def _usual(size: int) -> float:
    return SHORTEST + size * SECONDS_A_BYTE


@dataclass(slots=True)
class Pace:
    """How many seconds of the clock one second of work takes: 1 on a machine of our own, more where others use it."""

    seconds: float = 1.0

    def learn(self, work: float, seconds: float) -> None:
        # Short work is left out: one pause would multiply it.
        if work >= LONG / 2:
            ratio = min(max(1.0, seconds / work), SLOWEST_PACE)
            self.seconds = KEPT_OF_THE_PAST * self.seconds + (1 - KEPT_OF_THE_PAST) * ratio
