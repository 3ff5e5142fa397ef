"""The condition by which the parts of a range are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import BooleanField, F, Func

from monitoring.rollups.summing import Interval

# What a database tells two times apart by.
LEAST = timedelta(microseconds=1)


class Within(Func):
    """Whether a time lies in one of some intervals, with the other columns as they are to be there.

    Each interval has all its conditions, so that an index of several columns finds them together. As Q's, a dozen of them take Django
    a millisecond to turn into SQL.
    """

    output_field = BooleanField()

    def __init__(self, at: str, parts: Sequence[tuple[Interval, dict[str, str]]]) -> None:
        names = parts[0][1] if parts else ()
        super().__init__(F(at), *map(F, names))
        self.parts = parts

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> Any:
        """The conditions of each interval, joined by OR."""
        if not self.parts:
            raise EmptyResultSet
        at, *others = (compiler.compile(each)[0] for each in self.get_source_expressions())
        each = " AND ".join([f"{at} BETWEEN %s AND %s", *(f"{column} = %s" for column in others)])
        time = connection.ops.adapt_datetimefield_value
        values = [value for (start, end), also in self.parts for value in (time(start), time(end - LEAST), *map(str, also.values()))]
        return f"(({') OR ('.join([each] * len(self.parts))}))", values
