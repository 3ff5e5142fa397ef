"""What was believed of each account's limit over the last day, and what it was learned from: as recorded, for a plot and its table."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from agents.models import Account, LimitEstimate
from agents.policy.reasons import Occasion
from monitoring.notifications import maintenance

DAY = timedelta(days=1)
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
