"""Text search: the indexes, how SQLite's are kept up to date, and which rows hold a text.

Both databases index trigrams, so any part of a text is found. Postgres keeps its indexes itself. SQLite's are tables beside the rows,
which the worker fills, in the order of ids: an answer waits for none of that. Triggers only keep in step what is indexed already, when a
row goes or its text changes. Only the beginning of a text is indexed: the cost of a row does not depend on how much a stranger sent.
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

# Characters of a text that are indexed, so that they are found: 8 kB. What comes later in a text is shown, but not found.
INDEXED_CHARS = 8_192
# What is left after this long waits for the next job, some seconds later.
CHUNK_SECONDS = 10.0
# Whoever waits for SQLite tries again every 100 ms at the latest, so in a break of this length everybody gets in, in seconds.
BREAK_SECONDS = 0.15
# A batch is bounded by the characters that it indexes (SQLite indexes two to three million a second, so a batch takes some 30 ms), by those
# that it reads (a text of 10 MB, from before prompts were limited, is read whole for its beginning: some 10 ms) and by its rows.
MOST_INDEXED, MOST_READ, MOST_ROWS = 64_000, 4_000_000, 5_000
# An index finds texts by three characters in a row.
SHORTEST = 3
# Where more rows hold a text, a page of them is found sooner by reading one row after the other.
FEW = 10_000
# So many rows that are not indexed yet are read one by one.
BEHIND = 20_000


@dataclass(frozen=True, slots=True)
class TextIndex:
    """One table's texts. `among`: SQL for the rows that have any, with `{row}` before a column."""

    table: str
    columns: tuple[str, ...]
    among: str = "1"

    @property
    def name(self) -> str:
        return f"{self.table}_text"

    @property
    def each(self) -> str:
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
    """Empty indexes. They keep no texts of their own, so a trigger passes what was indexed of a row that changes or goes."""
    if editor.connection.vendor != "sqlite":
        return
    for index in INDEXES:
        name, table = index.name, index.table
        is_in = f"old.id < (SELECT until_id FROM monitoring_textindexed WHERE name = '{table}')"
        values = f"SELECT 'delete', old.id, {index.beginnings('old.')} WHERE {index.among.format(row='old.')}"
        out = f"INSERT INTO {name} ({name}, rowid, {index.each}) {values};"
        differs = f"({index.beginnings('old.')}) <> ({index.beginnings('new.')})"
        values = f"SELECT new.id, {index.beginnings('new.')} WHERE {index.among.format(row='new.')}"
        back = f"INSERT INTO {name} (rowid, {index.each}) {values};"
        editor.execute(f"CREATE VIRTUAL TABLE {name} USING fts5({index.each}, content='', tokenize='trigram')")
        editor.execute(f"CREATE TRIGGER {name}_gone AFTER DELETE ON {table} WHEN {is_in} BEGIN {out} END")
        changed = f"AFTER UPDATE OF {index.each} ON {table} WHEN {differs} AND {is_in}"
        editor.execute(f"CREATE TRIGGER {name}_changed {changed} BEGIN {out} {back} END")


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
            editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # what an interrupted migration left is of no use
            # As Django writes IContains(Left(column, INDEXED_CHARS), text)
            some = f" WHERE {index.among.format(row='')}" if index.among != "1" else ""
            text = f"UPPER(LEFT({column}, {INDEXED_CHARS})::text)"
            editor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {index.table} USING gin ({text} gin_trgm_ops){some}")


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
    """Index what is not indexed yet, in short transactions, until all is done or the monotonic clock is at `until`.

    With little free disk space, nothing is indexed. `is_alone`: nobody else uses the database, so there are no breaks.
    """
    if connection.vendor != "sqlite" or disk.space(Settings.current().free_disk_mb).is_low:
        return
    for index in INDEXES:
        while time.monotonic() < until and (ids := next_ids(index)):
            began = time.monotonic()
            add(index, *ids)
            if not is_alone and unindexed(index):  # steps that are to be answered meanwhile need the database too
                time.sleep(max(time.monotonic() - began, BREAK_SECONDS))


def next_ids(index: TextIndex) -> tuple[int, int] | None:
    """From and up to, without, which id rows are indexed next; None where all are. Read outside of a transaction: no writer waits."""
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
    """Index the rows from one id up to, without, another and move the mark in the same transaction, unless another worker did."""
    with transaction.atomic(), connection.cursor() as cursor:
        if TextIndexed.objects.filter(name=index.table, until_id=start).update(until_id=end):
            cursor.execute(
                f"INSERT INTO {index.name} (rowid, {index.each}) SELECT id, {index.beginnings()} FROM {index.table}"
                f" WHERE id >= %s AND id < %s AND {index.among.format(row='')}",
                [start, end],
            )


def unindexed(index: TextIndex) -> int:
    """About how many rows are not indexed yet, by their ids. Always 0 on Postgres, which indexes each row as it is written."""
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(min(id), 0), coalesce(max(id), -1) + 1 FROM {index.table}")
        first, end = cursor.fetchone()
    return int(max(0, end - max(first, _indexed_until(index))))


def _indexed_until(index: TextIndex) -> int:
    return TextIndexed.objects.filter(name=index.table).values_list("until_id", flat=True).first() or 0


def contains(model: type[Model], text: str) -> Q:
    """The rows whose texts hold this one in their first 8 kB, in whatever case: by the index where few do, else read one by one."""
    found = few(model, text)
    return _read(_OF[model], text) if found is None else found


def few(model: type[Model], text: str) -> Q | None:
    """The same where the index leads to them. None: many rows hold the text, or it is too short, or the index is far behind."""
    index = _OF[model]
    if len(text) < SHORTEST:
        return None
    if connection.vendor == "postgresql":
        found = model._default_manager.filter(_read(index, text))  # noqa: SLF001 -- Django's documented manager of any model
        return Q(id__in=found.values("id")) if counted_up_to(found, FEW + 1) <= FEW else None
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
    found = Q()
    for column in index.columns:
        found |= holds(column, text)
    return found & ~Q(**{index.columns[0]: ""}) if index.among != "1" else found
