"""The last day of each account on a time axis: its pauses and refusals, and what was believed of its limit, as recorded."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
MINUTE = timedelta(minutes=1)  # a timeline is drawn up to the full minute, so that an open page's part stays the same within it
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
    """One account's day. `pauses`: earliest first, none overlapping; `refusals`: when; `refused`, `accepted`: counts of attempts."""

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
        """In a drawing that is 1,000 wide: where each pause begins and how wide it is. Those that would touch are one."""
        found: list[tuple[float, float]] = []
        for pause in self.pauses:
            left, right = self._place(pause.start), self._place(pause.end)
            if found and left - sum(found[-1]) < 1:
                left, _ = found.pop()
            found.append((left, max(1.0, right - left)))
        return found

    @property
    def ticks(self) -> list[int]:
        return sorted({round(self._place(at)) for at in self.refusals if self.start <= at <= self.end})

    @property
    def paused_path(self) -> str:
        """SVG, 10 high: one element, however many there are."""
        return "".join(f"M{left:.2f} 0h{width:.2f}v10h-{width:.2f}z" for left, width in self.bars)

    @property
    def refused_path(self) -> str:
        return "".join(f"M{left} 0h1.5v10h-1.5z" for left in self.ticks)

    def _place(self, at: datetime) -> float:
        return 1000 * (at - self.start) / (self.end - self.start)


def recent_timelines(now: datetime) -> list[PauseTimeline]:
    return cache.get_or_set("pause-timelines", partial(pause_timelines, now), KEPT_SECONDS)  # type: ignore[return-value]


