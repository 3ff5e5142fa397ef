"""`manage.py import_log`: put what a miner's journal tells into the panel's logs."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.journal_import import Reading, Unreadable, begin, carry_out
from monitoring.models import JournalImport

LATEST_YEAR = 9998
STANDARD_INPUT = "-"


class Command(BaseCommand):
    """Needs no worker. Importing the same lines again adds nothing."""

    help = "Import journalctl, syslog or Python logs, plain or gzipped: rate limits, timeouts, tasks, fallbacks, LLM successes and errors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the log; - reads from standard input")
        parser.add_argument("--year", type=int, help="the year of the first line, where lines have none (default: the latest in the past)")
        parser.add_argument("--tz", type=zone, default="UTC", help="the zone of times without one, such as Europe/Berlin (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["year"] is not None and not 1 < options["year"] <= LATEST_YEAR:
            raise CommandError("--year: a year such as 2025 is wanted.")
        reading = Reading(options["year"], options["tz"])
        with opened(options["file"]) as path:
            row = begin("standard input" if options["file"] == STANDARD_INPUT else path.name)
            try:
                carry_out(row, path, reading, self._tell)
            except Unreadable as error:
                raise CommandError(f"{options['file']}: {error}") from None
        self._sum_up(row, options["tz"])

    def _tell(self, row: JournalImport) -> None:
        share = 100 * row.read_bytes // row.total_bytes if row.total_bytes else 100
        self.stderr.write(f"{share:3d} %  {row.lines:,} lines, {row.recorded:,} recorded", self.style.NOTICE)

    def _sum_up(self, row: JournalImport, zone: tzinfo) -> None:
        self.stdout.write(
            f"{row.lines:,} lines read: {row.recorded:,} recorded, {row.known_before:,} known before, {row.unread:,} not understood."
        )
        if row.first_at and row.last_at:
            first, last = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (row.first_at, row.last_at))
            self.stdout.write(f"From {first} to {last} UTC; times without a zone were taken as {zone}.")
        for sample in row.samples:
            self.stdout.write(f"  not understood: {sample}")


def zone(name: str) -> tzinfo:
    """A zone by its name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(name) from None


@contextmanager
def opened(name: str) -> Iterator[Path]:
    """The file by its path. Standard input goes to a temporary file first: the year is told by the last lines."""
    if name != STANDARD_INPUT:
        if not Path(name).is_file():
            raise CommandError(f"{name}: there is no such file.")
        yield Path(name)
        return
    with tempfile.NamedTemporaryFile(dir=settings.DATA_DIR, prefix="import-") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield Path(file.name)
