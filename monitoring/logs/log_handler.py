"""Our own log records as rows, buffered in memory and written by a thread, so that logging neither blocks nor fails."""

import logging
import os
import socket
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection

from agents.common.text import storable
from agents.database import UNAVAILABLE
from monitoring.logs.journal import meaning

QUEUE = 5_000  # records, some megabytes at most: the warnings of an hour in which the database is unavailable
BATCH = 500
GATHER_SECONDS = 0.2  # seconds of waiting for more records, so that a burst is one transaction
RETRY_SECONDS = 2.0
LAST_PATIENCE = 2.0  # seconds that an ending process waits for its last records to be written
REFRESH_SECONDS = 5.0  # seconds between two reads of the setting that keeps INFO
MOST_CHARS = 32_000
Row = dict[str, Any]  # a LogEntry's fields, without those that are set when it is written


def keeps_info() -> bool:
    from agents.hybrid import disk  # noqa: PLC0415 -- logging is set up before there are models
    from agents.models import Settings  # noqa: PLC0415 -- as above

    settings = Settings.current()
    return settings.keep_info_logs and not disk.space(settings.free_disk_mb).is_low


class RowHandler(logging.Handler):
    """Keeps WARNING and up, and INFO if it is enabled in the settings. Records beyond the queue are counted and reported in one row."""

    def __init__(self, queue: int = QUEUE, last_patience: float = LAST_PATIENCE) -> None:
        super().__init__(logging.INFO)
        self._most, self._last_patience = queue, last_patience
        self._program = _program(sys.argv)
        self._reset()
        os.register_at_fork(before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._reset)

    def _reset(self) -> None:
        """The initial state, also in a forked process, which has neither its parent's writer nor its records."""
        self._queue: deque[Row] = deque()
        self._batch: list[Row] = []
        self._dropped, self._reported, self._least = 0, 0, logging.WARNING
        self._writer: threading.Thread | None = None
        self._wake, self._flush_now, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._writing = threading.Lock()

    def _before_fork(self) -> None:
        # A fork during a write would leave the database library's locks held in the child for ever.
        self._holds_write = self._writing.acquire(timeout=1)

    def _after_fork(self) -> None:
        if self._holds_write:
            self._writing.release()

    def emit(self, record: logging.LogRecord) -> None:
        """Never waits and never raises; a full queue drops the record. The writer's own records are left to the other handlers."""
        if threading.current_thread() is self._writer or self._ended.is_set():
            return
        try:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_loop, name="log rows", daemon=True)
                self._writer.start()
                # Unlike atexit, this runs at the end of a forked worker too.
                Finalize(None, self.close, exitpriority=10)
            if record.levelno >= self._least:
                self._add(record)
        except Exception:  # noqa: BLE001 -- a faulty record must not fail the request that logs it
            self.handleError(record)

    def _add(self, record: logging.LogRecord) -> None:
        if len(self._queue) >= self._most:
            self._dropped += 1
            return
        parts = (record.getMessage(), record.exc_text, record.stack_info)
        message = "\n".join(part for part in parts if part)
        ids = {f"{name}_uid": getattr(record, name, "") or None for name in ("step", "attempt")}
        self._queue.append(self._row(record.created, record.levelno, record.name, message) | ids)
        self._wake.set()

    def _row(self, at: float, level: int, logger: str, message: str) -> Row:
        return {
            "at": datetime.fromtimestamp(at, UTC),
            "level": level,
            "logger": logger[:200],
            "message": storable(message[:MOST_CHARS]),
            "process": f"{self._program}[{os.getpid()}]"[:60],
        }

    def flush(self) -> None:
        writer, over = self._writer, time.monotonic() + self._last_patience
        while writer and writer.is_alive() and (self._queue or self._batch) and time.monotonic() < over:
            self._wake.set()
            self._flush_now.set()
            time.sleep(0.01)
        self._flush_now.clear()

    def close(self) -> None:
        for event in (self._ended, self._flush_now, self._wake):
            event.set()
        if self._writer and self._writer is not threading.current_thread():
            self._writer.join(self._last_patience)
        super().close()

    def _write_loop(self) -> None:
        refreshed = -REFRESH_SECONDS
        try:
            while not self._ended.is_set():
                self._wake.wait(REFRESH_SECONDS)
                self._wake.clear()
                self._flush_now.wait(GATHER_SECONDS)
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
        while apps.models_ready and (self._queue or self._batch):
            self._batch = self._batch or [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            dropped = self._dropped - self._reported
            rows = list(self._batch)
            if dropped:
                text = f"{dropped} log records were not kept as rows: the database was not available. They are in the standard output."
                rows.append(self._row(time.time(), logging.WARNING, __name__, text))
            try:
                with self._writing:
                    write(rows)
                self._reported += dropped
            except (*UNAVAILABLE, ProgrammingError):  # a table that is not migrated yet
                connection.close()
                # The batch stays for the next try.
                self._wake.set()
                self._ended.wait(RETRY_SECONDS)
                return
            except Exception:  # noqa: BLE001 -- a faulty batch must not block the others
                self._reported -= len(self._batch)
            self._batch = []


def _program(argv: list[str]) -> str:
    path, command = Path(argv[0]), argv[1] if len(argv) > 1 and not argv[1].startswith("-") else ""
    name = path.parent.name if path.stem == "__main__" else path.stem
    return f"{name} {command}".strip()[:48]


def write(rows: list[Row]) -> None:
    from monitoring.models import LogEntry  # noqa: PLC0415 -- logging is set up before there are models

    host, meanings = socket.gethostname()[:200], (meaning(row["message"], row["level"]) for row in rows)
    LogEntry.objects.bulk_create(
        LogEntry(**row, kind=kind, facts=facts, host=host) for row, (kind, facts) in zip(rows, meanings, strict=True)
    )
