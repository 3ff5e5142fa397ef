"""Our own log records as rows: kept in memory for a moment, written in the background, so that nobody who logs ever waits or fails."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.util import Finalize
from pathlib import Path

from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection

from agents.database import UNAVAILABLE
from monitoring.journal.meaning import meaning

# Some megabytes at most: what a burst of an hour's warnings needs while the database is away.
QUEUE = 5_000
BATCH = 500
# Records come in bursts; waiting this long for more, in seconds, makes one transaction of them.
GATHER_SECONDS = 0.2
RETRY_SECONDS = 2.0
# How long a process that ends waits for its last records, in seconds.
LAST_PATIENCE = 2.0
# How old the answer to `keeps_info` may be, in seconds.
REFRESH_SECONDS = 5.0
MOST_CHARS = 32_000


def keeps_info() -> bool:
    """Whether INFO records become rows too, as the settings say. Asked by the writer now and then, never by those who log."""
    from agents.models import Settings  # noqa: PLC0415 -- logging is set up before there are models

    return Settings.current().keep_info_logs


@dataclass(frozen=True, slots=True)
class Entry:
    """One record on its way to its row."""

    at: float
    level: int
    logger: str
    message: str
    process: str
    step: str
    attempt: str


class RowHandler(logging.Handler):
    """Keeps WARNING and up, and INFO where the settings say so. What the queue can't hold is counted and told in one row."""

    def __init__(self, queue: int = QUEUE, last_patience: float = LAST_PATIENCE) -> None:
        super().__init__(logging.INFO)
        self._most, self._last_patience = queue, last_patience
        self._process = _program(sys.argv)
        self._writing = threading.Lock()
        self._forget()
        os.register_at_fork(before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._forget)

    def emit(self, record: logging.LogRecord) -> None:
        """Never waits, never raises: a full queue drops the record. The writer's own records are for the other handlers."""
        if threading.current_thread() is self._writer or self._ended.is_set():
            return
        try:
            if self._writer is None:
                self._start()
            if record.levelno >= self._least:
                self._add(record)
        except Exception:  # noqa: BLE001 -- whatever is wrong with a record, it must not fail the request that logs it
            self.handleError(record)

    def _add(self, record: logging.LogRecord) -> None:
        if len(self._queue) >= self._most:
            self._dropped += 1
            return
        self._queue.append(self._entry(record))
        self._wake.set()

    def flush(self) -> None:
        """Wait until all is written, for a short time."""
        writer, over = self._writer, time.monotonic() + self._last_patience
        while writer and writer.is_alive() and (self._queue or self._in_hand) and time.monotonic() < over:
            self._wake.set()
            self._hurry.set()
            time.sleep(0.01)
        self._hurry.clear()

    def close(self) -> None:
        """Write what is left, for a short time, and end the writer."""
        self._ended.set()
        self._hurry.set()
        self._wake.set()
        if self._writer and self._writer is not threading.current_thread():
            self._writer.join(self._last_patience)
        super().close()

    def _forget(self) -> None:
        """As new: a process that was forked has neither its parent's writer nor its records."""
        self._queue: deque[Entry] = deque()
        self._in_hand: list[Entry] = []
        self._dropped, self._told, self._least = 0, 0, logging.WARNING
        self._writer: threading.Thread | None = None
        self._wake, self._hurry, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._writing = threading.Lock()

    def _before_fork(self) -> None:
        # A fork in the middle of a write would leave the child with the database library's locks held for ever.
        self._holds_write = self._writing.acquire(timeout=1)

    def _after_fork(self) -> None:
        if self._holds_write:
            self._writing.release()

    def _start(self) -> None:
        self._writer = threading.Thread(target=self._write_on, name="log rows", daemon=True)
        self._writer.start()
        # Unlike atexit, this is run at the end of a forked worker too.
        Finalize(None, self.close, exitpriority=10)

    def _entry(self, record: logging.LogRecord) -> Entry:
        parts = (record.getMessage(), record.exc_text, record.stack_info)
        return Entry(
            at=record.created,
            level=record.levelno,
            logger=record.name,
            message=_storable("\n".join(part for part in parts if part)),
            process=f"{self._process}[{record.process}]",
            step=getattr(record, "step", ""),
            attempt=getattr(record, "attempt", ""),
        )

    def _write_on(self) -> None:
        """The writer's life."""
        refreshed = -REFRESH_SECONDS
        try:
            while not self._ended.is_set():
                self._wake.wait(REFRESH_SECONDS)
                self._wake.clear()
                self._hurry.wait(GATHER_SECONDS)
                if apps.models_ready and time.monotonic() - refreshed > REFRESH_SECONDS:
                    refreshed = time.monotonic()
                    self._refresh()
                self._write_all()
            self._write_all()
        finally:
            connection.close()

    def _refresh(self) -> None:
        try:
            with self._writing:
                self._least = logging.INFO if keeps_info() else logging.WARNING
        except DatabaseError:
            connection.close()

    def _write_all(self) -> None:
        while apps.models_ready and (self._queue or self._in_hand):
            self._in_hand = self._in_hand or [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            if not self._write(self._in_hand):
                # What is in hand stays there for the next time.
                self._wake.set()
                self._ended.wait(RETRY_SECONDS)
                return
            self._in_hand = []

    def _write(self, entries: list[Entry]) -> bool:
        """False where the database refuses."""
        dropped = self._dropped - self._told
        try:
            with self._writing:
                write(entries + (self._word_of(dropped) if dropped else []))
            self._told += dropped
        except (*UNAVAILABLE, ProgrammingError):  # a table that is not migrated yet
            connection.close()
            return False
        except Exception:  # noqa: BLE001 -- whatever is wrong with these, the others must not wait behind them
            self._told -= len(entries)
        return True

    def _word_of(self, dropped: int) -> list[Entry]:
        said = f"{dropped} log records were not kept as rows: the database could not take them. They are in the standard output."
        return [Entry(time.time(), logging.WARNING, __name__, said, f"{self._process}[{os.getpid()}]", "", "")]


def _program(argv: list[str]) -> str:
    """What runs here, such as gunicorn, or manage worker."""
    path, command = Path(argv[0]), argv[1] if len(argv) > 1 and not argv[1].startswith("-") else ""
    name = path.parent.name if path.stem == "__main__" else path.stem
    return f"{name} {command}".strip()[:48]


def _storable(text: str) -> str:
    """A database takes neither NUL nor half a character."""
    return text[:MOST_CHARS].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def write(entries: list[Entry]) -> None:
    """Write records as rows, in one transaction. Raises DatabaseError."""
    from monitoring.models import LogEntry  # noqa: PLC0415 -- logging is set up before there are models

    host = socket.gethostname()[:200]
    rows = []
    for entry in entries:
        meant = meaning(entry.message, entry.level)
        rows.append(
            LogEntry(
                at=datetime.fromtimestamp(entry.at, UTC),
                level=entry.level,
                logger=entry.logger[:200],
                message=entry.message,
                kind=meant.kind,
                facts=dict(meant.facts),
                host=host,
                process=entry.process[:60],
                step_uid=entry.step or None,
                attempt_uid=entry.attempt or None,
            )
        )
    LogEntry.objects.bulk_create(rows)
