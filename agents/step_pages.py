"""The page of each step, kept for some days so that the step can be answered once more.

Written behind the answer, by a thread of its own: a step never waits for it, and a page that can't be kept is no loss to the caller.
"""

from __future__ import annotations

import gzip
import json
import logging
import queue
import threading
import time
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from agents import models
from agents.database import UNAVAILABLE, answering_transaction
from agents.protocol import Form, PastAction, Step

logger = logging.getLogger(__name__)

KEPT = timedelta(days=7)
# Compressed. Pages of the tasks' sites have some 30 kB; what is far larger fills the disk for nothing.
MAX_GZ = 256_000
# Before compression, in characters: at most this times the queue's length is held in memory.
MAX_PAGE = 3_000_000
WAITING = 32
# The answer leaves first: its thread needs the processor and the database more.
AFTER_ANSWER = 0.2
BATCH = 500
LEVEL = 6

_queue: queue.Queue[tuple[str, Step]] = queue.Queue(WAITING)
_starting = threading.Lock()
_writers: list[threading.Thread] = []


def keep(uid: str, step: Step) -> None:
    """Keep the step with this uid, a moment later. Returns at once and raises nothing; what is too much is not kept."""
    if len(step.page) > MAX_PAGE:
        return
    try:
        _queue.put_nowait((uid, step))
    except queue.Full:
        logger.info("The page of step %s is not kept: too many wait.", uid)
        return
    _ensure_writer()


def packed(step: Step) -> bytes:
    """A step as it is kept."""
    raw = {**asdict(step), "allowed_tools": sorted(step.allowed_tools)}
    return gzip.compress(json.dumps(raw).encode(), LEVEL)


def unpacked(gz: bytes) -> Step:
    """What `packed` made."""
    raw = json.loads(gzip.decompress(gz))
    history = tuple(PastAction(**past) for past in raw.pop("history"))
    return Step(**{**raw, "form": Form(raw["form"]), "allowed_tools": frozenset(raw["allowed_tools"])}, history=history)


def kept(step_id: int, now: datetime) -> Step | None:
    """A step as it was asked; None where its page is gone or was never kept."""
    row = models.StepPage.objects.filter(step=step_id, kept_until__gt=now).first()
    return unpacked(bytes(row.gz)) if row else None


def is_kept(step_id: int, now: datetime) -> bool:
    """Whether `kept` has it."""
    return models.StepPage.objects.filter(step=step_id, kept_until__gt=now).exists()


def prune(now: datetime) -> int:
    """Drop the pages whose time is over, in batches. Returns how many."""
    dropped = 0
    while old := list(models.StepPage.objects.filter(kept_until__lte=now).values_list("pk", flat=True)[:BATCH]):
        dropped += models.StepPage.objects.filter(pk__in=old).delete()[0]
    return dropped


def join() -> None:
    """Wait until all that was given to `keep` in this process is written or given up."""
    _queue.join()


def _ensure_writer() -> None:
    """One thread a process, started by its first step."""
    with _starting:
        if not any(writer.is_alive() for writer in _writers):
            _writers[:] = [threading.Thread(target=_write_for_ever, name="step-pages", daemon=True)]
            _writers[0].start()


def _write_for_ever() -> None:
    while True:
        uid, step = _queue.get()
        time.sleep(AFTER_ANSWER if _queue.empty() else 0)
        _write(uid, step)
        _queue.task_done()
        if _queue.empty():
            connection.close()


def _write(uid: str, step: Step) -> None:
    try:
        row = models.Step.objects.filter(uid=uid).values_list("pk", flat=True).first()
        gz = packed(step) if row else b""
        if row is None or len(gz) > MAX_GZ:
            return
        with answering_transaction():
            models.StepPage.objects.create(step_id=row, gz=gz, kept_until=timezone.now() + KEPT)
    except UNAVAILABLE as error:
        logger.info("The page of step %s is not kept: the database is busy (%s).", uid, error)
    except Exception:
        # Whatever is wrong with one page, the next one must be tried, and nobody waits for either.
        logger.exception("The page of step %s can't be kept.", uid)
