import math
import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.configuration import default_account
from agents.devtools.demo_traffic.records import MARK, Past
from agents.models import Task
from monitoring.management import seeding
from monitoring.reporting import search
from monitoring.reporting.rollups import state_at, sum_again, sum_finished


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
            raise CommandError("--steps and --days: must be numbers above 0.")
        if not options["force"] and Task.objects.exclude(key__startswith=MARK).exists():
            raise CommandError("This database holds real records. Give DATA_DIR or DATABASE_URL of another one, or --force.")
        now, began = timezone.now(), time.monotonic()
        start, past = now - timedelta(days=options["days"]), Past(default_account(), options["seed"])
        written = past.write(options["steps"], start, now, lambda done: self._report(done, options["steps"]))
        self.stdout.write(f"\n{written:,} steps written in {time.monotonic() - began:.0f} s. Summing them by hour and day …")
        sum_again(start)
        sum_finished(state_at(now), now, until=math.inf)
        seeding.write(default_account(), options["logs"], options["seed"], start, now)
        search.fill(until=math.inf, is_alone=True)
        self.stdout.write(f"Done after {time.monotonic() - began:.0f} s.")

    def _report(self, done: int, of: int) -> None:
        self.stdout.write(f"\r{done:,} of {of:,} steps", ending="")
        self.stdout.flush()
