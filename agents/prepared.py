"""Queries and writes of the answering path whose SQL is compiled once: compiling takes Django several times as long as running it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Field, Model, QuerySet
from django.db.models.constants import OnConflict
from django.db.models.query import get_related_populators
from django.db.models.sql import InsertQuery, UpdateQuery

R = TypeVar("R")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """`places`: the indexes of each parameter among the statement's values; `related`: the populators of joined rows."""

    compiler: Any
    sql: str
    values: Sequence[Any]
    places: Sequence[Sequence[int]]
    converters: Any
    model: type[Model] | None
    names: Sequence[str]
    related: Sequence[Any]


class Prepared(Generic[R]):
    """`make` builds the query from `stand_ins`: values of the parameters' types that differ from all other values in it."""

    def __init__(self, make: Callable[..., QuerySet[Any, R]], *stand_ins: object) -> None:
        self._make, self._stand_ins = make, stand_ins
        self._statement: _Compiled | None = None

    def __call__(self, *parameters: object) -> list[R]:
        statement = self._statement = self._statement or self._compiled()
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, _filled(statement.values, statement.places, parameters))
            rows = cursor.fetchall()
        converted = list(statement.compiler.apply_converters(rows, statement.converters)) if statement.converters else rows
        if statement.model is None:
            return [tuple(row) for row in converted]  # type: ignore[misc]
        instances = [statement.model.from_db(connection.alias, statement.names, row[: len(statement.names)]) for row in converted]
        for related in statement.related:
            for row, instance in zip(converted, instances, strict=True):
                related.populate(row, instance)
        return instances  # type: ignore[return-value]

    def _compiled(self) -> _Compiled:
        query = self._make(*self._stand_ins)
        compiler: Any = query.query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        places = _places(values, self._stand_ins)
        columns = compiler.select
        converters = compiler.get_converters([column for column, _, _ in columns])
        info = None if query.query.values_select else compiler.klass_info
        names = [columns[at][0].target.attname for at in info["select_fields"]] if info else ()
        related = get_related_populators(info, columns, connection.alias) if info else ()  # type: ignore[call-arg] # stubs of a later Django
        return _Compiled(compiler, sql, values, places, converters, info["model"] if info else None, names, related)


class PreparedUpdate:
    """`make` builds the rows to change and their new columns from `stand_ins`, as in Prepared. Returns the number of rows."""

    def __init__(self, make: Callable[..., tuple[QuerySet[Any], Mapping[str, Any]]], *stand_ins: object) -> None:
        self._make, self._stand_ins = make, stand_ins
        self._statement: tuple[str, Sequence[Any], Sequence[Sequence[int]]] | None = None

    def __call__(self, *parameters: object) -> int:
        sql, values, places = self._statement = self._statement or self._compiled()
        with connection.cursor() as cursor:
            cursor.execute(sql, _filled(values, places, parameters))
            return int(cursor.rowcount)

    def _compiled(self) -> tuple[str, Sequence[Any], Sequence[Sequence[int]]]:
        rows, columns = self._make(*self._stand_ins)
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(columns)
        sql, values = query.get_compiler(connection=connection).as_sql()
        return sql, values, _places(values, self._stand_ins)


class PreparedInsert(Generic[M]):
    """Inserts a row of `model` and sets its id. `once`: a unique column; where a row with its value exists, that row's id is set, and the
    row does not change."""

    def __init__(self, model: type[M], once: str = "") -> None:
        self._model, self._once = model, once
        self._statement: tuple[str, Sequence[Field[Any, Any]]] | None = None

    def __call__(self, row: M) -> M:
        sql, columns = self._statement = self._statement or self._compiled(row)
        with connection.cursor() as cursor:
            cursor.execute(sql, [column.get_db_prep_save(column.pre_save(row, add=True), connection) for column in columns])
            (row.pk,) = cursor.fetchone()
        row._state.adding, row._state.db = False, connection.alias
        return row

    def _compiled(self, row: M) -> "tuple[str, Sequence[Field[Any, Any]]]":
        """The SQL for any row, compiled for `row`."""
        about = self._model._meta  # noqa: SLF001 -- as Django documents it
        columns, key = (
            [instance for instance in about.concrete_fields if not instance.primary_key],
            about.get_field(self._once) if self._once else about.pk,
        )
        query = InsertQuery(self._model)
        if self._once:
            query = InsertQuery(self._model, on_conflict=OnConflict.UPDATE, update_fields=[key], unique_fields=[key])
        query.insert_values(columns, [row])
        compiler: Any = query.get_compiler(connection=connection)
        compiler.returning_fields = [about.pk]
        ((sql, values),) = compiler.as_sql()
        assert len(values) == len(columns), "a column's value is an expression"
        return sql, columns


class PreparedSave(Generic[M]):
    """Updates all columns of a row of `model`; False where the row does not exist."""

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self._statement: tuple[str, Sequence[Field[Any, Any]]] | None = None

    def __call__(self, row: M) -> bool:
        sql, columns = self._statement = self._statement or self._compiled()
        values = [column.get_db_prep_save(column.pre_save(row, add=False), connection) for column in columns]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return int(cursor.rowcount) > 0

    def _compiled(self) -> "tuple[str, Sequence[Field[Any, Any]]]":
        about, quoted = self._model._meta, connection.ops.quote_name  # noqa: SLF001 -- as Django documents it
        columns = sorted(about.concrete_fields, key=lambda instance: instance.primary_key)
        *changed, key = [f"{quoted(str(instance.column))} = %s" for instance in columns]
        return f"UPDATE {quoted(about.db_table)} SET {', '.join(changed)} WHERE {key}", columns  # noqa: S608 -- the model's own names


def _places(values: Sequence[Any], stand_ins: Sequence[object]) -> list[list[int]]:
    places = [[at for at, value in enumerate(values) if value == instance] for instance in map(_plain, stand_ins)]
    assert all(places), "a parameter is not among the values of its query"
    return places


def _filled(values: Sequence[Any], places: Sequence[Sequence[int]], parameters: Sequence[object]) -> list[Any]:
    filled = list(values)
    for some, value in zip(places, parameters, strict=True):
        for place in some:
            filled[place] = _plain(value)
    return filled


def _plain(value: object) -> Any:
    if isinstance(value, IPv4Address | IPv6Address):
        return connection.ops.adapt_ipaddressfield_value(str(value))
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value
