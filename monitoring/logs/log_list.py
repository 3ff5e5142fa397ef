"""Log entries as rows of a table, filtered and paged, and as files."""

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
SHOWN_CHARS = 4_000  # a message's beginning is shown; the download has the whole
# Without an index (a text that many entries hold, a logger, a source), a page reads so many entries at most; the next page continues.
SEARCHED = 20_000
DOWNLOAD_BATCH = 1_000
Conditions = Mapping[str, Any]  # what to list: the conditions that the filter's form gives, by its names
# The lookups by which an index gives the entries in the order of their times, and the others. The text is searched for apart.
_ORDERED = {"kind": "kind", "since": "at__gte", "until": "at__lt", "step": "step_uid", "journal": "journal"}
EXPORTED = ("at", "level", "logger", "message", "source", "kind", "facts", "host", "process", "step", "attempt")
_OTHERS = {"level": "level__gte", "logger": "logger__startswith", "source": "source"}


@dataclass(frozen=True, slots=True)
class LogList(Slice[Any]):
    """Entries, with the first line, the `rest` and the `step` as (task id, id). `search_on`: where a search of a part continues."""

    search_on: Cursor | None = None


def logs(wanted: Conditions, place: Place) -> LogList:
    matching, search_on = _searched(wanted, place)
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


def as_text(wanted: Conditions) -> Iterator[str]:
    """All that matches, oldest first, as lines that the import reads."""
    for entry in _all(wanted):
        context = "".join(f" {name}={uid}" for name, uid in (("step", entry.step_uid), ("attempt", entry.attempt_uid)) if uid)
        first, _, rest = entry.message.partition("\n")
        at = f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S},{entry.at.microsecond // 1000:03d}"
        line = f"{at} {level_name(entry.level)} {entry.logger or 'root'}: {first}{context}\n"
        yield redact(line + (f"{rest}\n" if rest else ""))


def as_json_lines(wanted: Conditions) -> Iterator[str]:
    plain = ("at", "logger", "source", "kind", "facts", "host", "process")
    rows = (
        {name: getattr(entry, name) for name in plain}
        | {"level": level_name(entry.level), "message": redact(entry.message), "step": entry.step_uid, "attempt": entry.attempt_uid}
        for entry in _all(wanted)
    )
    return json_lines(EXPORTED, rows)


def _all(wanted: Conditions) -> Iterator[LogEntry]:
    """In batches of their own, so that a slow download holds no transaction open."""
    ordered, unordered = _conditions(wanted)
    found, text = LogEntry.objects.filter(**ordered, **unordered).order_by("at", "id"), wanted.get("text", "").lower()
    last = Cursor(datetime.min.replace(tzinfo=UTC), 0)
    while some := list(beyond(found, "at", last, "gt")[:DOWNLOAD_BATCH]):
        yield from (entry for entry in some if text in entry.message[:INDEXED_CHARS].lower())
        last = Cursor(some[-1].at, some[-1].pk)


def _searched(wanted: Conditions, place: Place) -> tuple[QuerySet[LogEntry], Cursor | None]:
    """The entries that match; where no index leads to them, those of the part that is searched, and where that part ends."""
    ordered, unordered = _conditions(wanted)
    text, part = wanted.get("text", ""), LogEntry.objects.filter(**ordered)
    found = few(LogEntry, text) if text else None
    if found is not None:
        return part.filter(found, **unordered), None
    if not (text or "logger" in wanted or "source" in wanted):
        return part.filter(**unordered), None
    part = beyond(part, "at", place.older, "lt") if place.older else part
    part = beyond(part, "at", place.newer, "gt").order_by("at", "id") if place.newer else part.order_by("-at", "-id")
    end = None if place.newer else part.values_list("at", "id")[SEARCHED - 1 : SEARCHED].first()
    inside = LogEntry.objects.filter(id__in=part.values("id")[:SEARCHED], **unordered)
    inside = inside.filter(holds("message", text)) if text else inside
    return inside, Cursor(*end) if end else None


def _conditions(wanted: Conditions) -> tuple[dict[str, Any], dict[str, Any]]:
    ordered, others = ({lookup: wanted[name] for name, lookup in some.items() if name in wanted} for some in (_ORDERED, _OTHERS))
    return ordered, others
