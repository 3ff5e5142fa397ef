"""Whether the miner can do its work now: asked by programs, so it looks for itself where a stale row could lie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError

from agents import heartbeat
from agents.models import Settings
from monitoring.models import Component, HealthState

# Rounds of checks that may be missed before their word counts no more.
MISSED_ROUNDS = 3
WORKER_SILENT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Readiness:
    """`components`: by name, each as JSON with state, message, since and latency_ms."""

    is_ready: bool
    components: dict[str, dict[str, Any]]


def readiness(now: datetime) -> Readiness:
    """Ready: the database can be read. What else is down makes the miner worse, but steps are answered all the same."""
    try:
        stale_at = now - MISSED_ROUNDS * timedelta(seconds=Settings.current().health_seconds)
        rows = {row.name: _told(row, stale_at) for row in Component.objects.all()}
        rows["worker"] = _worker(now)
        rows["database"] = {"state": HealthState.UP.value, "message": "Can be read."}
    except DatabaseError:
        down = {"state": HealthState.DOWN.value, "message": "Can't be read."}
        return Readiness(is_ready=False, components={"database": down})
    return Readiness(is_ready=True, components=rows)


def _told(row: Component, stale_at: datetime) -> dict[str, Any]:
    is_stale = row.checked_at < stale_at and row.name != "clock"
    state = HealthState.UNKNOWN.value if is_stale else row.state
    message = f"Not looked at since {row.checked_at:%Y-%m-%d %H:%M:%S} UTC." if is_stale else row.message
    return {"state": state, "message": message, "since": row.since, "latency_ms": row.latency_ms}


def _worker(now: datetime) -> dict[str, Any]:
    newest = heartbeat.newest_beat()
    if newest is None or now - newest > WORKER_SILENT:
        return {"state": HealthState.DOWN.value, "message": "No sign of life for a minute or more."}
    return {"state": HealthState.UP.value, "message": f"Last sign of life {max(0.0, (now - newest).total_seconds()):.0f} s ago."}
