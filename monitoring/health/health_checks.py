"""The health checks: one per component, run in rounds."""

import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeVar

import httpx
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from agents.accounts.status import AccountStatus, account_statuses
from agents.configuration import accounts, base_url_of
from agents.hybrid import spool
from agents.llm.checked_transport import CheckedSyncTransport, never_reached
from agents.models import Account, Heartbeat, JobState, QuotaReading, Settings, SystemSchedule
from agents.policy.gate import GateState
from agents.policy.modes import Mode
from agents.policy.reasons import Reason
from agents.worker import heartbeat
from agents.worker.schedules import schedules
from monitoring.models import Component, HealthCheck, HealthState, Watcher
from monitoring.reporting import search
from monitoring.reporting.search import BEHIND, INDEXES
from monitoring.retention.storage import space_now
from monitoring.testruns.suites.api import address

T = TypeVar("T", float, timedelta)
UP, DEGRADED, DOWN, UNKNOWN = HealthState.UP, HealthState.DEGRADED, HealthState.DOWN, HealthState.UNKNOWN
# The state of an account that is not used, by the reason; for other reasons it is down.
UNUSED = {Reason.MODE: UNKNOWN, Reason.DISABLED: UNKNOWN, Reason.NO_MODEL: DEGRADED, Reason.CAP: DEGRADED}
FLAPPING_CHANGES, FLAPPING_CHECKS = 4, 20  # flapping: so many changes within so many checks
WEB_SECONDS, WEB_SLOW_MS = 10.0, 1_000.0
DATABASE_SLOW_MS = 500.0
SIZE = {
    "postgresql": "SELECT pg_database_size(current_database())",
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
}
DISK_FULL = 10**8  # bytes that SQLite's write-ahead log and the spool need for a while
LOST_SHOWN = timedelta(days=1)  # after a loss of facts the component is degraded for this long
QUEUE_LATE, QUEUE_STUCK = timedelta(seconds=60), timedelta(minutes=5)
WORKER_LATE, WORKER_SILENT = timedelta(seconds=30), timedelta(seconds=60)
WATCHER_LATE = timedelta(minutes=3)  # it is pinged each minute
SCHEDULE_LATE = timedelta(minutes=3)  # the scheduler runs every half minute
DRIFT_SEEN, DRIFT_BAD = 5.0, 60.0  # seconds: the gate orders requests of several machines by their clocks, and tolerates this much
DRIFT_EVERY = timedelta(hours=1)
CLOCK = "clock"
BACKUP = "Back up the database"  # in minerpanel/schedules.py


class Checked(NamedTuple):
    """`latency_ms` None: not timed."""

    state: HealthState
    message: str
    latency_ms: float | None = None


def check(now: datetime) -> None:
    patience, results = Settings.current().failures_before_down, check_all(now)
    for name, checked in results.items():
        with transaction.atomic():
            row = Component.objects.select_for_update().filter(name=name).first() or Component(name=name)
            latest = row.checks.order_by("-at").values_list("state", flat=True)[:FLAPPING_CHECKS] if row.pk else ()
            follow(row, checked.state, now, patience, list(latest))
            row.latency_ms, row.message = checked.latency_ms, checked.message
            row.save()
            HealthCheck.objects.create(component=row, at=now, **checked._asdict())
    # The clock is checked rarely, so its row stays without a result.
    Component.objects.exclude(name__in={*results, CLOCK}).delete()


def check_all(now: datetime) -> dict[str, Checked]:
    checks = dict(COMPONENTS)
    for status in account_statuses(now.timestamp()):
        checks[f"account {status.account.name}"] = partial(_account, status)
        checks[f"management {status.account.name}"] = partial(_management, status.account)
    results = {}
    for name, run in checks.items():
        try:
            results[name] = run(now)
        except (DatabaseError, OSError, ValueError) as error:
            results[name] = Checked(DOWN, f"The health check failed: {_error_text(error)}"[:300])
    return {name: checked for name, checked in results.items() if checked}


def follow(row: Component, checked: HealthState, now: datetime, patience: int, latest: Sequence[str]) -> None:
    """Set the component's status after a check, unsaved. `latest`: the states of the previous checks, newest first.

    It is down from the `patience`-th failed check in a row on; until then it is degraded.
    """
    row.failures = row.failures + 1 if checked == DOWN else 0
    state = DEGRADED if 0 < row.failures < patience else checked
    if not row.since or row.state != state:
        row.state, row.since = state, now
    row.checked_at, row.is_flapping = now, flaps([checked, *latest])


