"""Converts the conditions of a filter line to conditions on rows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Exists, Func, Model, OuterRef, Q, QuerySet
from django.db.models.lookups import In

from monitoring.reporting.filter_query import TEXT, Query, moment
from monitoring.reporting.pagination import is_few

# Names offered for completion; others can be entered too.
NAMES_OFFERED = 200
# Converts the values of a qualifier to a condition: any of them.
AnyOf = Callable[[list[str]], Q]


def since(query: Query, now: datetime) -> datetime | None:
    return max((moment(value, now) for value in query.values("since")), default=None)


def narrowed(query: Query, at: str, contains: Callable[[str], Q], now: datetime, **special: AnyOf) -> list[Q]:
    """All conditions of a query, as Q objects.

    `at`: the field of the time; `contains`: the text search; `special`: qualifiers that are not just the column of their name.
    """
    conditions: list[Q] = []
    for name in dict.fromkeys(condition.name for condition in query.conditions):
        included, excluded = query.values(name), query.values(name, negated=True)
        if name in ("since", "until"):
            side = "gte" if name == "since" else "lt"
            conditions += [Q(**{f"{at}__{side}": moment(value, now)}) for value in included]
        elif name == TEXT:
            conditions += [*map(contains, included), *(~contains(value) for value in excluded)]
        else:
            any_of = special.get(name) or partial(_in_column, name)
            conditions += [any_of(included)] if included else []
            conditions += [~any_of(excluded)] if excluded else []
    return conditions


def _in_column(name: str, values: list[str]) -> Q:
    return Q(**{f"{name}__in": values})


class Hidden(Func):
    """A column without its index, which SQLite would use even if it has half of all rows.

    Postgres plans well by itself; of a hidden column it would assume rare values, and read all rows.
    """

    arity = 1
    template = "+%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="%(expressions)s", **context)


def in_values(model: type[Model], column: str, values: Sequence[object]) -> Q:
    """The model's rows with any of these values. If they are many, the column's index is not used, as it would read all of them first."""
    having = Q(**{f"{column}__in": values})
    return having if is_few(_rows(model).filter(having)) else Q(In(Hidden(column), values))


def owners_of(rows: QuerySet[Any], owner: str, column: str, values: Sequence[object]) -> Q:
    """The owners, by the field `owner`, of those of `rows` that have any of these values.

    If these are few, they are looked up once; if many, the owners are read in the page's order, each with a lookup.
    """
    if is_few(rows):
        return Q(pk__in=rows.values(owner))
    if connection.vendor == "postgresql":
        return Q(Exists(rows.filter(**{owner: OuterRef("pk")})))
    # SQLite would scan the column's index for each row, for minutes.
    return Q(Exists(_rows(rows.model).filter(In(Hidden(column), values), **{owner: OuterRef("pk")})))


def _rows(model: type[Model]) -> QuerySet[Any]:
    return model._default_manager.all()  # noqa: SLF001 -- Django's documented manager of any model


def distinct_values(table: str, column: str, most: int) -> tuple[str, ...]:
    """A column's values, read from its index by jumps from one to the next; DISTINCT would read all rows."""
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
