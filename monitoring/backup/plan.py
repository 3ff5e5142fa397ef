"""The backup that the worker takes by itself: when it is due, how it goes, and what is told of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from agents.database import UNAVAILABLE
from monitoring import cron
from monitoring.audit import Deed, note
from monitoring.backup import files
from monitoring.backup.errors import BackupError, Cancelled
from monitoring.models import BackupPlan

# A job may take this long, in seconds. The queue gives a job to another worker after 390.
JOB_SECONDS = 340
# One that has not ended by then was killed with its worker.
LOST_AFTER = timedelta(seconds=2 * JOB_SECONDS)
# How often a backup looks whether somebody has cancelled it.
LOOK_SECONDS = 0.3
FIELDS = ("enabled", "cron", "folder", "keep")

logger = logging.getLogger(__name__)


def plan() -> BackupPlan:
    """The plan; off, where nobody has made one."""
    return BackupPlan.objects.get_or_create(pk=BackupPlan.ONLY)[0]


def folder_of(row: BackupPlan) -> Path:
    """Where its backups go."""
    return Path(row.folder) if row.folder else settings.DATA_DIR / "backups"


def change(values: Mapping[str, Any], *, by: str, now: datetime) -> bool:
    """Change what differs of FIELDS, checked already, and note it. False where nothing does."""
    with transaction.atomic():
        plan()
        row = BackupPlan.objects.select_for_update().get()
        before = dict(_words(row))
        for name in FIELDS:
            setattr(row, name, values[name])
        differing = [f"{label} {before[label]} → {words}" for label, words in _words(row) if before[label] != words]
        if not differing:
            return False
        row.next_run_at = cron.next_after(row.cron, now) if row.enabled else None
        row.save(update_fields=[*FIELDS, "next_run_at"])
        note(Deed.BACKUP, f"Changed the backups: {'; '.join(differing)}.", by=by, now=now)
    return True


def under_way(now: datetime) -> QuerySet[BackupPlan]:
    """The plan, while a backup waits for its worker or is being taken."""
    return BackupPlan.objects.filter(started_at__gt=now - LOST_AFTER, ended_at=None)


def ask_if_due(now: datetime) -> bool:
    """Queue the backup whose time has come, one however many were missed, when the last one is over. False where nothing was queued."""
    row = BackupPlan.objects.filter(enabled=True, next_run_at__lte=now).first()
    if row is None or under_way(now).exists():
        return False
    as_read = BackupPlan.objects.filter(enabled=True, cron=row.cron, next_run_at=row.next_run_at)
    anew = {"started_at": now, "ended_at": None, "fault": "", "cancelled_by": ""}
    if not as_read.update(next_run_at=cron.next_after(row.cron, now), **anew):
        return False  # another watcher was first
    async_task("monitoring.jobs.back_up", now.isoformat(), save=False, timeout=JOB_SECONDS)
    return True


def cancel(*, by: str, now: datetime) -> bool:
    """Cancel the backup: at once where it waits, within a moment where it is taken. False where it is over."""
    with transaction.atomic():
        row = under_way(now).select_for_update().first()
        if row is None or row.started_at is None:
            return False
        BackupPlan.objects.update(ended_at=now, cancelled_by=by)
        note(Deed.BACKUP, f"Cancelled the backup that began {row.started_at:%Y-%m-%d %H:%M} UTC.", by=by, now=now)
    return True


def carry_out(begun: datetime) -> bool:
    """Take the backup that began then, drop the oldest, put both on record. False where it failed, or somebody cancelled it."""
    row = _its(begun).first()
    if row is None:
        return False
    try:
        path, dropped = _kept(row, begun)
        size, fault = path.stat().st_size, ""
    except Cancelled:
        logger.info("The backup by the plan was cancelled. Nothing of it is left.")
        return False
    except (BackupError, OSError) as error:
        path, size, dropped, fault = Path(), 0, [], str(error)[:500]
        if not BackupPlan.objects.filter(started_at=begun, cancelled_by="").update(ended_at=timezone.now(), fault=fault):
            return False
    said = f"It failed: {fault}" if fault else f"Backed up to {path} ({size:,} bytes); {len(dropped)} older ones deleted."
    note(Deed.BACKUP, said, by="", now=timezone.now())
    logger.log(logging.ERROR if fault else logging.INFO, "Backup by the plan: %s", said)
    return not fault


def _kept(row: BackupPlan, begun: datetime) -> tuple[Path, list[Path]]:
    """Write the file and put it on record, then drop the oldest; the file, and which were dropped. Raises Cancelled: then it is gone."""
    path = _write(folder_of(row), begun)
    if not _its(begun).update(ended_at=timezone.now(), file=str(path), size_bytes=path.stat().st_size):
        path.unlink()  # somebody cancelled it when it was as good as done
        raise Cancelled
    return path, files.drop_old(path.parent, row.keep)


def _write(folder: Path, begun: datetime) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    files.drop_lost(folder, begun - LOST_AFTER)
    return files.write(folder, begun, _Looking(begun))


def _its(begun: datetime) -> QuerySet[BackupPlan]:
    """The plan while the backup that began then is not over."""
    return BackupPlan.objects.filter(started_at=begun, ended_at=None)


class _Looking:
    """Looks now and then whether a backup is over, since somebody has cancelled it."""

    def __init__(self, begun: datetime) -> None:
        self._begun, self._is_over, self._looked_at = begun, False, time.monotonic()

    def __call__(self) -> bool:
        if not self._is_over and time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._is_over, self._looked_at = self._look(), time.monotonic()
        return self._is_over

    def _look(self) -> bool:
        try:
            return not _its(self._begun).exists()
        except UNAVAILABLE:
            return False  # which is no reason to give up what is nearly done


def _words(row: BackupPlan) -> list[tuple[str, str]]:
    return [
        ("enabled", "yes" if row.enabled else "no"),
        ("cron", row.cron),
        ("folder", str(folder_of(row))),
        ("keep", str(row.keep)),
    ]
