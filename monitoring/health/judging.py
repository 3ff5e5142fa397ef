"""From single looks to a component's state: patience before it counts as down, and whether it flaps. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from monitoring.models import HealthState

# So many changes within so many looks are called flapping.
FLAPPING_CHANGES, FLAPPING_LOOKS = 4, 20


@dataclass(frozen=True, slots=True)
class Look:
    """What one look saw. `latency_ms` None: nothing to time."""

    component: str
    state: HealthState
    message: str
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A component after a look: `since` when it has been so, `failures` bad looks in a row."""

    state: HealthState
    since: datetime
    failures: int
    is_flapping: bool


def judged(before: Judged | None, look: Look, now: datetime, patience: int, recent: Sequence[HealthState]) -> Judged:
    """The component after `look`. Only the `patience`-th bad look in a row counts as down; until then it is degraded.

    `recent`: what the last looks saw, newest first, without this one.
    """
    is_bad = look.state == HealthState.DOWN
    failures = (before.failures if before else 0) + 1 if is_bad else 0
    state = HealthState.DEGRADED if is_bad and failures < patience else look.state
    since = before.since if before and before.state == state else now
    return Judged(state, since, failures, flaps([look.state, *recent]))


def flaps(states: Sequence[HealthState]) -> bool:
    """Whether the looks, newest first, went up and down again and again. An unknown one says nothing."""
    known = [state == HealthState.DOWN for state in states[:FLAPPING_LOOKS] if state != HealthState.UNKNOWN]
    return sum(one != other for one, other in pairwise(known)) >= FLAPPING_CHANGES
