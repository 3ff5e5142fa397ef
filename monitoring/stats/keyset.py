"""Paging by key: each page starts where the last one ended, so that the millionth row costs what the first does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A count beyond this is shown as "2,000+": counting on would cost more than the number is worth, and the whole page twice its time.
COUNT_CAP = 2_000
_CURSOR = re.compile(r"(\d{1,17})-(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row's place in an order of newest first."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """What `str` wrote; None where it is something else."""
        match = _CURSOR.fullmatch(text)
        return cls(EPOCH + timedelta(microseconds=int(match[1])), int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class Place:
    """Which page is wanted: the rows older or newer than a cursor, else the newest ones."""

    older: Cursor | None = None
    newer: Cursor | None = None

    @classmethod
    def parse(cls, parameters: Any) -> Place:
        """From a query string's `older` and `newer`; what can't be read counts as absent."""
        older, newer = (Cursor.parse(parameters.get(name, "")) for name in ("older", "newer"))
        return cls(older=older, newer=None if older else newer)


@dataclass(frozen=True, slots=True)
class Slice(Generic[M]):
    """One page of rows, newest first, and where the neighbours start."""

    rows: Sequence[M]
    older: Cursor | None
    newer: Cursor | None


def cut(rows: QuerySet[M], at: str, place: Place, size: int) -> Slice[M]:
    """The page of at most `size` rows at `place`, ordered by the field `at` and the id."""
    if place.newer:
        found = list(_beyond(rows, at, place.newer, "gt").order_by(at, "id")[: size + 1])
        more, found = len(found) > size, found[:size][::-1]
        return _sliced(found, at, more_older=bool(found), more_newer=more)
    if place.older:
        rows = _beyond(rows, at, place.older, "lt")
    found = list(rows.order_by(f"-{at}", "-id")[: size + 1])
    return _sliced(found[:size], at, more_older=len(found) > size, more_newer=bool(place.older and found))


def capped_count(rows: QuerySet[Any]) -> int:
    """How many rows, but no more than `COUNT_CAP` + 1."""
    return rows.order_by()[: COUNT_CAP + 1].count()


def _beyond(rows: QuerySet[M], at: str, cursor: Cursor, side: str) -> QuerySet[M]:
    # The first condition alone lets the database start in the index at the cursor.
    return rows.filter(Q(**{f"{at}__{side}e": cursor.at}), Q(**{f"{at}__{side}": cursor.at}) | Q(**{f"id__{side}": cursor.id}))


def _sliced(rows: list[M], at: str, *, more_older: bool, more_newer: bool) -> Slice[M]:
    def cursor(row: M) -> Cursor:
        return Cursor(getattr(row, at), row.pk)

    return Slice(rows, cursor(rows[-1]) if more_older else None, cursor(rows[0]) if more_newer else None)
