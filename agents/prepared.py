"""Queries of the answering path whose SQL is made once: making it takes Django several times as long as running it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Made:
    """`places`: where each parameter stands among the values of the statement."""

    compiler: Any
    sql: str
    values: Sequence[Any]
    places: Sequence[Sequence[int]]
    converters: Any
    model: type[Model] | None
    names: Sequence[str]


class Prepared(Generic[R]):
    """`make` builds the query from `stand_ins`, values of the parameters' types that are unlike any other value in it."""

    def __init__(self, make: Callable[..., QuerySet[Any, R]], *stand_ins: object) -> None:
        self._make, self._stand_ins = make, stand_ins
        self._made: _Made | None = None

    def __call__(self, *parameters: object) -> list[R]:
        made = self._made = self._made or self._compiled()
        values = list(made.values)
        for places, value in zip(made.places, parameters, strict=True):
            for place in places:
                values[place] = _plain(value)
        with connection.cursor() as cursor:
            cursor.execute(made.sql, values)
            rows = cursor.fetchall()
        converted = made.compiler.apply_converters(rows, made.converters) if made.converters else rows
        if made.model is None:
            return [tuple(row) for row in converted]  # type: ignore[misc]
        return [made.model.from_db(connection.alias, made.names, row) for row in converted]  # type: ignore[misc]

    def _compiled(self) -> _Made:
        query = self._make(*self._stand_ins)
        compiler: Any = query.query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        stand_ins = [_plain(one) for one in self._stand_ins]
        places = [[at for at, value in enumerate(values) if value == one] for one in stand_ins]
        assert all(places), "a parameter is not among the values of its query"
        columns = compiler.select
        converters = compiler.get_converters([column for column, _, _ in columns])
        info = None if query.query.values_select else compiler.klass_info
        names = [columns[at][0].target.attname for at in info["select_fields"]] if info else ()
        return _Made(compiler, sql, values, places, converters, info["model"] if info else None, names)


def _plain(value: object) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
