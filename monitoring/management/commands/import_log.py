import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.common.redaction import mask_keys
from agents.operator_jobs import leased_job
from monitoring.logs.imports import import_file
from monitoring.models import JournalImport

LATEST_YEAR = 9998
STANDARD_INPUT = "-"


class Command(BaseCommand):
    help = "Import journalctl, syslog or Python logs, plain or gzipped: rate limits, timeouts, tasks, fallbacks, LLM successes and errors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the log; - reads from standard input")
        parser.add_argument("--year", type=int, help="the year of the first line, where lines have none (default: the latest in the past)")
        parser.add_argument("--tz", type=zone, default="UTC", help="the zone of times without one, such as Europe/Berlin (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["year"] is not None and not 1 < options["year"] <= LATEST_YEAR:
            raise CommandError("--year: must be a year such as 2025.")
        with opened(options["file"]) as path:
            name = "standard input" if options["file"] == STANDARD_INPUT else mask_keys(path.name)[-200:]
            job, _ = leased_job.start_here(JournalImport, name=name)
            if not leased_job.carry_out(job, partial(import_file, path=path, year=options["year"], zone=options["tz"])):
                raise CommandError("The database did not answer. Import the file again: no line is imported twice.")
        job.refresh_from_db()
        if job.fault:
            raise CommandError(f"{options['file']}: {job.fault}")
        counts = f"{job.recorded:,} recorded, {job.known_before:,} already known, {job.unread:,} not parsed."
        self.stdout.write(f"{job.lines:,} lines read: {counts}")
        if job.first_at and job.last_at:
            first, last = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (job.first_at, job.last_at))
            self.stdout.write(f"From {first} to {last} UTC; times without a zone were taken as {options['tz']}.")
        for sample in job.samples:
            self.stdout.write(f"  not parsed: {sample}")


def zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(name) from None


@contextmanager
def opened(name: str) -> Iterator[Path]:
    """The file's path. Standard input is copied to a temporary file, as the year is derived from the last lines."""
    if name != STANDARD_INPUT:
        if not Path(name).is_file():
            raise CommandError(f"{name}: there is no such file.")
        yield Path(name)
        return
    with tempfile.NamedTemporaryFile(dir=settings.DATA_DIR, prefix="import-") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield Path(file.name)
