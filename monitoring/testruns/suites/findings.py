from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitoring.models import Result

# The worst one is a run's verdict. A skipped check proves nothing.
WORST_FIRST = (Result.FAIL, Result.WARN, Result.OK, Result.SKIPPED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result. `done`: what was done; `came_back`: what came back; `meaning`; `next_step`: "" where nothing is to be done.

    `check_name`: the same from run to run; `subject`: what was checked; `lines`: those that prove it; `facts`: JSON values.
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
    return next((each for each in WORST_FIRST if each in verdicts), Result.SKIPPED)
