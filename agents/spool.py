"""Facts that the database would not take: kept as files, one a step, and written as soon as it lets us.

While facts wait here, nothing is sent to a provider: the gate does not know yet what the last attempt taught.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from agents import ledger, log_context
from agents.configuration import rules
from agents.database import UNAVAILABLE
from agents.facts import StepFacts
from agents.models import Settings

logger = logging.getLogger(__name__)

# How often a process looks whether the database is back, in seconds.
RETRY_SECONDS = 2.0
_draining = threading.Lock()


def add(facts: StepFacts) -> None:
    """Keep the facts on disk and write them in the background when the database is back."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{time.time_ns()}-{uuid.uuid4().hex}.json"
    partial = folder / f"{name}.part"
    with open(partial, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(facts.to_json())
    partial.rename(folder / name)
    logger.warning("The facts of step %s wait in %s for the database.", facts.opening.uid, folder)
    drain_soon()


def drain_soon() -> None:
    """Write in the background what waits, as soon as the database lets us."""
    threading.Thread(target=_drain_until_empty, name="spool", daemon=True).start()


def is_waiting() -> bool:
    """Whether facts of this machine wait to be written."""
    try:
        with os.scandir(_folder()) as entries:
            return any(entry.name.endswith(".json") for entry in entries)
    except FileNotFoundError:
        return False


def drain() -> int:
    """Write what waits, oldest first. Returns how many steps were written; raises UNAVAILABLE while the database refuses.

    While another process or thread is at it, there is nothing to do: 0.
    """
    if not is_waiting():
        return 0
    with _alone() as is_alone:
        return _write_all() if is_alone else 0


def _write_all() -> int:
    """Until nothing is left: steps that come in meanwhile are spooled too, and must not keep the spool alive."""
    written = 0
    while paths := sorted(_folder().glob("*.json")):
        written += sum(_write(path) for path in paths)
    return written


def _write(path: Path) -> bool:
    try:
        facts = StepFacts.from_json(path.read_text(encoding="utf-8"))
        with log_context.about(log_context.step, facts.opening.uid):
            ledger.close_step(facts, rules(Settings.current()).limits)
    except UNAVAILABLE:
        raise
    except Exception:
        # Whatever is wrong with one step's facts, the others must not wait behind it.
        logger.exception("The facts in %s can't be written. They are kept as .bad.", path)
        path.rename(path.with_suffix(".bad"))
        return False
    path.unlink()
    return True


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else on this machine writes the spool. The system frees the lock of a process that dies."""
    folder = os.open(_folder(), os.O_RDONLY)
    try:
        yield _is_locked(folder)
    finally:
        os.close(folder)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _drain_until_empty() -> None:
    if not _draining.acquire(blocking=False):
        return
    try:
        while is_waiting():
            time.sleep(RETRY_SECONDS)
            _try_to_drain()
    finally:
        _draining.release()
        connection.close()


def _try_to_drain() -> None:
    try:
        written = drain()
        if written:
            logger.info("The database is back: %d spooled steps were written.", written)
    except UNAVAILABLE as error:
        logger.info("The database is still busy (%s).", error)


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "spool"
