"""What stands in the way of a backup or a restore."""

from __future__ import annotations


class BackupError(Exception):
    """Nothing was done. The message says why and what to do."""


class InUse(BackupError):
    """Processes use the database."""
