"""Audit: who did and changed what, and what the machine did by itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

from monitoring.access import VIEW, guarded
from monitoring.audit_form import AuditFilter
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.stats.keyset import Place
from monitoring.stats.trail import Entry, TrailQuery, everything, trail, who_in_words

# A file that a spreadsheet still opens.
MOST_EXPORTED = 100_000
COLUMNS = ("time", "who", "what", "account", "details", "reason")


@page("trail")
def audit(request: PanelRequest) -> dict[str, Any]:
    """The entries that match the filter, newest first."""
    filters = AuditFilter(request.GET)
    return {"filters": filters, "trail": trail(filters.query(timezone.now()), Place.parse(request.GET))}


@guarded(get=VIEW, post=None)
def audit_csv(request: PanelRequest) -> HttpResponseBase:
    """The entries that match the filter, as a CSV file."""
    lines = _lines(AuditFilter(request.GET).query(timezone.now()))
    return StreamingHttpResponse(
        lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="audit.csv"'}
    )


def _lines(query: TrailQuery) -> Iterator[str]:
    yield _line(COLUMNS)
    for entry in everything(query, MOST_EXPORTED):
        yield _line(_cells(entry))


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        entry.at.isoformat(),
        who_in_words(entry.who),
        entry.what,
        entry.account,
        "; ".join(entry.facts),
        entry.reason,
    )


def _line(cells: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_harmless(cell) for cell in cells])
    return buffer.getvalue()


def _harmless(cell: str) -> str:
    """A spreadsheet must not take what somebody typed for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
