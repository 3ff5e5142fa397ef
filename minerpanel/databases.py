"""The database's connection settings, for SQLite and Postgres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

SQLITE_ENGINE = "django.db.backends.sqlite3"
POSTGRES_ENGINE = "django.db.backends.postgresql"
WANTED = "a Postgres or SQLite URL: postgres://user:password@host:5432/name or sqlite:///path"
POSTGRES_MAX_AGE = 600  # seconds; a web thread keeps its connection this long

SQLITE_OPTIONS: dict[str, Any] = {
    "timeout": 30,  # seconds a writer waits for another; the answering path asks for less
    "transaction_mode": "IMMEDIATE",  # a write lock taken at BEGIN can be waited for; one upgraded later can't
    "init_command": (
        "PRAGMA journal_mode=WAL;"
        "PRAGMA synchronous=NORMAL;"
        "PRAGMA temp_store=MEMORY;"
        "PRAGMA cache_size=-16000;"  # KiB a connection
        "PRAGMA mmap_size=134217728;"
        "PRAGMA journal_size_limit=67108864;"
    ),
}


def database(url: str, default_path: Path) -> dict[str, Any]:
    """The `default` entry of DATABASES: what `url` names, else SQLite at `default_path`."""
    if not url:
        return _sqlite({"ENGINE": SQLITE_ENGINE, "NAME": str(default_path)})
    try:
        parsed: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError as error:  # the message would repeat the URL with its password
        raise ImproperlyConfigured(
            "DATABASE_URL must be a database URL: postgres://user:password@host:5432/name or sqlite:///path."
        ) from error
    if parsed["ENGINE"] == SQLITE_ENGINE:
        return _sqlite(parsed)
    if parsed["ENGINE"] == POSTGRES_ENGINE:
        return _postgres(parsed)
    raise ImproperlyConfigured(f"DATABASE_URL must be {WANTED}; {parsed['ENGINE']} is neither.")


def _sqlite(parsed: dict[str, Any]) -> dict[str, Any]:
    return {**parsed, "CONN_MAX_AGE": None, "OPTIONS": {**SQLITE_OPTIONS, **parsed.get("OPTIONS", {})}}


def _postgres(parsed: dict[str, Any]) -> dict[str, Any]:
    options = {"connect_timeout": 2, **parsed.get("OPTIONS", {})}  # seconds: a step can't wait longer for a dead host
    return {**parsed, "CONN_MAX_AGE": POSTGRES_MAX_AGE, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}
