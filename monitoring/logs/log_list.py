"""Log entries: a filtered, paged list, and files for download."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Left

from agents.common.redaction import redact
from agents.models import Step
from monitoring.models import LogEntry
from monitoring.reporting.file_exports import json_lines
from monitoring.reporting.pagination import LOOKED_UP_CAP, CappedCount, Cursor, Place, Slice, beyond, cut
from monitoring.reporting.search import INDEXED_CHARS, few, holds

PAGE_SIZE = 100
SHOWN_CHARS = 4_000  # of a message; the download has all of it
# Entries that a page reads at most without an index (a text in many entries, a logger, a source); the next page continues.
SEARCHED = 20_000
DOWNLOAD_BATCH = 1_000
Conditions = Mapping[str, Any]  # of the filter form, by its fields' names
# Lookups that an index serves in the order of time, and the others. The text is searched separately.
_ORDERED = {"kind": "kind", "since": "at__gte", "until": "at__lt", "step": "step_uid", "journal": "journal"}
EXPORTED = ("at", "level", "logger", "message", "source", "kind", "facts", "host", "process", "step", "attempt")
_OTHERS = {"level": "level__gte", "logger": "logger__startswith", "source": "source"}


@dataclass(frozen=True, slots=True)
class LogList(Slice[Any]):
    """Entries with their `first` line, the `rest`, and the `step` as (task id, id). `search_on`: where a partial search continues."""

    search_on: Cursor | None = None


def logs(conditions: Conditions, place: Place) -> LogList:
    matching, search_on = _searched(conditions, place)
    short = matching.defer("message", "facts").annotate(shown=Left("message", SHOWN_CHARS, output_field=TextField()))
    page: Slice[Any] = cut(short, "at", place, PAGE_SIZE)
    uids = {entry.step_uid for entry in page.rows if entry.step_uid}
    steps = {uid: (task, pk) for uid, task, pk in Step.objects.filter(uid__in=uids).values_list("uid", "task_id", "id")}
    for entry in page.rows:
        entry.first, _, entry.rest = entry.shown.partition("\n")
        entry.step = steps.get(entry.step_uid)
    return LogList(page.rows, page.older, page.newer, CappedCount.up_to(LOOKED_UP_CAP, matching), None if page.older else search_on)


def level_name(level: int) -> str:
    return logging.getLevelName(min(max(level // 10, 1), 5) * 10)


def as_text(conditions: Conditions) -> Iterator[str]:
    """All matching entries, oldest first, in the format that the import reads."""
    for entry in _all(conditions):
        context = "".join(f" {name}={uid}" for name, uid in (("step", entry.step_uid), ("attempt", entry.attempt_uid)) if uid)
        first, _, rest = entry.message.partition("\n")
        at = f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S},{entry.at.microsecond // 1000:03d}"
        line = f"{at} {level_name(entry.level)} {entry.logger or 'root'}: {first}{context}\n"
        yield redact(line + (f"{rest}\n" if rest else ""))


def as_json_lines(conditions: Conditions) -> Iterator[str]:
    plain = ("at", "logger", "source", "kind", "facts", "host", "process")
    rows = (
        {name: getattr(entry, name) for name in plain}
        | {"level": level_name(entry.level), "message": redact(entry.message), "step": entry.step_uid, "attempt": entry.attempt_uid}
        for entry in _all(conditions)
    )
    return json_lines(EXPORTED, rows)


def _all(conditions: Conditions) -> Iterator[LogEntry]:
    """In batches with a query each, so that a slow download holds no transaction open."""
    ordered, unordered = _conditions(conditions)
    matching, text = LogEntry.objects.filter(**ordered, **unordered).order_by("at", "id"), conditions.get("text", "").lower()
    last = Cursor(datetime.min.replace(tzinfo=UTC), 0)
    while batch := list(beyond(matching, "at", last, "gt")[:DOWNLOAD_BATCH]):
        yield from (entry for entry in batch if text in entry.message[:INDEXED_CHARS].lower())
        last = Cursor(batch[-1].at, batch[-1].pk)


def _searched(conditions: Conditions, place: Place) -> tuple[QuerySet[LogEntry], Cursor | None]:
    """The matching entries; without a suitable index only those in the next SEARCHED entries, and where these end."""
    ordered, unordered = _conditions(conditions)
    text, entries = conditions.get("text", ""), LogEntry.objects.filter(**ordered)
    by_index = few(LogEntry, text) if text else None
    if by_index is not None:
        return entries.filter(by_index, **unordered), None
    if not (text or "logger" in conditions or "source" in conditions):
        return entries.filter(**unordered), None
    entries = beyond(entries, "at", place.older, "lt") if place.older else entries
    entries = beyond(entries, "at", place.newer, "gt").order_by("at", "id") if place.newer else entries.order_by("-at", "-id")
    end = None if place.newer else entries.values_list("at", "id")[SEARCHED - 1 : SEARCHED].first()
    inside = LogEntry.objects.filter(id__in=entries.values("id")[:SEARCHED], **unordered)
    inside = inside.filter(holds("message", text)) if text else inside
    return inside, Cursor(*end) if end else None


def _conditions(given: Conditions) -> tuple[dict[str, Any], dict[str, Any]]:
    ordered, others = ({lookup: given[name] for name, lookup in table.items() if name in given} for table in (_ORDERED, _OTHERS))
    return ordered, others