def flaps(states: Sequence[str]) -> bool:
    """Whether the checks, newest first, alternate between up and down; unknown ones are ignored."""
    is_down = [state == DOWN for state in states[:FLAPPING_CHECKS] if state != UNKNOWN]
    return sum(newer != older for newer, older in pairwise(is_down)) >= FLAPPING_CHANGES


def _graded(value: T, degraded_above: T, down_above: T) -> HealthState:
    return DOWN if value > down_above else DEGRADED if value > degraded_above else UP


def _error_text(error: Exception) -> str:
    return re.sub(r"\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def _miner_api(_: datetime) -> Checked | None:
    configured = Settings.current().miner_api_url
    return fetch(f"{configured.rstrip('/')}/health") if configured else None


def fetch(url: str) -> Checked:
    """The result of a GET, with its latency."""
    started = time.monotonic()
    try:
        with httpx.Client(transport=CheckedSyncTransport(never_reached), timeout=WEB_SECONDS, trust_env=False) as client:
            status = client.get(url).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Checked(DOWN, f"{url} does not answer: {_error_text(error)}"[:300])
    ms = (time.monotonic() - started) * 1000
    if status >= 400:
        return Checked(DOWN, f"{url} answers with status {status}.", ms)
    return Checked(DEGRADED if ms > WEB_SLOW_MS else UP, f"Answers in {ms:.0f} ms.", ms)


def _database(now: datetime) -> Checked:
    started = time.monotonic()
    Heartbeat.objects.update_or_create(name="database", defaults={"beaten_at": now})
    Heartbeat.objects.get(name="database")
    ms = (time.monotonic() - started) * 1000
    with connection.cursor() as cursor:
        cursor.execute(SIZE[connection.vendor])
        size = int(cursor.fetchone()[0])
    text = f"Read and written in {ms:.0f} ms; {_bytes(size)} large."
    return Checked(DEGRADED if ms > DATABASE_SLOW_MS else UP, text, ms)


def _disk(_: datetime) -> Checked:
    now = space_now()
    text = f"{_bytes(now.free)} of {_bytes(now.total)} free."
    if now.is_low:
        text = f"{text} Below {_bytes(now.least)} only facts are recorded, no pages, excerpts or replies."
    return Checked(DOWN if now.free < DISK_FULL else DEGRADED if now.is_low else UP, text)


def _spool(now: datetime) -> Checked:
    """Of this machine only, as each has its own spool."""
    waiting, lost, lost_at = spool.waiting(), spool.lost(), spool.lost_at()
    text = f"Steps whose facts wait for the database: {waiting:,}, {_bytes(spool.used())}." if waiting else "Nothing waits."
    if lost:
        text += f" Steps whose facts are lost, since the database and the data folder both refused them: {lost:,}."
    is_recent = lost_at is not None and now.timestamp() - lost_at < LOST_SHOWN.total_seconds()
    return Checked(DEGRADED if waiting or is_recent else UP, text)


def _text_index(_: datetime) -> Checked | None:
    """On SQLite only, where the worker fills the index."""
    if connection.vendor != "sqlite":
        return None
    behind = sum(search.unindexed(index) for index in INDEXES)
    text = f"{behind:,} rows are not indexed yet." if behind else "All texts are indexed."
    return Checked(DEGRADED, f"{text} Until they are, searches are slow.") if behind > BEHIND else Checked(UP, text)


def _queue(now: datetime) -> Checked:
    waiting = OrmQ.objects.filter(lock__lte=now).order_by("lock")
    oldest, count = waiting.values_list("lock", flat=True).first(), waiting.count()
    if oldest is None:
        return Checked(UP, "Nothing waits.")
    age = now - oldest
    text = f"{count} jobs wait, the oldest for {age.total_seconds():.0f} s."
    return Checked(_graded(age, QUEUE_LATE, QUEUE_STUCK), text, age.total_seconds() * 1000)


def _worker(now: datetime) -> Checked:
    newest = heartbeat.newest_beat()
    if newest is None:
        return Checked(DOWN, "No worker has started yet.")
    age = now - newest
    return Checked(_graded(age, WORKER_LATE, WORKER_SILENT), f"Last heartbeat {max(0.0, age.total_seconds()):.0f} s ago.")


def _scheduler(now: datetime) -> Checked:
    late = [row for row in schedules() if row.state == JobState.QUEUED and row.due_at and row.due_at < now - SCHEDULE_LATE]
    if not late:
        return Checked(UP, "No schedule is late.")
    return Checked(DEGRADED, f"Late: {', '.join(row.name for row in late[:3])}."[:300])


def _account(status: AccountStatus, now: datetime) -> Checked:
    gate = status.gate
    if status.obstacle:
        return Checked(UNUSED.get(status.obstacle, DOWN), status.obstacle.sentence)
    succeeded = f" Last success {_moment(gate.succeeded_at)}." if gate.succeeded_at else " It has never succeeded."
    if gate.is_stopped:
        return Checked(DOWN, f"Stopped. {status.cause_sentence}{succeeded}"[:300])
    state, explanation = gate.state(now.timestamp()), f" {status.explanation}".rstrip()
    if state is GateState.PAUSED:
        return Checked(DEGRADED, f"Paused until {_moment(gate.paused_until)} ({gate.pause_source.sentence}).{explanation}{succeeded}"[:300])
    if state is GateState.PROBING:
        return Checked(DEGRADED, f"The pause is over, a probe decides.{explanation}{succeeded}"[:300])
    if status.models_remedy:
        return Checked(DEGRADED, f"Open, but each model was refused. {status.models_remedy}{succeeded}"[:300])
    return Checked(UP if gate.succeeded_at else UNKNOWN, f"Open.{succeeded}")


def _management(account: Account, now: datetime) -> Checked | None:
    newest = QuotaReading.objects.filter(account=account).order_by("-read_at").first()
    if newest is None or not account.enabled:
        return None
    text = f"Read {(now - newest.read_at).total_seconds() / 60:.0f} min ago."
    state = UP if not newest.fault else UNKNOWN if Settings.current().agent_mode == Mode.TEMPLATE else DEGRADED
    return Checked(state, f"{text} {newest.fault}".strip()[:300])


def _backup(_: datetime) -> Checked | None:
    row = SystemSchedule.objects.filter(name=BACKUP).first()
    if row is None:
        return None
    if row.state == JobState.RUNNING and row.started_at:
        return Checked(UP, f"Began at {row.started_at:%H:%M} UTC.")
    if row.last_run_at is None:
        return Checked(UNKNOWN, f"None was taken yet; due at {row.due_at:%Y-%m-%d %H:%M} UTC.")
    if row.fault:
        return Checked(DOWN, row.fault[:300])
    return Checked(UP, f"Taken at {row.last_run_at:%Y-%m-%d %H:%M} UTC: {row.result}"[:300])


def _watcher(now: datetime) -> Checked | None:
    row = Watcher.objects.exclude(url_sealed="").first()
    if row is None:
        return None
    if row.pinged_at is None:
        return Checked(UNKNOWN, "Not pinged yet.")
    age = now - row.pinged_at
    text = f"Last pinged {age.total_seconds():.0f} s ago."
    if row.fault:
        return Checked(DEGRADED, f"{text} It did not arrive: {row.fault}"[:300])
    return Checked(
        _graded(age, WATCHER_LATE, timedelta.max), f"{text} Reported: the miner {'answers' if row.is_up else 'does not answer'}."
    )


def _clock(now: datetime) -> Checked | None:
    """Compared with the provider's Date header, rarely, as it takes a request to the provider (a public one)."""
    beat, is_first = Heartbeat.objects.get_or_create(name="clock check", defaults={"beaten_at": now})
    if not is_first and not Heartbeat.objects.filter(pk=beat.pk, beaten_at__lte=now - DRIFT_EVERY).update(beaten_at=now):
        return None
    sent = timezone.now()
    try:
        with httpx.Client(transport=CheckedSyncTransport(), timeout=WEB_SECONDS, trust_env=False) as client:
            answer = client.head(f"{base_url_of(accounts()[0])}/models")
        theirs = datetime.strptime(answer.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except (httpx.HTTPError, httpx.InvalidURL):
        return Checked(UNKNOWN, "Not compared: the provider can't be reached.")
    except (KeyError, ValueError):
        return Checked(UNKNOWN, "Not compared: the provider's answer has no date.")
    # The header has whole seconds, and was written between the two readings of our own clock.
    sent_at_middle = sent + (timezone.now() - sent) / 2
    drift = abs((sent_at_middle - theirs).total_seconds() - 0.5)
    advice = " Check the time service of this machine." if drift > DRIFT_SEEN else ""
    return Checked(_graded(drift, DRIFT_SEEN, DRIFT_BAD), f"{drift:.0f} s apart from the provider's.{advice}")


# A check returns None if there is nothing to check.
COMPONENTS: dict[str, Callable[[datetime], Checked | None]] = {
    "web": lambda _: fetch(f"{address('')}/health/live"),
    "database": _database,
    "disk": _disk,
    "spool": _spool,
    "text index": _text_index,
    "queue": _queue,
    "worker": _worker,
    "scheduler": _scheduler,
    "miner API": _miner_api,
    "backup": _backup,
    "outside watcher": _watcher,
    CLOCK: _clock,
}


def _bytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
