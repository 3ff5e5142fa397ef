"""A what-if run: its progress, or its result as a sentence and a comparison."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from agents.models import Settings, WhatIf
from agents.models.settings import about
from monitoring.settings.changes import model_field, value_text

SPANS = {1: "the last hour", 6: "the last 6 hours", 24: "the last 24 hours", 168: "the last 7 days"}
# Of the time until the LLM is back; a smaller change is chance.
LEAST_MINUTES = 0.5


Better = IntEnum("Better", {"MORE": 1, "LESS": -1, "NEITHER": 0})

# A measure, its name on the page, its unit, and the better direction.
FIGURES: tuple[tuple[str, str, str, Better], ...] = (
    ("steps", "Steps", "", Better.NEITHER),
    ("in_time", "Answered in time", "", Better.MORE),
    ("llm", "Answered by the LLM", "", Better.MORE),
    ("edge_429", "Rate limits (429)", "", Better.LESS),
    ("in_ban", "Of them while blocked", "", Better.LESS),
    ("wasted", "Calls refused with 401 or 402", "", Better.LESS),
    ("resume_minutes", "Back after a block", "min", Better.LESS),
    ("p50", "Median answer", "s", Better.NEITHER),
    ("p95", "95th percentile", "s", Better.NEITHER),
)


def latest_what_if() -> dict[str, Any] | None:
    row = WhatIf.objects.order_by("-requested_at", "-pk").first()
    return result_of(row) if row else None


def result_of(row: WhatIf) -> dict[str, Any]:
    span = SPANS.get(row.hours, f"the last {row.hours} hours")
    shown: dict[str, Any] = {"row": row, "span": span, "settings": [_tried(name, text) for name, text in row.settings.items()]}
    before, after = row.before, row.after
    if row.state != WhatIf.State.SUCCEEDED or before is None or after is None:
        return shown
    if not before["steps"]:
        return {**shown, "sentence": "No step was received in this time."}
    recorded = f"{before['recorded_llm']:,} LLM answers to {before['recorded_steps']:,} steps"
    simulated = f"a simulation of the same time under the settings in force gives {round(before['llm']):,}"
    return {
        **shown,
        "sentence": _sentence(span, before, after),
        "recorded": f"On record are {recorded}; {simulated}.",
        "figures": [_figure(before[measure], after[measure], name, unit, better) for measure, name, unit, better in FIGURES],
    }


def _tried(name: str, text: str) -> tuple[str, str]:
    field = model_field(Settings(), name)
    return str(field.verbose_name), value_text(name, text == "true") if text in ("true", "false") else f"{text} {about(field).unit}".strip()


def _sentence(span: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    counts = [("LLM answer", before["llm"], after["llm"]), ("rate limit", before["edge_429"], after["edge_429"])]
    late = [side["steps"] - side["in_time"] for side in (before, after)]
    counts += [("late answer", *late)] if any(late) else []
    parts = []
    for name, *means in counts:
        old, new = (f"{round(mean):,}" for mean in means)
        parts.append(f"{new} {name}{'' if new == '1' else 's'} {'as before' if old == new else f'instead of {old}'}")
    old, new = before["resume_minutes"], after["resume_minutes"]
    if old is not None and new is not None and abs(new - old) >= LEAST_MINUTES:
        parts.append(f"{new:.1f} min until the LLM is back after a block instead of {old:.1f} min")
    return f"With these settings {span} would have had {', '.join(parts[:-1])} and {parts[-1]}."


def _figure(old: float | None, new: float | None, name: str, unit: str, better: Better) -> dict[str, str]:
    """A figure before and after, as text. `tone`: good, bad or ""."""
    row = {"name": name, "before": _value(old, unit), "after": _value(new, unit), "difference": "", "tone": ""}
    if old is None or new is None:
        return row
    # Of the rounded values, so that equal texts have no difference.
    digits = 1 if unit else 0
    change = round(new, digits) - round(old, digits)
    row["difference"] = f"{'+' if change > 0 else '−'}{_value(abs(change), unit)}" if change else "="
    row["tone"] = "good" if change * better > 0 else "bad" if change * better < 0 else ""
    return row


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} {unit}" if unit else f"{round(value):,}"
