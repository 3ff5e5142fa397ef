"""Backups of the database, and their restore: of SQLite by itself, of Postgres by its programs."""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from agents import VERSION
from agents.checks import unknown_migrations
from agents.hybrid import spool

NAMED = re.compile(r"minerpanel-\d{8}T\d{6}Z\.(sqlite3|dump)", re.ASCII)
IN_USE = "Processes use this database. Stop the miner first, or use --force: it then continues with the restored data."
INSTALL = "Install the client of the server's version, such as: sudo apt-get install postgresql-client-{major}"
SQLITE_HEADER, POSTGRES_HEADER = b"SQLite format 3\x00", b"PGDMP"
PATIENCE = 30.0  # seconds that a restore waits for a running write
KEPT = "before_restore_"  # prefix of the schema that keeps a Postgres database before a restore; backups exclude it
# A database has an extension once, and the restored indexes expect it in `public`.
EXTENSIONS_STAY = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm' AND extnamespace <> 'public'::regnamespace) THEN
        ALTER EXTENSION pg_trgm SET SCHEMA public;
    END IF;
END $$;
"""
OTHER_CLIENTS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
LIBPQ = {"NAME": "PGDATABASE", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "HOST": "PGHOST", "PORT": "PGPORT"}


class BackupError(Exception):
    """Nothing was done. The message has the reason and the remedy."""


def write(target: Path, now: datetime) -> Path:
    """Back up the database to a file, or into a folder with a generated name. Returns the file."""
    spool.drain()  # so that the backup has all that was acknowledged before
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
        _dump_postgres(partial) if _is_postgres() else _dump_sqlite(_database(), partial)
        partial.rename(path)
    except (OSError, sqlite3.OperationalError) as error:
        raise BackupError(f"{path} can't be written: {getattr(error, 'strerror', error)}.") from None
    finally:
        partial.unlink(missing_ok=True)
    return path


def drop_lost(folder: Path, before: datetime) -> None:
    """Delete partial files in the folder, with generated names, that were not changed after `before`: their process was killed."""
    for path in folder.glob("minerpanel-*.part"):
        if path.stat().st_mtime < before.timestamp():
            path.unlink()


def drop_old(folder: Path, keep: int) -> list[Path]:
    """Delete all backups with generated names but the newest `keep`. Returns the deleted ones."""
    old = sorted((path for path in folder.iterdir() if NAMED.fullmatch(path.name)), key=lambda path: path.name, reverse=True)[keep:]
    for path in old:
        path.unlink()
    return old


def restore(file: Path, now: datetime, *, force: bool) -> str:
    """Check a backup, then replace the database by it. Returns where the old one is kept, for a message."""
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    migrations = _migrations_in_dump(file) if _is_postgres() else _migrations_in_sqlite(file)
    if not any(app == "agents" for app, _ in migrations):
        raise BackupError(f"{file} is another application's database: it has no migrations of this panel.")
    if unknown := unknown_migrations(migrations):
        raise BackupError(f"{file} is of another version: {VERSION} has no migration {', '.join(unknown)}. Check out that version first.")
    if not force and (_is_postgres_in_use() if _is_postgres() else _is_sqlite_in_use(_database())):
        raise BackupError(IN_USE)
    connection.close()
    if _is_postgres():
        schema = f"{KEPT}{_stamp(now).lower()}"
        _load_dump(file, schema)
        return f"in the schema {schema} of the same database"
    kept = _database().with_name(f"{_database().name}.before-{_stamp(now)}")
    is_first = not _database().exists()
    _load_sqlite(file, _database(), kept)
    return "nowhere: there was none" if is_first else f"in {kept}"


def _is_postgres() -> bool:
    return connection.vendor == "postgresql"


def _database() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def _stamp(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _dump_sqlite(database: Path, target: Path) -> None:
    """Write to `target`, which must not exist. Readers and writers are not blocked."""
    if not database.exists():
        raise BackupError(f"There is no database at {database} yet. Run make setup first.")
    with _opened(database) as source:
        source.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _migrations_in_sqlite(file: Path) -> set[tuple[str, str]]:
    if not _begins_with(SQLITE_HEADER, file):
        raise BackupError(f"{file} is not an SQLite database. A backup of Postgres can be restored into Postgres only.")
    try:
        with _opened(file, "mode=ro") as backup:
            (result,) = backup.execute("PRAGMA integrity_check(1)").fetchone()
            if result != "ok":
                raise BackupError(f"{file} is damaged: {result}. Use another backup.")
            return set(backup.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{file} is not a valid backup of this panel: {error}. Use another one.") from None


def _is_sqlite_in_use(database: Path) -> bool:
    connection.close()
    if not database.exists():
        return False
    try:
        with _opened(database) as opened:
            opened.execute("PRAGMA busy_timeout = 0")
            # SQLite leaves the write-ahead mode only if no other process has the database open.
            opened.execute("PRAGMA journal_mode = DELETE")
            opened.execute("PRAGMA journal_mode = WAL")
    except sqlite3.DatabaseError as error:
        return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)  # a damaged database may be restored
    return False


def _load_sqlite(file: Path, database: Path, kept: Path) -> None:
    """Replace the database by `file`, in one transaction, as for running processes. The old one is kept in `kept`."""
    if database.exists():
        try:
            _dump_sqlite(database, kept)
        except sqlite3.DatabaseError as error:
            kept.unlink(missing_ok=True)
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise BackupError(f"The disk has no room to keep the present database in {kept}. Nothing was restored.") from None
            # It can't be read, so its files are moved.
            for suffix in ("", "-wal", "-shm"):
                part = Path(f"{database}{suffix}")
                if part.exists():
                    part.rename(f"{kept}{suffix}")
    with _opened(file, "mode=ro") as backup, _opened(database) as target:
        target.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000:.0f}")
        backup.backup(target)
    database.chmod(0o600)


@contextmanager
def _opened(path: Path, how: str = "mode=rw") -> Iterator[sqlite3.Connection]:
    address = f"{path.absolute().as_uri()}?{how if path.exists() else 'mode=rwc'}"
    with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)) as opened:
        yield opened


def _begins_with(header: bytes, file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(header)) == header


def _dump_postgres(target: Path) -> None:
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={KEPT}*", f"--file={target}")
    target.chmod(0o600)


def _migrations_in_dump(file: Path) -> set[tuple[str, str]]:
    if not _begins_with(POSTGRES_HEADER, file):
        raise BackupError(f"{file} is not a dump in Postgres' custom format. A backup of SQLite can be restored into SQLite only.")
    _run("pg_restore", "--file=/dev/null", file)  # reads and unpacks all of it, as a check
    rows = _run("pg_restore", "--data-only", "--table=django_migrations", "--file=-", file).splitlines()
    return {(row.split("\t")[1], row.split("\t")[2]) for row in rows if row.count("\t") == 3}


def _is_postgres_in_use() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(OTHER_CLIENTS)
        return bool(cursor.fetchone()[0])


def _load_dump(file: Path, kept: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as script:
        script.write(f'ALTER SCHEMA public RENAME TO "{kept}";\nCREATE SCHEMA public;\n{EXTENSIONS_STAY}')
        script.flush()
        data = Path(f"{script.name}.data")
        try:
            _run("pg_restore", "--no-owner", "--no-privileges", "--no-comments", f"--file={data}", file)
            options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null")
            _run("psql", *options, f"--file={script.name}", f"--file={data}")
        finally:
            data.unlink(missing_ok=True)


def _run(program: str, *arguments: str | Path) -> str:
    """Run a Postgres program. Returns its output. A client older than the server fails, or writes what the server can't read."""
    connection.ensure_connection()
    server = int(connection.connection.info.server_version // 10_000)
    path = shutil.which(program)
    if path is None:
        raise BackupError(f"{program} is not installed. {INSTALL.format(major=server)}")
    version = re.search(r"(\d+)", subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout)
    if version and int(version[1]) < server:
        raise BackupError(f"{program} is of version {version[1]}, the server of {server}. {INSTALL.format(major=server)}")
    database = connection.settings_dict
    # The password is never among the arguments.
    variables = {variable: str(database[name]) for name, variable in LIBPQ.items() if database.get(name)}
    variables |= {f"PG{name.upper()}": str(value) for name, value in database["OPTIONS"].items() if name.startswith("ssl")}
    environment = {**os.environ, **variables, "PGCONNECT_TIMEOUT": "10"}
    done = subprocess.run([path, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip() or f'exit status {done.returncode}'}")
    return done.stdout
