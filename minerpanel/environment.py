"""Typed readers of the environment, over a `.env` file that the environment wins over.

Every error is an `ImproperlyConfigured` that names the key and the expected type, so that a bad setting stops the start.
An empty value counts as not set.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

from agents.contract.allowed_hosts import Allowed, allowed
from agents.worker import cron

T = TypeVar("T")

BOOLEANS = {**dict.fromkeys(("1", "true", "yes", "on"), True), **dict.fromkeys(("0", "false", "no", "off"), False)}
LOG_LEVELS = {name: name for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")}


@dataclass(frozen=True)
class Environment:
    """Reads keys out of `values`; `read` collects the names of all keys that were read. Lists are written with commas."""

    values: Mapping[str, str]
    read: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, dotenv: Path, environ: Mapping[str, str]) -> "Environment":
        """The environment over the file, where there is one."""
        from_file = {key: value for key, value in dotenv_values(dotenv, interpolate=False).items() if value is not None}
        return cls({**from_file, **environ})

    def text(self, key: str, default: str = "") -> str:
        self.read.add(key)
        return self.values.get(key, "").strip() or default

    def boolean(self, key: str) -> bool:
        expected = "a boolean (1 or 0, true or false, yes or no, on or off)"
        return self._parsed(key, default=False, expected=expected, parse=lambda text: BOOLEANS[text.lower()])

    def integer(self, key: str, default: int, *, least: int, most: int) -> int:
        def parse(text: str) -> int:
            if not least <= int(text) <= most:
                raise ValueError(text)
            return int(text)

        return self._parsed(key, default, f"a whole number from {least} to {most}", parse)

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        return self._parsed(key, default, "a list written with commas", _texts)

    def networks(self, key: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Addresses or networks."""
        expected = "IP addresses or networks (10.0.0.0/8) written with commas"
        return self._parsed(key, (), expected, lambda text: tuple(ip_network(part) for part in _texts(text)))

    def hosts(self, key: str) -> tuple[Allowed, ...]:
        """Hosts, addresses or networks with their ports."""
        expected = "hosts with ports (llm.lan:8000, 10.0.0.0/8:80-443) written with commas"
        return self._parsed(key, (), expected, lambda text: tuple(allowed(part) for part in _texts(text)))

    def url(self, key: str, default: str) -> str:
        """An http(s) URL without its last slash."""
        return self._parsed(key, default, "an http or https URL", _url)

    def origins(self, key: str) -> tuple[str, ...]:
        """http(s) URLs."""
        return self._parsed(key, (), "http or https URLs written with commas", lambda text: tuple(_url(part) for part in _texts(text)))

    def path(self, key: str, default: Path) -> Path:
        return self._parsed(key, default, "a path", lambda text: Path(text).expanduser().absolute())

    def optional_path(self, key: str) -> Path | None:
        return self.path(key, Path()) if self.text(key) else None

    def cron(self, key: str) -> str:
        """Cron's five fields; "" where none are set."""
        return self._parsed(key, "", "a time in cron's five fields, such as 17 4 * * *", cron.checked)

    def log_level(self, key: str, default: str) -> str:
        return self._parsed(key, default, f"one of {', '.join(LOG_LEVELS)}", lambda text: LOG_LEVELS[text.upper()])

    def secret(self, key: str, default: str = "") -> str:
        """The value of `key`, or the content of the file that `key`_FILE names."""
        path = self.text(f"{key}_FILE")
        value = self.text(key)
        if value or not path:
            return value or default
        try:
            return Path(path).read_text(encoding="utf-8").strip() or default
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{key}_FILE must name a readable text file: {error}") from error

    def _parsed(self, key: str, default: T, expected: str, parse: Callable[[str], T]) -> T:
        text = self.text(key)
        if not text:
            return default
        try:
            return parse(text)
        except (ValueError, KeyError) as error:
            raise ImproperlyConfigured(f"{key} must be {expected}, not {text!r}.") from error


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:  # a port beyond 65535 raises by itself
        raise ValueError(text)
    return text.rstrip("/")
