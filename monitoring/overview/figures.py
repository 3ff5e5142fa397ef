"""The figures of a range: per bar, in total, as key figures with their change against the range before, and as charts with a table."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from agents.common.text import length
from agents.models import Route, Source, Step
from agents.policy.refusals import RefusalClass
from monitoring.audit.audit_log import newest_entries
from monitoring.models import Of, RollupState
from monitoring.notifications import maintenance
from monitoring.reporting.filter_query import Condition
from monitoring.reporting.formats import milliseconds, percent, share, short
from monitoring.reporting.ranges import Range, sources
from monitoring.reporting.rollups import FIVE, LENGTHS, UNGROUPED, Interval, Row, floor, pauses, percentile
from monitoring.what_if.result import Better

# The approximate width of a drawn range.
PIXELS = 1_000
# Beyond the longest deadline, which is three minutes.
LONGEST_STEP = timedelta(minutes=5)
SAME, NEW = "±0", "new"
MINUTE = "%Y-%m-%dT%H:%MZ"


@dataclass(slots=True)
class Tally:
    """Figures of a bar or a range. Steps are validators'; attempts are all of the accounts'. `durations`: by route, as in a Row.

    `under_way`: open steps before their deadline; `unanswered`: open steps after it; `last_at`: of the newest step.
    """

    llm: int = 0
    template: int = 0
    unanswered: int = 0
    under_way: int = 0
    in_time: int = 0
    durations: dict[str, int] = field(default_factory=lambda: {Route.LLM: 0, Route.TEMPLATE: 0})
    refusals: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    too_many: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    paused_seconds: float = 0.0
    last_at: datetime | None = None

    @property
    def answered(self) -> int:
        return self.llm + self.template

    def add(self, row: Row) -> None:
        if row.of == Of.STEPS:
            name = row.route or "unanswered"
            setattr(self, name, getattr(self, name) + row.count)
            self.in_time += row.in_time
            self.last_at = max(row.starts_at, self.last_at or row.starts_at)
            if row.route:
                self.durations[row.route] += row.durations
            return
        self.paused_seconds += row.seconds
        self.attempts += row.count
        if row.refusal:
            self.refusals[row.refusal] += row.count
        self.too_many += row.too_many
        self.tokens += row.prompt_tokens + row.completion_tokens
        self.cost += row.cost


@dataclass(frozen=True, slots=True)
class Series:
    """`bins`: times and figures of the bars, oldest first. `pauses`: times, if the range is short enough to draw each; else None.

    `miners`: figures by the miner's name, "" for steps without one.
    """

    range: Range
    bins: list[tuple[Interval, Tally]]
    total: Tally
    before: Tally
    pauses: list[Interval] | None
    miners: dict[str, Tally]


def series(chosen: Range, now: datetime, miner: str = "") -> Series:
    """A range, from the first record on, and the one before it, in a fixed number of queries. `miner`: only its steps and attempts."""
    state = RollupState.objects.filter(pk=RollupState.ONLY).first()
    of = chosen.since(state.since) if state else chosen
    bins = {start: (Tally(), (start, end)) for start, end in of.bins()}
    total, before, miners = Tally(), Tally(), dict[str, Tally]()
    where = sources(of, state, [span for span in LENGTHS if LENGTHS[span] <= of.bin]) + sources(chosen.before(now), state)
    for row in where.rows(UNGROUPED, now):
        if row.of == Of.STEPS and row.starts_at >= of.start:
            miners.setdefault(row.name, Tally()).add(row)
        if miner and row.of != Of.PAUSES and row.name != miner:
            continue
        for tally in (bins[floor(row.starts_at, of.bin)][0], total) if row.starts_at >= of.start else (before,):
            tally.add(row)
    # Open steps before their deadline
    steps = Step.objects.filter(source=Source.VALIDATOR, received_at__gte=max(of.start, now - LONGEST_STEP), received_at__lt=of.end)
    steps = steps.filter(miner=miner) if miner else steps
    for at in steps.filter(route="", deadline_at__gte=now).values_list("received_at", flat=True):
        for tally in (bins[floor(at, of.bin)][0], total):
            tally.under_way, tally.unanswered = tally.under_way + 1, tally.unanswered - 1
    drawn = _drawn(of, now) if of.bin == FIVE else None
    return Series(of, [(interval, tally) for tally, interval in bins.values()], total, before, drawn, miners)


@dataclass(frozen=True, slots=True)
class MinerLine:
    """One of several miners. `steps`: the Steps page's filter for its steps; `last_at`: of its newest step, accurate to five minutes."""

    name: str
    tally: Tally
    steps: str
    last_at: datetime | None

    @property
    def llm_share(self) -> float | None:
        return share(self.tally.llm, self.tally.answered)

    @property
    def in_time(self) -> float | None:
        return share(self.tally.in_time, self.tally.answered)

    @property
    def p95(self) -> float | None:
        return _percentile(0.95)(self.tally)


