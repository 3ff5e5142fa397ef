"""A virtual clock: what is to happen, in the order of its times."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

Happening = Callable[[], None]


class Clock:
    """`now` moves from one happening to the next. Of two at the same time the one that was planned first comes first."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._planned: list[tuple[float, int, Happening]] = []
        self._count = 0

    def at(self, time: float, happening: Happening) -> None:
        """Plan something; what lies in the past happens now."""
        self._count += 1
        heappush(self._planned, (max(time, self.now), self._count, happening))

    def run(self) -> None:
        """Until nothing is planned any more."""
        while self._planned:
            self.now, _, happening = heappop(self._planned)
            happening()
