"""The Overview's charts and their table: the same numbers, for the eye and in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from agents.models import Route
from agents.phrases import phrase
from agents.refusals import RefusalClass
from monitoring.rollups.histogram import percentile
from monitoring.stats.changes import changes_between
from monitoring.stats.figures import share
from monitoring.stats.ranges import Range
from monitoring.stats.series import Series, Tally

REFUSALS = {
    RefusalClass.EDGE: (phrase("Rate limit"), "red"),
    RefusalClass.CAPACITY: (phrase("Model full"), "yellow"),
    RefusalClass.FREE_DAILY: (phrase("Free daily limit"), "pink"),
    RefusalClass.DAILY_QUOTA: (phrase("Daily quota"), "orange"),
    RefusalClass.SUBSCRIPTION_CAP: (phrase("Subscription cap"), "lime"),
    RefusalClass.PAYMENT: (phrase("No balance"), "purple"),
    RefusalClass.AUTH: (phrase("Key refused"), "indigo"),
    RefusalClass.MODEL: (phrase("Model not listed"), "teal"),
    RefusalClass.REQUEST: (phrase("Request refused"), "cyan"),
    RefusalClass.UPSTREAM: (phrase("Provider failed"), "blue"),
}
MINUTE = "%Y-%m-%dT%H:%MZ"


@dataclass(frozen=True, slots=True)
class BarRow:
    """One bar as a row of the table. `steps`: what the Steps page is asked for to list its steps. `paused`: percent of its time."""

    at: datetime
    steps: str
    llm: int
    template: int
    unanswered: int
    under_way: int
    refusals: str
    llm_p50: float | None
    llm_p95: float | None
    template_p95: float | None
    tokens: int
    cost: float
    paused: float


@dataclass(frozen=True, slots=True)
class Charts:
    """`data`: what charts.js draws; `rows`: the table, newest first; `marks`: settings changes, as time and words."""

    data: dict[str, Any]
    rows: list[BarRow]
    marks: list[tuple[datetime, str]]


def charts(told: Series, now: datetime) -> Charts:
    """A range's charts."""
    rows = [_row(told.range, start, end, tally, now) for (start, end), tally in told.bins]
    marks = _marks(told.range)
    data = {
        "from": told.range.start.timestamp(),
        "bin": told.range.bin.total_seconds(),
        "starts": [start.timestamp() for (start, _), _ in told.bins],
        "steps": [row.steps for row in rows],
        "paused": _paused(told, rows),
        "marks": [[at.timestamp(), words] for at, words in marks],
        "charts": {"routes": _routes(told), "refusals": _refusals(told), "latency": _latency(rows), "cost": _cost(rows)},
    }
    return Charts(data, rows[::-1], marks)


def _row(of: Range, start: datetime, end: datetime, tally: Tally, now: datetime) -> BarRow:
    began, over = max(start, of.start), min(end, of.end)
    llm, template = tally.durations[Route.LLM], tally.durations[Route.TEMPLATE]
    refusals = ", ".join(f"{count:,} {REFUSALS[RefusalClass(name)][0].lower()}" for name, count in tally.refusals.most_common())
    # The Steps page takes minutes: of the bar that is not over yet, all of the current one.
    until = "" if over >= now else f" until:{over.astimezone(UTC):{MINUTE}}"
    return BarRow(
        at=start,
        steps=f"since:{began.astimezone(UTC):{MINUTE}}{until} source:validator",
        llm=tally.llm,
        template=tally.template,
        unanswered=tally.unanswered,
        under_way=tally.under_way,
        refusals=refusals,
        llm_p50=percentile(llm, 0.5),
        llm_p95=percentile(llm, 0.95),
        template_p95=percentile(template, 0.95),
        tokens=tally.tokens,
        cost=float(tally.cost),
        paused=min(100.0, share(tally.paused_seconds, (over - began).total_seconds()) or 0.0),
    )


def _paused(told: Series, rows: list[BarRow]) -> list[list[float]]:
    """Pauses as from, to and how dark: each of them in a short range, else each bar's share of paused time."""
    if told.pauses is not None:
        return [[start.timestamp(), end.timestamp(), 1.0] for start, end in told.pauses]
    times = [(start.timestamp(), end.timestamp()) for (start, end), _ in told.bins]
    return [[*time, round(row.paused / 100, 3)] for time, row in zip(times, rows, strict=True) if row.paused]


def _set(name: str, color: str, values: list[Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "color": color, "values": values, **more}


def _routes(told: Series) -> list[dict[str, Any]]:
    tallies = [tally for _, tally in told.bins]
    sets = [
        _set("LLM", "azure", [tally.llm for tally in tallies], steps="route:llm"),
        _set(_("Template"), "purple", [tally.template for tally in tallies], steps="route:template"),
    ]
    others = (
        _set(_("Under way"), "yellow", [tally.under_way for tally in tallies], steps="state:running"),
        _set(_("No answer"), "secondary", [tally.unanswered for tally in tallies], steps="state:unanswered"),
    )
    return [*sets, *(each for each in others if any(each["values"]))]


def _refusals(told: Series) -> list[dict[str, Any]]:
    seen = [kind for kind in REFUSALS if told.total.refusals[kind]]
    return [_set(*REFUSALS[kind], [tally.refusals[kind] for _, tally in told.bins], steps="") for kind in seen]


def _latency(rows: list[BarRow]) -> list[dict[str, Any]]:
    names = (
        (_("LLM median"), "azure", "llm_p50"),
        (_("LLM 95th percentile"), "blue", "llm_p95"),
        (_("Template 95th percentile"), "purple", "template_p95"),
    )
    return [_set(name, color, [_seconds(getattr(row, field)) for row in rows], line=True) for name, color, field in names]


def _cost(rows: list[BarRow]) -> list[dict[str, Any]]:
    return [
        _set(_("Tokens"), "teal", [row.tokens for row in rows]),
        _set(_("Cost, USD"), "orange", [round(row.cost, 4) for row in rows], line=True, right=True),
    ]


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, 3)


def _marks(of: Range) -> list[tuple[datetime, str]]:
    """Settings changes of the range, oldest first."""
    found = changes_between(of.start, of.end)
    return [(change.at, change.summary) for change in reversed(found)]
