"""Backups of an SQLite database, taken and put back while processes use it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from monitoring.backup.errors import BackupError, Cancelled, InUse, IsCancelled

HEADER = b"SQLite format 3\x00"
# A restore waits this long for a write that is under way, in seconds.
PATIENCE = 30.0
# Instructions of SQLite's machine between two looks whether the backup is still wanted: some hundred rows, a few milliseconds.
BATCH = 1_000


def dump(database: Path, target: Path, is_cancelled: IsCancelled = lambda: False) -> None:
    """Write a consistent copy to `target`, which must not exist. Readers and writers go on meanwhile. Raises Cancelled."""
    if not database.exists():
        raise BackupError(f"There is no database at {database} yet. Run make setup first.")
    with _open(database) as source:
        source.set_progress_handler(is_cancelled, BATCH)
        try:
            source.execute("VACUUM INTO ?", (str(target),))
        except sqlite3.OperationalError:
            if is_cancelled():
                raise Cancelled from None
            raise
    target.chmod(0o600)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def migrations_in(file: Path) -> set[tuple[str, str]]:
    """The migrations that a backup has had, as app and name. Raises BackupError where it is no sound backup of this panel."""
    with file.open("rb") as opened:
        if opened.read(len(HEADER)) != HEADER:
            raise BackupError(f"{file} is no SQLite database. A backup of Postgres goes back into Postgres only.")
    try:
        with _open(file, "mode=ro") as backup:
            (told,) = backup.execute("PRAGMA integrity_check(1)").fetchone()
            if told != "ok":
                raise BackupError(f"{file} is damaged: {told}. Take another backup.")
            return set(backup.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{file} is no sound backup of this panel: {error}. Take another one.") from None


def refuse_if_in_use(database: Path) -> None:
    """Raises InUse where another process has the database open."""
    if not database.exists():
        return
    try:
        with _open(database) as connection:
            connection.execute("PRAGMA busy_timeout = 0")
            # SQLite leaves the write-ahead mode only for a process that has the database for itself.
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise InUse("") from None
    except sqlite3.DatabaseError:
        pass  # a damaged database is what backups are for


def load(file: Path, database: Path, kept: Path) -> None:
    """Make the database what `file` is, in one transaction that running processes see as any other. The old one is kept in `kept`."""
    _keep(database, kept)
    with _open(file, "mode=ro") as backup, _open(database) as target:
        target.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000:.0f}")
        backup.backup(target)
    database.chmod(0o600)


def _keep(database: Path, kept: Path) -> None:
    if not database.exists():
        return
    try:
        dump(database, kept)
    except sqlite3.DatabaseError:
        # It can't be read: it is moved as it is, with what belongs to it.
        kept.unlink(missing_ok=True)
        for suffix in ("", "-wal", "-shm"):
            part = Path(f"{database}{suffix}")
            if part.exists():
                part.rename(f"{kept}{suffix}")


@contextmanager
def _open(path: Path, how: str = "mode=rw") -> Iterator[sqlite3.Connection]:
    address = f"{path.absolute().as_uri()}?{how if path.exists() else 'mode=rwc'}"
    with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)) as connection:
        yield connection
