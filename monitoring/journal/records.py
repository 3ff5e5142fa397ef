"""Records of a log, from its lines: what belongs together, when it was, what it means, and what it is known by."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitoring.journal.lines import TRACEBACK, Continuation, Line, read
from monitoring.journal.meaning import Kind, meaning
from monitoring.journal.times import Calendar

# A traceback is shorter; what goes on for longer without a head is no log that we know.
MOST_LINES, MOST_CHARS = 200, 32_000
# Identical lines further apart than this many kept lines are in another second: the counts need not remember them.
REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Record:
    """One record that tells something. `timed` False: the log says no time, and none before it did; `at` is then the import's."""

    at: datetime
    level: int
    logger: str
    message: str
    host: str
    process: str
    kind: Kind
    facts: Mapping[str, Any]
    digest: bytes


@dataclass(slots=True)
class Counts:
    """What was seen so far."""

    lines: int = 0
    unread: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(slots=True)
class _Pending:
    """A record whose next line may still belong to it."""

    line: Line
    at: datetime | None
    more: list[str] = field(default_factory=list)
    chars: int = 0
    in_traceback: bool = False

    def takes(self, text: str) -> bool:
        """Add a line without a head; False where the record is too long already."""
        if len(self.more) >= MOST_LINES or self.chars + len(text) > MOST_CHARS:
            return False
        self.more.append(text)
        self.chars += len(text)
        self.in_traceback = text.startswith(TRACEBACK) or (self.in_traceback and (text[:1].isspace() or not text))
        return True

    def goes_on_with(self, line: Line) -> bool:
        """Whether a line with a journal's head is the next line of this record: a traceback is written line by line."""
        if line.level is not None or line.process != self.line.process or line.host != self.line.host or not line.process:
            return False
        return self.in_traceback or line.message.startswith((TRACEBACK, "  "))


class Records:
    """Reads lines, in the order of the log. `calendar` tells times; `now` stands in for a time that the log never says."""

    def __init__(self, calendar: Calendar, now: datetime) -> None:
        self.counts = Counts()
        self.unread: list[str] = []
        self._calendar, self._now = calendar, now
        self._pending: _Pending | None = None
        self._seen: OrderedDict[bytes, int] = OrderedDict()

    def read(self, lines: Iterable[str]) -> Iterator[Record]:
        """The records that tell something and that these lines complete. What can't be read is put into `unread`."""
        for text in lines:
            self.counts.lines += 1
            found = read(text)
            if isinstance(found, Line):
                yield from self._begun(found, text)
            elif isinstance(found, Continuation):
                self._continued(found.text)

    def end(self) -> Iterator[Record]:
        """The last record."""
        pending, self._pending = self._pending, None
        if pending:
            yield from self._told(pending)

    def _begun(self, line: Line, text: str) -> Iterator[Record]:
        pending = self._pending
        if pending and pending.goes_on_with(line) and pending.takes(line.message):
            return
        at = self._calendar.moment(line.time) if line.time else self.counts.last_at
        if line.time and at is None:
            self._not_read(text)
            return
        yield from self.end()
        self._pending = _Pending(line, at, in_traceback=line.message.startswith(TRACEBACK))
        if at:
            self.counts.last_at = at
            self.counts.first_at = self.counts.first_at or at

    def _continued(self, text: str) -> None:
        if text.strip() and not (self._pending and self._pending.takes(text)):
            self._not_read(text)

    def _not_read(self, text: str) -> None:
        self.counts.unread += 1
        self.unread.append(text)

    def _told(self, pending: _Pending) -> Iterator[Record]:
        line = pending.line
        message = "\n".join([line.message, *pending.more]) if pending.more else line.message
        level = logging.INFO if line.level is None else line.level
        meant = meaning(message, level)
        if meant.kind is Kind.ORDINARY:
            return
        if meant.kind is Kind.ERROR:
            level = max(level, logging.ERROR)
        digest = self._digest(pending.at, line, message)
        yield Record(pending.at or self._now, level, line.logger, message, line.host, line.process, meant.kind, meant.facts, digest)

    def _digest(self, at: datetime | None, line: Line, message: str) -> bytes:
        """What a record is known by: importing its line again finds it there. True repeats in one second differ by their ordinal."""
        parts = (at.isoformat() if at else "", line.host, line.process, message)
        same = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        ordinal = self._seen.pop(same, -1) + 1
        self._seen[same] = ordinal
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return hashlib.blake2b(same + ordinal.to_bytes(8, "big"), digest_size=16).digest()
