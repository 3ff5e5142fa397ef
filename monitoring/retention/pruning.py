"""How long records are kept. What is still open stays, however old; the audit and the settings' history are kept for good."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Least, Length

from agents.configuration import save
from agents.models import AccountJob, AuditEntry, Learned, LimitEstimate, LLMAttempt, QuotaReading, RateLimitEvent, Step, Submission, Task
from agents.models.jobs import UNDER_WAY
from agents.policy.reasons import Verdict
from monitoring.models import Delivery, HealthCheck, JournalImport, LogEntry, Notice, Retention, TestRun
from monitoring.reporting.search import BREAK_SECONDS, INDEXED_CHARS

# What a batch aims at, in seconds. Some rows take thrice as long as those before them, and even then no step waits for more than a tenth
# or two of the second that the answering path has for the database.
BATCH_SECONDS = 0.05
FIRST_BATCH, LARGEST_BATCH = 100, 5_000
# What a batch weighs at most, in characters that leave the text index: SQLite takes two to three million a second out of it.
MOST_WEIGHT = 100_000
# Pages of the database are freed so many times faster. A row's own columns weigh nothing: the size of a batch follows its time.
FREED = 128
WEIGHTS: dict[type[Model], Any] = {
    Task: Least(Length("prompt"), INDEXED_CHARS) + Length("prompt") / FREED,
    LogEntry: Least(Length("message"), INDEXED_CHARS) + Length("message") / FREED,
    Step: Length("kept_page__gz") / FREED,
}
LEFT_ALONE = timedelta(days=1)  # a submitted task has no step until a worker takes it up, and a journal no line until its import begins
EVERY, ENDED = Q(), ~Q(state__in=UNDER_WAY)
LOG_INS = [AuditEntry.Action.LOGIN_FAILED, AuditEntry.Action.LOGIN_SLOWED]
BOUNDS = {"days": (1, 3_650), "most_rows": (100, 100_000_000)}  # of what an admin may set


@dataclass(frozen=True, slots=True)
class Rule:
    """Of the records `among` a model's, those younger than `days` by the column `at` are kept, and of them the newest `most_rows`."""

    name: str
    label: str
    model: type[Model]
    at: str
    days: int
    most_rows: int
    among: Q = EVERY
    note: str = ""


RULES = (
    Rule("steps", "Steps", Step, "received_at", 90, 1_000_000, ~Q(route=""), "With their LLM attempts; a task goes with its last step."),
    Rule("attempts", "LLM attempts", LLMAttempt, "decided_at", 90, 1_000_000, ~Q(verdict=Verdict.OPEN), "Also those of steps that stay."),
    Rule("events", "Rate-limit events", RateLimitEvent, "started_at", 365, 100_000, ~Q(ended_by=""), "One that is open stays."),
    Rule("estimates", "Estimates of rate limits", LimitEstimate, "at", 30, 100_000),
    Rule("readings", "Readings of balance and quota", QuotaReading, "read_at", 30, 100_000),
    Rule("learned", "Learned facts of sites", Learned, "seen_at", 30, 100_000, note="From when a step last showed them."),
    Rule("checks", "Health checks", HealthCheck, "at", 7, 500_000),
    Rule("runs", "Test runs", TestRun, "requested_at", 90, 2_000, ENDED, "With their results; one under way stays."),
    Rule("logs", "Log records", LogEntry, "at", 30, 1_000_000, Q(journal=None)),
    Rule("imported", "Imported log lines", LogEntry, "journal__requested_at", 30, 1_000_000, ~Q(journal=None), "By the time of import."),
    Rule("notices", "Notifications", Notice, "over_at", 90, 50_000, ~Q(over_at=None), "With their deliveries; what is still so stays."),
    # The first message of what is still so stays: reminders are counted from it.
    Rule("reminders", "Reminders", Delivery, "ended_at", 90, 50_000, Q(repeat__gt=0, ended_at__isnull=False), "Of what is still so."),
    Rule("log_ins", "Failed log-ins", AuditEntry, "at", 90, 100_000, Q(action__in=LOG_INS), "All else in the audit is kept for good."),
)