def miner_lines(data: Series) -> list[MinerLine]:
    """A line per miner, by name; empty if there is only one."""
    if len(data.miners) < 2:
        return []
    since = f"since:{data.range.start.astimezone(UTC):{MINUTE}}"
    lines = [(name, tally, Condition("miner", name)) for name, tally in sorted(data.miners.items())]
    return [MinerLine(name, tally, f"{since} {only}" if name else "", tally.last_at) for name, tally, only in lines]


def _drawn(of: Range, now: datetime) -> list[Interval]:
    """The pauses of a range, oldest first; those less than a pixel apart are joined."""
    gap = (of.end - of.start) / PIXELS
    joined: list[Interval] = []
    for _, start, end in pauses([(of.start, of.end)], now):
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


@dataclass(frozen=True, slots=True)
class Figure:
    """A formatted figure. `change`: against `before`, "" if they can't be compared. `tone`: good, bad or "". `note`: a detail."""

    name: str
    value: str
    before: str
    change: str
    tone: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a figure is read from a tally, formatted and compared. `is_new_bad`: an increase from zero is bad too."""

    name: str
    of: Callable[[Tally], float | None]
    format: Callable[[float], str]
    compare: Callable[[float, float], str]
    better: Better = Better.NEITHER
    note: Callable[[Tally], str] = lambda _: ""
    is_new_bad: bool = False


def figures(now: Tally, before: Tally) -> list[Figure]:
    rows = []
    for kind in KINDS:
        new, old = kind.of(now), kind.of(before)
        change = "" if new is None or old is None else kind.compare(new, old)
        tone = ""
        if kind.better is not Better.NEITHER and change not in ("", SAME) and (change != NEW or kind.is_new_bad):
            tone = "good" if ((new or 0) > (old or 0)) == (kind.better is Better.MORE) else "bad"
        value, value_before = ("–" if number is None else kind.format(number) for number in (new, old))
        rows.append(Figure(kind.name, value, value_before, change, tone, kind.note(now)))
    return rows


def _usd(value: float) -> str:
    return f"{value:,.2f} USD" if value >= 1 or not value else f"{value:.4f} USD"


def _relative(new: float, old: float) -> str:
    if not old:
        return NEW if new else SAME
    change = 100 * (new - old) / old
    if abs(change) < 0.5:
        return SAME
    return f"{change:+,.0f} %".replace("-", "−") if abs(change) < 999.5 else f"× {new / old:,.0f}"


def _points(new: float, old: float) -> str:
    change = round(new - old, 1)
    return f"{change:+.1f} points".replace("-", "−") if change else SAME


def _longer(new: float, old: float) -> str:
    change = round(new - old)
    return f"{'+' if change > 0 else '−'}{length(abs(change))}" if change else SAME


def _percentile(rank: float) -> Callable[[Tally], float | None]:
    return lambda tally: percentile(tally.durations[Route.LLM] + tally.durations[Route.TEMPLATE], rank)


def _unanswered(tally: Tally) -> str:
    return f"{tally.unanswered:,} without an answer" if tally.unanswered else ""


def _late(tally: Tally) -> str:
    return f"{tally.answered - tally.in_time:,} late" if tally.answered else ""


KINDS = (
    Kind("Steps answered", lambda tally: tally.answered, "{:,.0f}".format, _relative, note=_unanswered),
    Kind("In time", lambda tally: share(tally.in_time, tally.answered), percent, _points, Better.MORE, _late),
    Kind("LLM share", lambda tally: share(tally.llm, tally.answered), percent, _points, Better.MORE, lambda tally: f"{tally.llm:,} steps"),
    Kind("LLM attempts", lambda tally: tally.attempts, "{:,.0f}".format, _relative),
    Kind("Rate limits (429)", lambda tally: tally.too_many, "{:,.0f}".format, _relative, Better.LESS, is_new_bad=True),
    Kind("Paused", lambda tally: tally.paused_seconds, length, _longer, Better.LESS),
    Kind("Median answer", _percentile(0.5), milliseconds, _relative),
    Kind("95th percentile", _percentile(0.95), milliseconds, _relative, Better.LESS),
    Kind("Tokens", lambda tally: tally.tokens, short, _relative),
    Kind("Cost", lambda tally: float(tally.cost), _usd, _relative, Better.LESS),
)


@dataclass(frozen=True, slots=True)
class BarRow:
    """A bar as a row of the table. `steps`: the Steps page's filter for its steps. `paused`: percent of its time."""

    at: datetime
    steps: str
    tally: Tally
    refusals: str
    llm_p50: float | None
    llm_p95: float | None
    template_p95: float | None
    paused: float


