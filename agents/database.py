"""How long queries wait for the database, the order of a process's writes, and the breaker for while the database is down."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

logger = logging.getLogger(__name__)

ANSWERING_PATIENCE = 1.0  # seconds that the answering path waits before it goes on without the database
# Postgres ends a query of the answering path after ANSWERING_PATIENCE. The client stops waiting this many seconds later.
GRACE = 0.2
# The share of ANSWERING_PATIENCE that may be spent on one lock, so that Postgres' error names a busy row and not only a slow query.
LOCK_SHARE = 0.8
LOCK_NOT_AVAILABLE = "55P03"  # SQLSTATE lock_not_available
# On a busy processor the time may be over before a query was sent. A working server still answers it within this many seconds.
LEAST_WAIT = 0.25
# Seconds that any other query waits for Postgres, and any other writer for SQLite's lock.
QUERY_PATIENCE = 30.0
# Seconds that a page's request waits for SQLite's write lock; then the page reports that the database does not answer.
PAGE_PATIENCE = 5.0
RETRY_SECONDS = 2.0  # seconds between two checks whether the database is back

# Pages of 4 kB in SQLite's write-ahead log: 16 MB. `journal_size_limit` truncates the file to that size when SQLite restarts the log.
LONG_LOG = 4_096
# Seconds that emptying it may block writers while it waits for readers: less than a step waits for the database.
EMPTYING_PATIENCE = 0.5

GIVEN_UP = -1.0  # earlier than any moment

# The errors of a database that is locked or down. Other errors are faults of ours, which waiting does not solve.
UNAVAILABLE = (OperationalError, InterfaceError)

# SQLite's waiting writers poll, so that some wait for seconds. Within a process this lock queues them.
_queue = threading.Lock()


class Untried(OperationalError):
    """Nothing was sent: the database failed a moment ago, or earlier writes of this process took too long."""


class _Bound(threading.local):
    """The time by which this thread's queries must end (time.monotonic()). None: each has QUERY_PATIENCE; `is_lifted`: no bound at all."""

    ends_at: float | None = None
    is_lifted = False


_bound = _Bound()


def seconds_left() -> float | None:
    """Seconds that this thread may wait for Postgres' next answer; None for no bound."""
    if _bound.is_lifted:
        return None
    if _bound.ends_at is None:
        return QUERY_PATIENCE
    return 0.0 if _bound.ends_at == GIVEN_UP else max(LEAST_WAIT, _bound.ends_at - time.monotonic())


def give_up() -> None:
    """An answer was overdue: this thread's next queries, such as Django's new connection, have no time left."""
    if _bound.ends_at is not None:
        _bound.ends_at = GIVEN_UP


@contextmanager
def ends_after(seconds: float) -> Iterator[None]:
    """All waits of this thread for Postgres together end after `seconds`, or at an earlier outer bound."""
    before, ends_at = _bound.ends_at, time.monotonic() + seconds
    _bound.ends_at = ends_at if before is None else min(before, ends_at)
    try:
        yield
    finally:
        is_given_up = before is not None and _bound.ends_at == GIVEN_UP
        _bound.ends_at = GIVEN_UP if is_given_up else before


@contextmanager
def unbounded() -> Iterator[None]:
    before, _bound.is_lifted = _bound.is_lifted, True
    try:
        yield
    finally:
        _bound.is_lifted = before


class Breaker:
    """Open from a failure until a background check succeeds: one at a time, every RETRY_SECONDS, never by a caller's step.

    It is open while the checking thread runs. A forked process has no such thread and starts closed.
    """

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_silent = False

    @property
    def is_open(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_silent(self) -> bool:
        """Whether Postgres does not answer at all, so that reads would only wait. With a locked row or file reads succeed."""
        return self.is_open and self._is_silent and threading.current_thread() is not self._thread

    def open(self, error: Exception) -> None:
        with self._opening:
            if self.is_open:
                return
            self._is_silent = connection.vendor == "postgresql" and _sqlstate(error) is None
            self._ended.clear()
            self._thread = threading.Thread(target=self._try_until_it_answers, name="database", daemon=True)
            self._thread.start()
        logger.warning("The database does not answer (%s). Steps go on without it; it is checked every %.0f s.", error, RETRY_SECONDS)

    def close(self) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()

    def _try_until_it_answers(self) -> None:
        """The check writes a row: a database that is locked or whose disk is full can still be read."""
        from agents.models import Heartbeat  # noqa: PLC0415 -- the backend imports this module before there are models

        since = time.monotonic()
        while not self._ended.wait(RETRY_SECONDS):
            try:
                with ends_after(ANSWERING_PATIENCE), _writing():
                    Heartbeat.objects.update_or_create(name="database", defaults={"beaten_at": timezone.now()})
            except UNAVAILABLE:
                continue
            finally:
                connection.close()
            logger.warning("The database answers again, %.0f s after it failed.", time.monotonic() - since)
            return


breaker = Breaker()


def _sqlstate(error: Exception) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


@contextmanager
def _bounded() -> Iterator[None]:
    """Queries end after ANSWERING_PATIENCE, and at once while the breaker is open. Raises UNAVAILABLE."""
    if breaker.is_open:
        raise Untried("it failed a moment ago and has not been tried again")
    with ends_after(ANSWERING_PATIENCE + GRACE):
        yield


@contextmanager
def answering() -> Iterator[None]:
    """Queries of the answering path. A failure opens the breaker. Raises UNAVAILABLE."""
    try:
        with _bounded():
            yield
    except Untried:
        raise
    except UNAVAILABLE as error:
        if _sqlstate(error) != LOCK_NOT_AVAILABLE:  # a row locked by another step does not mean that the database is down
            breaker.open(error)
        raise


@contextmanager
def answering_transaction() -> Iterator[None]:
    """A write transaction that gives up after ANSWERING_PATIENCE. Raises UNAVAILABLE; then nothing was written."""
    with answering(), _writing():
        yield


@contextmanager
def background_transaction() -> Iterator[None]:
    """Waits no longer than a step, but a failure does not open the breaker: it may be large. Raises UNAVAILABLE; nothing was written."""
    with _bounded(), _writing():
        yield


@contextmanager
def _writing() -> Iterator[None]:
    if connection.vendor == "postgresql":
        query = ANSWERING_PATIENCE * 1000
        lock = query * LOCK_SHARE
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{lock:.0f}ms'; SET LOCAL statement_timeout = '{query:.0f}ms'")
            yield
        return
    ends_at = time.monotonic() + ANSWERING_PATIENCE
    if not _queue.acquire(timeout=ANSWERING_PATIENCE):
        raise Untried("the writes before this one took too long")
    try:
        _set_busy_timeout(max(0.0, ends_at - time.monotonic()))
        try:
            with transaction.atomic():
                yield
        finally:
            _set_busy_timeout(connection.settings_dict["OPTIONS"].get("timeout", 5.0))
    finally:
        _queue.release()


def empty_long_log() -> None:
    """Empty SQLite's write-ahead log: under load there is always a reader, so SQLite never restarts it, and the file grows."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        # Copies what it can while others write, so that the blocking checkpoint below takes milliseconds.
        if cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1] <= LONG_LOG:
            return
        _set_busy_timeout(EMPTYING_PATIENCE)
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            _set_busy_timeout(connection.settings_dict["OPTIONS"].get("timeout", 5.0))


def _set_busy_timeout(seconds: float) -> None:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        connection.connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")  # Django's cursors take ten times as long
