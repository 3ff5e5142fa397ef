"""Importing miners' journals: an upload is kept as a file until a worker of this machine has read it as a stream into rows.

Importing the same lines again adds nothing.
"""

import gzip
import io
import json
import shutil
import zlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.db import connection, transaction
from django.utils import timezone

from agents.common.redaction import mask_keys, redact
from agents.models import JobState
from agents.models.jobs import UNDER_WAY
from agents.operator_jobs import leased_job
from agents.operator_jobs.leased_job import JobFailed, Outcome
from monitoring.logs.journal import Calendar, Record, Records, first_year, read, text_lines
from monitoring.models import JournalImport, LogEntry
from monitoring.settings.mask_secrets import open_all

MEGABYTE = 1_000_000
# A miner's journal of months is smaller; the command takes any size.
LARGEST = 512 * MEGABYTE
# Of the multipart form around the file.
FORM_BYTES = 10_000
NO_FILE = "The file is not on the worker's machine, or its import was ended. Import it again: nothing is doubled."
DAMAGED = "The gzip file is damaged or cut off. What comes before is imported; send the whole file for the rest."
# Rows a transaction: some ten milliseconds in which no other process can write to SQLite.
BATCH = 1_000
SAMPLE_CHARS = 300
# The year is found in this many bytes of the first and the last lines.
_ENDS = 65_536
_GZIP = b"\x1f\x8b"
_FAULTS = (EOFError, gzip.BadGzipFile, zlib.error)
# The ORM's insert that ignores conflicts does not say how many rows were new; this does, on both databases.
_INSERT = (
    "INSERT INTO monitoring_logentry (at, level, logger, message, source, kind, facts, host, process, journal_id, digest)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)


class BoundedUpload(TemporaryFileUploadHandler):
    """Writes an uploaded file to the disk as it comes; one that is larger than allowed is not kept at all."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        content_length: int = args[2]
        self.is_too_large = content_length > LARGEST + FORM_BYTES

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if self.is_too_large:
            raise SkipFile
        super().new_file(*args, **kwargs)


def keep(file: TemporaryUploadedFile, *, by: str, year: int | None, zone: str) -> JournalImport:
    """Keep an uploaded file and queue its import. Where the disk refuses the file, the import has failed."""
    name = mask_keys(Path(file.name or "upload").name)[-200:]
    fields = {"name": name, "requested_by": by, "year": year, "zone": zone, "total_bytes": file.size}
    try:
        with transaction.atomic():
            job, _ = leased_job.start(JournalImport, **fields)
            shutil.move(file.temporary_file_path(), _file(job.pk))
    except OSError as error:
        delete_leftovers()
        fault = f"The file could not be kept: {error.strerror}. Free some disk space, then upload it again."
        return JournalImport.objects.create(**fields, state=JobState.FAILED, ended_at=timezone.now(), fault=fault)
    return job


def read_upload(job: JournalImport) -> Outcome:
    path = _file(job.pk)
    if not path.exists():
        raise JobFailed(NO_FILE)
    outcome = import_file(job, path, job.year, ZoneInfo(job.zone))
    path.unlink()
    return outcome


def delete_leftovers() -> None:
    waiting = set(JournalImport.objects.filter(state__in=UNDER_WAY).values_list("pk", flat=True))
    for path in _folder().glob("*.log"):
        if int(path.stem) not in waiting:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "imports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _file(pk: int) -> Path:
    return _folder() / f"{pk}.log"


def import_file(job: JournalImport, path: Path, year: int | None, zone: tzinfo) -> Outcome:
    """Import the file. One that can't be read to its end has failed; what comes before is imported all the same.

    `year`: of its first line, None for the latest that lies in the past; `zone`: of times without one.
    """
    open_all()
    now = timezone.now()
    records = Records(Calendar(year or _year(path, zone, now), zone, now), now)
    recorded, kept, fault = job.entries.count(), 0, ""  # with the entries of an earlier try
    with _opened(path) as file:
        found = records.read(text_lines(file))
        while True:
            some: list[Record] = []
            try:
                for record in islice(found, BATCH):
                    some.append(record)
            except _FAULTS:
                fault = DAMAGED
            is_last = len(some) < BATCH
            some += records.end() if is_last else ()
            recorded += _insert(some, job.pk)
            kept += len(some)
            if is_last:
                break
    fields = {
        "total_bytes": path.stat().st_size,
        "lines": records.lines,
        "recorded": recorded,
        "known_before": kept - recorded,
        "unread": records.unread,
        "samples": [redact(sample)[:SAMPLE_CHARS] for sample in records.samples],
        "first_at": records.first_at,
        "last_at": records.last_at,
        "fault": fault,
    }
    return Outcome(fields, JobState.FAILED if fault else JobState.SUCCEEDED)


def _insert(records: Iterable[Record], journal: int) -> int:
    """Write records as rows in one transaction. Returns how many were not there yet."""
    rows = [
        (
            connection.ops.adapt_datetimefield_value(record.at),
            record.level,
            mask_keys(record.logger)[:200],
            redact(record.message),
            LogEntry.Source.IMPORTED.value,
            record.kind.value,
            redact(json.dumps(record.facts)),
            mask_keys(record.host)[:200],
            mask_keys(record.process)[:60],
            journal,
            record.digest,
        )
        for record in records
    ]
    if not rows:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_INSERT, rows)
        return int(cursor.rowcount)


def _year(path: Path, zone: tzinfo, now: datetime) -> int:
    head = tail = b""
    with _opened(path) as file, suppress(*_FAULTS):
        head = tail = file.read1(_ENDS)
        if not isinstance(file, gzip.GzipFile):
            file.seek(max(0, path.stat().st_size - _ENDS))
        while chunk := file.read1(_ENDS):
            tail = (tail + chunk)[-_ENDS:]
    first, last = ([line.time for text in text_lines(io.BytesIO(end)) if (line := read(text)) and line.time] for end in (head, tail))
    return first_year(first, last, now, zone)


def _opened(path: Path) -> io.BufferedReader | gzip.GzipFile:
    with path.open("rb") as file:
        is_packed = file.read(len(_GZIP)) == _GZIP
    return gzip.GzipFile(path) if is_packed else path.open("rb")
