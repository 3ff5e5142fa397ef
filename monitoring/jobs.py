"""The panel's periodic jobs; see minerpanel/schedules.py."""

import logging
import time
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from agents import database
from agents.operator_jobs.leased_job import JobFailed
from monitoring.logs import imports
from monitoring.reporting import search
from monitoring.retention import backup, pruning, storage

PRUNING_SECONDS = 60.0  # the rest is left to the next hour's job, as a job may take two minutes
LOST_AFTER = timedelta(minutes=15)  # longer than a backup may take: an older partial file belongs to a killed process

logger = logging.getLogger(__name__)


def prune(now: datetime) -> str:
    imports.delete_leftovers()
    deleted = pruning.prune(now, until=time.monotonic() + PRUNING_SECONDS)
    if not deleted:
        return "Nothing to delete."
    counts = ", ".join(f"{count} {name}" for name, count in deleted.items())
    logger.info("Old records were deleted: %s.", counts)
    return f"Deleted: {counts}."


def index_texts(_: datetime) -> None:
    search.fill(until=time.monotonic() + search.CHUNK_SECONDS)


def keep_to_budgets(_: datetime) -> str:
    kept = storage.keep(time.monotonic())
    database.empty_long_log()
    if not any(kept.values()):
        return ""
    counts = "{details} steps lost their details; {steps} steps, {logs} log records and {pages} pages were deleted.".format(**kept)
    logger.info("Beyond their budgets: %s", counts)
    return counts


def back_up(now: datetime) -> str:
    folder = Path(settings.BACKUP_FOLDER or settings.DATA_DIR / "backups")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        backup.drop_lost(folder, now - LOST_AFTER)
        path = backup.write(folder, now)
        dropped = backup.drop_old(folder, settings.BACKUP_KEEP)
    except (backup.BackupError, OSError) as error:
        raise JobFailed(str(error)) from None
    return f"{path.stat().st_size:,} bytes in {path}; {len(dropped)} older ones deleted."
