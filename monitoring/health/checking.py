"""The round of checks: when it is due, and what it writes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from agents.models import Heartbeat, Settings
from monitoring.health.judging import FLAPPING_LOOKS, Judged, Look, judged
from monitoring.health.looks import looks
from monitoring.models import Component, HealthCheck, HealthState

ROUND = "health round"


def check_if_due(now: datetime) -> bool:
    """Look at everything, if nobody has for as long as the settings say. False where it is not due."""
    every = timedelta(seconds=Settings.current().health_seconds)
    beat, made = Heartbeat.objects.get_or_create(name=ROUND, defaults={"beaten_at": now})
    if not made and not Heartbeat.objects.filter(pk=beat.pk, beaten_at__lte=now - every).update(beaten_at=now):
        return False
    check(now)
    return True


def check(now: datetime) -> list[Component]:
    """Look at everything, and keep what was seen. A component that is not there any more is dropped."""
    patience = Settings.current().failures_before_down
    seen = list(looks(now))
    kept = [_keep(look, now, patience) for look in seen]
    known = {look.component for look in seen}
    # The clock is looked at seldom, so that its absence says nothing.
    Component.objects.exclude(name__in=known | {"clock"}).delete()
    return kept


def _recent(row: Component) -> list[HealthState]:
    """What the last looks saw, newest first."""
    return [HealthState(state) for state in row.checks.order_by("-at").values_list("state", flat=True)[:FLAPPING_LOOKS]]


def _keep(look: Look, now: datetime, patience: int) -> Component:
    with transaction.atomic():
        row = Component.objects.select_for_update().filter(name=look.component).first()
        before = Judged(HealthState(row.state), row.since, row.failures, row.is_flapping) if row else None
        recent = (
            [HealthState(state) for state in row.checks.order_by("-at").values_list("state", flat=True)[:FLAPPING_LOOKS]] if row else []
        )
        after = judged(before, look, now, patience, recent)
        row = row or Component(name=look.component)
        row.state, row.seen, row.since, row.checked_at = after.state, look.state, after.since, now
        row.latency_ms, row.message = look.latency_ms, look.message
        row.failures, row.is_flapping = after.failures, after.is_flapping
        row.save()
        HealthCheck.objects.create(component=row, at=now, state=look.state, latency_ms=look.latency_ms, message=look.message)
    return row
