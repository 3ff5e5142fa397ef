"""Importing a miner's journal: the file is read as a stream, what tells something becomes rows, and importing it again adds nothing."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.db import connection, transaction
from django.utils import timezone

from agents.redaction import redact
from monitoring.journal.lines import Line, read
from monitoring.journal.records import Record, Records
from monitoring.journal.text import text_lines
from monitoring.journal.times import Calendar, first_year
from monitoring.models import JournalImport, LogEntry
from monitoring.sealed import open_all

State = JournalImport.State
CHUNK = 1 << 18
# Rows a transaction: some ten milliseconds in which no other process can write to SQLite.
BATCH = 1_000
TOLD_SECONDS = 1.0
SAMPLES, SAMPLE_CHARS = 20, 300
# What the first and the last lines say of the year is in this many bytes.
ENDS = 65_536
GZIP = b"\x1f\x8b"
# The ORM's insert that ignores conflicts does not say how many rows were new; this does, on both databases.
_INSERT = (
    "INSERT INTO monitoring_logentry (at, level, logger, message, source, kind, facts, host, process, journal_id, digest)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)

Told = Callable[[JournalImport], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read. `year`: of its first line, None for the latest that lies in the past; `zone`: of times without one."""

    year: int | None = None
    zone: tzinfo = UTC


COUNTED = ["total_bytes", "read_bytes", "lines", "recorded", "known_before", "unread", "samples", "first_at", "last_at"]


class Cancelled(Exception):
    """Somebody has cancelled the import. What was read until then stays."""


class Unreadable(Exception):
    """A file that can't be read to its end. The message says why and what to do."""


@dataclass(slots=True)
class _Progress:
    """How far an import is; its row learns it now and then."""

    row: JournalImport
    records: Records
    told: Told
    kept: int = 0
    told_at: float = field(default_factory=time.monotonic)

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self.told_at > TOLD_SECONDS

    def write(self, batch: list[Record]) -> None:
        """The rows that are not there yet, in short transactions."""
        for start in range(0, len(batch), BATCH):
            some = [_values(record, self.row.pk) for record in batch[start : start + BATCH]]
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(_INSERT, some)
                self.row.recorded += cursor.rowcount
            self.kept += len(some)

    def tell(self, read_bytes: int) -> None:
        """Put the counts on record."""
        row, counts = self.row, self.records.counts
        row.read_bytes, row.lines, row.unread = read_bytes, counts.lines, counts.unread
        row.known_before = self.kept - row.recorded
        row.first_at, row.last_at = counts.first_at, counts.last_at
        for text in self.records.unread[: SAMPLES - len(row.samples)]:
            row.samples.append(redact(text[: SAMPLE_CHARS * 2])[:SAMPLE_CHARS])
        self.records.unread.clear()
        # The state is not written here: it may be that somebody has cancelled it.
        row.save(update_fields=COUNTED)
        if JournalImport.objects.filter(pk=row.pk, state=State.CANCELLED).exists():
            raise Cancelled
        self.told(row)
        self.told_at = time.monotonic()


def begin(name: str, *, by: str = "", state: State = State.RUNNING, total: int | None = None) -> JournalImport:
    """The row of a new import."""
    return JournalImport.objects.create(name=name[-200:], asked_by=by, state=state, started_at=timezone.now(), total_bytes=total)


def cancel(pk: int) -> bool:
    """Cancel an import: at once where it waits, within a moment where it is read. False where it is over."""
    waiting = JournalImport.objects.filter(pk=pk, state__in=[State.QUEUED, State.RUNNING])
    return bool(waiting.update(state=State.CANCELLED, ended_at=timezone.now()))


def carry_out(row: JournalImport, path: Path, reading: Reading, told: Told) -> None:
    """Import the file; `told` gets the row each time it has moved on. Raises Unreadable, and whatever stopped it; the row says it too."""
    try:
        _read_all(row, path, reading, told)
        row.state = State.DONE
    except Cancelled:
        row.state = State.CANCELLED
    except BaseException as error:
        row.state, row.fault = State.FAILED, _words(error)
        raise
    finally:
        row.ended_at = timezone.now()
        row.save()


def _words(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted. Import it again: nothing is doubled."
    return (str(error) if isinstance(error, Unreadable) else redact(f"{type(error).__name__}: {error}"))[:300]


def _read_all(row: JournalImport, path: Path, reading: Reading, told: Told) -> None:
    open_all()
    now = timezone.now()
    row.total_bytes, row.samples = path.stat().st_size, []
    row.recorded = row.entries.count()  # of an earlier try, whose process died
    year = reading.year or _year(path, reading.zone, now)
    records = Records(Calendar(year, reading.zone, now), now)
    progress = _Progress(row, records, told)
    with _opened(path) as (text, packed):
        try:
            _stream(text, packed, progress)
        finally:
            progress.tell(packed.tell())


def _stream(text: BinaryIO, packed: BinaryIO, progress: _Progress) -> None:
    batch: list[Record] = []
    for lines in text_lines(_chunks(text)):
        batch += progress.records.read(lines)
        del progress.records.unread[SAMPLES:]
        if len(batch) >= BATCH or progress.is_due:
            progress.write(batch)
            batch.clear()
        if progress.is_due:
            progress.tell(packed.tell())
    batch += progress.records.end()
    progress.write(batch)


def _values(record: Record, journal: int) -> tuple[Any, ...]:
    return (
        connection.ops.adapt_datetimefield_value(record.at),
        record.level,
        record.logger[:200],
        redact(record.message),
        LogEntry.Source.IMPORTED.value,
        record.kind.value,
        redact(json.dumps(record.facts)),
        record.host[:200],
        record.process[:60],
        journal,
        record.digest,
    )


def _year(path: Path, zone: tzinfo, now: datetime) -> int:
    """The year of the first line, by what the first and the last lines say."""
    with _opened(path) as (text, packed):
        head = tail = text.read(ENDS)
        if text is packed:
            text.seek(max(0, path.stat().st_size - ENDS))
        for chunk in _chunks(text):
            tail = (tail + chunk)[-ENDS:]
    return first_year(_times(head), _times(tail), now, zone)


def _times(text: bytes) -> list[str]:
    lines = [line for some in text_lines([text]) for line in some]
    return [found.time for line in lines if isinstance(found := read(line), Line) and found.time]


def _chunks(text: BinaryIO) -> Iterator[bytes]:
    try:
        while chunk := text.read(CHUNK):
            yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise Unreadable("The gzip file is damaged or cut off. What comes before is imported; send the whole file for the rest.") from None


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file to read from, and the same as it lies on the disk: another one where it is packed."""
    with path.open("rb") as packed:
        is_packed = packed.read(len(GZIP)) == GZIP
        packed.seek(0)
        yield (cast(BinaryIO, gzip.GzipFile(fileobj=packed)) if is_packed else packed), packed
