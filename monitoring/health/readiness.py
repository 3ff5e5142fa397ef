"""Whether the miner can do its work now: asked by programs, so it looks for itself where a stale row could lie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError

from agents import heartbeat
from agents.models import Settings
from monitoring.health.looks import CLOCK, DRIFT_EVERY, WORKER_SILENT
from monitoring.models import Component, HealthState

# Rounds of checks that may be missed before their word counts no more.
MISSED_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Readiness:
    """`components`: by name, each as JSON with state, message, since and latency_ms."""

    is_ready: bool
    components: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class WorkerNow:
    """The worker as it is at this moment, looked up: when it is silent, nobody renews its row."""

    is_silent: bool
    beaten_at: datetime | None
    message: str


def readiness(now: datetime) -> Readiness:
    """Ready: the database can be read. What else is down makes the miner worse, but steps are answered all the same."""
    try:
        every = looked_every()
        rows = {row.name: _told(row, is_stale=is_stale(row, now, every)) for row in Component.objects.all()}
        rows["worker"] = _worker(now)
        rows["database"] = {"state": HealthState.UP.value, "message": "Can be read."}
    except DatabaseError:
        down = {"state": HealthState.DOWN.value, "message": "Can't be read."}
        return Readiness(is_ready=False, components={"database": down})
    return Readiness(is_ready=True, components=rows)


def looked_every() -> timedelta:
    """The time between two looks at a component."""
    return timedelta(seconds=Settings.current().health_seconds)


def is_stale(row: Component, now: datetime, every: timedelta) -> bool:
    """Whether the row's word counts no more: rounds were missed since."""
    return row.checked_at < now - MISSED_ROUNDS * (DRIFT_EVERY if row.name == CLOCK else every)


def worker_now(now: datetime) -> WorkerNow:
    """By its newest sign of life."""
    newest = heartbeat.newest_beat()
    if newest is None or now - newest > WORKER_SILENT:
        return WorkerNow(is_silent=True, beaten_at=newest, message="No sign of life for a minute or more.")
    return WorkerNow(is_silent=False, beaten_at=newest, message=f"Last sign of life {max(0.0, (now - newest).total_seconds()):.0f} s ago.")


def _told(row: Component, *, is_stale: bool) -> dict[str, Any]:
    state = HealthState.UNKNOWN.value if is_stale else row.state
    message = f"Not looked at since {row.checked_at:%Y-%m-%d %H:%M:%S} UTC." if is_stale else row.message
    return {"state": state, "message": message, "since": row.since, "latency_ms": row.latency_ms}


def _worker(now: datetime) -> dict[str, Any]:
    told = worker_now(now)
    return {"state": (HealthState.DOWN if told.is_silent else HealthState.UP).value, "message": told.message}