def rules_in_force() -> list[Rule]:
    adjusted = {row.name: row for row in Retention.objects.all()}
    return [replace(rule, days=row.days, most_rows=row.most_rows) if (row := adjusted.get(rule.name)) else rule for rule in RULES]


def change_retention(wanted: dict[str, dict[str, Any]], *, by: User | None, reason: str) -> None:
    """Change what differs from what is in force. Raises ValidationError with a message per field; then nothing is changed."""
    with transaction.atomic():
        kept = {row.name: row for row in Retention.objects.select_for_update()}
        rules = {rule.name: rule for rule in rules_in_force()}
        for name, values in wanted.items():
            if name not in rules:
                raise ValidationError({"__all__": [f"There is no rule “{name}”. Choose from {', '.join(rules)}."]})
            in_force = {part: getattr(rules[name], part) for part in BOUNDS}
            if in_force != in_force | values:
                save(kept.get(name) or Retention(name=name, **in_force), values, tuple(BOUNDS), by, reason)


def prune(now: datetime, *, until: float = float("inf")) -> dict[str, int]:
    """Delete what no rule keeps, until the monotonic clock says `until`. How many of what, by rule."""
    deleted = dict[str, int]()
    for rule in rules_in_force():
        rows = rule.model._default_manager.filter(rule.among).order_by(rule.at, "pk")  # noqa: SLF001 -- Django's documented manager
        old = delete(rows.filter(**{f"{rule.at}__lt": now - timedelta(days=rule.days)}), until)
        deleted[rule.name] = old + delete(rows, until, at_most=rows.count() - rule.most_rows)
    before, in_import = now - LEFT_ALONE, LogEntry.objects.filter(journal=OuterRef("pk"))
    deleted["tasks"] = delete(tasks_left_behind().filter(created_at__lt=before), until)
    deleted["imports"] = delete(JournalImport.objects.filter(ENDED, ~Exists(in_import), requested_at__lt=before), until)
    deleted["account jobs"] = delete(AccountJob.objects.filter(ENDED, requested_at__lt=before), until)
    deleted["sessions"] = delete(Session.objects.filter(expire_date__lt=now), until)
    return {name: count for name, count in deleted.items() if count}


def tasks_left_behind() -> QuerySet[Task]:
    waiting = Submission.objects.filter(task=OuterRef("pk"), state__in=UNDER_WAY)
    return Task.objects.filter(~Exists(Step.objects.filter(task=OuterRef("pk"))), ~Exists(waiting))


def delete(rows: QuerySet[Any], until: float, at_most: float = float("inf")) -> int:
    return in_batches(rows, until, lambda batch: batch.delete(), at_most)


def in_batches(rows: QuerySet[Any], until: float, change: Callable[[QuerySet[Any]], object], at_most: float = float("inf")) -> int:
    """Change the first `at_most` rows so that they are not among `rows` any more, until the monotonic clock says `until`.

    Each batch is a short transaction of its own, with a break after it. Returns how many rows.
    """
    changed, size = 0, FIRST_BATCH
    while changed < at_most and time.monotonic() < until:
        keys = _light(rows, int(min(size, at_most - changed)))
        if not keys:
            break
        began = time.monotonic()
        change(rows.model._default_manager.filter(pk__in=keys))  # noqa: SLF001 -- as above
        took = time.monotonic() - began
        changed, size = changed + len(keys), next_size(size, took)
        time.sleep(max(took, BREAK_SECONDS))
    return changed


def _light(rows: QuerySet[Any], size: int) -> list[Any]:
    """The keys of the first rows, at most `size` and of MOST_WEIGHT together; at least one, however heavy."""
    weight = WEIGHTS.get(rows.model)
    if weight is None:
        return list(rows.values_list("pk", flat=True)[:size])
    keys, total = list[Any](), 0
    for pk, heavy in rows.values_list("pk", weight)[:size].iterator(chunk_size=FIRST_BATCH):
        if keys and total + (heavy or 0) > MOST_WEIGHT:
            break
        keys.append(pk)
        total += heavy or 0
    return keys


def next_size(size: int, took: float) -> int:
    aim = round(size * BATCH_SECONDS / took) if took > 0 else LARGEST_BATCH
    return max(1, min(aim, size * 2, LARGEST_BATCH))
