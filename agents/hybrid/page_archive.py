"""Keeps a step's page for some days, so that the step can be answered again, and an excerpt of it.

Both are written after the answer, so a failure here never affects it.
"""

import gzip
import json
import logging
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db.models import Count, Sum
from django.db.models.functions import Length
from django.utils import timezone

from agents import ledger, models
from agents.common.redaction import mask_keys, mask_keys_in
from agents.contract.protocol import Form, PastAction, Step
from agents.database import ANSWERING_PATIENCE, UNAVAILABLE, background_transaction, ends_after
from agents.hybrid import disk
from agents.hybrid.later import Later
from agents.models import StepPage, Unlearned
from agents.page import Page, excerpt

logger = logging.getLogger(__name__)

KEPT = timedelta(days=7)
MAX_GZ = 256_000  # compressed; pages of the tasks' sites have some 30 kB
MAX_PAGE = 3_000_000  # before compression, in characters
# Waiting to be written: steps, and characters of their pages. A parsed page takes up to ten times as much memory as its text.
WAITING = 32
WAITING_CHARS = 16_000_000
EXCERPT_CHARS = 4_000  # what an operator needs to recognise a page
BATCH = 30  # pages of up to 256 kB: SQLite frees so many in some 30 ms
LEVEL = 1  # the fastest: level 6 saves 5 per cent of a page of 48 kB, and answers need the processor too
ROW_BYTES = 2_000  # a row's share of indexes, and the unused part of its last database page: half of SQLite's 4 kB
MOST_FREED = 8_000_000  # in one transaction: SQLite frees some 300 MB a second, so a write waits some 30 ms for it
MOST_ROWS = 500
MOST_TRANSACTIONS = 16  # in one run, every ten seconds: they free more than is written meanwhile
ROOM = 0.1  # the share of its budget that the worker keeps free; pages that arrive faster are not kept


def keep(uid: str, step: Step, page: Page | None) -> None:
    """Queue a page to be written. Returns at once and raises nothing; with too many in the queue, the page is not kept."""
    chars = sum(len(queued.page) for _, queued, _ in tuple(waiting.queue))
    if chars + len(step.page) > WAITING_CHARS or not waiting.add((uid, step, page)):
        logger.info("The page of step %s is not kept: too many wait.", uid)


def _write(batch: list[tuple[str, Step, Page | None]]) -> None:
    try:
        with ends_after(ANSWERING_PATIENCE):
            settings = models.Settings.current()
            if disk.space(settings.free_disk_mb).is_low:
                return
            room = settings.pages_mb * disk.MEGABYTE - used()
            rows = {str(uid): pk for uid, pk in models.Step.objects.filter(uid__in=[uid for uid, *_ in batch]).values_list("uid", "pk")}
        kept_until = timezone.now() + KEPT
        recorded = [(rows[uid], step, page) for uid, step, page in batch if uid in rows]
        excerpts = {pk: excerpt_of(page) for pk, _, page in recorded}
        gzs = within(room, {pk: packed(step) for pk, step, _ in recorded if room > 0 and len(step.page) <= MAX_PAGE})
        with background_transaction():
            ledger.add_excerpts(excerpts)
            StepPage.objects.bulk_create(StepPage(step_id=pk, gz=gz, kept_until=kept_until) for pk, gz in gzs.items())
            Unlearned.objects.bulk_create((Unlearned(step_id=pk) for pk in gzs), ignore_conflicts=True)
    except UNAVAILABLE as error:
        logger.info("The pages of %d steps are not kept: the database is busy (%s).", len(batch), error)
    except Exception:
        # A page that can't be written must not stop the next ones.
        logger.exception("The pages of %d steps can't be kept.", len(batch))


# Answered steps: uid, step and parsed page.
waiting = Later[tuple[str, Step, Page | None]]("step-pages", WAITING, _write)


def within(room: int, gzs: dict[int, bytes]) -> dict[int, bytes]:
    """The pages of allowed size that together take at most `room` bytes, in their order."""
    fitting = dict[int, bytes]()
    for pk, gz in gzs.items():
        if len(gz) <= MAX_GZ and (taken := len(gz) + ROW_BYTES) <= room:
            fitting[pk] = gz
            room -= taken
    return fitting


def excerpt_of(page: Page | None) -> str:
    """The beginning of a page as text, without keys; "" where it can't be made, as only a record depends on it."""
    try:
        return mask_keys(excerpt(page, EXCERPT_CHARS)) if page else ""
    except Exception:
        logger.exception("No excerpt could be made of a page.")
        return ""


def packed(step: Step) -> bytes:
    """A step as it is stored, without keys; replays use it."""
    raw = asdict(step) | {"allowed_tools": sorted(step.allowed_tools)}
    return gzip.compress(json.dumps(mask_keys_in(raw), ensure_ascii=False).encode(), LEVEL)


def unpacked(gz: bytes) -> Step:
    raw = json.loads(gzip.decompress(gz))
    history = tuple(PastAction(**past | {"learned": tuple(past.get("learned", (0, 0)))}) for past in raw.pop("history"))
    raw |= {
        "form": Form(raw["form"]),
        "allowed_tools": frozenset(raw["allowed_tools"]),
        "cuts": tuple(raw.get("cuts", ())),
        "notes": tuple(raw.get("notes", ())),
    }
    return Step(**raw, history=history)


def kept(step_id: int, now: datetime) -> Step | None:
    row = StepPage.objects.filter(step=step_id, kept_until__gt=now).first()
    return unpacked(bytes(row.gz)) if row else None


def is_kept(step_id: int, now: datetime) -> bool:
    return StepPage.objects.filter(step=step_id, kept_until__gt=now).exists()


def prune(now: datetime) -> int:
    dropped = 0
    while old := list(StepPage.objects.filter(kept_until__lte=now).values_list("pk", flat=True)[:BATCH]):
        dropped += StepPage.objects.filter(pk__in=old).delete()[0]
    return dropped


def used() -> int:
    """The bytes of all pages. The lengths are read from an index on SQLite and from short rows on Postgres, not from the pages."""
    total = StepPage.objects.aggregate(bytes=Sum(Length("gz")), rows=Count("pk"))
    return int(total["bytes"] or 0) + ROW_BYTES * int(total["rows"])


def keep_to(most_bytes: int) -> int:
    """Delete the oldest pages until the archive has ROOM within its budget. Returns how many. Raises UNAVAILABLE as any job does."""
    dropped, excess = 0, used() - round(most_bytes * (1 - ROOM))
    for _ in range(MOST_TRANSACTIONS):
        oldest, freed = list[int](), 0
        for pk, gz_bytes in StepPage.objects.order_by("pk").values_list("pk", Length("gz"))[:MOST_ROWS]:
            if freed >= excess or (oldest and freed + gz_bytes > MOST_FREED):
                break
            oldest.append(pk)
            freed += gz_bytes + ROW_BYTES
        if not oldest:
            break
        dropped += StepPage.objects.filter(pk__in=oldest).delete()[0]
        excess -= freed
    return dropped
