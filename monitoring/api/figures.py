"""Figures of a range, and the comparison of LLM and template."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.utils import timezone
from ninja import Field, Query, Router, Schema

from agents.models import Route
from monitoring.api.access import ApiRequest, reads
from monitoring.api.paging import PLAIN
from monitoring.api.problems import of_form
from monitoring.overview.compare import Pair, compared
from monitoring.overview.figures import Tally, figures, series
from monitoring.reporting.ranges import Range, RangeForm
from monitoring.reporting.rollups import percentile

router = Router(tags=["Figures"])


class RangeQuery(Schema):
    """A named range up to now, or a start and an end."""

    range: Literal["1h", "6h", "24h", "7d", "30d"] = "24h"
    since: datetime | None = None
    until: datetime | None = None

    def chosen(self, now: datetime) -> Range:
        times = {name: value.isoformat() for name in ("since", "until") if (value := getattr(self, name))}
        form = RangeForm({"range": self.range, **times}, now)
        if not form.is_valid():
            raise of_form(form)
        return form.chosen()


class FiguresQuery(RangeQuery):
    """`miner`: only its steps and attempts."""

    miner: Annotated[str, Field(max_length=50, pattern=PLAIN)] = ""


class RangeOut(Schema):
    name: str
    start: datetime
    end: datetime


class TallyOut(Schema):
    """Steps are validators'; attempts are all of the accounts'. Durations in ms, costs in USD. `too_many`: 429 answers."""

    answered: int
    llm: int
    template: int
    unanswered: int
    under_way: int
    in_time: int
    attempts: int
    too_many: int
    refusals: dict[str, int]
    tokens: int
    cost: Decimal
    paused_seconds: float
    p50: float | None
    p95: float | None


def tally_out(tally: Tally) -> dict[str, Any]:
    names = ("answered", "llm", "template", "unanswered", "under_way", "in_time", "attempts", "too_many", "refusals", "tokens", "cost")
    durations = tally.durations[Route.LLM] + tally.durations[Route.TEMPLATE]
    shares = {"p50": percentile(durations, 0.5), "p95": percentile(durations, 0.95)}
    return {**{name: getattr(tally, name) for name in names}, "paused_seconds": tally.paused_seconds, **shares}


class FigureOut(Schema):
    """Formatted as on the Overview. `change`: against the range before; `tone`: good, bad or ""."""

    name: str
    value: str
    before: str
    change: str
    tone: str
    note: str


class BarOut(Schema):
    start: datetime
    end: datetime
    tally: TallyOut


class MinerOut(Schema):
    name: str
    tally: TallyOut


class FiguresOut(Schema):
    range: RangeOut
    figures: list[FigureOut]
    total: TallyOut
    before: TallyOut
    bars: list[BarOut]
    miners: list[MinerOut]


@router.get("/figures", auth=reads, response=FiguresOut)
def range_figures(request: ApiRequest, query: Query[FiguresQuery]) -> dict[str, Any]:
    """Figures of a range, in total and per bar, and those of the range before it."""
    now = timezone.now()
    result = series(query.chosen(now), now, query.miner)
    return {
        "range": result.range,
        "figures": figures(result.total, result.before),
        "total": tally_out(result.total),
        "before": tally_out(result.before),
        "bars": [{"start": start, "end": end, "tally": tally_out(tally)} for (start, end), tally in result.bins],
        "miners": [{"name": name, "tally": tally_out(tally)} for name, tally in sorted(result.miners.items())],
    }


class SideOut(Schema):
    """One route's steps. Shares in percent, durations in ms, cost in USD a step."""

    steps: int
    share: float | None
    in_time: float | None
    p50: float | None
    p95: float | None
    cost: Decimal | None
    actions: float | None
    executed: float | None
    reported: int


class PairOut(Schema):
    name: str
    llm: SideOut
    template: SideOut


class CompareOut(Schema):
    range: RangeOut
    total: PairOut
    projects: list[PairOut]
    kinds: list[PairOut]
    uses: list[PairOut]
    miners: list[PairOut]


@router.get("/compare", auth=reads, response=CompareOut)
def compare(request: ApiRequest, query: Query[RangeQuery]) -> Mapping[str, Any]:
    """Compare the LLM with the template, by project, kind of task, use of the LLM and miner."""
    now = timezone.now()
    chosen = query.chosen(now)
    result = compared(chosen, now)
    groups: dict[str, list[Pair]] = {name: getattr(result, name) for name in ("projects", "kinds", "uses", "miners")}
    return {"range": chosen, "total": result.total, **groups}
