"""Log entries as rows of a table, filtered and paged, and as files."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Left

from agents.models import Step
from agents.redaction import redact
from monitoring.models import JournalImport, LogEntry
from monitoring.search.finding import few
from monitoring.stats.keyset import LOOKED_UP_CAP, CappedCount, Cursor, Place, Slice, cut

PAGE_SIZE = 100
# A message's beginning is shown; the download has the whole.
SHOWN_CHARS = 4_000
# One page of what no index finds (a text that many hold, a logger, a source) reads so many entries at most; the next goes on from there.
SEARCHED = 20_000
DOWNLOAD_BATCH = 1_000
IMPORTS_SHOWN = 20
LEVELS = {logging.DEBUG: "DEBUG", logging.INFO: "INFO", logging.WARNING: "WARNING", logging.ERROR: "ERROR", logging.CRITICAL: "CRITICAL"}


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What to list. Empty: no condition. `level`: that and up; `logger`: with those below it; `text`: in the message."""

    text: str = ""
    level: int | None = None
    logger: str = ""
    kind: str = ""
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    step: uuid.UUID | None = None
    journal: int | None = None


@dataclass(frozen=True, slots=True)
class LogRow:
    """One entry in a table. `rest`: the lines after the first; `task`, `step`: ids of what it is about."""

    id: int
    at: datetime
    level: int
    logger: str
    message: str
    rest: str
    kind: str
    source: str
    host: str
    process: str
    task: int | None
    step: int | None


@dataclass(frozen=True, slots=True)
class LogList:
    """One page of entries, how many match, and where a search that looked through a part goes on."""

    page: Slice[Any]
    rows: list[LogRow]
    count: CappedCount
    search_on: Cursor | None


def logs(query: LogQuery, place: Place) -> LogList:
    """The entries that match, newest first."""
    matching, search_on = _searched(query, place)
    page: Slice[Any] = cut(_short(matching), "at", place, PAGE_SIZE)
    steps = {uid: (task, pk) for uid, task, pk in _steps(page.rows)}
    rows = [_row(entry, steps.get(entry.step_uid)) for entry in page.rows]
    return LogList(page, rows, CappedCount.up_to(LOOKED_UP_CAP, matching), None if page.older else search_on)


def level_name(level: int) -> str:
    """The level in Python's words; one between two is named by the lower."""
    return LEVELS[max((known for known in LEVELS if known <= level), default=logging.DEBUG)]


def imports() -> list[JournalImport]:
    """The newest imports."""
    return list(JournalImport.objects.order_by("-started_at", "-id")[:IMPORTS_SHOWN])


def as_text(query: LogQuery) -> Iterator[str]:
    """All that matches, oldest first, as lines that the import reads."""
    for entry in _all(query):
        ids = (("step", entry.step_uid), ("attempt", entry.attempt_uid))
        context = "".join(f" {name}={uid}" for name, uid in ids if uid)
        first, _, rest = entry.message.partition("\n")
        at = f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S},{entry.at.microsecond // 1000:03d}"
        line = f"{at} {level_name(entry.level)} {entry.logger or 'root'}: {first}{context}\n"
        yield redact(line + (f"{rest}\n" if rest else ""))


def as_json_lines(query: LogQuery) -> Iterator[str]:
    """All that matches, oldest first, as one JSON object a line."""
    for entry in _all(query):
        told = {
            "at": entry.at.astimezone(UTC).isoformat(),
            "level": level_name(entry.level),
            "logger": entry.logger,
            "message": redact(entry.message),
            "source": entry.source,
            "kind": entry.kind,
            "facts": entry.facts,
            "host": entry.host,
            "process": entry.process,
            "step": str(entry.step_uid) if entry.step_uid else None,
            "attempt": str(entry.attempt_uid) if entry.attempt_uid else None,
        }
        yield json.dumps(told, ensure_ascii=False) + "\n"


def _all(query: LogQuery) -> Iterator[LogEntry]:
    """In batches of their own, so that a slow download holds no transaction open."""
    ordered, unordered = _conditions(query)
    found, at, last = LogEntry.objects.filter(**ordered, **unordered).order_by("at", "id"), datetime.min.replace(tzinfo=UTC), 0
    words = query.text.lower()
    while some := list(found.filter(Q(at__gte=at), Q(at__gt=at) | Q(id__gt=last))[:DOWNLOAD_BATCH]):
        yield from (entry for entry in some if words in entry.message.lower())
        at, last = some[-1].at, some[-1].pk


def _searched(query: LogQuery, place: Place) -> tuple[QuerySet[LogEntry], Cursor | None]:
    """The entries that match; where no index leads to them, those of the part that is searched, and where that part ends."""
    ordered, unordered = _conditions(query)
    found = few(LogEntry, query.text) if query.text else None
    if found is not None:
        return LogEntry.objects.filter(found, **ordered, **unordered), None
    if not (query.text or query.logger or query.source):
        return LogEntry.objects.filter(**ordered, **unordered), None
    part = LogEntry.objects.filter(**ordered)
    if place.older:
        part = part.filter(Q(at__lte=place.older.at), Q(at__lt=place.older.at) | Q(id__lt=place.older.id))
    if place.newer:
        part = part.filter(Q(at__gte=place.newer.at), Q(at__gt=place.newer.at) | Q(id__gt=place.newer.id)).order_by("at", "id")
    else:
        part = part.order_by("-at", "-id")
    end = None if place.newer else part.values_list("at", "id")[SEARCHED - 1 : SEARCHED].first()
    inside = LogEntry.objects.filter(id__in=part.values("id")[:SEARCHED], message__icontains=query.text, **unordered)
    return inside, Cursor(*end) if end else None


def _conditions(query: LogQuery) -> tuple[dict[str, Any], dict[str, Any]]:
    """All but the text: those by which an index gives the entries in the order of their times, and the others."""
    ordered = {"kind": query.kind, "at__gte": query.since, "at__lt": query.until, "step_uid": query.step, "journal": query.journal}
    unordered = {"level__gte": query.level, "logger__startswith": query.logger, "source": query.source}
    return _given(ordered), _given(unordered)


def _given(conditions: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in conditions.items() if value not in (None, "")}


def _short(entries: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
    shown = Left("message", SHOWN_CHARS, output_field=TextField())
    return entries.defer("message", "facts").annotate(shown=shown)


def _steps(entries: Any) -> list[tuple[uuid.UUID, int, int]]:
    uids = {entry.step_uid for entry in entries if entry.step_uid}
    return list(Step.objects.filter(uid__in=uids).values_list("uid", "task_id", "id"))


def _row(entry: Any, step: tuple[int, int] | None) -> LogRow:
    message, _, rest = entry.shown.partition("\n")
    task, pk = step or (None, None)
    return LogRow(
        id=entry.pk,
        at=entry.at,
        level=entry.level,
        logger=entry.logger,
        message=message,
        rest=rest,
        kind=str(LogEntry.Kind(entry.kind).label) if entry.kind else "",
        source=str(LogEntry.Source(entry.source).label),
        host=entry.host,
        process=entry.process,
        task=task,
        step=pk,
    )
