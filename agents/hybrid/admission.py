"""Admission of steps: places for work that needs the processor, and bounds on the steps and bytes in this process.

There is one web process, so a lock between its threads is enough. A step that waits for a slot or for the provider holds no place.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count

from django.conf import settings

from agents.policy.admission import MOST_PLACES, Expectation, Pace, Running, Waiting, next_turn

# Threads of the server that answer surplus steps at once, so that these do not wait for a thread.
SPARE_THREADS = 8
# A surplus step may wait this long, in seconds, for its body to be read and then for its plan: eight threads answer four of them a second.
CROWDED_SECONDS = 1.0
# Pages of all steps in this process, in memory: 64 steps with 4 MB each. Without a bound 64 bodies of 16 MB would take 1 GB, and
# four times as much where a page holds a character outside of Unicode's first 65,536.
MOST_BYTES = 256 * 1024 * 1024
SMALL_BYTES = 256 * 1024  # such pages are never turned away for lack of memory
SHORTEST_WAIT = 0.001  # seconds; without it a step that is due would loop without a pause


@dataclass(slots=True)
class _Ticket:
    """A waiting step. `work`: seconds of the processor that it is expected to need; `is_admitted` None: not decided yet."""

    work: Callable[[], float]
    due: float
    decided: threading.Condition
    is_admitted: bool | None = None


class Admission:
    """Assigns `places` in the order that the policy decides. Times are of the monotonic clock."""

    def __init__(self, places: int) -> None:
        self.places = places
        self._lock = threading.Lock()
        self._waiting: dict[int, _Ticket] = {}
        self._running: dict[int, Running] = {}
        self._expectation, self._pace, self._numbers = Expectation(), Pace(), count()

    @contextmanager
    def plan(self, size: int, caller: str | None, due: float) -> Iterator[bool]:
        """A place for planning a step with a page of `size` bytes, as in `place`. Its measured work updates the caller's expectation."""
        with self._place(lambda: self._expectation.work(size, caller), due) as is_admitted:
            started_at, started = time.monotonic(), time.thread_time()
            try:
                yield is_admitted
            finally:
                work, seconds = time.thread_time() - started, time.monotonic() - started_at
                if is_admitted:
                    with self._lock:
                        self._expectation.learn(size, caller, work)
                        self._pace.learn(work, seconds)

    def place(self, work: float, due: float) -> AbstractContextManager[bool]:
        """A place for `work` seconds of the processor, which must end by `due`. False: there is none in time."""
        return self._place(lambda: work, due)

    @contextmanager
    def _place(self, work: Callable[[], float], due: float) -> Iterator[bool]:
        ticket = _Ticket(work, due, threading.Condition(self._lock))
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = ticket
            self._next_turn()
            while ticket.is_admitted is None:
                latest_start = due - work() * self._pace.seconds
                if not ticket.decided.wait(max(SHORTEST_WAIT, latest_start - time.monotonic())):
                    self._next_turn()
        try:
            yield ticket.is_admitted
        finally:
            if ticket.is_admitted:
                with self._lock:
                    del self._running[number]
                    self._next_turn()

    def _next_turn(self) -> None:
        """To be called with the lock."""
        now, pace = time.monotonic(), self._pace.seconds
        waiting = [Waiting(number, work := ticket.work(), work * pace, ticket.due) for number, ticket in self._waiting.items()]
        turn = next_turn(waiting, self._running.values(), self.places, now)
        self._running |= {step.number: step.started(now) for step in turn.admitted}
        for step in (*turn.admitted, *turn.late):
            ticket = self._waiting.pop(step.number)
            ticket.is_admitted = step.number in self._running
            ticket.decided.notify()


class Room:
    def __init__(self, most_steps: int, most_bytes: int) -> None:
        self.most_steps, self.most_bytes = most_steps, most_bytes
        self.lock = threading.Lock()
        self.steps = self.bytes = 0

    @contextmanager
    def entered(self) -> Iterator["Visit"]:
        with self.lock:
            self.steps += 1
            visit = Visit(self, has_room=self.steps <= self.most_steps)
        try:
            yield visit
        finally:
            with self.lock:
                self.steps -= 1
                self.bytes -= visit.held


@dataclass(slots=True)
class Visit:
    """A step in this process. `has_room`: it is not surplus."""

    room: Room
    has_room: bool
    held: int = 0

    def hold(self, size: int) -> bool:
        """Reserve `size` bytes until the step is answered; False where there is no room."""
        if size > SMALL_BYTES:
            with self.room.lock:
                if self.room.bytes + size > self.room.most_bytes:
                    return False
                self.room.bytes += size
                self.held += size
        return True


planning = Admission(places=min(MOST_PLACES, len(os.sched_getaffinity(0))))
room = Room(max(1, settings.WEB_THREADS - SPARE_THREADS), MOST_BYTES)
