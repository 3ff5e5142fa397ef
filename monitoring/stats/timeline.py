"""A task's steps on one axis of time: when each came, how long it took, and when the LLM was at work for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.stats.story import AttemptRung, StepStory

# A step of a few milliseconds in a task of minutes has to be seen too: percent of the axis.
LEAST_WIDTH = 0.6


@dataclass(frozen=True, slots=True)
class Part:
    """A time on the axis, in percent of it. `state`: whose colour it has."""

    left: float
    width: float
    state: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One step. `offset_ms`: from the first step's arrival; `attempts`: when a provider was being asked, without the waits before."""

    told: StepStory
    offset_ms: float
    part: Part
    attempts: list[Part]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps, oldest first, and how long it is from the first one's arrival to the last one's answer."""

    bars: list[Bar]
    seconds: float


def timeline(steps: Sequence[StepStory]) -> Timeline:
    """The steps of a story; a step without an answer is drawn as the moment in which it came."""
    if not steps:
        return Timeline([], 0.0)
    start = min(told.step.received_at for told in steps)
    whole = max(_milliseconds(start, told.step.answered_at or told.step.received_at) for told in steps)
    return Timeline([_bar(told, _milliseconds(start, told.step.received_at), max(whole, 1.0)) for told in steps], whole / 1000)


def _bar(told: StepStory, offset: float, whole: float) -> Bar:
    attempts = [_asked(rung, offset, whole) for rung in told.attempts if rung.duration_ms is not None]
    return Bar(told, offset, _part(offset, told.step.duration_ms or 0.0, whole, told.state), attempts)


def _asked(rung: AttemptRung, offset: float, whole: float) -> Part:
    return _part(offset + rung.offset_ms + (rung.wait_ms or 0.0), rung.duration_ms or 0.0, whole, rung.verdict)


def _part(start: float, length: float, whole: float, state: str) -> Part:
    """What would be too narrow to be seen is widened, and stays on the axis."""
    width = min(100.0, max(LEAST_WIDTH, 100 * length / whole))
    return Part(min(100 * start / whole, 100.0 - width), width, state)


def _milliseconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1000
