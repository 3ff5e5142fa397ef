"""What is kept of notices and their deliveries: ninety days, and what is still so."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitoring.models import Delivery, Notice

KEPT = timedelta(days=90)
# At a look, of which there is one every few seconds: some ten milliseconds in which no other process can write to SQLite.
BATCH = 500


def prune(now: datetime) -> int:
    """Delete the oldest notices that are over, and the reminders of what is still so, some at a time. Returns how many rows."""
    before = now - KEPT
    old = list(Notice.objects.filter(at__lt=before, over_at__lt=before).order_by("at").values_list("pk", flat=True)[:BATCH])
    deleted = Notice.objects.filter(pk__in=old).delete()[0]
    # The first message of what is still so stays: reminders are counted from it.
    reminders = Delivery.objects.filter(notice__at__lt=before, repeat__gt=0, sent_at__lt=before).values_list("pk", flat=True)[:BATCH]
    return deleted + Delivery.objects.filter(pk__in=list(reminders)).delete()[0]
