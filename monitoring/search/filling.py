"""Keeps SQLite's text indexes up to date: new rows first, then the past, from its newest row on."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import connection, transaction

from monitoring.models import TextIndexed
from monitoring.retention import BREAK_SECONDS, FIRST_BATCH, LARGEST_BATCH, next_size
from monitoring.search.indexes import INDEXES, TextIndex

# What is left after this long waits for the next look, some seconds later.
CHUNK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows that come next, by their ids: `start` up to, without, `end`. `was`: the mark as it was read, `moved`: what becomes of it."""

    start: int
    end: int
    was: TextIndexed
    moved: dict[str, int]


def fill(*, until: float, is_alone: bool = False) -> None:
    """Index what is not indexed yet, in short transactions, until all is done or the monotonic clock says `until`.

    `is_alone`: nobody else wants the database, so there are no breaks.
    """
    if connection.vendor != "sqlite":
        return
    for index in INDEXES:
        size = LARGEST_BATCH if is_alone else FIRST_BATCH
        while time.monotonic() < until and (part := _next(index, size)):
            began = time.monotonic()
            _add(index, part)
            took = time.monotonic() - began
            is_more = part.end - part.start >= size
            if is_alone:
                continue
            size = next_size(size, took)
            if is_more:  # steps that are to be answered meanwhile want the database too
                time.sleep(max(took, BREAK_SECONDS))


def _next(index: TextIndex, size: int) -> _Part | None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(min(id), 0), coalesce(max(id), -1) + 1 FROM {index.table}")
        first, end = cursor.fetchone()
    was = TextIndexed.objects.get_or_create(name=index.table, defaults={"from_id": end, "until_id": end})[0]
    if end > was.until_id:
        end = min(end, was.until_id + size)
        return _Part(was.until_id, end, was, {"until_id": end})
    if was.from_id == 0:
        return None
    start = was.from_id - size if was.from_id - size > first else 0
    return _Part(start, was.from_id, was, {"from_id": start})


def _add(index: TextIndex, part: _Part) -> None:
    """Index the rows and move the mark, unless another worker did."""
    was = part.was
    with transaction.atomic():
        if not TextIndexed.objects.filter(name=was.name, from_id=was.from_id, until_id=was.until_id).update(**part.moved):
            return
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {index.name} (rowid, {index.each()}) SELECT id, {index.each()} FROM {index.table}"
                f" WHERE id >= %s AND id < %s AND {index.among.format(row='')}",
                [part.start, part.end],
            )
