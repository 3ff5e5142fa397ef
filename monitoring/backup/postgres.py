"""Backups of a Postgres database by its own programs. The password is in their environment, never among their arguments."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connection

from monitoring.backup.errors import BackupError, Cancelled, InUse, IsCancelled

# The database before a restore stays in a schema of this name, with the time; backups leave it out.
KEPT = "before_restore_"
MAGIC = b"PGDMP"
# An extension is there once a database, and the restored indexes look for it in `public`.
EXTENSIONS_STAY = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm' AND extnamespace <> 'public'::regnamespace) THEN
        ALTER EXTENSION pg_trgm SET SCHEMA public;
    END IF;
END $$;
"""
# A program that was told to end and has not after so many seconds is killed.
PATIENCE = 10.0
LOOK_SECONDS = 0.2
INSTALL = "Install the client of the server's version, such as: sudo apt-get install postgresql-client-{major}"


def dump(target: Path, is_cancelled: IsCancelled = lambda: False) -> None:
    """Write a consistent dump in Postgres' custom format to `target`. Readers and writers go on meanwhile. Raises Cancelled."""
    options = ("--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={KEPT}*", f"--file={target}")
    _run("pg_dump", *options, is_cancelled=is_cancelled)
    target.chmod(0o600)


def migrations_in(file: Path) -> set[tuple[str, str]]:
    """The migrations that a backup has had, as app and name. Raises BackupError where it is no backup of this panel."""
    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) != MAGIC:
            raise BackupError(f"{file} is no dump in Postgres' custom format. A backup of SQLite goes back into SQLite only.")
    _run("pg_restore", "--file=/dev/null", file)  # reads and unpacks all of it
    rows = _run("pg_restore", "--data-only", "--table=django_migrations", "--file=-", file).stdout.splitlines()
    found = {(row.split("\t")[1], row.split("\t")[2]) for row in rows if row.count("\t") == 3}
    if not found:
        raise BackupError(f"{file} is a dump of something else: it has no migrations of this panel.")
    return found


def refuse_if_in_use() -> None:
    """Raises InUse where another connection to the database is open, from this machine or another."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        (others,) = cursor.fetchone()
    if others:
        raise InUse("")


def load(file: Path, stamp: str) -> str:
    """Make the database what `file` is, in one transaction. Returns the schema in which the old one is kept."""
    kept = f"{KEPT}{stamp}"
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as script:
        script.write(f'ALTER SCHEMA public RENAME TO "{kept}";\nCREATE SCHEMA public;\n{EXTENSIONS_STAY}')
        script.flush()
        _run("pg_restore", "--no-owner", "--no-privileges", "--no-comments", f"--file={script.name}.data", file)
        data = Path(f"{script.name}.data")
        try:
            options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null")
            _run("psql", *options, f"--file={script.name}", f"--file={data}")
        finally:
            data.unlink()
    return kept


def _run(program: str, *arguments: str | Path, is_cancelled: IsCancelled = lambda: False) -> subprocess.CompletedProcess[str]:
    path = shutil.which(program)
    if path is None:
        raise BackupError(f"{program} is not installed. {INSTALL.format(major=_server_major())}")
    _check_version(path, program)
    done = _ended([path, *map(str, arguments)], is_cancelled)
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip() or f'it ended with {done.returncode}'}")
    return done


def _ended(command: list[str], is_cancelled: IsCancelled) -> subprocess.CompletedProcess[str]:
    """What came of a program. Raises Cancelled when it is, and the program has ended; it ends with whatever ends us, too."""
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            while not is_cancelled():
                with suppress(subprocess.TimeoutExpired):
                    told, faults = process.communicate(timeout=LOOK_SECONDS)
                    return subprocess.CompletedProcess(command, process.returncode, told, faults)
        finally:
            _end(process)
    raise Cancelled


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()  # which does nothing to one that has ended
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def _check_version(path: str, program: str) -> None:
    """A client older than the server refuses, or writes what the server can't read."""
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    found, server = re.search(r"(\d+)", told), _server_major()
    if found and int(found[1]) < server:
        raise BackupError(f"{program} is of version {found[1]}, the server of {server}. {INSTALL.format(major=server)}")


def _server_major() -> int:
    connection.ensure_connection()
    return int(connection.connection.info.server_version // 10_000)


def _environment() -> dict[str, str]:
    return {**os.environ, **_variables(connection.settings_dict)}


def _variables(database: Mapping[str, Any]) -> dict[str, str]:
    """The connection as libpq's programs take it."""
    named = {"NAME": "PGDATABASE", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "HOST": "PGHOST", "PORT": "PGPORT"}
    given = {variable: str(database[name]) for name, variable in named.items() if database.get(name)}
    options = {f"PG{name.upper()}": str(value) for name, value in database["OPTIONS"].items() if name.startswith("ssl")}
    return given | options | {"PGCONNECT_TIMEOUT": "10"}
