"""One line of a log: a record, the continuation of the one before, or a note of the journal's own."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

# Level names as Python, gunicorn, uvicorn, loguru and bittensor write them.
LEVELS = {
    "TRACE": 5,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "SUCCESS": 25,
    "WARN": logging.WARNING,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
    "CRITICAL": logging.CRITICAL,
}
# Syslog's severities 0 to 7, RFC 5424 section 6.2.1.
SEVERITIES = (*(logging.CRITICAL,) * 3, logging.ERROR, logging.WARNING, logging.INFO, logging.INFO, logging.DEBUG)
# A head of Python's is shorter than this.
HEAD_CHARS = 120
TRACEBACK = "Traceback (most recent call last):"

_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)"
_LEVEL = "|".join(sorted(LEVELS, key=len, reverse=True))
_SHORT = rf"[A-Z][a-z]{{2}} [ \d]\d {_CLOCK}"
_ISO = rf"\d{{4}}-\d\d-\d\d[T ]{_CLOCK} ?(?:{_ZONE}|UTC|GMT)?"
# journalctl's short-iso, short-full and short-unix. A bare word before a colon may be a message's: here a process has its number.
_LONG = rf"\d{{4}}-\d\d-\d\dT{_CLOCK}{_ZONE}|[A-Z][a-z]{{2}} \d{{4}}-\d\d-\d\d {_CLOCK} [A-Z]{{2,5}}|\d{{9,11}}\.\d{{3,6}}"
_HOST = rf"(?!(?:{_LEVEL})\b)[^\s:\[\]|]+"

_SYSLOG = re.compile(
    rf"(?:<(?P<pri>\d{{1,3}})>)?"
    rf"(?:(?P<short>{_SHORT}) +(?P<short_host>{_HOST}) (?P<short_process>[^\s\[:]+(?:\[\d+\])?)"
    rf"|(?P<long>{_LONG}) +(?P<long_host>{_HOST}) (?P<long_process>[^\s\[:]+\[\d+\]|kernel))"
    r":(?: (?P<message>.*))?$",
    re.ASCII | re.DOTALL,
)
_RFC5424 = re.compile(
    rf"<(?P<pri>\d{{1,3}})>\d{{1,2}} (?P<time>{_ISO}) ?(?P<host>\S+) (?P<app>\S+) (?P<pid>\S+) \S+ "
    r"(?:-|(?:\[(?:[^\]\"]|\"(?:[^\"\\]|\\.)*\")*\])+)(?: \ufeff?(?P<message>.*))?",
    re.ASCII | re.DOTALL,
)
# Python's loggers are named as modules are; a capitalised word before a colon is the message's.
_LOGGER = r"(?=[a-z_]|\w+\.)[\w.]+(?::[\w<>.]+:\d+)?"
_TIMED = re.compile(rf"\[?(?P<time>{_ISO})\]?(?:[ |:-]+(?P<rest>.*))?$", re.ASCII | re.DOTALL)
_BASIC = re.compile(rf"(?P<level>{_LEVEL}):(?:(?P<logger>[\w.]+):| {{2,}})(?P<message>.*)", re.DOTALL)
# What may stand between a time and a message. The first that matches counts.
_HEADS = tuple(
    re.compile(head + r"(?P<message>.*)", re.DOTALL)
    for head in (
        rf"(?P<logger>[\w.]+) - (?P<level>{_LEVEL}) - ",
        rf"(?:\[\d+\] )?\[?(?P<level>{_LEVEL})\]? *(?:\||-|:|in)? *(?P<logger>{_LOGGER})(?: - | \| |: )",
        rf"(?:\[\d+\] )?\[?(?P<level>{_LEVEL})\]?(?: *[|:-])?(?: +|$)",
    )
)
_LEVEL_NEAR = re.compile(_LEVEL)
_NOTE = re.compile(r"-- (?:Boot |Reboot|Journal begins|Logs begin|No entries|cursor:)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line that says when or from whom it is. `time`: as written, "" for none; `level`: Python's, None where it says none."""

    time: str
    message: str
    level: int | None = None
    logger: str = ""
    host: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class Continuation:
    """A line without a head of its own."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """What journalctl says between records."""


def read(text: str) -> Line | Continuation | Note:
    """What one line, without its line break, is. Never raises."""
    head = _SYSLOG.match(text) or (_RFC5424.match(text) if text.startswith("<") else None)
    if head:
        return _with_host(head)
    timed = _TIMED.match(text)
    if timed:
        return _inner(timed["time"].rstrip(), timed["rest"] or "")
    basic = _BASIC.match(text)
    if basic:
        return Line("", basic["message"], LEVELS[basic["level"]], basic["logger"] or "")
    return Note() if _NOTE.match(text) else Continuation(text)


def _with_host(head: re.Match[str]) -> Line:
    found = {name.removeprefix("short_").removeprefix("long_"): text for name, text in head.groupdict().items() if text is not None}
    time = found.get("time") or found.get("short") or found["long"]
    process = found.get("process") or (found["app"] if found["pid"] == "-" else f"{found['app']}[{found['pid']}]")
    severity = SEVERITIES[int(found["pri"]) % 8] if "pri" in found else None
    return _inner(time, found.get("message", ""), severity, found["host"], process)


def _inner(time: str, message: str, level: int | None = None, host: str = "", process: str = "") -> Line:
    """The message may have Python's own head, whose time says no more than the outer one."""
    if host and message[:1].isdigit():
        timed = _TIMED.match(message)
        message = (timed["rest"] or "") if timed else message
    head = _head(message) if _LEVEL_NEAR.search(message, 0, HEAD_CHARS) else None
    if head is None:
        return Line(time, message, level, "", host, process)
    found = head.groupdict()
    return Line(time, found["message"], LEVELS[found["level"]], found.get("logger") or "", host, process)


def _head(message: str) -> re.Match[str] | None:
    return _BASIC.match(message) or next((match for head in _HEADS if (match := head.match(message))), None)
