import logging
import math
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from agents.configuration import default_account, rules
from agents.devtools.demo_traffic.records import MARK, Past, write_estimates
from agents.models import Account, AuditEntry, QuotaReading, Settings, Task
from monitoring import models
from monitoring.models import HealthState
from monitoring.reporting import search
from monitoring.reporting.rollups import state_at, sum_again, sum_finished

BATCH = 5_000
BY = "seed"
# Older ones would be pruned.
CHECKS_KEPT, READINGS_KEPT = timedelta(days=7), timedelta(days=30)
PLOTTED = timedelta(days=1)
COMPONENTS = ("web", "miner api", "database", "disk", "queue", "worker", "scheduler", "backup", "clock", "account default")
MESSAGES = (
    "Step {0:08x} was answered by the template: the account is paused for {1} s.",
    "The provider refused attempt {0:08x} (429): too many requests; the next probe is in {1} s.",
    "Task {0:08x} was answered by the LLM in {1} ms.",
    "The reply of attempt {0:08x} could not be read: it ends after {1} characters.",
)
SPACINGS = (5.0, 2.0, 4.0, 10.0)


class Command(BaseCommand):
    help = "Write made-up tasks, steps, LLM attempts and rate-limit events, and sum them. Never use it with a working miner's database."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--steps", type=int, default=1_000_000, help="number of steps (%(default)s)")
        parser.add_argument("--days", type=float, default=90, help="number of days up to now (%(default)s)")
        parser.add_argument("--logs", type=int, default=0, help="number of log records in this time (%(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same records (%(default)s)")
        parser.add_argument("--force", action="store_true", help="even if there are real records")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["steps"] < 1 or options["days"] <= 0:
            raise CommandError("--steps and --days: must be numbers above 0.")
        if not options["force"] and Task.objects.exclude(key__startswith=MARK).exists():
            raise CommandError("This database holds real records. Give DATA_DIR or DATABASE_URL of another one, or --force.")
        now, began, account = timezone.now(), time.monotonic(), default_account()
        start = now - timedelta(days=options["days"])
        written = Past(account, options["seed"]).write(options["steps"], start, now, lambda done: self._report(done, options["steps"]))
        self.stdout.write(f"\n{written:,} steps written in {time.monotonic() - began:.0f} s. Summing them by hour and day …")
        sum_again(start)
        sum_finished(state_at(now), now, until=math.inf)
        _write_logs(Random(options["seed"]), options["logs"], start, now)
        random = Random(options["seed"])
        _write_checks(random, max(start, now - CHECKS_KEPT), now)
        _write_runs(random, start, now)
        _write_audit(random, account, start, now)
        _write_notices(random, start, now)
        with transaction.atomic():
            write_estimates(account, rules(Settings.current()).limits, max(start, now - PLOTTED))
        _write_readings(random, account, max(start, now - READINGS_KEPT), now)
        search.fill(until=math.inf, is_alone=True)
        self.stdout.write(f"Done after {time.monotonic() - began:.0f} s.")

    def _report(self, done: int, of: int) -> None:
        self.stdout.write(f"\r{done:,} of {of:,} steps", ending="")
        self.stdout.flush()


def _write_logs(random: Random, count: int, start: datetime, end: datetime) -> None:
    for first in range(0, count, BATCH):
        models.LogEntry.objects.bulk_create(
            models.LogEntry(
                at=start + (end - start) * (number / count),
                level=random.choice((logging.INFO, logging.INFO, logging.WARNING, logging.ERROR)),
                logger=random.choice(("agents.ledger", "agents.llm.client", "monitoring.jobs")),
                message=random.choice(MESSAGES).format(random.getrandbits(32), random.randrange(1, 480)),
                process="serve[1]",
            )
            for number in range(first, min(first + BATCH, count))
        )


def _times(every: timedelta, start: datetime, end: datetime) -> Iterator[datetime]:
    at = start
    while at < end:
        yield at
        at += every


