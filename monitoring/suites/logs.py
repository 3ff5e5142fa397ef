"""Log analysis: the panel's own records over a window, and each imported journal over its whole span."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from monitoring.models import JournalImport, LogEntry
from monitoring.suites import journal_analysis, records_analysis
from monitoring.suites.findings import Asked, Finding, Suite
from monitoring.suites.journal_analysis import Entry

SHOWN_CHARS = 500
OWN = "own"


def readable_journals() -> QuerySet[JournalImport]:
    """The imports that hold something to analyse, oldest first."""
    return JournalImport.objects.filter(state=JournalImport.State.DONE, recorded__gt=0).order_by("started_at", "pk")


def _parts(asked: Asked) -> list[str]:
    """This miner first, then the journals, oldest first."""
    done = readable_journals()
    chosen = done if asked.journals is None else done.filter(pk__in=asked.journals)
    return [OWN, *(str(pk) for pk in chosen.values_list("pk", flat=True))]


def _look(asked: Asked, part: str) -> Iterator[Finding | str]:
    if part == OWN:
        yield "Reading this miner's records"
        yield from records_analysis.findings(asked)
        return
    journal = JournalImport.objects.get(pk=int(part))
    yield f"Reading the journal {journal.name}"
    yield from journal_analysis.findings(journal.name, journal_analysis.tally(_entries(journal)))


LOGS = Suite(_parts, _look)


def _entries(journal: JournalImport) -> Iterator[Entry]:
    """Those that tell something, as they happened."""
    rows = LogEntry.objects.filter(journal=journal).exclude(kind="").order_by("at", "pk")
    for row in rows.only("at", "kind", "facts", "message", "host", "process", "level", "logger").iterator(chunk_size=2_000):
        head = " ".join(part for part in (f"{row.at:%Y-%m-%d %H:%M:%S}", row.host, row.process) if part)
        yield Entry(row.at, row.kind, row.facts, f"{head}: {row.message.partition(chr(10))[0]}"[:SHOWN_CHARS])
