"""The backups that are there, and how the last one by the plan went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from monitoring.backup.files import ours, written
from monitoring.backup.plan import folder_of, plan, under_way
from monitoring.models import BackupPlan


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One file. `at`: when it was begun."""

    name: str
    at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Backups:
    """The plan, its folder, and the backups in it, newest first. `is_running`: one has begun and not ended, and has so many bytes yet."""

    plan: BackupPlan
    folder: str
    files: list[BackupFile]
    is_running: bool
    is_lost: bool
    written_bytes: int


def backups(now: datetime) -> Backups:
    """All of it, as it is on this machine."""
    row = plan()
    folder = folder_of(row)
    found = [BackupFile(path.name, _at(path.name), path.stat().st_size) for path in (ours(folder) if folder.is_dir() else [])]
    is_running = under_way(now).exists()
    is_lost = not is_running and row.started_at is not None and row.ended_at is None
    return Backups(row, str(folder), found, is_running, is_lost, written(folder) if is_running else 0)


def _at(name: str) -> datetime:
    return datetime.strptime(name.split("-")[1].partition(".")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
