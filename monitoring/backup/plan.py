"""The backup that the worker takes by itself: when it is due, how it goes, and what is told of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from monitoring import cron
from monitoring.audit import Deed, note
from monitoring.backup import files
from monitoring.backup.errors import BackupError
from monitoring.models import BackupPlan

# A job may take this long, in seconds. The queue gives a job to another worker after 390.
JOB_SECONDS = 340
# One that has not ended by then was killed with its worker.
LOST_AFTER = timedelta(seconds=2 * JOB_SECONDS)
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


def ask_if_due(now: datetime) -> bool:
    """Queue the backup whose time has come, one however many were missed. False where there is none, or another watcher was first."""
    row = BackupPlan.objects.filter(enabled=True, next_run_at__lte=now).first()
    if row is None:
        return False
    as_read = BackupPlan.objects.filter(enabled=True, cron=row.cron, next_run_at=row.next_run_at)
    if not as_read.update(next_run_at=cron.next_after(row.cron, now), started_at=now, ended_at=None, fault=""):
        return False
    async_task("monitoring.jobs.back_up", save=False, timeout=JOB_SECONDS)
    return True


def carry_out(now: datetime) -> bool:
    """Take the backup, drop the oldest, put both on record. False where it failed."""
    row = plan()
    try:
        path = _write(folder_of(row), now)
        size, fault, dropped = path.stat().st_size, "", files.drop_old(path.parent, row.keep)
    except (BackupError, OSError) as error:
        path, size, fault, dropped = Path(), 0, str(error)[:500], []
    told = {"file": str(path) if size else row.file, "size_bytes": size or row.size_bytes, "fault": fault}
    BackupPlan.objects.update(ended_at=timezone.now(), **told)
    said = f"It failed: {fault}" if fault else f"Backed up to {path} ({size:,} bytes); {len(dropped)} older ones deleted."
    note(Deed.BACKUP, said, by="", now=timezone.now())
    logger.log(logging.ERROR if fault else logging.INFO, "Backup by the plan: %s", said)
    return not fault


def _write(folder: Path, now: datetime) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    return files.write(folder, now)


def _words(row: BackupPlan) -> list[tuple[str, str]]:
    return [
        ("enabled", "yes" if row.enabled else "no"),
        ("cron", row.cron),
        ("folder", str(folder_of(row))),
        ("keep", str(row.keep)),
    ]
