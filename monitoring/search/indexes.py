"""The text indexes: which columns have one, and how it is made. Both databases index trigrams, so any part of a text is found.

Postgres keeps its indexes itself. SQLite's are tables beside the rows, which the worker fills: an answer waits for none of that. Only what
is indexed already is kept in step by triggers: when a row goes, and when its text changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, Error
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


@dataclass(frozen=True, slots=True)
class TextIndex:
    """One table's texts. `among`: SQL for the rows that have any, with `{row}` before a column."""

    table: str
    columns: tuple[str, ...]
    among: str = "1"

    @property
    def name(self) -> str:
        """Of the index."""
        return f"{self.table}_text"

    def each(self, prefix: str = "") -> str:
        """The columns, with commas."""
        return ", ".join(f"{prefix}{column}" for column in self.columns)


TASKS = TextIndex("agents_task", ("prompt", "url", "key"))
ATTEMPTS = TextIndex("agents_llmattempt", ("detail",), "{row}detail <> ''")
LOGS = TextIndex("monitoring_logentry", ("message",))
INDEXES = (TASKS, ATTEMPTS, LOGS)

_NO_TRIGRAMS = (
    "Postgres can't look for texts without its extension pg_trgm ({error}). It comes with the server's package postgresql-contrib;"
    " have its administrator run CREATE EXTENSION pg_trgm in this database, then migrate again."
)


def make_on_sqlite(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    """Empty indexes with their triggers; the worker fills them. Takes no time, however many rows there are."""
    if editor.connection.vendor != "sqlite":
        return
    for index in INDEXES:
        for statement in _sqlite(index):
            editor.execute(statement)


def make_on_postgres(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    """Indexes of all rows, made while others read and write. Outside of a transaction."""
    if editor.connection.vendor != "postgresql":
        return
    try:
        editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except Error as error:
        raise DatabaseError(_NO_TRIGRAMS.format(error=str(error).strip().splitlines()[0])) from None
    for index in INDEXES:
        for column in index.columns:
            name = f"{index.name}_{column}"
            editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # what an interrupted migration left is of no use
            # As Django asks for icontains
            some = f" WHERE {index.among.format(row='')}" if index.among != "1" else ""
            editor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {index.table} USING gin (UPPER({column}::text) gin_trgm_ops){some}")


def drop(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    """The way back."""
    for index in INDEXES:
        if editor.connection.vendor == "sqlite":
            for trigger in ("gone", "changed"):
                editor.execute(f"DROP TRIGGER IF EXISTS {index.name}_{trigger}")
            editor.execute(f"DROP TABLE IF EXISTS {index.name}")
        else:
            for column in index.columns:
                editor.execute(f"DROP INDEX IF EXISTS {index.name}_{column}")


def _sqlite(index: TextIndex) -> list[str]:
    """The index and its triggers. An index over a table's own columns has to be told what a row said before it changes."""
    name, table = index.name, index.table
    is_in = f"EXISTS (SELECT 1 FROM monitoring_textindexed WHERE name = '{table}' AND old.id >= from_id AND old.id < until_id)"
    out = f"INSERT INTO {name} ({name}, rowid, {index.each()}) SELECT 'delete', old.id, {index.each('old.')} WHERE {_among(index, 'old.')};"
    differs = f"({index.each('old.')}) <> ({index.each('new.')})"
    back = f"INSERT INTO {name} (rowid, {index.each()}) SELECT new.id, {index.each('new.')} WHERE {_among(index, 'new.')};"
    return [
        f"CREATE VIRTUAL TABLE {name} USING fts5({index.each()}, content='{table}', content_rowid='id', tokenize='trigram')",
        f"CREATE TRIGGER {name}_gone AFTER DELETE ON {table} WHEN {is_in} BEGIN {out} END",
        f"CREATE TRIGGER {name}_changed AFTER UPDATE OF {index.each()} ON {table} WHEN {differs} AND {is_in} BEGIN {out} {back} END",
    ]


def _among(index: TextIndex, row: str) -> str:
    return index.among.format(row=row)
