"""Typed reading of the environment, over a `.env` file that the environment wins over. An empty value is the same as none.

Every error is an `ImproperlyConfigured` that names the key and the expected type, so that a bad setting stops the start.

`database`: the connection settings of SQLite and Postgres.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

from agents.contract.allowed_hosts import allowed
from agents.worker import cron

T_co = TypeVar("T_co", covariant=True)
Default = TypeVar("Default")


@dataclass(frozen=True)
class Kind(Generic[T_co]):
    """What a value is `expected` to be, and how its text is read; `parse` raises ValueError or KeyError."""

    expected: str
    parse: Callable[[str], T_co]


def listed(parse: Callable[[str], T_co]) -> Callable[[str], tuple[T_co, ...]]:
    return lambda text: tuple(parse(part.strip()) for part in text.split(",") if part.strip())


def whole(least: int, most: int) -> Kind[int]:
    def parse(text: str) -> int:
        if not least <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return Kind(f"a whole number from {least} to {most}", parse)


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:  # a port beyond 65535 raises by itself
        raise ValueError(text)
    return text.rstrip("/")


def _name(text: str) -> str:
    if not re.fullmatch(r"[\w-]{1,50}", text, re.ASCII):
        raise ValueError(text)
    return text


def _claim(text: str) -> tuple[str, str]:
    name, value = (part.strip() for part in text.split("=", 1))
    if not name or not value:
        raise ValueError(text)
    return name, value


BOOLEANS = {**dict.fromkeys(("1", "true", "yes", "on"), True), **dict.fromkeys(("0", "false", "no", "off"), False)}
LOG_LEVELS = {name: name for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")}
BOOLEAN = Kind("a boolean (1 or 0, true or false, yes or no, on or off)", lambda text: BOOLEANS[text.lower()])
TEXTS = Kind("a list separated by commas", listed(str))
NETWORKS = Kind("IP addresses or networks (10.0.0.0/8) separated by commas", listed(ip_network))
HOSTS = Kind("hosts with ports (llm.lan:8000, 10.0.0.0/8:80-443) separated by commas", listed(allowed))
URL = Kind("an http or https URL", _url)
URLS = Kind("http or https URLs separated by commas", listed(_url))
CLAIM = Kind("a claim and its value, such as groups=miner", _claim)
PATH = Kind("a path", lambda text: Path(text).expanduser().absolute())
CRON = Kind("a time in cron's five fields, such as 17 4 * * *", cron.checked)
NAME = Kind("a name of letters, digits, hyphens and underscores, at most 50", _name)
LOG_LEVEL = Kind(f"one of {', '.join(LOG_LEVELS)}", lambda text: LOG_LEVELS[text.upper()])


@dataclass(frozen=True)
class Environment:
    """Reads keys from `values`; `read` has the names of all keys that were read."""

    values: Mapping[str, str]
    read: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, dotenv: Path, environ: Mapping[str, str]) -> "Environment":
        from_file = {key: value for key, value in dotenv_values(dotenv, interpolate=False).items() if value is not None}
        return cls({**from_file, **environ})

    def text(self, key: str, default: str = "") -> str:
        self.read.add(key)
        return self.values.get(key, "").strip() or default

    def value(self, key: str, kind: Kind[T_co], default: Default) -> T_co | Default:
        text = self.text(key)
        try:
            return kind.parse(text) if text else default
        except (ValueError, KeyError) as error:
            raise ImproperlyConfigured(f"{key} must be {kind.expected}, not {text!r}.") from error

    def secret(self, key: str, default: str = "") -> str:
        """The value of `key`, or the content of the file that `key`_FILE names."""
        path, value = self.text(f"{key}_FILE"), self.text(key)
        if value or not path:
            return value or default
        try:
            return Path(path).read_text(encoding="utf-8").strip() or default
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{key}_FILE must name a readable text file: {error}") from error


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
    "tcp_user_timeout": 10_000,  # milliseconds without an acknowledgement, after which the connection is closed
    "keepalives_idle": 10,  # seconds of silence after which the host is checked, so that a lost one is noticed before the next query
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
# Django's backend with a time limit on each wait for the server. A web thread keeps its connection for CONN_MAX_AGE seconds.
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