def _write_checks(random: Random, start: datetime, end: datetime) -> None:
    for name in COMPONENTS:
        values = {"state": HealthState.UP, "since": start, "checked_at": end, "message": f"{name} answers."}
        component, _ = models.Component.objects.update_or_create(name=name, defaults=values)
        checks = []
        for at in _times(timedelta(minutes=1), start, end):
            state = random.choices(list(HealthState)[:3], (97, 2, 1))[0]
            checks.append(models.HealthCheck(component=component, at=at, state=state, latency_ms=random.uniform(1, 90)))
        models.HealthCheck.objects.bulk_create(checks, BATCH)


def _write_runs(random: Random, start: datetime, end: datetime) -> None:
    schedule = {"suites": ["key", "api", "logs"], "cron": "7 */6 * * *", "due_at": end}
    models.TestSchedule.objects.get_or_create(name="Every six hours", defaults=schedule)
    of_run = models.TestRun
    values = {"suites": schedule["suites"], "trigger": of_run.Trigger.SCHEDULE, "state": of_run.State.SUCCEEDED, "progress": 100}
    texts = {"subject": "default", "done": "Requested one token.", "came_back": "Status 200.", "meaning": "It works."}
    for at in _times(timedelta(hours=6), start, end):
        verdicts = random.choices(list(models.Result)[:3], (90, 6, 4), k=15)
        worst = next(result for result in (models.Result.FAIL, models.Result.WARN, models.Result.OK) if result in verdicts)
        times = {"requested_at": at, "started_at": at, "ended_at": at + timedelta(seconds=random.uniform(20, 60))}
        run, results = of_run.objects.create(**values, **times, verdict=worst), []
        for number, verdict in enumerate(verdicts, 1):
            check = {"suite": run.suites[number % 3], "check_name": f"check {number}", "duration_ms": random.uniform(100, 4_000)}
            results.append(models.TestResult(run=run, number=number, verdict=verdict, at=at, **check, **texts))
        models.TestResult.objects.bulk_create(results)


def _write_audit(random: Random, account: Account, start: datetime, end: datetime) -> None:
    of_all, entries = AuditEntry.Action, []
    on_accounts = (of_all.PROBE, of_all.PAUSE, of_all.RESUME)
    for at in _times(timedelta(hours=1), start, end):
        action = random.choice((*on_accounts, of_all.LOGIN, of_all.LOGIN, of_all.LOGIN_FAILED))
        seconds, whose = 60 if action == of_all.PAUSE else None, account if action in on_accounts else None
        entries.append(AuditEntry(at=at, by=BY, action=action, seconds=seconds, account=whose))
    AuditEntry.objects.bulk_create(entries, BATCH)
    settings = Settings.current()
    # From half a day after the start on, so that repeated runs for the last hours add no changes.
    for at in _times(timedelta(days=1), start + timedelta(days=0.5), end):
        settings.spacing_seconds = random.choice([spacing for spacing in SPACINGS if spacing != settings.spacing_seconds])
        settings.save()
        Settings.history.filter(pk=Settings.history.latest("history_id").pk).update(history_date=at)


def _write_notices(random: Random, start: datetime, end: datetime) -> None:
    """Each ends before the next; the channel is disabled, so nothing is sent."""
    channel, _ = models.Channel.objects.get_or_create(name=BY, defaults={"scheme": "json", "enabled": False})
    number = models.Notice.objects.filter(subject=BY).count()
    for at in _times(timedelta(hours=3), start, end):
        number += 1
        over = at + timedelta(minutes=random.uniform(1, 100))
        facts = {"event": "llm_paused", "subject": BY, "severity": models.Severity.WARNING, "title": "LLM paused for 60 s"}
        notice = models.Notice.objects.create(**facts, number=number, at=at, over_at=over)
        sent = {"state": models.Delivery.State.SUCCEEDED, "due_at": at, "ended_at": at, "tries": 1}
        models.Delivery.objects.create(notice=notice, channel=channel, **sent)


def _write_readings(random: Random, account: Account, start: datetime, end: datetime) -> None:
    balance, readings = 40.0, []
    for at in _times(timedelta(minutes=5), start, end):
        balance = balance - random.uniform(0, 0.01) if balance > 5 else 40.0
        used = int(at.timestamp() % 86_400 / 86_400 * 1_500)
        readings.append(QuotaReading(account=account, read_at=at, balance=balance, daily_total=2_000, daily_used=used))
    QuotaReading.objects.bulk_create(readings, BATCH)
