"""A filter bar's conditions as conditions on rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Exists, Func, OuterRef, Q, QuerySet
from django.db.models.lookups import In

from monitoring.queries import TEXT, Query, moment

# From the values of one qualifier to the rows that have any of them.
AnyOf = Callable[[list[str]], Q]
# From a text to the rows that hold it.
Says = Callable[[str], Q]


def since(query: Query, now: datetime) -> datetime | None:
    """The latest time from which rows are wanted; None where none is named."""
    return max((moment(value, now) for value in query.values("since")), default=None)


def narrowed(query: Query, at: str, any_of: Mapping[str, AnyOf], says: Says, now: datetime) -> list[Q]:
    """All conditions of a query.

    `at`: the field of the time; `any_of`: how each other qualifier is asked; `says`: how a text is looked for.
    """
    found = [Q(**{f"{at}__gte": moment(value, now)}) for value in query.values("since")]
    found += [Q(**{f"{at}__lt": moment(value, now)}) for value in query.values("until")]
    for name, asked in any_of.items():
        wanted, unwanted = query.values(name), query.values(name, negated=True)
        found += [asked(wanted)] if wanted else []
        found += [~asked(unwanted)] if unwanted else []
    found += [says(value) for value in query.values(TEXT)]
    return found + [~says(value) for value in query.values(TEXT, negated=True)]


class Hidden(Func):
    """A column without its index: SQLite would take that wherever there is one, also where it leads to half of all rows.

    Postgres knows better, and would take a hidden column's values for rare ones and look through all rows for them.
    """

    arity = 1
    template = "+%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Just the column."""
        return super().as_sql(compiler, connection, template="%(expressions)s", **context)


def asked_one_by_one(found: QuerySet[Any], column: str, values: Sequence[object], **to: OuterRef) -> Q:
    """The rows that some of the many `found`, those with these values, belong to.

    They are gone through in the order of the page until there are enough.
    """
    if connection.vendor == "postgresql":
        return Q(Exists(found.filter(**to)))
    # SQLite would go through the column's index for each row anew, for minutes.
    rows = found.model._default_manager.filter(In(Hidden(column), values), **to)  # noqa: SLF001 -- Django's documented manager of any model
    return Q(Exists(rows))
