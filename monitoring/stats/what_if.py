"""The latest what-if: how far it is, or what it says, in a sentence and side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from agents.models import Settings, WhatIf
from monitoring.stats.changes import in_words, model_field

SPANS = {1: "the last hour", 6: "the last 6 hours", 24: "the last 24 hours", 168: "the last 7 days"}
# A smaller change of the minutes until the LLM is back is chance.
TOLD_MINUTES = 0.5
NOTHING_CAME = "No step came in this time."


class Better(StrEnum):
    """Which way a figure gets better."""

    MORE = "more"
    LESS = "less"
    NEITHER = "neither"


# A measure, its name on the page, its unit, and which way is better.
FIGURES = (
    ("steps", "Steps", "", Better.NEITHER),
    ("in_time", "Answered in time", "", Better.MORE),
    ("llm", "Answered by the LLM", "", Better.MORE),
    ("edge_429", "Rate limits (429)", "", Better.LESS),
    ("in_ban", "Of them while blocked", "", Better.LESS),
    ("wasted", "Calls into 401 and 402", "", Better.LESS),
    ("resume_minutes", "Back after a block", "min", Better.LESS),
    ("p50", "Median answer", "s", Better.NEITHER),
    ("p95", "95th percentile", "s", Better.NEITHER),
)


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure before and after, in words. `tone`: good, bad or none."""

    name: str
    before: str
    after: str
    difference: str
    tone: str


@dataclass(frozen=True, slots=True)
class Told:
    """One run. `sentence` is empty until it is done; `settings` are those that were tried."""

    state: str
    asked_by: str
    asked_at: datetime
    span: str
    settings: list[tuple[str, str]]
    progress: int
    fault: str
    sentence: str = ""
    recorded: str = ""
    rows: tuple[FigureRow, ...] = ()
    assumed: tuple[str, ...] = ()


def latest_what_if() -> Told | None:
    """The run that was asked for last. None: nobody has asked yet."""
    row = WhatIf.objects.order_by("-asked_at", "-pk").first()
    return told(row) if row else None


def told(row: WhatIf) -> Told:
    """A run in words."""
    span = SPANS.get(row.hours, f"the last {row.hours} hours")
    common = (row.state, row.asked_by, row.asked_at, span, _settings(row.settings), row.progress, row.fault)
    if row.state != WhatIf.State.DONE or row.before is None or row.after is None:
        return Told(*common)
    if not row.before["steps"]:
        return Told(*common, sentence=NOTHING_CAME)
    return Told(
        *common,
        sentence=_sentence(span, row.before, row.after),
        recorded=_recorded(row.before),
        rows=tuple(_row(row.before, row.after, *figure) for figure in FIGURES),
        assumed=tuple(row.after["assumed"]),
    )


def _sentence(span: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    counts = (("llm", "LLM answer"), ("edge_429", "rate limit"))
    parts = [f"{_counted(after[name], noun)} instead of {_number(before[name])}" for name, noun in counts]
    late = [each["steps"] - each["in_time"] for each in (before, after)]
    if any(late):
        parts.append(f"{_counted(late[1], 'late answer')} instead of {_number(late[0])}")
    waits = [each["resume_minutes"] for each in (after, before)]
    if None not in waits and abs(waits[0] - waits[1]) >= TOLD_MINUTES:
        parts.append(f"{waits[0]:.1f} min until the LLM is back after a block instead of {waits[1]:.1f} min")
    return f"With these settings {span} would have had {', '.join(parts[:-1])} and {parts[-1]}."


def _counted(count: float, noun: str) -> str:
    return f"{_number(count)} {noun}{'' if _number(count) == '1' else 's'}"


def _recorded(before: Mapping[str, Any]) -> str:
    """How near the run under the settings in force comes to what happened, so that everybody can judge it."""
    return (
        f"On record are {before['recorded_llm']:,} LLM answers to {before['recorded_steps']:,} steps; played again under the settings in "
        f"force the same time gives {_number(before['llm'])}."
    )


def _row(before: Mapping[str, Any], after: Mapping[str, Any], name: str, title: str, unit: str, better: Better) -> FigureRow:
    old, new = before[name], after[name]
    if old is None or new is None:
        return FigureRow(title, _value(old, unit), _value(new, unit), "", "")
    # As shown: of two figures that look alike nobody is told that they differ.
    digits = 1 if unit else 0
    change = round(new, digits) - round(old, digits)
    words = f"{'+' if change > 0 else '−'}{_value(abs(change), unit)}" if change else "="
    tone = "" if not change or better is Better.NEITHER else "good" if (change > 0) == (better is Better.MORE) else "bad"
    return FigureRow(title, _value(old, unit), _value(new, unit), words, tone)


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} {unit}" if unit else _number(value)


def _number(value: float) -> str:
    """A mean of counts as a count."""
    return f"{round(value):,}"


def _settings(asked: Mapping[str, str]) -> list[tuple[str, str]]:
    row = Settings()
    return [(str(model_field(row, name).verbose_name), _in_words(name, text)) for name, text in asked.items()]


def _in_words(name: str, text: str) -> str:
    if text in ("true", "false"):
        return in_words(name, text == "true")
    return f"{text} s" if name.endswith("_seconds") else text
