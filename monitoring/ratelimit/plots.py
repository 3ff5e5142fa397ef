"""Charts of each account's last day: pauses and refusals, and the estimates of its limit, as recorded."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from django.core.cache import cache

from agents.models import Account, AuditEntry, LimitEstimate, LLMAttempt, RateLimitEvent
from agents.policy.reasons import Occasion, Verdict
from agents.policy.refusals import RefusalClass
from monitoring.models import Of, RollupState
from monitoring.notifications import maintenance
from monitoring.reporting.ranges import Range, sources

DAY = timedelta(days=1)
KEPT_SECONDS = 30
# More pauses or refusals than these are not visible on a timeline; the table of events has them all.
PAUSES_DRAWN, REFUSALS_DRAWN, PAUSES_LISTED = 2_000, 2_000, 30
OPERATOR = "paused by an operator"
ACCEPTED = (Verdict.OK, Verdict.INVALID)


class Pause(NamedTuple):
    start: datetime
    end: datetime
    cause: str

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class PauseTimeline:
    """An account's day, from the panel's first record on. `pauses`: in order, not overlapping; `refusals`: times; `refused`, `accepted`:
    counts of attempts."""

    account: str
    start: datetime
    end: datetime
    pauses: list[Pause]
    refusals: list[datetime]
    refused: int
    accepted: int

    @property
    def is_unknown(self) -> bool:
        return not (self.pauses or self.refused or self.accepted)

    @property
    def paused_seconds(self) -> float:
        return sum(pause.seconds for pause in self.pauses)

    @property
    def longest_seconds(self) -> float:
        return max((pause.seconds for pause in self.pauses), default=0.0)

    @property
    def newest_pauses(self) -> list[Pause]:
        return self.pauses[::-1][:PAUSES_LISTED]

    @property
    def bars(self) -> list[tuple[float, float]]:
        """Start and width of each pause in a drawing 1,000 wide. Those that would touch are joined."""
        joined: list[tuple[float, float]] = []
        for pause in self.pauses:
            left, right = self._place(pause.start), self._place(pause.end)
            if joined and left - sum(joined[-1]) < 1:
                left, _ = joined.pop()
            joined.append((left, max(1.0, right - left)))
        return joined

    @property
    def ticks(self) -> list[int]:
        return sorted({round(self._place(at)) for at in self.refusals if self.start <= at <= self.end})

    @property
    def paused_path(self) -> str:
        """SVG, 10 high, one path for all pauses."""
        return "".join(f"M{left:.2f} 0h{width:.2f}v10h-{width:.2f}z" for left, width in self.bars)

    @property
    def refused_path(self) -> str:
        return "".join(f"M{left} 0h1.5v10h-1.5z" for left in self.ticks)

    def _place(self, at: datetime) -> float:
        return 1000 * (at - self.start) / (self.end - self.start)


def recent_timelines(now: datetime) -> list[PauseTimeline]:
    return cache.get_or_set("pause-timelines", partial(pause_timelines, now), KEPT_SECONDS)  # type: ignore[return-value]


def pause_timelines(now: datetime) -> list[PauseTimeline]:
    state, day = RollupState.objects.filter(pk=RollupState.ONLY).first(), Range.between(now - DAY, now, now)
    start = (day.since(state.since) if state else day).start
    counted, counts = sources(replace(day, start=start), state), Counter[tuple[int | None, str]]()
    for row in counted.rows((Of.ATTEMPTS,), now):
        counts[row.account_id, row.verdict] += row.count
    pauses, refusals = _pauses(start, now), _refusals(start)

    def timeline(account: Account) -> PauseTimeline:
        refused, accepted = counts[account.pk, Verdict.REFUSED], sum(counts[account.pk, verdict] for verdict in ACCEPTED)
        return PauseTimeline(account.name, start, now, merged(pauses[account.pk], start, now), refusals[account.pk], refused, accepted)

    return [timeline(account) for account in Account.objects.only("id", "name")]


def merged(pauses: Iterable[Pause], start: datetime, end: datetime) -> list[Pause]:
    """The pauses between `start` and `end`, in order; those that touch are joined, with the cause of the first."""
    joined: list[Pause] = []
    for pause in sorted(pauses, key=lambda pause: pause.start):
        cut = Pause(max(pause.start, start), min(pause.end, end), pause.cause)
        if cut.end <= cut.start:
            continue
        if joined and cut.start <= joined[-1].end:
            joined[-1] = Pause(joined[-1].start, max(joined[-1].end, cut.end), joined[-1].cause)
        else:
            joined.append(cut)
    return joined


def operator_pauses(entries: Sequence[AuditEntry], end: datetime) -> list[Pause]:
    """An account's pauses by operators, from its entries in order: a pause lasts as entered, or until another action ends it."""
    pauses = []
    for entry, following in pairwise([*entries, None]):
        assert entry is not None
        entered = entry.at + timedelta(seconds=entry.seconds or 0)
        is_ended = following is not None and following.action != AuditEntry.Action.PAUSE
        pauses.append(Pause(entry.at, min(entered, following.at if following and is_ended else end), OPERATOR))
    return [pause for pause in pauses if pause.end > pause.start]


