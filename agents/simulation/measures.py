"""What a run is measured by, and the means over several seeds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Answered:
    """One step's answer: when it was posted and answered, whether that was in time, and whether by the LLM."""

    posted_at: float
    answered_at: float
    in_time: bool
    by_llm: bool


@dataclass(slots=True)
class Record:
    """What happened in one run, in the order of its times.

    `blocks`: when the account was shut, as (from, until it would have been over untouched).
    """

    answers: list[Answered] = field(default_factory=list)
    edge_429: int = 0
    in_ban: int = 0
    wasted: int = 0
    probes: int = 0
    blocks: dict[float, float] = field(default_factory=dict)
    successes: list[float] = field(default_factory=list)
    ended_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Measures:
    """Counts, and seconds for `p50` and `p95` of all answers. `resume_minutes` is None where the account was never shut."""

    steps: float
    in_time: float
    llm: float
    edge_429: float
    in_ban: float
    wasted: float
    resume_minutes: float | None
    p50: float
    p95: float


def means(records: Sequence[Record]) -> Measures:
    """The means over the runs; of `resume_minutes` over all blocks of all runs."""

    def mean(values: Sequence[float]) -> float:
        return round(sum(values) / len(values), 2)

    waits = [wait for record in records for wait in resumes(record)]
    seconds = [sorted(each.answered_at - each.posted_at for each in record.answers) for record in records]
    return Measures(
        steps=mean([len(record.answers) for record in records]),
        in_time=mean([sum(each.in_time for each in record.answers) for record in records]),
        llm=mean([sum(each.by_llm for each in record.answers) for record in records]),
        edge_429=mean([record.edge_429 for record in records]),
        in_ban=mean([record.in_ban for record in records]),
        wasted=mean([record.wasted for record in records]),
        resume_minutes=mean([wait / 60 for wait in waits]) if waits else None,
        p50=mean([_quantile(some, 0.5) for some in seconds]),
        p95=mean([_quantile(some, 0.95) for some in seconds]),
    )


def resumes(record: Record) -> list[float]:
    """For each block: seconds from its untouched end, with a step waiting, to the next LLM answer (or the end of the run).

    Answers and successes are in the order in which they came.
    """
    first_posted = list(accumulate((each.posted_at for each in reversed(record.answers)), min))[::-1]
    waits = []
    for until in record.blocks.values():
        place = bisect_left(record.answers, until, key=lambda each: each.answered_at)
        if place < len(record.answers):
            start = max(until, first_posted[place])
            back = bisect_left(record.successes, start)
            waits.append((record.successes[back] if back < len(record.successes) else max(start, record.ended_at)) - start)
    return waits


def _quantile(some: Sequence[float], part: float) -> float:
    return some[min(len(some) - 1, int(part * len(some)))] if some else 0.0
