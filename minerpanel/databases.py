"""The database's connection settings, for SQLite and Postgres."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

SQLITE_ENGINE = "django.db.backends.sqlite3"
SQLITE: dict[str, Any] = {
    "timeout": 30,  # seconds a writer waits for another; the answering path waits less
    "transaction_mode": "IMMEDIATE",  # a write lock taken at BEGIN can be waited for; one upgraded later can't
    "init_command": (
        "PRAGMA journal_mode=WAL;"
        "PRAGMA synchronous=NORMAL;"
        "PRAGMA temp_store=MEMORY;"
        "PRAGMA cache_size=-16000;"  # KiB a connection
        "PRAGMA mmap_size=134217728;"
        "PRAGMA journal_size_limit=16777216;"
    ),
}
POSTGRES: dict[str, Any] = {
    "connect_timeout": 2,  # seconds, the least that libpq takes: a step can't wait longer for a dead host
    "tcp_user_timeout": 10_000,  # milliseconds until a connection ends whose packets nobody acknowledges
    "keepalives_idle": 10,  # seconds; finds out about a host that vanished while nothing was sent, before a query does
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
# Our backend is Django's with an end to each wait for the server. Seconds for which a web thread keeps its connection.
BOUND_POSTGRES = {"ENGINE": "minerpanel.postgres", "CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}


def database(url: str, default_path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = {"ENGINE": SQLITE_ENGINE, "NAME": str(default_path)}
    try:
        parsed = dict(dj_database_url.parse(url)) if url else parsed
    except ValueError:  # its message would repeat the URL with its password
        parsed = {"ENGINE": "no URL"}
    if parsed["ENGINE"] == SQLITE_ENGINE:
        return {**parsed, "CONN_MAX_AGE": None, "OPTIONS": {**SQLITE, **parsed.get("OPTIONS", {})}}
    if parsed["ENGINE"] == "django.db.backends.postgresql":
        return {**parsed, **BOUND_POSTGRES, "OPTIONS": {**POSTGRES, **parsed.get("OPTIONS", {})}}
    raise ImproperlyConfigured("DATABASE_URL must be a database URL: postgres://user:password@host:5432/name or sqlite:///path.")
