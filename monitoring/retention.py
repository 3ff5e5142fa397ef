"""How long records are kept: the one place that decides what is deleted when. The audit and the settings' history are kept for good.

Deleting a step takes its attempts with it, an attempt leaves its rate-limit event without one, and a test run takes its results. What
is still open stays, however old. A task goes when its last step is gone, an import when its last line is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from agents.models import AuditEntry, LLMAttempt, QuotaReading, RateLimitEvent, Step, Submission, Task
from agents.phrases import phrase
from agents.reasons import Verdict
from monitoring.audit import Deed
from monitoring.models import Delivery, HealthCheck, JournalImport, LogEntry, Notice, Retention, TestRun

# What a batch aims at, in seconds. Some rows take thrice as long as those before them, and even then no step waits for more than a tenth
# or two of the second that the answering path has for the database.
BATCH_SECONDS = 0.05
FIRST_BATCH, LARGEST_BATCH = 100, 5_000
# Whoever waits for SQLite looks again every 100 ms at the latest, so in a break of this length everybody gets in, in seconds.
BREAK_SECONDS = 0.15
# A submitted task has no step until a worker takes it up, and a journal no line until its import begins.
LEFT_ALONE = timedelta(days=1)


EVERY = Q()


@dataclass(frozen=True, slots=True)
class Rule:
    """What is kept of one kind of record: those younger than `days`, and of them the newest `most_rows`. `at`: the column that tells."""

    name: str
    label: str
    model: type[Model]
    at: str
    days: int
    most_rows: int
    among: Q = EVERY
    note: str = ""

    def rows(self) -> QuerySet[Any]:
        """The records that the rule is about, oldest first. What is open is not among them."""
        return self.model._default_manager.filter(self.among).order_by(self.at, "pk")  # noqa: SLF001 -- Django's documented manager of any model


ENDED_IMPORT = [JournalImport.State.DONE, JournalImport.State.FAILED, JournalImport.State.CANCELLED]
_ENDED_RUN = Q(state__in=[TestRun.State.DONE, TestRun.State.CANCELLED, TestRun.State.LOST])

RULES = (
    Rule(
        "steps",
        phrase("Steps"),
        Step,
        "received_at",
        90,
        1_000_000,
        ~Q(route=""),
        phrase("With their LLM attempts; a task goes with its last step."),
    ),
    Rule(
        "attempts",
        phrase("LLM attempts"),
        LLMAttempt,
        "decided_at",
        90,
        1_000_000,
        ~Q(verdict=Verdict.OPEN),
        phrase("Also those of steps that stay."),
    ),
    Rule(
        "events",
        phrase("Rate-limit events"),
        RateLimitEvent,
        "started_at",
        365,
        100_000,
        ~Q(ended_by=""),
        phrase("One that is open stays."),
    ),
    Rule("readings", phrase("Readings of balance and quota"), QuotaReading, "read_at", 30, 100_000),
    Rule("checks", phrase("Health checks"), HealthCheck, "at", 7, 500_000),
    Rule("runs", phrase("Test runs"), TestRun, "asked_at", 90, 2_000, _ENDED_RUN, phrase("With their results; one under way stays.")),
    Rule("logs", phrase("Log records"), LogEntry, "at", 30, 1_000_000, Q(journal=None)),
    Rule(
        "imported",
        phrase("Imported log lines"),
        LogEntry,
        "journal__started_at",
        30,
        1_000_000,
        Q(journal__isnull=False),
        phrase("They count from their import: a journal tells of long ago."),
    ),
    Rule(
        "notices",
        phrase("Notifications"),
        Notice,
        "over_at",
        90,
        50_000,
        ~Q(over_at=None),
        phrase("With their deliveries; what is still so stays."),
    ),
    # The first message of what is still so stays: reminders are counted from it.
    Rule(
        "reminders",
        phrase("Reminders"),
        Delivery,
        "sent_at",
        90,
        50_000,
        Q(repeat__gt=0, sent_at__isnull=False),
        phrase("Of what is still so."),
    ),
    Rule(
        "log_ins",
        phrase("Failed log-ins"),
        AuditEntry,
        "at",
        90,
        100_000,
        Q(action=Deed.LOGIN_FAILED),
        phrase("All else in the audit is kept for good."),
    ),
)


def rules_in_force() -> list[Rule]:
    """All rules, with what admins set."""
    adjusted = {row.name: row for row in Retention.objects.all()}
    return [
        replace(rule, days=row.days, most_rows=row.most_rows) if (row := adjusted.get(rule.name)) is not None else rule for rule in RULES
    ]


def prune(now: datetime, *, until: float = float("inf")) -> dict[str, int]:
    """Delete what no rule keeps, in batches, until all is done or the monotonic clock says `until`. How many of what, by rule."""
    deleted = dict[str, int]()
    for rule in rules_in_force():
        old = _delete(rule.rows().filter(**{f"{rule.at}__lt": now - timedelta(days=rule.days)}), until)
        deleted[rule.name] = old + _delete(rule.rows(), until, at_most=rule.rows().count() - rule.most_rows)
    for name, rows in _left_behind(now):
        deleted[name] = _delete(rows, until)
    return {name: count for name, count in deleted.items() if count}


def _left_behind(now: datetime) -> list[tuple[str, QuerySet[Any]]]:
    """What nothing refers to any more: tasks without a step, imports without a line, sessions that are over."""
    before = now - LEFT_ALONE
    waiting = Submission.objects.filter(task=OuterRef("pk"), state__in=[Submission.State.QUEUED, Submission.State.RUNNING])
    tasks = Task.objects.filter(~Exists(Step.objects.filter(task=OuterRef("pk"))), ~Exists(waiting), created_at__lt=before)
    ended = JournalImport.objects.filter(state__in=ENDED_IMPORT, started_at__lt=before)
    imports = ended.filter(~Exists(LogEntry.objects.filter(journal=OuterRef("pk"))))
    return [("tasks", tasks), ("imports", imports), ("sessions", Session.objects.filter(expire_date__lt=now))]


def _delete(rows: QuerySet[Any], until: float, at_most: float = float("inf")) -> int:
    """Delete the first `at_most` rows, each batch in a short transaction of its own, with a break after it. Returns how many."""
    deleted, size = 0, FIRST_BATCH
    while deleted < at_most and time.monotonic() < until:
        keys = list(rows.values_list("pk", flat=True)[: int(min(size, at_most - deleted))])
        if not keys:
            break
        began = time.monotonic()
        rows.model._default_manager.filter(pk__in=keys).delete()  # noqa: SLF001 -- as above
        took = time.monotonic() - began
        deleted, size = deleted + len(keys), next_size(size, took)
        time.sleep(max(took, BREAK_SECONDS))
    return deleted


def next_size(size: int, took: float) -> int:
    """How many rows the next batch has, where one of `size` took so many seconds: towards BATCH_SECONDS, at most twice as many."""
    aim = round(size * BATCH_SECONDS / took) if took > 0 else LARGEST_BATCH
    return max(1, min(aim, size * 2, LARGEST_BATCH))
