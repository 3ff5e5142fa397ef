"""Counts requests to paths that no known caller uses, by method and path, so that a new contract shows at its first request."""

import logging
import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from agents.common.redaction import mask_keys
from agents.common.text import storable
from agents.database import UNAVAILABLE, answering_transaction
from agents.ledger.gate_rows import at
from agents.models import UnknownCall
from agents.page.matching import words

logger = logging.getLogger(__name__)

# Rows, for each of tasks and others. A further path replaces one that was not called for a day; else it is counted in one row for all
# others, whose method and path are "".
MOST_PATHS, UNCALLED = 100, timedelta(days=1)
# Paths that are counted in memory until they are written, every WRITTEN_EVERY seconds: a flood puts no load on the database.
MOST_PENDING, WRITTEN_EVERY = 20, 2.0
MOST_PATH, MOST_METHOD = 200, 10
# Bytes of a body that are read to check whether it is a task.
MOST_BODY = 256 * 1024
_NAMES = frozenset({"solve", "task", "step", "act", "action", "plan", "trajectory", "trayectory", "agent", "predict"})
_OTHERS = ("", "")


def is_task(path: str, body: bytes) -> bool:
    """Whether it looks like a task, by the path, or by a prompt and a URL in the body."""
    return bool(_NAMES & set(words(path))) or all(re.search(rb'"%s"\s*:' % name, body) for name in (b"prompt", b"url"))


@dataclass(slots=True)
class _Pending:
    is_task: bool
    first: datetime
    last: datetime
    calls: int = 1


class UnknownCalls:
    """Counts of this process; those of the last seconds are lost with it. `written_at`: monotonic seconds."""

    def __init__(self) -> None:
        self._pending, self._lock, self.written_at = dict[tuple[str, str], _Pending](), threading.Lock(), -WRITTEN_EVERY

    def count(self, method: str, path: str, *, is_task: bool, now: float) -> None:
        key, moment = (storable(method)[:MOST_METHOD], mask_keys(storable(path))[:MOST_PATH]), at(now)
        with self._lock:
            if key not in self._pending and len(self._pending) >= MOST_PENDING:
                key, is_task = _OTHERS, False
            pending = self._pending.setdefault(key, _Pending(is_task, moment, moment, 0))
            pending.calls, pending.last = pending.calls + 1, moment
            pending.is_task |= is_task
        self.write()

    def write(self) -> None:
        """Write the pending counts, unless some were written just now. On a database error they stay pending."""
        with self._lock:
            if not self._pending or time.monotonic() - self.written_at < WRITTEN_EVERY:
                return
            self.written_at, pending, self._pending = time.monotonic(), self._pending, {}
        try:
            with answering_transaction():
                for key, counts in pending.items():
                    _add(key, counts)
        except UNAVAILABLE as error:
            logger.warning("Calls of unknown paths could not be counted yet (%s).", error)
            with self._lock:
                self._pending = pending | self._pending


def _add(key: tuple[str, str], counts: _Pending) -> None:
    if _counted(key, counts):
        return
    if key != _OTHERS and not _has_room(counts):
        _add(_OTHERS, counts)
        return
    times = {"first_seen_at": counts.first, "last_seen_at": counts.last}
    is_task = counts.is_task and key != _OTHERS
    UnknownCall.objects.create(method=key[0], path=key[1], is_task=is_task, calls=counts.calls, **times)


def _counted(key: tuple[str, str], counts: _Pending) -> bool:
    row = UnknownCall.objects.filter(method=key[0], path=key[1])
    if counts.is_task and key != _OTHERS:
        # From its first request that looks like a task.
        row.filter(is_task=False).update(is_task=True, first_seen_at=counts.first)
    return bool(row.update(calls=F("calls") + counts.calls, last_seen_at=counts.last))


def _has_room(counts: _Pending) -> bool:
    alike = UnknownCall.objects.filter(is_task=counts.is_task).exclude(path="")
    if alike.count() < MOST_PATHS:
        return True
    oldest = alike.order_by("last_seen_at", "id").first()
    if oldest is None or oldest.last_seen_at > counts.last - UNCALLED:
        return False
    oldest.delete()
    return True


unknown_calls = UnknownCalls()