def _pauses(start: datetime, end: datetime) -> defaultdict[int, list[Pause]]:
    by_account = defaultdict[int, list[Pause]](list)
    events = RateLimitEvent.objects.filter(model="", started_at__gte=start - DAY, started_at__lte=end).exclude(ended_at__lte=start)
    columns = ("account_id", "started_at", "ended_at", "refusal")
    for account, began, ended, refusal in events.order_by("-started_at").values_list(*columns)[:PAUSES_DRAWN]:
        by_account[account].append(Pause(began, ended or end, RefusalClass(refusal).about.label.lower()))
    entries_of = defaultdict[int, list[AuditEntry]](list)
    entries = AuditEntry.objects.filter(account__isnull=False, at__gte=start - DAY, at__lte=end).order_by("-at", "-id")[:PAUSES_DRAWN]
    for entry in reversed(entries):
        assert entry.account_id is not None
        entries_of[entry.account_id].append(entry)
    for key, own in entries_of.items():
        by_account[key] += operator_pauses(own, end)
    return by_account


def _refusals(start: datetime) -> defaultdict[int, list[datetime]]:
    # Only refused attempts have a class. A condition on the verdict too would let the database read those of busy models as well.
    pausing = [kind for kind in RefusalClass if kind.pauses_account]
    refused = LLMAttempt.objects.filter(decided_at__gte=start, refusal__in=pausing, ended_at__isnull=False)
    by_account = defaultdict[int, list[datetime]](list)
    for account, at in refused.order_by("-decided_at").values_list("account_id", "ended_at")[:REFUSALS_DRAWN]:
        assert at is not None
        by_account[account].append(at)
    return by_account


# A plot has at most COLUMNS columns, of one of LENGTHS in seconds.
COLUMNS, LENGTHS = 289, (60, 300)
# More than a day has, unless probes are refused every few seconds.
MOST_READ, LISTED = 5_000, 30
MARKS = {Occasion.REFUSED: ("Refused", "red"), Occasion.PROBED: ("Probe refused", "orange"), Occasion.RECOVERED: ("Block over", "green")}
REFUSALS = (Occasion.REFUSED, Occasion.PROBED)
COLUMNS_READ = ("account_id", "at", "occasion", "sent", "low", "middle", "high", "pace")  # thousands of whole rows would be slow


class LimitPlot(NamedTuple):
    """`newest`: the newest estimates, newest first; `refused`: refusals of the day, including probes."""

    account: Account
    newest: list[LimitEstimate]
    refused: int


def limit_plots(now: datetime) -> dict[str, Any]:
    """`data`: for charts.js, a chart per account; `plots`: of the accounts with an estimate in the last day."""
    estimates, by_account = LimitEstimate.objects.filter(at__gt=now - DAY, at__lte=now), defaultdict[int, list[Any]](list)
    for row in estimates.order_by("-at", "-id").values_list(*COLUMNS_READ, named=True)[:MOST_READ]:
        by_account[row.account_id].append(row)
    if not by_account:
        return {"plots": []}
    starts = _columns(min(rows[-1].at for rows in by_account.values()), now)
    length = starts[1] - starts[0]
    charts = {f"limit-{key}": _sets(rows[::-1], starts, length) for key, rows in by_account.items()}
    named = [(account, by_account[account.pk]) for account in Account.objects.filter(pk__in=by_account).only("id", "name")]
    plots = [LimitPlot(account, _listed(rows), sum(row.occasion in REFUSALS for row in rows)) for account, rows in named]
    times = {"from": starts[0], "bin": length, "starts": starts}
    windows = maintenance.chart_windows((datetime.fromtimestamp(starts[0], UTC), now))
    return {"plots": plots, "data": {**times, "paused": [], "marks": [], "maintenance": windows, "charts": charts}}


def _listed(rows: list[Any]) -> list[LimitEstimate]:
    return [LimitEstimate(**row._asdict()) for row in rows[:LISTED]]


def _columns(first: datetime, now: datetime) -> list[int]:
    """Start times of the plot's columns, at least two."""
    start, end = first.timestamp(), now.timestamp()
    length = next(candidate for candidate in LENGTHS if (end - start) / candidate < COLUMNS - 1)
    return list(range(int(min(start, end - length) // length * length), int(end) + 1, length))


def _sets(rows: list[Any], starts: list[int], length: int) -> list[dict[str, Any]]:
    """The lines of a plot. In a column the last estimate is drawn, and each kind of mark once."""
    last, marks = dict[int, Any](), defaultdict[str, dict[int, int]](dict)
    for row in rows:
        column = int(row.at.timestamp() - starts[0]) // length
        last[column] = row
        marks[row.occasion][column] = row.sent

    def line(name: str, color: str, column: str, style: str) -> dict[str, Any]:
        values = [getattr(last[index], column) if index in last else None for index in range(len(starts))]
        return {"name": name, "color": color, "values": values, "line": True, "style": style}

    lines = [
        line("At most (90 %)", "azure", "high", "edge"),
        line("At least (90 %)", "azure", "low", "range"),
        line("Limit, most likely", "azure", "middle", "steps"),
        line("Pace", "purple", "pace", "dashes"),
    ]
    for kind, (name, color) in MARKS.items():
        if marks[kind]:
            values = [marks[kind].get(index) for index in range(len(starts))]
            lines.append({"name": name, "color": color, "values": values, "line": True, "style": "marks"})
    return lines
