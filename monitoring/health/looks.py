"""A look at each component: what it is asked, and what is said of the answer."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
from django.conf import settings as environment
from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from agents import gates, heartbeat
from agents.configuration import accounts, models_of, provider
from agents.governor import State
from agents.keys import UnreadableKey
from agents.models import Account, Heartbeat, QuotaReading, Settings
from agents.refusals import RefusalClass
from monitoring.backup.plan import LOST_AFTER
from monitoring.health.judging import Look
from monitoring.models import BackupPlan, HealthState
from monitoring.suites.api import address

UP, DEGRADED, DOWN, UNKNOWN = HealthState.UP, HealthState.DEGRADED, HealthState.DOWN, HealthState.UNKNOWN
WEB_SECONDS, WEB_SLOW_MS = 10.0, 1_000.0
DATABASE_SLOW_MS = 500.0
DISK_LOW, DISK_FULL = 2 * 10**9, 2 * 10**8  # bytes: a busy day writes a few hundred megabytes
QUEUE_LATE, QUEUE_STUCK = timedelta(seconds=60), timedelta(minutes=5)
WORKER_LATE, WORKER_SILENT = timedelta(seconds=30), timedelta(seconds=60)
SCHEDULE_LATE = timedelta(minutes=3)  # the scheduler looks every half minute
# Requests of several machines are put in order by their clocks; the gate allows for this much.
DRIFT_SEEN, DRIFT_BAD = 5.0, 60.0
DRIFT_EVERY = timedelta(hours=1)
CLOCK = "clock"


def looks(now: datetime) -> Iterator[Look]:
    """A look at everything, one after the other. A fault of a look is that component's, not the others'."""
    for name, look in COMPONENTS.items():
        yield from _guarded(name, look, now)
    for account in accounts():
        yield from _guarded(f"account {account.name}", partial(_account, account), now)
        yield from _guarded(f"management {account.name}", partial(_management, account), now)


def _guarded(name: str, look: Callable[[datetime], list[Look]], now: datetime) -> list[Look]:
    try:
        return look(now)
    except (DatabaseError, OSError, ValueError) as error:
        return [Look(name, DOWN, f"The look failed: {error}"[:300])]


def _web(_: datetime) -> list[Look]:
    return [_got("web", f"{address('')}/health/live")]


def _miner_api(_: datetime) -> list[Look]:
    configured = Settings.current().miner_api_url
    return [_got("miner API", f"{configured.rstrip('/')}/health")] if configured else []


def _got(component: str, url: str) -> Look:
    started = time.monotonic()
    try:
        status = httpx.get(url, timeout=WEB_SECONDS, trust_env=False).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Look(component, DOWN, f"{url} does not answer: {error or type(error).__name__}"[:300])
    ms = (time.monotonic() - started) * 1000
    if status >= 400:
        return Look(component, DOWN, f"{url} answers with status {status}.", ms)
    return Look(component, DEGRADED if ms > WEB_SLOW_MS else UP, f"Answers in {ms:.0f} ms.", ms)


def _database(now: datetime) -> list[Look]:
    started = time.monotonic()
    Heartbeat.objects.update_or_create(name="database", defaults={"beaten_at": now})
    Heartbeat.objects.get(name="database")
    ms = (time.monotonic() - started) * 1000
    free = shutil.disk_usage(environment.DATA_DIR).free
    size = _size()
    words = f"Read and written in {ms:.0f} ms; {_bytes(size)} large; {_bytes(free)} free."
    if free < DISK_FULL:
        return [Look("database", DOWN, f"The disk is full. {words}", ms)]
    slow = ms > DATABASE_SLOW_MS
    return [
        Look(
            "database", DEGRADED if slow or free < DISK_LOW else UP, f"{'The disk is nearly full. ' if free < DISK_LOW else ''}{words}", ms
        )
    ]


def _size() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return int(cursor.fetchone()[0])


def _queue(now: datetime) -> list[Look]:
    waiting = OrmQ.objects.filter(lock__lte=now).order_by("lock")
    oldest, count = waiting.values_list("lock", flat=True).first(), waiting.count()
    if oldest is None:
        return [Look("queue", UP, "Nothing waits.")]
    age = now - oldest
    state = DOWN if age > QUEUE_STUCK else DEGRADED if age > QUEUE_LATE else UP
    return [Look("queue", state, f"{count} jobs wait, the oldest for {age.total_seconds():.0f} s.", age.total_seconds() * 1000)]


def _worker(now: datetime) -> list[Look]:
    newest = heartbeat.newest_beat()
    if newest is None:
        return [Look("worker", DOWN, "No worker has given a sign of life.")]
    age = now - newest
    state = DOWN if age > WORKER_SILENT else DEGRADED if age > WORKER_LATE else UP
    return [Look("worker", state, f"Last sign of life {max(0.0, age.total_seconds()):.0f} s ago.")]


def _scheduler(now: datetime) -> list[Look]:
    late = list(Schedule.objects.filter(next_run__lt=now - SCHEDULE_LATE).exclude(repeats=0).order_by("next_run")[:3])
    if not late:
        return [Look("scheduler", UP, "No schedule is late.")]
    names = ", ".join(schedule.name or schedule.func for schedule in late)
    return [Look("scheduler", DEGRADED, f"Late: {names}."[:300])]


def _account(account: Account, now: datetime) -> list[Look]:
    name, gate, at = f"account {account.name}", gates.of(account), now.timestamp()
    if not account.enabled:
        return [Look(name, UNKNOWN, "Disabled in the settings.")]
    try:
        if not provider(account).key:
            return [Look(name, DOWN, "No API key is set.")]
    except UnreadableKey as error:
        return [Look(name, DOWN, str(error)[:300])]
    succeeded = f" Last success {_moment(gate.succeeded_at)}." if gate.succeeded_at else " It has never succeeded."
    if gate.is_stopped:
        return [Look(name, DOWN, f"Stopped. {RefusalClass(gate.cause).sentence}{succeeded}"[:300])]
    state = gate.state(at)
    if state is State.PAUSED:
        return [Look(name, DEGRADED, f"Paused until {_moment(gate.paused_until)} ({gate.pause_source.sentence}).{succeeded}")]
    if state is State.PROBING:
        return [Look(name, DEGRADED, f"The pause is over, a probe decides.{succeeded}")]
    if not models_of(account):
        return [Look(name, DEGRADED, f"Not asked: no model is known.{succeeded}")]
    return [Look(name, UP if gate.succeeded_at else UNKNOWN, f"Open.{succeeded}")]


def _management(account: Account, now: datetime) -> list[Look]:
    newest = QuotaReading.objects.filter(account=account).order_by("-read_at").first()
    if newest is None or not account.enabled:
        return []
    name, age = f"management {account.name}", (now - newest.read_at).total_seconds() / 60
    words = f"Read {age:.0f} min ago."
    return [Look(name, DEGRADED if newest.fault else UP, f"{words} {newest.fault}".strip()[:300])]


def _backup(now: datetime) -> list[Look]:
    """Where a plan takes backups, whether the last one is there."""
    row = BackupPlan.objects.filter(enabled=True).first()
    if row is None:
        return []
    if row.started_at is None:
        return [Look("backup", UNKNOWN, f"None was taken yet; due at {row.next_run_at:%Y-%m-%d %H:%M} UTC.")]
    if row.ended_at is None:
        is_lost = row.started_at < now - LOST_AFTER
        return [Look("backup", DOWN if is_lost else UP, f"Began at {row.started_at:%H:%M} UTC{' and did not end' if is_lost else ''}.")]
    if row.cancelled_by:
        before = f"The one before is {row.file}." if row.file else "There is none before it."
        return [Look("backup", UP, f"Cancelled by {row.cancelled_by} at {row.ended_at:%Y-%m-%d %H:%M} UTC. {before}"[:300])]
    if row.fault:
        return [Look("backup", DOWN, row.fault[:300])]
    return [Look("backup", UP, f"Taken at {row.started_at:%Y-%m-%d %H:%M} UTC: {_bytes(row.size_bytes)} in {row.file}."[:300])]


def _clock(now: datetime) -> list[Look]:
    """Against the provider's Date header, seldom: it is one more request to the provider, though a public one."""
    beat, made = Heartbeat.objects.get_or_create(name="clock check", defaults={"beaten_at": now})
    if not made:
        due = Heartbeat.objects.filter(pk=beat.pk, beaten_at__lte=now - DRIFT_EVERY)
        if not due.update(beaten_at=now):
            return []
    sent = timezone.now()
    try:
        answer = httpx.head(f"{provider(accounts()[0]).base_url}/models", timeout=WEB_SECONDS)
        told = datetime.strptime(answer.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError) as error:
        return [Look(CLOCK, UNKNOWN, f"The provider's clock can't be read: {error or type(error).__name__}"[:300])]
    # The header counts whole seconds, and was written somewhere between the two readings of our own clock.
    middle = sent + (timezone.now() - sent) / 2
    drift = abs((middle - told).total_seconds() - 0.5)
    state = DOWN if drift > DRIFT_BAD else DEGRADED if drift > DRIFT_SEEN else UP
    advice = " Check the time service of this machine." if drift > DRIFT_SEEN else ""
    return [Look(CLOCK, state, f"{drift:.0f} s apart from the provider's.{advice}")]


COMPONENTS: dict[str, Callable[[datetime], list[Look]]] = {
    "web": _web,
    "database": _database,
    "queue": _queue,
    "worker": _worker,
    "scheduler": _scheduler,
    "miner API": _miner_api,
    "backup": _backup,
    CLOCK: _clock,
}


def _bytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
