"""Import of miners' journals: an upload is kept as a file until a worker of this machine has read it into rows."""

import gzip
import io
import shutil
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.db import transaction
from django.utils import timezone

from agents.common.redaction import mask_keys, redact
from agents.configuration.keys import UnreadableKey, open_sealed
from agents.models import Account, JobState
from agents.models.jobs import UNDER_WAY
from agents.operator_jobs import leased_job
from agents.operator_jobs.leased_job import JobFailed, Outcome
from monitoring.logs.journal import Calendar, Record, Records, first_year, read, text_lines
from monitoring.models import Channel, JournalImport, LogEntry

MEGABYTE = 1_000_000
LARGEST = 512 * MEGABYTE  # a miner's journal of months is smaller; the command has no limit
FORM_BYTES = 10_000  # of the multipart form around the file
NO_FILE = "The file is not on the worker's machine, or its import was ended. Import it again: no line is imported twice."
DAMAGED = "The gzip file is damaged or cut off. The part before is imported; send the whole file for the rest."
BATCH = 1_000  # rows per transaction, which blocks other writers of SQLite for some ten milliseconds
SAMPLE_CHARS = 300
_ENDS = 65_536  # bytes at the file's start and end from which the year is derived
_GZIP = b"\x1f\x8b"
_FAULTS = (EOFError, gzip.BadGzipFile, zlib.error)


class BoundedUpload(TemporaryFileUploadHandler):
    """Writes an uploaded file to the disk as it arrives; one beyond the limit is discarded."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        content_length: int = args[2]
        self.is_too_large = content_length > LARGEST + FORM_BYTES

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if self.is_too_large:
            raise SkipFile
        super().new_file(*args, **kwargs)


def keep(file: TemporaryUploadedFile, *, by: str, year: int | None, zone: str) -> JournalImport:
    """Queue the import. If the file can't be stored, the job has failed."""
    name = mask_keys(Path(file.name or "upload").name)[-200:]
    fields = {"name": name, "requested_by": by, "year": year, "zone": zone}
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
    """Import the file. If it can't be read to its end, the job has failed, and the part before is imported.

    `year`: of its first line, None for the latest one in the past; `zone`: of times without one.
    """
    open_all()
    now = timezone.now()
    records, kept, faults = Records(Calendar(year or _year(path, zone, now), zone, now), now), 0, list[str]()
    with _opened(path) as file:
        entries = _read(records, file, faults)
        while batch := list(islice(entries, BATCH)):
            _insert(batch, job.pk)
            kept += len(batch)
    recorded, fault = job.entries.count(), "".join(faults)  # with the entries of an earlier try
    fields = {name: getattr(records, name) for name in ("lines", "unread", "first_at", "last_at")}
    fields |= {"recorded": recorded, "known_before": kept - recorded, "fault": fault}
    fields["samples"] = [redact(sample)[:SAMPLE_CHARS] for sample in records.samples]
    return Outcome(fields, JobState.FAILED if fault else JobState.SUCCEEDED)


def _read(records: Records, file: io.BufferedIOBase, faults: list[str]) -> Iterator[Record]:
    try:
        yield from records.read(text_lines(file))
    except _FAULTS:
        faults.append(DAMAGED)
    yield from records.end()


def _insert(records: Iterable[Record], journal: int) -> None:
    entries = [
        LogEntry(
            at=record.at,
            level=record.level,
            logger=mask_keys(record.logger)[:200],
            message=redact(record.message),
            source=LogEntry.Source.IMPORTED,
            kind=record.kind,
            facts={name: redact(fact) if isinstance(fact, str) else fact for name, fact in record.facts.items()},
            host=mask_keys(record.host)[:200],
            process=mask_keys(record.process)[:60],
            journal_id=journal,
            digest=record.digest,
        )
        for record in records
    ]
    LogEntry.objects.bulk_create(entries, ignore_conflicts=True)


def open_all() -> None:
    """Open all sealed keys and URLs, so that this process masks them (`redact`) in imported text."""
    for sealed in (*Account.objects.values_list("key_sealed", "admin_key_sealed"), *Channel.objects.values_list("url_sealed")):
        for secret in filter(None, sealed):
            with suppress(UnreadableKey):
                open_sealed(secret)


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
