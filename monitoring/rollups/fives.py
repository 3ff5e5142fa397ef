"""Five minutes of raw rows as roll-up rows: what charts of hours are drawn of, and what is left at the edges of longer ranges."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from monitoring.models import GroupRollup, Span
from monitoring.rollups.summing import FIVE, Groups, Interval, Summed, attempt_rows, floor, groups_of, pauses, step_key, step_rows, write

# The default range and the one before it. There are as many groups in five minutes as steps; at the edges of longer ranges rows are read.
GROUPS_KEPT = timedelta(days=2)


def roll_fives(within: Interval, now: datetime) -> None:
    """Sum the raw rows of whole five minutes anew; the same again gives the same."""
    found: defaultdict[datetime, Summed] = defaultdict(lambda: Summed(Groups(), Groups(), Groups(), {}))
    for at, key, numbers, durations in step_rows(within):
        sums = found[floor(at, FIVE)]
        sums.steps.add(step_key(key), numbers, durations)
        for group in groups_of(key) if at >= now - GROUPS_KEPT else ():
            sums.groups.add(group, numbers, durations)
    for at, (account, _, _, *refusal), numbers, _ in attempt_rows(within):
        found[floor(at, FIVE)].attempts.add((account, "", "", *refusal), numbers, {})
    for account, start, over in pauses([within], now):
        for began, ended in _by_five(start, over):
            paused = found[floor(began, FIVE)].pauses
            paused[account] = paused.get(account, 0.0) + (ended - began).total_seconds()
    write(Span.FIVE, within, found)


def prune_groups(now: datetime) -> None:
    """Forget the groups of five minutes that are older than they are kept."""
    GroupRollup.objects.filter(span=Span.FIVE, starts_at__lt=now - GROUPS_KEPT).delete()


def _by_five(start: datetime, end: datetime) -> list[Interval]:
    """A time cut where five minutes are over."""
    cut = []
    while start < end:
        over = min(end, floor(start, FIVE) + FIVE)
        cut.append((start, over))
        start = over
    return cut
