"""Components' status: the rows of the Health page, a component's last day, and readiness for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, zip_longest
from typing import Any, NamedTuple

from django.db import DatabaseError

from agents.database import answering_transaction
from agents.models import Heartbeat, Settings
from agents.worker import heartbeat
from monitoring.health.health_checks import CLOCK, DRIFT_EVERY, WORKER_SILENT
from monitoring.models import Component, HealthCheck, HealthState
from monitoring.reporting.formats import share

BEATS = 60
SEARCHED = 2  # times the expected span in which checks are read, as rounds may be late or missed
MISSED_ROUNDS = 3  # missed rounds of health checks after which a component's status is unknown
DAY = timedelta(hours=24)
CHANGES_SHOWN = 100
LEAST_WIDTH = 0.4  # percent of the day: four pixels of a wide page
URGENCY = (HealthState.DOWN, HealthState.DEGRADED, HealthState.UNKNOWN, HealthState.UP)


class WorkerNow(NamedTuple):
    beaten_at: datetime | None
    is_silent: bool
    message: str

    @property
    def warning(self) -> str:
        if not self.is_silent:
            return ""
        if self.beaten_at is None:
            return "No worker has started yet: background jobs wait. Start it with make run."
        return "The worker does not respond: background jobs wait. Check its log, or restart it."


def worker_now(now: datetime) -> WorkerNow:
    newest = heartbeat.newest_beat()
    if newest is None or now - newest > WORKER_SILENT:
        return WorkerNow(newest, is_silent=True, message="No heartbeat for a minute or more.")
    return WorkerNow(newest, is_silent=False, message=f"Last heartbeat {max(0.0, (now - newest).total_seconds()):.0f} s ago.")


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """`is_stale`: rounds of checks were missed, so the status is unknown. `beats`: the latest HealthChecks, oldest first."""

    component: Component
    status: HealthState
    message: str
    since: datetime
    is_stale: bool = False
    beats: Sequence[Any] = ()

    @property
    def is_flapping(self) -> bool:
        return self.component.is_flapping and not self.is_stale

    @property
    def up_share(self) -> float | None:
        return share(sum(beat.state == HealthState.UP for beat in self.beats), len(self.beats))

    @property
    def beats_text(self) -> str:
        if not self.beats:
            return "No health check yet."
        counts = [(str(status.label).lower(), sum(beat.state == status for beat in self.beats)) for status in HealthState]
        parts = ", ".join(f"{count} {name}" for name, count in counts if count)
        return f"The last {len(self.beats)} checks: {parts}. Newest: {HealthState(self.beats[-1].state).label}."


class Health(NamedTuple):
    rows: list[ComponentRow]
    worker: WorkerNow

    @property
    def failing(self) -> list[ComponentRow]:
        return [row for row in self.rows if row.status in (HealthState.DOWN, HealthState.DEGRADED)]


def health(now: datetime, *, number: int = BEATS) -> Health:
    worker, components, beats = worker_now(now), list(Component.objects.all()), dict[int, list[Any]]()
    round_time = timedelta(seconds=Settings.current().health_seconds)
    if components:  # two queries in all: the clock is checked rarely, and so read separately
        newest = max(row.checked_at for row in components)
        checks = HealthCheck.objects.order_by("-at").values_list("component_id", "at", "state", "message", named=True)
        often = checks.exclude(component__name=CLOCK).filter(at__gt=newest - SEARCHED * number * round_time)
        for check in (*often, *checks.filter(component__name=CLOCK)[:number]):
            beats.setdefault(check.component_id, []).append(check)
    rows = [_row(row, now, _patience(row, round_time), beats.get(row.pk, [])[:number][::-1], worker) for row in components]
    return Health(sorted(rows, key=lambda row: URGENCY.index(row.status)), worker)


def _row(component: Component, now: datetime, patience: timedelta, beats: Sequence[Any], worker: WorkerNow) -> ComponentRow:
    # Nothing updates the worker's row while the worker is silent.
    if component.name == "worker" and worker.is_silent:
        return ComponentRow(component, HealthState.DOWN, worker.message, worker.beaten_at or component.checked_at, beats=beats)
    is_stale = component.checked_at < now - patience
    status = HealthState.UNKNOWN if is_stale else HealthState(component.state)
    return ComponentRow(component, status, component.message, component.since, is_stale, beats)


def _patience(component: Component, round_time: timedelta) -> timedelta:
    return MISSED_ROUNDS * (DRIFT_EVERY if component.name == CLOCK else round_time)


class Segment(NamedTuple):
    """A period in which all checks had the same status; "" if checks are missing. `left` and `width` in percent of the day."""

    start: datetime
    end: datetime
    status: str
    message: str
    left: float

    @property
    def label(self) -> str:
        return str(HealthState(self.status).label) if self.status else "Not checked"

    @property
    def width(self) -> float:
        return 100 * ((self.end - self.start) / DAY)

    @property
    def drawn(self) -> float:
        return max(self.width, LEAST_WIDTH)

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


def day(component: Component, now: datetime) -> dict[str, Any]:
    """One component's last 24 hours. `up_share`: percent of the time that was checked."""
    patience = _patience(component, timedelta(seconds=Settings.current().health_seconds))
    checks = list(component.checks.filter(at__gt=now - DAY, at__lte=now).order_by("at"))
    timed = sorted(check.latency_ms for check in checks if check.latency_ms is not None)
    parts = segments(checks, now, patience)
    checked = sum(part.seconds for part in parts if part.status)
    return {
        "row": _row(component, now, patience, checks[-BEATS:], worker_now(now)),
        "segments": parts,
        "changes": parts[::-1][:CHANGES_SHOWN],
        "checks": len(checks),
        "median_ms": timed[len(timed) // 2] if timed else None,
        "longest_ms": timed[-1] if timed else None,
        "up_share": share(sum(part.seconds for part in parts if part.status == HealthState.UP), checked),
    }


def segments(checks: Sequence[HealthCheck], now: datetime, patience: timedelta) -> list[Segment]:
    """A day's checks, oldest first, joined while their status is the same. A check is valid until the next one, for `patience` at most."""
    begin = now - DAY
    points = [(begin, "", "")]  # start, status, message
    for check, following in zip_longest(checks, checks[1:]):
        is_from_begin = len(points) == 1 and check.at - begin <= patience  # the first one is valid for the time before it too
        points.append((begin if is_from_begin else check.at, check.state, check.message))
        if check.at + patience < (following.at if following else now):
            points.append((check.at + patience, "", ""))
    joined: list[Segment] = []
    for (start, status, message), (end, *_) in pairwise([*points, (now, "", "")]):
        if joined and joined[-1].status == status:
            joined[-1] = joined[-1]._replace(end=end)
        elif end > start:
            joined.append(Segment(start, end, status, message, 100 * ((start - begin) / DAY)))
    return joined


def readiness(now: datetime) -> tuple[bool, dict[str, dict[str, Any]]]:
    """Whether the database can be read and written, which is all that answers need; and all components as JSON."""
    try:
        worker, round_time = worker_now(now), timedelta(seconds=Settings.current().health_seconds)
        rows = [_row(component, now, _patience(component, round_time), (), worker) for component in Component.objects.all()]
    except DatabaseError:
        return False, {"database": {"state": HealthState.DOWN.value, "message": "Can't be read."}}
    fault = ""
    try:
        with answering_transaction():  # with a step's time limit
            Heartbeat.objects.filter(pk=0).update(name="")
    except DatabaseError as error:
        fault = f"Can't be written: {error}"[:300]
    components, up, down = {row.component.name: _as_json(row) for row in rows}, HealthState.UP.value, HealthState.DOWN.value
    # The stored rows of these two may be out of date.
    components["worker"] = {"state": down if worker.is_silent else up, "message": worker.message}
    components["database"] = {"state": down if fault else up, "message": fault or "Can be read and written."}
    return not fault, components


def _as_json(row: ComponentRow) -> dict[str, Any]:
    message = f"Not checked since {row.component.checked_at:%Y-%m-%d %H:%M:%S} UTC." if row.is_stale else row.message
    return {"state": row.status.value, "message": message, "since": row.since, "latency_ms": row.component.latency_ms}
