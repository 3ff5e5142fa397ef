"""Which rows hold a text, in whatever case: by the index where few do, else by looking at the rows in the order of the page."""

from __future__ import annotations

from django.db import connection
from django.db.models import Max, Model, Q
from django.db.models.expressions import RawSQL

from agents.models import LLMAttempt, Task
from monitoring.models import LogEntry, TextIndexed
from monitoring.search.indexes import ATTEMPTS, LOGS, TASKS, TextIndex
from monitoring.stats.keyset import counted_up_to

# An index knows texts by three characters in a row.
SHORTEST = 3
# Where more rows hold a text, a page of them is found sooner by looking at one row after the other.
FEW = 10_000
# So many rows that are not indexed yet are looked at one by one.
BEHIND = 20_000
_INDEXES: dict[type[Model], TextIndex] = {Task: TASKS, LLMAttempt: ATTEMPTS, LogEntry: LOGS}


def says(model: type[Model], text: str) -> Q:
    """The rows whose texts hold this one."""
    found = few(model, text)
    return _looked_at(_INDEXES[model], text) if found is None else found


def few(model: type[Model], text: str) -> Q | None:
    """The same where the index leads to them. None: many rows hold the text, or it is too short, or the index is far behind."""
    if len(text) < SHORTEST:
        return None
    index = _INDEXES[model]
    return _few_on_postgres(model, index, text) if connection.vendor == "postgresql" else _few_on_sqlite(model, index, text)


def _few_on_postgres(model: type[Model], index: TextIndex, text: str) -> Q | None:
    found = model._default_manager.filter(_looked_at(index, text))  # noqa: SLF001 -- Django's documented manager of any model
    return Q(id__in=found.values("id")) if counted_up_to(found, FEW + 1) <= FEW else None


def _few_on_sqlite(model: type[Model], index: TextIndex, text: str) -> Q | None:
    mark = TextIndexed.objects.filter(name=index.table).first() or TextIndexed(from_id=0, until_id=0)
    newest = model._default_manager.aggregate(newest=Max("pk"))["newest"] or 0  # noqa: SLF001 -- as above
    if mark.from_id + max(0, newest + 1 - mark.until_id) > BEHIND:
        return None
    ids, phrase = f"SELECT rowid FROM {index.name} WHERE {index.name} MATCH %s", '"{}"'.format(text.replace('"', '""'))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({ids} LIMIT {FEW + 1})", [phrase])
        if cursor.fetchone()[0] > FEW:
            return None
    found = Q(id__in=RawSQL(ids, [phrase]))
    for side, is_there in ((Q(id__gte=mark.until_id), newest >= mark.until_id), (Q(id__lt=mark.from_id), mark.from_id > 0)):
        found |= (side & _looked_at(index, text)) if is_there else Q()
    return found


def _looked_at(index: TextIndex, text: str) -> Q:
    said = Q()
    for column in index.columns:
        said |= Q(**{f"{column}__icontains": text})
    return said & ~Q(**{index.columns[0]: ""}) if index.among != "1" else said
