"""Facts that could not be written to the database: kept as files, one a step, and written when it is back.

    DATA_DIR/spool/            steps without an open attempt
    DATA_DIR/spool/attempts/   steps with one; written first, since the gate needs the end of the attempt

While facts in `attempts` wait, nothing is sent to a provider. Further steps of a task with waiting facts are spooled too, so that they
are written in order. Other steps use the database as soon as it answers.
"""

import fcntl
import logging
import math
import os
import threading
import time
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import connection

from agents import database, ledger
from agents.common import log_context
from agents.configuration import rules
from agents.contract.step_facts import StepFacts
from agents.database import UNAVAILABLE
from agents.models import Settings

logger = logging.getLogger(__name__)

RETRY_SECONDS = database.RETRY_SECONDS  # how often a process checks whether the database is back, in seconds
# On disk: some 8,000 steps of 12 kB, more than a busy miner answers in an hour. The facts of further steps are lost.
MAX_BYTES = 100_000_000
BLOCK = 4_096  # the least that a file takes on disk, in bytes
PARTIAL_SECONDS = 60.0  # a file is written in milliseconds: one that stays partial was left by a process that ended
# The share of time spent writing; the rest is for steps. At 0.5 a thousand steps take some ten seconds.
SHARE = 0.5
LOST = "lost"

_draining = threading.Lock()


class _Memory:
    """About the folder: `tasks` with facts in it, its `bytes` approximately, and the `lost` steps that are not in the file yet."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tasks: Counter[str] = Counter()
        self.bytes = 0
        self.counted_at = 0.0
        self.lost = 0


_memory = _Memory()


def add(facts: StepFacts) -> None:
    try:
        _keep(facts)
    except OSError as error:
        with _memory.lock:
            _memory.lost += 1
        logger.error("The facts of step %s are lost: database and data folder are not writable (%s).", facts.opening.uid, error)
    else:
        logger.warning("The facts of step %s wait in %s for the database.", facts.opening.uid, _folder())
    drain_soon()


def _keep(facts: StepFacts) -> None:
    """Raises OSError, also where the spool is full; then nothing was written."""
    folder, content = _attempts() if facts.closing.attempt else _folder(), facts.to_json().encode()
    with _memory.lock:
        now, size = time.monotonic(), len(content)
        if not _memory.counted_at or (_memory.bytes + size > MAX_BYTES and now - _memory.counted_at > RETRY_SECONDS):
            _memory.bytes, _memory.counted_at = used(), now
        if _memory.bytes + size > MAX_BYTES:
            raise OSError(f"the spool has {MAX_BYTES} bytes already")
        _memory.bytes += max(size, BLOCK)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{time.time_ns()}-{uuid.uuid4().hex}.json"
    partial = folder / f"{name}.part"
    try:
        with open(partial, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(content)
        with _memory.lock:
            partial.rename(folder / name)
            _memory.tasks[facts.opening.fingerprint] += 1
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def used() -> int:
    sizes = 0
    for path in (*_attempts().glob("*.*"), *_folder().glob("*.*")):
        with suppress(FileNotFoundError):  # written meanwhile
            sizes += max(path.stat().st_size, BLOCK)
    return sizes


def lost() -> int:
    with suppress(FileNotFoundError, ValueError):
        return sum(map(int, (_folder() / LOST).read_text(encoding="ascii").split())) + _memory.lost
    return _memory.lost


def lost_at() -> float | None:
    """When facts were last lost, in Unix seconds; None: never, or not on record yet."""
    with suppress(FileNotFoundError):
        return (_folder() / LOST).stat().st_mtime
    return None


def _record_lost() -> None:
    with _memory.lock, suppress(OSError):
        if _memory.lost:
            _folder().mkdir(parents=True, exist_ok=True, mode=0o700)
            with (_folder() / LOST).open("a", encoding="ascii") as file:
                file.write(f"{_memory.lost}\n")
            _memory.lost = 0


def waiting() -> int:
    return sum(1 for folder in (_attempts(), _folder()) for _ in folder.glob("*.json"))


def is_waiting() -> bool:
    return _has_facts(_attempts()) or _has_facts(_folder())


def must_join(fingerprint: str) -> bool:
    """Whether this task's next step must be spooled too: the gate is out of date, or earlier facts of the task wait."""
    with _memory.lock:
        if not is_waiting():
            _memory.tasks.clear()
            return False
        return _memory.tasks[fingerprint] > 0 or _has_facts(_attempts())


def _has_facts(folder: Path) -> bool:
    """Reads the folder only up to its first file."""
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.endswith(".json") for entry in entries)
    except FileNotFoundError:
        return False


def drain(seconds: float = math.inf) -> int:
    """Write the waiting facts: those with attempts first, the oldest first, for at most `seconds`. Returns how many were written.

    Raises UNAVAILABLE. Returns 0 while another process or thread is draining.
    """
    if not _folder().exists():
        return 0
    lock = os.open(_folder(), os.O_RDONLY)  # the system frees the lock of a process that dies
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _write_all(time.monotonic() + seconds)
    except BlockingIOError:
        return 0
    finally:
        os.close(lock)


def _write_all(until: float) -> int:
    """Until nothing is left: steps that are spooled meanwhile are written too."""
    for partial in (*_attempts().glob("*.part"), *_folder().glob("*.part")):
        with suppress(FileNotFoundError):
            if time.time() - partial.stat().st_mtime > PARTIAL_SECONDS:
                partial.unlink()
    written = 0
    while paths := sorted(_attempts().glob("*.json")) or sorted(_folder().glob("*.json")):
        for path in paths:
            started = time.monotonic()
            if started > until:
                return written
            written += _write(path)
            time.sleep((time.monotonic() - started) * (1 / SHARE - 1))
    return written


def _write(path: Path) -> bool:
    try:
        facts = StepFacts.from_json(path.read_text(encoding="utf-8"))
        with log_context.about(log_context.step, facts.opening.uid):
            ledger.close_step(facts, rules(Settings.current()).limits)
    except UNAVAILABLE:
        raise
    except Exception:
        # Faulty facts of one step must not stop the others.
        logger.exception("The facts in %s can't be written. They are kept as .bad.", path)
        path.rename(path.with_suffix(".bad"))
        return False
    path.unlink()
    with _memory.lock:
        _memory.tasks[facts.opening.fingerprint] -= 1
    return True


def drain_soon() -> None:
    threading.Thread(target=_drain_until_empty, name="spool", daemon=True).start()


def _drain_until_empty() -> None:
    if not _draining.acquire(blocking=False):
        return
    try:
        while is_waiting() or _memory.lost:
            time.sleep(RETRY_SECONDS)
            _record_lost()
            try:
                if not database.breaker.is_open and (written := drain()):
                    logger.info("The database is back: %d spooled steps were written.", written)
            except UNAVAILABLE as error:
                logger.info("The database is still busy (%s).", error)
    finally:
        _draining.release()
        connection.close()


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "spool"


def _attempts() -> Path:
    return _folder() / "attempts"
