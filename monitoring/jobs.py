"""What the worker runs for the panel. Jobs take ids, never keys or files."""

from __future__ import annotations

import logging

from django.utils import timezone

from monitoring import retention, uploads

logger = logging.getLogger(__name__)


def import_journal(pk: int) -> bool:
    """Import an uploaded journal. False where there is nothing to do now."""
    return uploads.run(pk)


def take_up_imports() -> int:
    """Take up the imports that wait or were left by a worker that died."""
    return uploads.take_up(timezone.now())


def prune_logs() -> int:
    """Delete the log entries that are too old or too many."""
    deleted = retention.prune_logs(timezone.now())
    if deleted:
        logger.info("%d old log entries were deleted.", deleted)
    return deleted
