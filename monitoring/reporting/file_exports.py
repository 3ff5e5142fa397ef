"""Rows as a file that is sent while it is read: CSV for a spreadsheet, JSON lines for a program. Memory stays the same however many."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.http import HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from monitoring.reporting.filter_query import Query

Row = Mapping[str, Any]
# What a spreadsheet takes for the beginning of a formula; a tab or a return before it changes nothing.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file to a CSV writer, which returns what `write` does."""

    def write(self, line: str) -> str:
        return line


def csv_lines(columns: tuple[str, ...], rows: Iterable[Row]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([_cell(row[column]) for column in columns])


def json_lines(columns: tuple[str, ...], rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield json.dumps({column: row[column] for column in columns}, ensure_ascii=False, default=_plain) + "\n"


FORMATS = {"csv": ("text/csv; charset=utf-8", csv_lines), "jsonl": ("application/x-ndjson; charset=utf-8", json_lines)}


def exported(name: str, wanted: str, columns: tuple[str, ...], query: Query, rows: Iterable[Row], now: datetime) -> HttpResponseBase:
    """The rows as a download `name-date.csv` or `.jsonl`. 400 with the remedy for a format or a condition that can't be read."""
    if wanted not in FORMATS:
        return HttpResponseBadRequest(f"format: write one of {', '.join(FORMATS)}.", content_type="text/plain; charset=utf-8")
    if query.faults:
        # A file outlives its page: it must hold exactly what its filter says.
        return HttpResponseBadRequest("\n".join(query.faults), content_type="text/plain; charset=utf-8")
    content_type, lines = FORMATS[wanted]
    return download(name, wanted, content_type, lines(columns, rows), now)


def download(name: str, suffix: str, content_type: str, lines: Iterable[str], now: datetime) -> HttpResponseBase:
    response = StreamingHttpResponse(lines, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}-{now:%Y-%m-%d-%H%M%S}.{suffix}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return _plain(value) if isinstance(value, datetime) else value


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
