"""Keyset pagination: each page starts after the last row of the previous one, so all pages take the same time."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)
T = TypeVar("T")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A larger count is shown as "10,000+", as counting all rows would take too long.
COUNT_CAP = 10_000
# The cap for conditions on other tables, with which counting takes ten times as long.
LOOKED_UP_CAP = 2_000
# Up to this many rows are looked up at once, instead of one by one.
FEW = 2_000
_CURSOR = re.compile(r"(\d{1,17})-(\d{1,18})", re.ASCII)
_NUMBER = re.compile(r"n(-?\d{1,20}(?:\.\d{1,20})?)-(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row's position in an order by time or number, and its id."""

    at: datetime | Decimal
    id: int

    def __str__(self) -> str:
        at = self.at
        return f"{(at - EPOCH) // timedelta(microseconds=1) if isinstance(at, datetime) else f'n{at:f}'}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        if match := _CURSOR.fullmatch(text):
            return cls(EPOCH + timedelta(microseconds=int(match[1])), int(match[2]))
        match = _NUMBER.fullmatch(text)
        return cls(Decimal(match[1]), int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class Place:
    older: Cursor | None = None
    newer: Cursor | None = None

    @classmethod
    def parse(cls, parameters: Any) -> "Place":
        """From a query string's `older` and `newer`; invalid ones are ignored."""
        older, newer = (Cursor.parse(parameters.get(name, "")) for name in ("older", "newer"))
        return cls(older=older, newer=None if older else newer)


class CappedCount(int):
    """A count of rows; with `is_more` there are more."""

    is_more: bool

    @classmethod
    def up_to(cls, cap: int, rows: QuerySet[Any]) -> "CappedCount":
        return cls.of(counted_up_to(rows, cap + 1), cap)

    @classmethod
    def of(cls, number: int, cap: int) -> "CappedCount":
        count = cls(min(number, cap))
        count.is_more = number > cap
        return count


class Order(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    LONGEST = "longest"
    COSTLIEST = "costliest"

    @classmethod
    def parse(cls, text: str, orders: "Iterable[Order]") -> "Order":
        return next((order for order in orders if order == text), cls.NEWEST)


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A page of rows, the cursors of its neighbours, and the count of all matching rows, if it is counted."""

    rows: Sequence[T]
    older: Cursor | None
    newer: Cursor | None
    count: CappedCount | None = None


def cut(rows: QuerySet[M], at: str, place: Place, size: int, *, ascending: bool = False) -> Slice[M]:
    """The page of at most `size` rows at `place`, ordered by the field `at`, which is never null, and by id.

    "Newer" means the previous page in either direction. A place in the order of another field is ignored.
    """
    place = fitting(place, at)
    cursor, is_back = place.newer or place.older, place.newer is not None
    is_up = ascending is not is_back
    if cursor:
        rows = beyond(rows, at, cursor, "gt" if is_up else "lt")
    sign = "" if is_up else "-"
    page_rows = list(rows.order_by(f"{sign}{at}", f"{sign}id")[: size + 1])
    has_more, page_rows = len(page_rows) > size, page_rows[:size]
    if is_back:
        page_rows.reverse()
    has_older, has_newer = (bool(page_rows), has_more) if is_back else (has_more, bool(cursor and page_rows))
    return Slice(page_rows, _cursor(page_rows[-1], at) if has_older else None, _cursor(page_rows[0], at) if has_newer else None)


def _cursor(row: Model, at: str) -> Cursor:
    value = getattr(row, at)
    return Cursor(Decimal(repr(value)) if isinstance(value, float) else value, row.pk)


def fitting(place: Place, at: str) -> Place:
    """The place, or an empty one if it belongs to another kind of order. Fields of times are called `at` or end in `_at`."""
    kind = datetime if at == "at" or at.endswith("_at") else Decimal
    cursor = place.older or place.newer
    return place if cursor and isinstance(cursor.at, kind) else Place()


def capped_count(rows: QuerySet[Any]) -> CappedCount:
    return CappedCount.up_to(COUNT_CAP, rows)


def is_few(rows: QuerySet[Any]) -> bool:
    return counted_up_to(rows, FEW + 1) <= FEW


def counted_up_to(rows: QuerySet[Any], most: int) -> int:
    return rows.order_by()[:most].count()


def beyond(rows: QuerySet[M], at: str, cursor: Cursor, side: str) -> QuerySet[M]:
    # The first condition lets the database start at the cursor in the index.
    return rows.filter(Q(**{f"{at}__{side}e": cursor.at}), Q(**{f"{at}__{side}": cursor.at}) | Q(**{f"id__{side}": cursor.id}))
