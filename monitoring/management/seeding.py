"""What pages show besides steps, made up for benches and screenshots: health, tests, audit, notifications, readings, log records."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from agents.models import Account, AuditEntry, QuotaReading, Settings
from monitoring.models import (
    Channel,
    Component,
    Delivery,
    HealthCheck,
    HealthState,
    LogEntry,
    Notice,
    Result,
    Severity,
    TestResult,
    TestRun,
    TestSchedule,
)

BATCH = 5_000
BY = "seed"
# Older ones are pruned.
CHECKS_KEPT, READINGS_KEPT = timedelta(days=7), timedelta(days=30)
COMPONENTS = ("web", "miner api", "database", "disk", "queue", "worker", "scheduler", "backup", "clock", "account default")
MESSAGES = (
    "Step {0:08x} was answered by the template: the account is paused for {1} s.",
    "The provider refused attempt {0:08x} (429): too many requests; the next probe is in {1} s.",
    "Task {0:08x} was answered by the LLM in {1} ms.",
    "The reply of attempt {0:08x} could not be read: it ends after {1} characters.",
)
SPACINGS = (5.0, 2.0, 4.0, 10.0)


def write_all(account: Account, seed: int, start: datetime, end: datetime) -> None:
    dice = Random(seed)
    _write_checks(dice, max(start, end - CHECKS_KEPT), end)
    _write_runs(dice, start, end)
    _write_audit(dice, account, start, end)
    _write_notices(dice, start, end)
    _write_readings(dice, account, max(start, end - READINGS_KEPT), end)


def write_logs(count: int, seed: int, start: datetime, end: datetime) -> None:
    dice = Random(seed)
    for first in range(0, count, BATCH):
        LogEntry.objects.bulk_create(
            LogEntry(
                at=start + (end - start) * (number / count),
                level=dice.choice((logging.INFO, logging.INFO, logging.WARNING, logging.ERROR)),
                logger=dice.choice(("agents.ledger", "agents.llm.client", "monitoring.jobs")),
                message=dice.choice(MESSAGES).format(dice.getrandbits(32), dice.randrange(1, 480)),
                process="serve[1]",
            )
            for number in range(first, min(first + BATCH, count))
        )


def _each(every: timedelta, start: datetime, end: datetime) -> Iterator[datetime]:
    at = start
    while at < end:
        yield at
        at += every


def _write_checks(dice: Random, start: datetime, end: datetime) -> None:
    for name in COMPONENTS:
        values = {"state": HealthState.UP, "seen": HealthState.UP, "since": start, "checked_at": end, "message": f"{name} answers."}
        component, _ = Component.objects.update_or_create(name=name, defaults=values)
        states = list(HealthState)[:3]
        HealthCheck.objects.bulk_create(
            (
                HealthCheck(component=component, at=at, state=dice.choices(states, (97, 2, 1))[0], latency_ms=dice.uniform(1, 90))
                for at in _each(timedelta(minutes=1), start, end)
            ),
            BATCH,
        )


def _write_runs(dice: Random, start: datetime, end: datetime) -> None:
    TestSchedule.objects.get_or_create(
        name="Every six hours", defaults={"suites": ["key", "api", "logs"], "cron": "7 */6 * * *", "due_at": end}
    )
    values = {"suites": ["key", "api", "logs"], "trigger": TestRun.Trigger.SCHEDULE, "state": TestRun.State.SUCCEEDED, "progress": 100}
    for at in _each(timedelta(hours=6), start, end):
        verdicts = dice.choices(list(Result)[:3], (90, 6, 4), k=15)
        worst = next(each for each in (Result.FAIL, Result.WARN, Result.OK) if each in verdicts)
        times = {"requested_at": at, "started_at": at, "ended_at": at + timedelta(seconds=dice.uniform(20, 60))}
        run = TestRun.objects.create(**values, **times, verdict=worst)
        TestResult.objects.bulk_create(
            TestResult(
                run=run,
                number=number,
                suite=run.suites[number % 3],
                check_name=f"check {number}",
                subject="default",
                verdict=verdict,
                done="Requested one token.",
                came_back="Status 200.",
                meaning="It works.",
                at=at,
                duration_ms=dice.uniform(100, 4_000),
            )
            for number, verdict in enumerate(verdicts, 1)
        )


def _write_audit(dice: Random, account: Account, start: datetime, end: datetime) -> None:
    of_all = AuditEntry.Action
    on_accounts = (of_all.PROBE, of_all.PAUSE, of_all.RESUME)
    actions = (*on_accounts, of_all.LOGIN, of_all.LOGIN, of_all.LOGIN_FAILED)

    def entry(at: datetime, action: AuditEntry.Action) -> AuditEntry:
        seconds = 60 if action == of_all.PAUSE else None
        return AuditEntry(at=at, by=BY, action=action, seconds=seconds, account=account if action in on_accounts else None)

    AuditEntry.objects.bulk_create((entry(at, dice.choice(actions)) for at in _each(timedelta(hours=1), start, end)), BATCH)
    settings = Settings.current()
    # Half a day after the start: what is added to a database for the last hours has none, however often that is done.
    for at in _each(timedelta(days=1), start + timedelta(days=0.5), end):
        settings.spacing_seconds = dice.choice([each for each in SPACINGS if each != settings.spacing_seconds])
        settings.save()
        Settings.history.filter(pk=Settings.history.latest("history_id").pk).update(history_date=at)


def _write_notices(dice: Random, start: datetime, end: datetime) -> None:
    """One is over before the next; the channel is off, so that nothing is ever sent."""
    channel, _ = Channel.objects.get_or_create(name=BY, defaults={"scheme": "json", "enabled": False})
    number = Notice.objects.filter(subject=BY).count()
    for at in _each(timedelta(hours=3), start, end):
        number += 1
        over = at + timedelta(minutes=dice.uniform(1, 100))
        told = {"event": "llm_paused", "subject": BY, "number": number, "severity": Severity.WARNING, "title": "LLM paused for 60 s"}
        notice = Notice.objects.create(**told, at=at, over_at=over)
        Delivery.objects.create(notice=notice, channel=channel, state=Delivery.State.SUCCEEDED, due_at=at, ended_at=at, tries=1)


def _write_readings(dice: Random, account: Account, start: datetime, end: datetime) -> None:
    balance = 40.0
    readings = []
    for at in _each(timedelta(minutes=5), start, end):
        balance = balance - dice.uniform(0, 0.01) if balance > 5 else 40.0
        used = int(at.timestamp() % 86_400 / 86_400 * 1_500)
        readings.append(QuotaReading(account=account, read_at=at, balance=balance, daily_total=2_000, daily_used=used))
    QuotaReading.objects.bulk_create(readings, BATCH)