def charts(data: Series, now: datetime, miner: str = "") -> dict[str, Any]:
    """`data`: for charts.js; `rows`: of the table, newest first; `marks`: times and summaries of settings changes."""
    of, tallies = data.range, [tally for _, tally in data.bins]
    rows = [_row(of, start, end, tally, now, miner) for (start, end), tally in data.bins]
    times = [(start.timestamp(), end.timestamp()) for (start, end), _ in data.bins]
    changes = newest_entries(kinds=("settings", "account"), since=of.start, until=of.end)
    marks = [(change.at, change.summary) for change in reversed(changes)]
    # Start, end and opacity: of each pause in a short range, else of each bar, by its share of paused time
    paused = [[*time, round(row.paused / 100, 3)] for time, row in zip(times, rows, strict=True) if row.paused]
    if data.pauses is not None:
        paused = [[start.timestamp(), end.timestamp(), 1.0] for start, end in data.pauses]
    refused = [kind for kind in RefusalClass if data.total.refusals[kind]]
    routes = [
        _set("LLM", "azure", [tally.llm for tally in tallies], steps="route:llm"),
        _set("Template", "purple", [tally.template for tally in tallies], steps="route:template"),
        _set("Under way", "yellow", [tally.under_way for tally in tallies], steps="state:running"),
        _set("No answer", "secondary", [tally.unanswered for tally in tallies], steps="state:unanswered"),
    ]
    datasets = {
        "routes": [*routes[:2], *(route for route in routes[2:] if any(route["values"]))],
        "refusals": [_set(kind.about.label, kind.about.colour, [tally.refusals[kind] for tally in tallies], steps="") for kind in refused],
        "latency": [
            _set("LLM median", "azure", [_seconds(row.llm_p50) for row in rows], line=True),
            _set("LLM 95th percentile", "blue", [_seconds(row.llm_p95) for row in rows], line=True),
            _set("Template 95th percentile", "purple", [_seconds(row.template_p95) for row in rows], line=True),
        ],
        "cost": [
            _set("Tokens", "teal", [tally.tokens for tally in tallies]),
            _set("Cost, USD", "orange", [round(float(tally.cost), 4) for tally in tallies], line=True, right=True),
        ],
    }
    drawing = {
        "from": of.start.timestamp(),
        "bin": of.bin.total_seconds(),
        "starts": [start for start, _ in times],
        "steps": [row.steps for row in rows],
        "paused": paused,
        "marks": [[at.timestamp(), text] for at, text in marks],
        "maintenance": maintenance.chart_windows((of.start, of.end)),
        "charts": datasets,
    }
    return {"data": drawing, "rows": rows[::-1], "marks": marks}


def _row(of: Range, start: datetime, end: datetime, tally: Tally, now: datetime, miner: str) -> BarRow:
    began, over = max(start, of.start), min(end, of.end)
    llm, template = tally.durations[Route.LLM], tally.durations[Route.TEMPLATE]
    # The Steps page filters by minutes: the current bar's link has no end, so that it includes the current minute.
    until = "" if over >= now else f" until:{over.astimezone(UTC):{MINUTE}}"
    only = f" {Condition('miner', miner)}" if miner else ""
    return BarRow(
        at=start,
        steps=f"since:{began.astimezone(UTC):{MINUTE}}{until} source:validator{only}",
        tally=tally,
        refusals=", ".join(f"{count:,} {RefusalClass(name).about.label.lower()}" for name, count in tally.refusals.most_common()),
        llm_p50=percentile(llm, 0.5),
        llm_p95=percentile(llm, 0.95),
        template_p95=percentile(template, 0.95),
        paused=min(100.0, share(tally.paused_seconds, (over - began).total_seconds()) or 0.0),
    )


def _set(name: str, color: str, values: list[Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "color": color, "values": values, **more}


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, 3)
