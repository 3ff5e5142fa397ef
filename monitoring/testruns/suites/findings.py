from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitoring.models import Result

# The worst one is a run's verdict; a skipped check has no effect on it.
WORST_FIRST = (Result.FAIL, Result.WARN, Result.OK, Result.SKIPPED)


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's result. `done`: the action; `came_back`: the response; `meaning`; `next_step`: "" if there is nothing to do.

    `check_name`: the same in all runs; `subject`: what was checked; `lines`: the evidence; `facts`: JSON values.
    """

    check_name: str
    verdict: Result
    meaning: str = ""
    next_step: str = ""
    done: str = ""
    came_back: str = ""
    subject: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def worst(verdicts: list[Result]) -> Result:
    return next((verdict for verdict in WORST_FIRST if verdict in verdicts), Result.SKIPPED)
