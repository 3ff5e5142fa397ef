"""What the Overview says of health checks and tests, in a line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitoring.models import TestSchedule
from monitoring.stats.components import ComponentRow, health
from monitoring.stats.runs import RunRow, newest
from monitoring.stats.schedules import next_schedule

RUNS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class LookedAfter:
    """`failing`: components that are down or degraded; `count`: how many are looked at. `runs`: the last ones, newest first."""

    failing: list[ComponentRow]
    count: int
    runs: list[RunRow]
    schedule: TestSchedule | None


def looked_after(now: datetime) -> LookedAfter:
    """The state of what is looked after at `now`."""
    told = health(now, with_beats=False)
    return LookedAfter(told.failing, len(told.rows), newest(RUNS_SHOWN), next_schedule())
