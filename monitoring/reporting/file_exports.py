"""Rows as a streamed file: CSV for a spreadsheet, JSON lines for a program. Memory does not depend on the number of rows."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.http import HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from monitoring.reporting.filter_query import Query

Row = Mapping[str, Any]
# Characters at which a spreadsheet starts a formula; it ignores a tab or a return before them.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file for a CSV writer, whose `writerow` returns the result of `write`."""

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


def exported(name: str, suffix: str, columns: tuple[str, ...], query: Query, rows: Iterable[Row], now: datetime) -> HttpResponseBase:
    """The rows as a download `name-date.csv` or `.jsonl`. 400 with the remedy for an unknown format or an invalid condition."""
    if suffix not in FORMATS:
        return HttpResponseBadRequest(f"format: write one of {', '.join(FORMATS)}.", content_type="text/plain; charset=utf-8")
    if query.faults:
        # A file is used without its page, so all conditions must be applied.
        return HttpResponseBadRequest("\n".join(query.faults), content_type="text/plain; charset=utf-8")
    content_type, lines = FORMATS[suffix]
    return download(name, suffix, content_type, lines(columns, rows), now)


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
