"""The latest what-if: how far it is, or what it says, in a sentence and side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agents.models import Settings, WhatIf
from agents.phrases import phrase
from monitoring.stats.changes import in_words, model_field
from monitoring.wording import translated

SPANS = {1: phrase("the last hour"), 6: phrase("the last 6 hours"), 24: phrase("the last 24 hours"), 168: phrase("the last 7 days")}
# A smaller change of the minutes until the LLM is back is chance.
TOLD_MINUTES = 0.5
NOTHING_CAME = phrase("No step came in this time.")


class Better(StrEnum):
    """Which way a figure gets better."""

    MORE = "more"
    LESS = "less"
    NEITHER = "neither"


# A measure, its name on the page, its unit, and which way is better.
FIGURES = (
    ("steps", phrase("Steps"), "", Better.NEITHER),
    ("in_time", phrase("Answered in time"), "", Better.MORE),
    ("llm", phrase("Answered by the LLM"), "", Better.MORE),
    ("edge_429", phrase("Rate limits (429)"), "", Better.LESS),
    ("in_ban", phrase("Of them while blocked"), "", Better.LESS),
    ("wasted", phrase("Calls into 401 and 402"), "", Better.LESS),
    ("resume_minutes", phrase("Back after a block"), "min", Better.LESS),
    ("p50", phrase("Median answer"), "s", Better.NEITHER),
    ("p95", phrase("95th percentile"), "s", Better.NEITHER),
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

    pk: int
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
    span = translated(SPANS[row.hours]) if row.hours in SPANS else _("the last {hours} hours").format(hours=row.hours)
    common = (row.pk, row.state, row.asked_by, row.asked_at, span, _settings(row.settings), row.progress, row.fault)
    if row.state != WhatIf.State.DONE or row.before is None or row.after is None:
        return Told(*common)
    if not row.before["steps"]:
        return Told(*common, sentence=translated(NOTHING_CAME))
    return Told(
        *common,
        sentence=_sentence(span, row.before, row.after),
        recorded=_recorded(row.before),
        rows=tuple(_row(row.before, row.after, *figure) for figure in FIGURES),
        assumed=tuple(row.after["assumed"]),
    )


def _sentence(span: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    late = [each["steps"] - each["in_time"] for each in (before, after)]
    counts = [(_llm_answers, before["llm"], after["llm"]), (_rate_limits, before["edge_429"], after["edge_429"])]
    counts += [(_late_answers, *late)] if any(late) else []
    parts = [_compared(counted(new), _number(old), _number(new)) for counted, old, new in counts]
    waits = [each["resume_minutes"] for each in (after, before)]
    if None not in waits and abs(waits[0] - waits[1]) >= TOLD_MINUTES:
        parts.append(_("{new:.1f} min until the LLM is back after a block instead of {old:.1f} min").format(new=waits[0], old=waits[1]))
    return _("With these settings {span} would have had {most} and {last}.").format(span=span, most=", ".join(parts[:-1]), last=parts[-1])


def _compared(counted: str, old: str, new: str) -> str:
    if old == new:
        return _("{counted} as before").format(counted=counted)
    return _("{counted} instead of {number}").format(counted=counted, number=old)


def _llm_answers(count: float) -> str:
    return ngettext("{number} LLM answer", "{number} LLM answers", _few(count)).format(number=_number(count))


def _rate_limits(count: float) -> str:
    return ngettext("{number} rate limit", "{number} rate limits", _few(count)).format(number=_number(count))


def _late_answers(count: float) -> str:
    return ngettext("{number} late answer", "{number} late answers", _few(count)).format(number=_number(count))


def _few(count: float) -> int:
    """As it is shown: 1.0 is one."""
    return 1 if _number(count) == "1" else 2


def _recorded(before: Mapping[str, Any]) -> str:
    """How near the run under the settings in force comes to what happened, so that everybody can judge it."""
    return _(
        "On record are {llm:,} LLM answers to {steps:,} steps; played again under the settings in force the same time gives {number}."
    ).format(llm=before["recorded_llm"], steps=before["recorded_steps"], number=_number(before["llm"]))


def _row(before: Mapping[str, Any], after: Mapping[str, Any], name: str, title: str, unit: str, better: Better) -> FigureRow:
    old, new = before[name], after[name]
    if old is None or new is None:
        return FigureRow(translated(title), _value(old, unit), _value(new, unit), "", "")
    # As shown: of two figures that look alike nobody is told that they differ.
    digits = 1 if unit else 0
    change = round(new, digits) - round(old, digits)
    words = f"{'+' if change > 0 else '−'}{_value(abs(change), unit)}" if change else "="
    tone = "" if not change or better is Better.NEITHER else "good" if (change > 0) == (better is Better.MORE) else "bad"
    return FigureRow(translated(title), _value(old, unit), _value(new, unit), words, tone)


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
