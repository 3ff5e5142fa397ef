"""Counts of durations put together by the database, so that a group of many roll-ups is one row and is read at once."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Aggregate, TextField

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
