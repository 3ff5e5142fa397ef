"""`manage.py seed_records --steps 1000000`: months of made-up records, for benches and screenshots, with their roll-ups."""

from __future__ import annotations

import logging
import math
import time
from argparse import ArgumentParser
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.configuration import default_account
from agents.demo.records import MARK, Past
from agents.models import Task
from monitoring.models import LogEntry, RollupState
from monitoring.rollups.rolling import roll_if_due
from monitoring.search import filling

BATCH = 5_000
MESSAGES = (
    "Step {0:08x} was answered by the template: the account is paused for {1} s.",
    "The provider refused attempt {0:08x} (429): too many requests; the next look is in {1} s.",
    "Task {0:08x} was answered by the LLM in {1} ms.",
    "The reply of attempt {0:08x} could not be read: it ends after {1} characters.",
)


class Command(BaseCommand):
    help = "Writes made-up tasks, steps, LLM attempts and rate-limit events, and sums them. Never use it where a miner works."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--steps", type=int, default=1_000_000, help="how many steps (%(default)s)")
        parser.add_argument("--days", type=float, default=90, help="over how many days up to now (%(default)s)")
        parser.add_argument("--logs", type=int, default=0, help="how many log records over the same time (%(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same records (%(default)s)")
        parser.add_argument("--force", action="store_true", help="also where real records are")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["steps"] < 1 or options["days"] <= 0:
            raise CommandError("--steps and --days: numbers above 0 are wanted.")
        if not options["force"] and Task.objects.exclude(key__startswith=MARK).exists():
            raise CommandError("This database holds real records. Give DATA_DIR or DATABASE_URL of another one, or --force.")
        now, began = timezone.now(), time.monotonic()
        past = Past(default_account(), options["seed"])
        written = past.write(options["steps"], now - timedelta(days=options["days"]), now, lambda done: self._tell(done, options["steps"]))
        self.stdout.write(f"\n{written:,} steps written in {time.monotonic() - began:.0f} s. Summing them by hour and day …")
        self._roll(now)
        write_logs(options["logs"], options["seed"], now - timedelta(days=options["days"]), now)
        filling.fill(until=math.inf)
        self.stdout.write(f"Done after {time.monotonic() - began:.0f} s.")

    def _tell(self, done: int, of: int) -> None:
        self.stdout.write(f"\r{done:,} of {of:,} steps", ending="")
        self.stdout.flush()

    def _roll(self, now: datetime) -> None:
        """From the start: what was summed before knows nothing of rows that were written since."""
        RollupState.objects.all().delete()
        while not RollupState.objects.filter(is_complete=True).exists():
            roll_if_due(now)


def write_logs(count: int, seed: int, start: datetime, end: datetime) -> None:
    """So many log records, evenly between two times."""
    dice = Random(seed)
    for first in range(0, count, BATCH):
        LogEntry.objects.bulk_create(
            LogEntry(
                at=start + (end - start) * (number / count),
                level=dice.choice((logging.INFO, logging.INFO, logging.WARNING, logging.ERROR)),
                logger=dice.choice(("agents.ledger", "agents.llm", "monitoring.jobs")),
                message=dice.choice(MESSAGES).format(dice.getrandbits(32), dice.randrange(1, 480)),
                process="gunicorn[1]",
            )
            for number in range(first, min(first + BATCH, count))
        )
