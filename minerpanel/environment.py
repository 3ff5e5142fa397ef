"""Typed readers of the environment, over a `.env` file that the environment wins over.

Every error is an `ImproperlyConfigured` that names the key and the wanted type, so that a bad setting stops the start.
An empty value counts as not set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

Network = IPv4Network | IPv6Network
T = TypeVar("T")

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class Environment:
    """Reads keys out of `values`; `read` collects the names of all keys that were asked for."""

    values: Mapping[str, str]
    read: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, dotenv: Path, environ: Mapping[str, str]) -> Environment:
        """The environment over the file, where there is one."""
        from_file = {key: value for key, value in dotenv_values(dotenv, interpolate=False).items() if value is not None}
        return cls({**from_file, **environ})

    def text(self, key: str, default: str = "") -> str:
        self.read.add(key)
        return self.values.get(key, "").strip() or default

    def boolean(self, key: str, default: bool = False) -> bool:
        return self._parsed(key, default, "a boolean (1 or 0, true or false, yes or no, on or off)", _boolean)

    def integer(self, key: str, default: int, *, least: int, most: int) -> int:
        def parse(text: str) -> int:
            return _within(int(text), least, most)

        return self._parsed(key, default, f"a whole number from {least} to {most}", parse)

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list, written with commas."""
        return self._parsed(key, default, "a list written with commas", _texts)

    def networks(self, key: str) -> tuple[Network, ...]:
        """Addresses or networks, written with commas."""
        return self._parsed(key, (), "IP addresses or networks (10.0.0.0/8) written with commas", _networks)

    def url(self, key: str, default: str) -> str:
        """An http(s) URL without its last slash."""
        return self._parsed(key, default, "an http or https URL", _url)

    def origins(self, key: str) -> tuple[str, ...]:
        """http(s) URLs, written with commas."""
        return self._parsed(key, (), "http or https URLs written with commas", _urls)

    def path(self, key: str, default: Path) -> Path:
        return self._parsed(key, default, "a path", lambda text: Path(text).expanduser().absolute())

    def optional_path(self, key: str) -> Path | None:
        """A path; None where none is set."""
        return self.path(key, Path()) if self.text(key) else None

    def log_level(self, key: str, default: str) -> str:
        return self._parsed(key, default, f"one of {', '.join(LOG_LEVELS)}", _log_level)

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

    def _parsed(self, key: str, default: T, wanted: str, parse: Callable[[str], T]) -> T:
        text = self.text(key)
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            raise ImproperlyConfigured(f"{key} must be {wanted}, not {text!r}.") from error


def _boolean(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError(text)
    return text.lower() in _TRUE


def _within(number: int, least: int, most: int) -> int:
    if not least <= number <= most:
        raise ValueError(number)
    return number


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part) for part in _texts(text))


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:  # a port beyond 65535 raises by itself
        raise ValueError(text)
    return text.rstrip("/")


def _urls(text: str) -> tuple[str, ...]:
    return tuple(_url(part) for part in _texts(text))


def _log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise ValueError(text)
    return text.upper()
