"""Text search: the indexes, their updates on SQLite, and the search.

Both databases index trigrams, so any part of a text matches. Postgres updates its indexes itself. SQLite's are separate tables,
filled by the worker in the order of ids, so that no answer waits for them. Triggers update only rows that are indexed already, when a
row is deleted or its text changes. Only the beginning of a text is indexed, so that the cost of a row is bounded.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, Error, connection, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Model, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Left
from django.db.models.lookups import IContains

from agents.hybrid import disk
from agents.models import LLMAttempt, Settings, Task
from monitoring.models import LogEntry, TextIndexed
from monitoring.reporting.pagination import counted_up_to

# Characters of a text that are indexed and searched.
INDEXED_CHARS = 8_192
# Of a job; the rest is left to the next one, some seconds later.
CHUNK_SECONDS = 10.0
# Seconds between two transactions. Waiting writers of SQLite retry every 100 ms at the latest, so all get their turn in a break.
BREAK_SECONDS = 0.15
# Limits of a batch: characters that it indexes (SQLite indexes two to three million a second, so a batch takes some 30 ms), characters
# that it reads (a text of 10 MB, from before prompts were limited, is read completely, in some 10 ms), and rows.
MOST_INDEXED, MOST_READ, MOST_ROWS = 64_000, 4_000_000, 5_000
# Characters of a text that an index can search for.
SHORTEST = 3
# If more rows match, reading rows one by one is faster for a page of them.
FEW = 10_000
# Up to this many rows that are not indexed yet are read one by one.
BEHIND = 20_000


@dataclass(frozen=True, slots=True)
class TextIndex:
    """The texts of a table. `among`: an SQL condition for the rows with texts, with `{row}` before columns."""

    table: str
    columns: tuple[str, ...]
    among: str = "1"

    @property
    def name(self) -> str:
        return f"{self.table}_text"

    @property
    def column_list(self) -> str:
        return ", ".join(self.columns)

    def beginnings(self, prefix: str = "") -> str:
        return ", ".join(f"substr({prefix}{column}, 1, {INDEXED_CHARS})" for column in self.columns)


TASKS = TextIndex("agents_task", ("prompt", "url", "key"))
ATTEMPTS = TextIndex("agents_llmattempt", ("detail",), "{row}detail <> ''")
LOGS = TextIndex("monitoring_logentry", ("message",))
INDEXES = (TASKS, ATTEMPTS, LOGS)
_OF: dict[type[Model], TextIndex] = {Task: TASKS, LLMAttempt: ATTEMPTS, LogEntry: LOGS}

_NO_TRIGRAMS = (
    "Postgres can't search texts without its extension pg_trgm ({error}). It comes with the server's package postgresql-contrib;"
    " have its administrator run CREATE EXTENSION pg_trgm in this database, then migrate again."
)


def make_on_sqlite(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    """Make empty indexes. They store no texts, so on an update or delete a trigger passes the text that was indexed."""
    if editor.connection.vendor != "sqlite":
        return
    for index in INDEXES:
        name, table = index.name, index.table
        is_in = f"old.id < (SELECT until_id FROM monitoring_textindexed WHERE name = '{table}')"
        values = f"SELECT 'delete', old.id, {index.beginnings('old.')} WHERE {index.among.format(row='old.')}"
        delete = f"INSERT INTO {name} ({name}, rowid, {index.column_list}) {values};"
        differs = f"({index.beginnings('old.')}) <> ({index.beginnings('new.')})"
        values = f"SELECT new.id, {index.beginnings('new.')} WHERE {index.among.format(row='new.')}"
        insert = f"INSERT INTO {name} (rowid, {index.column_list}) {values};"
        editor.execute(f"CREATE VIRTUAL TABLE {name} USING fts5({index.column_list}, content='', tokenize='trigram')")
        editor.execute(f"CREATE TRIGGER {name}_gone AFTER DELETE ON {table} WHEN {is_in} BEGIN {delete} END")
        changed = f"AFTER UPDATE OF {index.column_list} ON {table} WHEN {differs} AND {is_in}"
        editor.execute(f"CREATE TRIGGER {name}_changed {changed} BEGIN {delete} {insert} END")


def make_on_postgres(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor != "postgresql":
        return
    try:
        editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except Error as error:
        raise DatabaseError(_NO_TRIGRAMS.format(error=str(error).strip().splitlines()[0])) from None
    for index in INDEXES:
        for column in index.columns:
            name = f"{index.name}_{column}"
            editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # an interrupted migration may have left an invalid one
            # As Django writes IContains(Left(column, INDEXED_CHARS), text)
            condition = f" WHERE {index.among.format(row='')}" if index.among != "1" else ""
            text = f"UPPER(LEFT({column}, {INDEXED_CHARS})::text)"
            editor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {index.table} USING gin ({text} gin_trgm_ops){condition}")


def drop(apps: Any, editor: BaseDatabaseSchemaEditor) -> None:
    for index in INDEXES:
        if editor.connection.vendor == "sqlite":
            for trigger in ("gone", "changed"):
                editor.execute(f"DROP TRIGGER IF EXISTS {index.name}_{trigger}")
            editor.execute(f"DROP TABLE IF EXISTS {index.name}")
        else:
            for column in index.columns:
                editor.execute(f"DROP INDEX IF EXISTS {index.name}_{column}")


def fill(*, until: float, is_alone: bool = False) -> None:
    """Index further rows, in short transactions, until all are indexed or the monotonic clock is at `until`.

    With little free disk space, none are. `is_alone`: no other process uses the database, so there are no breaks.
    """
    if connection.vendor != "sqlite" or disk.space(Settings.current().free_disk_mb).is_low:
        return
    for index in INDEXES:
        while time.monotonic() < until and (ids := next_ids(index)):
            began = time.monotonic()
            add(index, *ids)
            if not is_alone and unindexed(index):  # so that steps can use the database meanwhile
                time.sleep(max(time.monotonic() - began, BREAK_SECONDS))


def next_ids(index: TextIndex) -> tuple[int, int] | None:
    """The next ids to index, start included, end excluded; None if there are none. Read outside a transaction, so no writer waits."""
    start = TextIndexed.objects.get_or_create(name=index.table)[0].until_id
    counts = " + ".join(f"min(length({column}), {INDEXED_CHARS})" for column in index.columns)
    lengths = " + ".join(f"length({column})" for column in index.columns)
    chars = f"CASE WHEN {index.among.format(row='')} THEN {counts} ELSE 0 END, {lengths}"
    indexed, read, end = 0, 0, start
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {chars} FROM {index.table} WHERE id >= %s ORDER BY id LIMIT {MOST_ROWS}", [start])
        for pk, more_indexed, more_read in cursor:
            indexed, read = indexed + more_indexed, read + more_read
            if end > start and (indexed > MOST_INDEXED or read > MOST_READ):
                break
            end = pk + 1
    return (start, end) if end > start else None


def add(index: TextIndex, start: int, end: int) -> None:
    """Index the rows from `start` to before `end` and record that, in one transaction, unless another worker did."""
    with transaction.atomic(), connection.cursor() as cursor:
        if TextIndexed.objects.filter(name=index.table, until_id=start).update(until_id=end):
            cursor.execute(
                f"INSERT INTO {index.name} (rowid, {index.column_list}) SELECT id, {index.beginnings()} FROM {index.table}"
                f" WHERE id >= %s AND id < %s AND {index.among.format(row='')}",
                [start, end],
            )


def unindexed(index: TextIndex) -> int:
    """The approximate number of rows that are not indexed, by their ids. 0 on Postgres, which indexes rows when they are written."""
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(min(id), 0), coalesce(max(id), -1) + 1 FROM {index.table}")
        first, end = cursor.fetchone()
    return int(max(0, end - max(first, _indexed_until(index))))


def _indexed_until(index: TextIndex) -> int:
    return TextIndexed.objects.filter(name=index.table).values_list("until_id", flat=True).first() or 0


def contains(model: type[Model], text: str) -> Q:
    """The rows whose texts contain this one in their first 8 kB, ignoring case: by the index if few do, else one by one."""
    by_index = few(model, text)
    return _read(_OF[model], text) if by_index is None else by_index


def few(model: type[Model], text: str) -> Q | None:
    """The same by the index. None if many rows match, the text is too short, or the index is far behind."""
    index = _OF[model]
    if len(text) < SHORTEST:
        return None
    if connection.vendor == "postgresql":
        matching = model._default_manager.filter(_read(index, text))  # noqa: SLF001 -- Django's documented manager of any model
        return Q(id__in=matching.values("id")) if counted_up_to(matching, FEW + 1) <= FEW else None
    if unindexed(index) > BEHIND:
        return None
    ids, phrase = f"SELECT rowid FROM {index.name} WHERE {index.name} MATCH %s", '"{}"'.format(text.replace('"', '""'))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({ids} LIMIT {FEW + 1})", [phrase])
        if cursor.fetchone()[0] > FEW:
            return None
    return Q(id__in=RawSQL(ids, [phrase])) | (Q(id__gte=_indexed_until(index)) & _read(index, text))


def holds(column: str, text: str) -> Q:
    return Q(IContains(Left(column, INDEXED_CHARS), text))


def _read(index: TextIndex, text: str) -> Q:
    condition = Q()
    for column in index.columns:
        condition |= holds(column, text)
    return condition & ~Q(**{index.columns[0]: ""}) if index.among != "1" else condition
