"""Where backups go, what is checked before one comes back, and which are old."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from agents import spool
from monitoring.backup import postgres, sqlite
from monitoring.backup.errors import BackupError, InUse, IsCancelled

_OURS = re.compile(r"minerpanel-\d{8}T\d{6}Z\.(sqlite3|dump)", re.ASCII)
IN_USE = "Processes use this database. Stop the miner first, or use --force: it then goes on with the restored data."


def write(target: Path, now: datetime, is_cancelled: IsCancelled = lambda: False) -> Path:
    """Back the database up into a file, or into a folder under a name of its own. Returns the file.

    What was acknowledged before this is called is in it: facts that waited in the spool are written first. Raises Cancelled, and nothing
    is left then.
    """
    spool.drain()
    path = target / f"minerpanel-{_stamp(now)}.{'dump' if _is_postgres() else 'sqlite3'}" if target.is_dir() else target
    if path.exists():
        raise BackupError(f"{path} exists already. Name another file, or a folder.")
    if not path.parent.is_dir():
        raise BackupError(f"There is no folder {path.parent}. Make it first.")
    partial = path.with_name(f"{path.name}.part")
    partial.unlink(missing_ok=True)
    try:
        partial.touch(0o600)
        partial.unlink()
        postgres.dump(partial, is_cancelled) if _is_postgres() else sqlite.dump(_database(), partial, is_cancelled)
        partial.rename(path)
    except OSError as error:
        raise BackupError(f"{path} can't be written: {error.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)
    return path


def written(folder: Path) -> int:
    """How many bytes there are of a backup that is being written; 0 where none is."""
    return sum(path.stat().st_size for path in folder.glob("minerpanel-*.part"))


def drop_lost(folder: Path, before: datetime) -> None:
    """Delete the half files that `write` named itself and nobody wrote into after `before`: whoever did was killed."""
    for path in folder.glob("minerpanel-*.part"):
        if path.stat().st_mtime < before.timestamp():
            path.unlink()


def drop_old(folder: Path, keep: int) -> list[Path]:
    """Delete the oldest backups that `write` named itself, but the newest `keep`. Returns which."""
    old = ours(folder)[keep:]
    for path in old:
        path.unlink()
    return old


def ours(folder: Path) -> list[Path]:
    """The backups in a folder that `write` named itself, newest first."""
    return sorted((path for path in folder.iterdir() if _OURS.fullmatch(path.name)), key=lambda path: path.name, reverse=True)


def restore(file: Path, now: datetime, *, force: bool) -> str:
    """Check a backup, then make the database what it is. Returns where the old one is kept, in words."""
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    _refuse_newer(postgres.migrations_in(file) if _is_postgres() else sqlite.migrations_in(file), file)
    if not force:
        _refuse_if_in_use()
    connection.close()
    if _is_postgres():
        return f"in the schema {postgres.load(file, _stamp(now).lower())} of the same database"
    kept = _database().with_name(f"{_database().name}.before-{_stamp(now)}")
    is_first = not _database().exists()
    sqlite.load(file, _database(), kept)
    return "nowhere: there was none" if is_first else f"in {kept}"


def _refuse_newer(had: set[tuple[str, str]], file: Path) -> None:
    known = set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    if not any(app == "agents" for app, _ in had):
        raise BackupError(f"{file} is a database of something else: it has no migrations of this panel.")
    newer = sorted(f"{app}.{name}" for app, name in had - known if any(app == here for here, _ in known))
    if newer:
        raise BackupError(f"{file} is from a newer version: this checkout does not know {', '.join(newer)}. Check out that version first.")


def _refuse_if_in_use() -> None:
    try:
        if _is_postgres():
            postgres.refuse_if_in_use()
        else:
            connection.close()
            sqlite.refuse_if_in_use(_database())
    except InUse:
        raise InUse(IN_USE) from None


def _is_postgres() -> bool:
    return connection.vendor == "postgresql"


def _database() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def _stamp(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
