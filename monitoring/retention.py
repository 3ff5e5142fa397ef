"""What is kept of the logs: thirty days, and no more rows than a database searches quickly."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from monitoring.models import JournalImport, LogEntry

KEPT = timedelta(days=30)
MOST_ROWS = 1_000_000
# Rows a transaction: some ten milliseconds in which no other process can write to SQLite.
BATCH = 2_000


def prune_logs(now: datetime) -> int:
    """Delete old entries, in batches. Returns how many. Imported ones count from their import: a journal tells of long ago."""
    before = now - KEPT
    deleted = _delete(LogEntry.objects.filter(Q(journal=None, at__lt=before) | Q(journal__started_at__lt=before)))
    deleted += _delete(LogEntry.objects.all(), LogEntry.objects.count() - MOST_ROWS)
    JournalImport.objects.filter(started_at__lt=before, entries=None).delete()
    return deleted


def _delete(entries: QuerySet[LogEntry], at_most: int | None = None) -> int:
    """The oldest of these entries, at most so many."""
    deleted = 0
    while at_most is None or deleted < at_most:
        size = BATCH if at_most is None else min(BATCH, at_most - deleted)
        some = list(entries.order_by("at", "id").values_list("id", flat=True)[:size])
        if not some:
            break
        LogEntry.objects.filter(id__in=some).delete()
        deleted += len(some)
    return deleted
