"""What one check of a test run found, in words for an operator and in facts for whatever reads on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitoring.models import Result

# The worst one is a run's verdict. A skipped check says nothing.
WORST_FIRST = (Result.FAIL, Result.WARN, Result.OK, Result.SKIPPED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result. `done`: what was done; `came_back`: what came back; `meaning`; `next_step`: "" where nothing is to be done.

    `check`: its name, the same from run to run; `subject`: what was looked at; `lines`: those that prove it; `facts`: JSON values.
    """

    check: str
    verdict: Result
    subject: str = ""
    done: str = ""
    came_back: str = ""
    meaning: str = ""
    next_step: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked for. `bypass_pause`: probe paused accounts too. `since`, `until`: the window of the log analysis.

    `journals`: ids of imported journals to analyse besides, each over its whole span; None for all. `account`: the only one whose key is
    tested; "" for all.
    """

    at: datetime
    bypass_pause: bool = False
    since: datetime | None = None
    until: datetime | None = None
    journals: tuple[int, ...] | None = None
    account: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """One kind of test, in parts that take a minute at most each, so that a job can stop between two of them.

    `parts`: their names for what is asked; `look`: carries one out, and yields what it is about to do, as a string, and its findings.
    """

    parts: Callable[[Asked], Sequence[str]]
    look: Callable[[Asked, str], Iterator[Finding | str]]


def worst(verdicts: list[Result]) -> Result:
    """The verdict of a whole: its worst part; skipped where nothing was looked at."""
    return next((each for each in WORST_FIRST if each in verdicts), Result.SKIPPED)
