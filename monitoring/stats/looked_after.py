"""What the Overview says of health checks and tests: how they are, how they were, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitoring.models import TestSchedule
from monitoring.stats.components import ComponentRow, health
from monitoring.stats.runs import RunRow, newest
from monitoring.stats.schedules import next_schedules

BEATS_SHOWN, RUNS_SHOWN, SCHEDULES_SHOWN = 30, 20, 3


@dataclass(frozen=True, slots=True)
class LookedAfter:
    """`components`: those that need somebody first, each with its strip. `runs`: the last ones, oldest first."""

    components: list[ComponentRow]
    failing: list[ComponentRow]
    runs: list[RunRow]
    schedules: list[TestSchedule]

    @property
    def last_run(self) -> RunRow | None:
        """The run that ended last."""
        return self.runs[-1] if self.runs else None

    @property
    def last_failed(self) -> RunRow | None:
        """The last run that did not go well; None where all did."""
        return next((run for run in reversed(self.runs) if run.is_bad), None)


def looked_after(now: datetime) -> LookedAfter:
    """The state of what is looked after at `now`."""
    told = health(now, number=BEATS_SHOWN)
    return LookedAfter(told.rows, told.failing, newest(RUNS_SHOWN)[::-1], next_schedules(SCHEDULES_SHOWN))
