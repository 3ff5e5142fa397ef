"""What the database says of JSON, so that less of it is read: counts of durations of a whole group as one text, and a list's length."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Aggregate, Func, IntegerField, TextField

from monitoring.rollups.histogram import Buckets, add


class Joined(Aggregate):
    """The JSON objects of all rows of a group, with commas between them; `unjoined` reads them."""

    function = "GROUP_CONCAT"
    template = "%(function)s(%(expressions)s, ',')"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """JSON is no text there."""
        return super().as_sql(compiler, connection, function="STRING_AGG", template="%(function)s((%(expressions)s)::text, ',')", **context)


def unjoined(text: str) -> Buckets:
    """The counts of all of them, added up."""
    total: Buckets = {}
    for each in json.loads(f"[{text}]"):
        add(total, each)
    return total


class JsonLength(Func):
    """How many elements a JSON list has."""

    function = "JSON_ARRAY_LENGTH"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Called otherwise there."""
        return super().as_sql(compiler, connection, function="JSONB_ARRAY_LENGTH", **context)
