"""Times as whole numbers, for pages that read a thousand of them: a number comes from the database ten times as fast as a datetime."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Func

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Milliseconds(Func):
    """A time's milliseconds since 1970."""

    output_field = BigIntegerField()
    template = "CAST(ROUND((julianday(%(expressions)s) - 2440587.5) * 86400000) AS integer)"

    def get_db_converters(self, connection: Any) -> list[Any]:
        """None: it is a whole number already, and Django's look at each is half of what reading it takes."""
        return []

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """No julianday there."""
        return super().as_sql(compiler, connection, template="CAST(EXTRACT(EPOCH FROM %(expressions)s) * 1000 AS bigint)", **context)


def moment(ms: int) -> datetime:
    """The time that was so many milliseconds after 1970."""
    return EPOCH + timedelta(milliseconds=ms)
