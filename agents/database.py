"""How long a write waits for the database, and in which order a process's writes go."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection, transaction

# The answering path waits this long, in seconds, and then goes on without the database.
ANSWERING_PATIENCE = 1.0

# What a database raises that is locked or away. Anything else is a fault of ours, and waiting would not mend it.
UNAVAILABLE = (OperationalError, InterfaceError)

# SQLite lets one writer in and wakes the others by polling, which is unfair: some wait for seconds.
# Inside one process a lock makes them queue in turn.
_queue = threading.Lock()


@contextmanager
def answering_transaction() -> Iterator[None]:
    """A write transaction that gives up after ANSWERING_PATIENCE. Raises OperationalError; then nothing was written."""
    if connection.vendor == "sqlite":
        with _turn() as left, _busy_timeout(left), transaction.atomic():
            yield
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{ANSWERING_PATIENCE * 1000:.0f}ms'")
            yield


@contextmanager
def _turn() -> Iterator[float]:
    started = time.monotonic()
    if not _queue.acquire(timeout=ANSWERING_PATIENCE):
        raise OperationalError("the writes before this one took too long")
    try:
        yield max(0.0, ANSWERING_PATIENCE - (time.monotonic() - started))
    finally:
        _queue.release()


@contextmanager
def _busy_timeout(seconds: float) -> Iterator[None]:
    _set_busy_timeout(seconds)
    try:
        yield
    finally:
        _set_busy_timeout(connection.settings_dict["OPTIONS"].get("timeout", 5.0))


def _set_busy_timeout(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
