"""Journals that were uploaded: kept as files until a worker of this machine has imported them, one at a time."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.db.models import QuerySet
from django_q.tasks import async_task

from agents.database import UNAVAILABLE
from monitoring.journal_import import Reading, Unreadable, begin, carry_out
from monitoring.models import JournalImport

logger = logging.getLogger(__name__)

State = JournalImport.State
JOB = "monitoring.jobs.import_journal"
MEGABYTE = 1_000_000
# A miner's journal of months is smaller; the command takes any size.
LARGEST = 512 * MEGABYTE
# Of the multipart form around the file.
FORM_BYTES = 10_000
# Seconds the job may take: ten times what the largest file takes on a small machine.
TIMEOUT = 1_800
# A job that no worker took by then is put into the queue again. Twice in the queue does no harm.
UNTAKEN = timedelta(seconds=60)
# An import by command that nobody ended, not even with a fault, has lost its process by then.
ABANDONED = timedelta(days=1)


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
    """Keep an uploaded file and queue its import."""
    row = begin(Path(file.name or "upload").name, by=by, state=State.QUEUED, total=file.size)
    path = _file(row.pk)
    _asked(row.pk).write_text(json.dumps({"year": year, "zone": zone}))
    shutil.move(file.temporary_file_path(), path)
    _enqueue(row.pk)
    return row


def run(pk: int) -> bool:
    """Import an uploaded file. False where another import is under way here, which will start this one, or it is imported already."""
    with _alone() as is_alone:
        if not is_alone or not _claimed(pk):
            return False
        _import(JournalImport.objects.get(pk=pk))
        _forget(pk)
    _enqueue_next()
    return True


def take_up(now: datetime) -> None:
    """Queue what waits again, and what a worker of this machine had in hand when it died."""
    lost = JournalImport.objects.filter(state=State.RUNNING, asked_by="", started_at__lt=now - ABANDONED)
    lost.update(state=State.FAILED, ended_at=now, fault="The process that imported it was ended. Import it again: nothing is doubled.")
    with _alone() as is_alone:
        if is_alone:
            mine = [row.pk for row in _uploaded(State.RUNNING) if _file(row.pk).exists()]
            JournalImport.objects.filter(pk__in=mine, state=State.RUNNING).update(state=State.QUEUED)
            _forget_ended()
            waiting = next((row.pk for row in _uploaded(State.QUEUED) if _enqueued_at(row.pk) < now - UNTAKEN), None)
            if waiting:
                _enqueue(waiting)


def _enqueue_next() -> None:
    waiting = next((row.pk for row in _uploaded(State.QUEUED) if _file(row.pk).exists()), None)
    if waiting:
        _enqueue(waiting)


def _enqueued_at(pk: int) -> datetime:
    """When its job was queued last; never, where the file is on another machine, which sees to it."""
    try:
        return datetime.fromtimestamp(_asked(pk).stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.max.replace(tzinfo=UTC)


def _uploaded(state: State) -> QuerySet[JournalImport]:
    return JournalImport.objects.filter(state=state).exclude(asked_by="").order_by("id")


def _enqueue(pk: int) -> None:
    _asked(pk).touch()
    async_task(JOB, pk, timeout=TIMEOUT)


def _claimed(pk: int) -> bool:
    return JournalImport.objects.filter(pk=pk, state=State.QUEUED).update(state=State.RUNNING) == 1


def _import(row: JournalImport) -> None:
    path = _file(row.pk)
    try:
        asked = json.loads(_asked(row.pk).read_text())
        carry_out(row, path, Reading(asked["year"], ZoneInfo(asked["zone"])), lambda _: None)
    except FileNotFoundError:
        said = "The file is on another machine than the worker that took the job. There, use: manage.py import_log FILE"
        JournalImport.objects.filter(pk=row.pk).update(state=State.FAILED, fault=said)
    except Unreadable as error:
        logger.warning("Import %d ended early: %s", row.pk, error)
    except UNAVAILABLE as error:
        logger.warning("Import %d waits for the database (%s).", row.pk, error)
        raise


def _forget(pk: int) -> None:
    for path in (_file(pk), _asked(pk)):
        path.unlink(missing_ok=True)


def _forget_ended() -> None:
    """The files of imports that a fault has ended, or that somebody has deleted."""
    waiting = set(_uploaded(State.QUEUED).values_list("pk", flat=True))
    for path in _folder().glob("*.log"):
        if int(path.stem) not in waiting:
            _forget(int(path.stem))


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "imports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _file(pk: int) -> Path:
    return _folder() / f"{pk}.log"


def _asked(pk: int) -> Path:
    """How the file is to be read; its time is that of the newest job."""
    return _folder() / f"{pk}.json"


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other import of an upload is under way on this machine: two would leave no worker for other jobs."""
    lock = os.open(_folder(), os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)
