"""The conditions of a filter line as conditions on rows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Exists, Func, Model, OuterRef, Q, QuerySet
from django.db.models.lookups import In

from monitoring.reporting.filter_query import TEXT, Query, moment
from monitoring.reporting.pagination import is_few

# A filter line offers so many names at most; others can be written all the same.
NAMES_OFFERED = 200
# From the values of one qualifier to the rows that have any of them.
AnyOf = Callable[[list[str]], Q]


def since(query: Query, now: datetime) -> datetime | None:
    return max((moment(value, now) for value in query.values("since")), default=None)


def narrowed(query: Query, at: str, contains: Callable[[str], Q], now: datetime, **special: AnyOf) -> list[Q]:
    """All conditions of a query.

    `at`: the field of the time; `contains`: how a text is searched; `special`: the qualifiers that are more than the column of their name.
    """
    found: list[Q] = []
    for name in dict.fromkeys(each.name for each in query.conditions):
        wanted, unwanted = query.values(name), query.values(name, negated=True)
        if name in ("since", "until"):
            side = "gte" if name == "since" else "lt"
            found += [Q(**{f"{at}__{side}": moment(value, now)}) for value in wanted]
        elif name == TEXT:
            found += [*map(contains, wanted), *(~contains(value) for value in unwanted)]
        else:
            any_of = special.get(name) or partial(_in_column, name)
            found += [any_of(wanted)] if wanted else []
            found += [~any_of(unwanted)] if unwanted else []
    return found


def _in_column(name: str, values: list[str]) -> Q:
    return Q(**{f"{name}__in": values})


class Hidden(Func):
    """A column without its index: SQLite would take that wherever there is one, also where it leads to half of all rows.

    Postgres chooses well by itself; it would take a hidden column's values for rare ones and read all rows for them.
    """

    arity = 1
    template = "+%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="%(expressions)s", **context)


def in_values(model: type[Model], column: str, values: Sequence[object]) -> Q:
    """The model's rows with any of these values. Where they are many, the column's index would lead to all of them first."""
    having = Q(**{f"{column}__in": values})
    return having if is_few(_rows(model).filter(having)) else Q(In(Hidden(column), values))


def owners_of(found: QuerySet[Any], owner: str, column: str, values: Sequence[object]) -> Q:
    """The rows that some of `found`, those with any of these values, belong to by their field `owner`.

    Where those are few, they are looked up once. Where they are many, the rows are read in the order of the page, each with a lookup.
    """
    if is_few(found):
        return Q(pk__in=found.values(owner))
    if connection.vendor == "postgresql":
        return Q(Exists(found.filter(**{owner: OuterRef("pk")})))
    # SQLite would go through the column's index for each row anew, for minutes.
    return Q(Exists(_rows(found.model).filter(In(Hidden(column), values), **{owner: OuterRef("pk")})))


def _rows(model: type[Model]) -> QuerySet[Any]:
    return model._default_manager.all()  # noqa: SLF001 -- Django's documented manager of any model


def distinct_values(table: str, column: str, most: int) -> tuple[str, ...]:
    """A column's values off its index alone: from each to the next one, where DISTINCT would read all rows."""
    query = f"""
        WITH RECURSIVE found(value) AS (
            SELECT MIN({column}) FROM {table} WHERE {column} > ''
            UNION ALL
            SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > found.value) FROM found WHERE found.value IS NOT NULL
        )
        SELECT value FROM found WHERE value IS NOT NULL LIMIT %s
    """  # noqa: S608 -- names of our own tables
    with connection.cursor() as cursor:
        cursor.execute(query, [most])
        return tuple(value for (value,) in cursor.fetchall())
