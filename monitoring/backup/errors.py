"""What stands in the way of a backup or a restore."""

from __future__ import annotations

from collections.abc import Callable

# Whether somebody has cancelled what is under way. It is asked many times a second.
IsCancelled = Callable[[], bool]


class BackupError(Exception):
    """Nothing was done. The message says why and what to do."""


class Cancelled(BackupError):
    """Somebody has cancelled it. Nothing of it is left."""


class InUse(BackupError):
    """Processes use the database."""
