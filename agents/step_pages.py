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
# The fastest: on a page of 48 kB level 6 saves 5 per cent (7.0 kB to 6.6 kB) and the processor is the answers' too.
LEVEL = 1

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
    history = [asdict(past) for past in step.history]
    raw = {name: getattr(step, name) for name in step.__slots__} | {"allowed_tools": sorted(step.allowed_tools), "history": history}
    return gzip.compress(json.dumps(raw, ensure_ascii=False).encode(), LEVEL)


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
        batch = [_queue.get()]
        time.sleep(AFTER_ANSWER)
        while not _queue.empty():
            batch.append(_queue.get())
        _write(batch)
        connection.close()
        for _ in batch:
            _queue.task_done()


def _write(batch: list[tuple[str, Step]]) -> None:
    """In one transaction. What is lost here is pages alone."""
    try:
        rows = {str(uid): pk for uid, pk in models.Step.objects.filter(uid__in=[uid for uid, _ in batch]).values_list("uid", "pk")}
        kept_until = timezone.now() + KEPT
        gzs = {rows[uid]: packed(step) for uid, step in batch if uid in rows}
        pages = [models.StepPage(step_id=pk, gz=gz, kept_until=kept_until) for pk, gz in gzs.items() if len(gz) <= MAX_GZ]
        if pages:
            with answering_transaction():
                models.StepPage.objects.bulk_create(pages)
    except UNAVAILABLE as error:
        logger.info("The pages of %d steps are not kept: the database is busy (%s).", len(batch), error)
    except Exception:
        # Whatever is wrong with these, the next ones must be tried, and nobody waits for either.
        logger.exception("The pages of %d steps can't be kept.", len(batch))
