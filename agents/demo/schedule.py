"""When which task comes from which caller: a steady stream from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from agents.demo.callers import CALLERS, Caller
from agents.demo.tasks import Task, draw_task

FIRST_AFTER = 1.0
UNEVEN = (0.5, 1.5)  # of the mean gap: lively, but never so long that a visitor of the demo sees nothing


@dataclass(frozen=True, slots=True)
class Visit:
    """`task` is posted by `caller`, `at` seconds after the start."""

    at: float
    caller: Caller
    task: Task


def visits(seed: int, per_minute: float) -> Iterator[Visit]:
    """An endless stream of visits, the first after a second. Each four in a row use all four endpoints."""
    rng, at = Random(seed), FIRST_AFTER
    while True:
        for caller in rng.sample(CALLERS, len(CALLERS)):
            yield Visit(at, caller, draw_task(rng))
            at += rng.uniform(*UNEVEN) * 60 / per_minute