def pause_timelines(now: datetime) -> list[PauseTimeline]:
    end = datetime.fromtimestamp(now.timestamp() // 60 * 60, tz=now.tzinfo)
    start = end - DAY
    pauses, refusals, counts = _pauses(start, end), _refusals(start), _counts(start, end + MINUTE)

    def timeline(account: Account) -> PauseTimeline:
        refused, accepted = counts[account.pk, Verdict.REFUSED], sum(counts[account.pk, verdict] for verdict in ACCEPTED)
        return PauseTimeline(account.name, start, end, merged(pauses[account.pk], start, end), refusals[account.pk], refused, accepted)

    return [timeline(account) for account in Account.objects.only("id", "name")]


def merged(pauses: Iterable[Pause], start: datetime, end: datetime) -> list[Pause]:
    """The pauses between `start` and `end`, in order; those that touch are one, with the cause of the first."""
    found: list[Pause] = []
    for pause in sorted(pauses, key=lambda each: each.start):
        cut = Pause(max(pause.start, start), min(pause.end, end), pause.cause)
        if cut.end <= cut.start:
            continue
        if found and cut.start <= found[-1].end:
            found[-1] = Pause(found[-1].start, max(found[-1].end, cut.end), found[-1].cause)
        else:
            found.append(cut)
    return found


def operator_pauses(entries: Sequence[AuditEntry], end: datetime) -> list[Pause]:
    """An account's pauses by operators, from its entries in order: each lasts as long as entered, or until the next action ends it."""
    pauses = []
    for entry, following in pairwise([*entries, None]):
        assert entry is not None
        entered = entry.at + timedelta(seconds=entry.seconds or 0)
        is_ended = following is not None and following.action != AuditEntry.Action.PAUSE
        pauses.append(Pause(entry.at, min(entered, following.at if following and is_ended else end), OPERATOR))
    return [pause for pause in pauses if pause.end > pause.start]


def _pauses(start: datetime, end: datetime) -> defaultdict[int, list[Pause]]:
    found = defaultdict[int, list[Pause]](list)
    events = RateLimitEvent.objects.filter(model="", started_at__gte=start - DAY, started_at__lte=end).exclude(ended_at__lte=start)
    columns = ("account_id", "started_at", "ended_at", "refusal")
    for account, began, ended, refusal in events.order_by("-started_at").values_list(*columns)[:PAUSES_DRAWN]:
        found[account].append(Pause(began, ended or end, RefusalClass(refusal).about.label.lower()))
    by_account = defaultdict[int, list[AuditEntry]](list)
    entries = AuditEntry.objects.filter(account__isnull=False, at__gte=start - DAY, at__lte=end).order_by("-at", "-id")[:PAUSES_DRAWN]
    for entry in reversed(entries):
        assert entry.account_id is not None
        by_account[entry.account_id].append(entry)
    for key, own in by_account.items():
        found[key] += operator_pauses(own, end)
    return found


def _refusals(start: datetime) -> defaultdict[int, list[datetime]]:
    # Only a refused attempt has a class; with a condition on its verdict too, the database would read those that met a full model as well.
    pausing = [kind for kind in RefusalClass if kind.pauses_account]
    refused = LLMAttempt.objects.filter(decided_at__gte=start, refusal__in=pausing, ended_at__isnull=False)
    found = defaultdict[int, list[datetime]](list)
    for account, at in refused.order_by("-decided_at").values_list("account_id", "ended_at")[:REFUSALS_DRAWN]:
        assert at is not None
        found[account].append(at)
    return found


def _counts(start: datetime, end: datetime) -> Counter[tuple[int, str]]:
    state, found = RollupState.objects.filter(pk=RollupState.ONLY).first(), Counter[tuple[int, str]]()
    for row in sources(Range.between(start, end, end), state).rows((Of.ATTEMPTS,), end):
        assert row.account_id is not None
        found[row.account_id, row.verdict] += row.count
    return found


# A plot has at most so many columns, each of one of these lengths in seconds.
COLUMNS, LENGTHS = 289, (60, 300)
# More than a day has, unless probes are refused every few seconds.
MOST_READ, LISTED = 5_000, 30
MARKS = {Occasion.REFUSED: ("Refused", "red"), Occasion.PROBED: ("Probe refused", "orange"), Occasion.RECOVERED: ("Block over", "green")}
REFUSALS = (Occasion.REFUSED, Occasion.PROBED)
COLUMNS_READ = ("account_id", "at", "occasion", "sent", "low", "middle", "high", "pace")  # thousands of whole rows would take a while


class LimitPlot(NamedTuple):
    """`newest`: the newest estimates, newest first; `refused`: refusals of the day, those of probes included."""

    account: Account
    newest: list[LimitEstimate]
    refused: int


def limit_plots(now: datetime) -> dict[str, Any]:
    """`data`: what charts.js draws, a chart an account; `plots`: of the accounts with an estimate in the last day."""
    found, by_account = LimitEstimate.objects.filter(at__gt=now - DAY, at__lte=now), defaultdict[int, list[Any]](list)
    for row in found.order_by("-at", "-id").values_list(*COLUMNS_READ, named=True)[:MOST_READ]:
        by_account[row.account_id].append(row)
    if not by_account:
        return {"plots": []}
    starts = _columns(min(rows[-1].at for rows in by_account.values()), now)
    length = starts[1] - starts[0]
    charts = {f"limit-{key}": _sets(rows[::-1], starts, length) for key, rows in by_account.items()}
    named = [(each, by_account[each.pk]) for each in Account.objects.filter(pk__in=by_account).only("id", "name")]
    plots = [LimitPlot(account, _listed(rows), sum(row.occasion in REFUSALS for row in rows)) for account, rows in named]
    times = {"from": starts[0], "bin": length, "starts": starts}
    windows = maintenance.bands((datetime.fromtimestamp(starts[0], UTC), now))
    return {"plots": plots, "data": {**times, "paused": [], "marks": [], "maintenance": windows, "charts": charts}}


def _listed(rows: list[Any]) -> list[LimitEstimate]:
    return [LimitEstimate(**row._asdict()) for row in rows[:LISTED]]


def _columns(first: datetime, now: datetime) -> list[int]:
    """When the plot's columns start: two at least."""
    start, end = first.timestamp(), now.timestamp()
    length = next(each for each in LENGTHS if (end - start) / each < COLUMNS - 1)
    return list(range(int(min(start, end - length) // length * length), int(end) + 1, length))


def _sets(rows: list[Any], starts: list[int], length: int) -> list[dict[str, Any]]:
    """Of a column with several estimates the last one is drawn, and each kind of mark once."""
    last, marks = dict[int, Any](), defaultdict[str, dict[int, int]](dict)
    for row in rows:
        column = int(row.at.timestamp() - starts[0]) // length
        last[column] = row
        marks[row.occasion][column] = row.sent

    def line(name: str, color: str, column: str, look: str) -> dict[str, Any]:
        values = [getattr(last[each], column) if each in last else None for each in range(len(starts))]
        return {"name": name, "color": color, "values": values, "line": True, "look": look}

    lines = [
        line("At most (90 %)", "azure", "high", "edge"),
        line("At least (90 %)", "azure", "low", "band"),
        line("Limit, most likely", "azure", "middle", "steps"),
        line("Pace", "purple", "pace", "dashes"),
    ]
    for kind, (name, color) in MARKS.items():
        if marks[kind]:
            values = [marks[kind].get(each) for each in range(len(starts))]
            lines.append({"name": name, "color": color, "values": values, "line": True, "look": "marks"})
    return lines
