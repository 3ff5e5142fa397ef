"""Deletes old records. Open ones stay, whatever their age; the audit log and the history of settings are never deleted."""

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

# The intended duration of a batch, in seconds. Some rows take three times as long as others, and even then no step waits longer than 0.1
# to 0.2 s of the second that the answering path has for the database.
BATCH_SECONDS = 0.05
FIRST_BATCH, LARGEST_BATCH = 100, 5_000
# The largest weight of a batch, in characters that are removed from the text index: SQLite removes two to three million a second.
MOST_WEIGHT = 100_000
# Freeing a character's space is this many times faster. Other columns have no weight, as the size of a batch is adapted to its time.
FREED = 128
WEIGHTS: dict[type[Model], Any] = {
    Task: Least(Length("prompt"), INDEXED_CHARS) + Length("prompt") / FREED,
    LogEntry: Least(Length("message"), INDEXED_CHARS) + Length("message") / FREED,
    Step: Length("kept_page__gz") / FREED,
}
LEFT_ALONE = timedelta(days=1)  # age below which tasks without steps and imports without lines stay: they may be waiting for a worker
EVERY, ENDED = Q(), ~Q(state__in=UNDER_WAY)
LOG_INS = [AuditEntry.Action.LOGIN_FAILED, AuditEntry.Action.LOGIN_SLOWED]
BOUNDS = {"days": (1, 3_650), "most_rows": (100, 100_000_000)}  # of admins' values


@dataclass(frozen=True, slots=True)
class Rule:
    """Of the model's records that meet `among`, those younger than `days` by the column `at` are kept, at most the newest `most_rows`."""

    name: str
    label: str
    model: type[Model]
    at: str
    days: int
    most_rows: int
    among: Q = EVERY
    note: str = ""


RULES = (
    Rule("steps", "Steps", Step, "received_at", 90, 1_000_000, ~Q(route=""), "With their LLM attempts; tasks with their last step."),
    Rule("attempts", "LLM attempts", LLMAttempt, "decided_at", 90, 1_000_000, ~Q(verdict=Verdict.OPEN), "Also of steps that are kept."),
    Rule("events", "Rate-limit events", RateLimitEvent, "started_at", 365, 100_000, ~Q(ended_by=""), "Open ones are kept."),
    Rule("estimates", "Estimates of rate limits", LimitEstimate, "at", 30, 100_000),
    Rule("readings", "Readings of balance and quota", QuotaReading, "read_at", 30, 100_000),
    Rule("learned", "Learned facts of sites", Learned, "seen_at", 30, 100_000, note="Since a step last showed them."),
    Rule("checks", "Health checks", HealthCheck, "at", 7, 500_000),
    Rule("runs", "Test runs", TestRun, "requested_at", 90, 2_000, ENDED, "With results; a running one is kept."),
    Rule("logs", "Log records", LogEntry, "at", 30, 1_000_000, Q(journal=None)),
    Rule("imported", "Imported log lines", LogEntry, "journal__requested_at", 30, 1_000_000, ~Q(journal=None), "By the time of import."),
    Rule("notices", "Notifications", Notice, "over_at", 90, 50_000, ~Q(over_at=None), "With deliveries; open ones are kept."),
    # The first message of an open notice is kept, as reminders are due from it on.
    Rule("reminders", "Reminders", Delivery, "ended_at", 90, 50_000, Q(repeat__gt=0, ended_at__isnull=False), "Of open notices."),
    Rule("log_ins", "Failed log-ins", AuditEntry, "at", 90, 100_000, Q(action__in=LOG_INS), "All other entries are kept for good."),
)


def rules_in_force() -> list[Rule]:
    adjusted = {row.name: row for row in Retention.objects.all()}
    return [replace(rule, days=row.days, most_rows=row.most_rows) if (row := adjusted.get(rule.name)) else rule for rule in RULES]


def change_retention(changes: dict[str, dict[str, Any]], *, by: User | None, reason: str) -> None:
    """Change the rules that differ from those in force. Raises ValidationError with a message per field; then nothing is changed."""
    with transaction.atomic():
        rows = {row.name: row for row in Retention.objects.select_for_update()}
        rules = {rule.name: rule for rule in rules_in_force()}
        for name, values in changes.items():
            if name not in rules:
                raise ValidationError({"__all__": [f"There is no rule “{name}”. Choose from {', '.join(rules)}."]})
            in_force = {part: getattr(rules[name], part) for part in BOUNDS}
            if in_force != in_force | values:
                save(rows.get(name) or Retention(name=name, **in_force), values, tuple(BOUNDS), by, reason)


def prune(now: datetime, *, until: float = float("inf")) -> dict[str, int]:
    """Delete what the rules do not keep, until the monotonic clock is at `until`. Returns counts by rule."""
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
    """Apply `change`, after which rows are not in `rows` any more, to the first `at_most` ones, until the monotonic clock is at `until`.

    Each batch is a short transaction, followed by a break. Returns the number of rows.
    """
    changed, size = 0, FIRST_BATCH
    while changed < at_most and time.monotonic() < until:
        keys = _first_keys(rows, int(min(size, at_most - changed)))
        if not keys:
            break
        began = time.monotonic()
        change(rows.model._default_manager.filter(pk__in=keys))  # noqa: SLF001 -- as above
        took = time.monotonic() - began
        changed, size = changed + len(keys), next_size(size, took)
        time.sleep(max(took, BREAK_SECONDS))
    return changed


def _first_keys(rows: QuerySet[Any], size: int) -> list[Any]:
    """The keys of the first rows, at most `size` and MOST_WEIGHT in total, but at least one."""
    weight = WEIGHTS.get(rows.model)
    if weight is None:
        return list(rows.values_list("pk", flat=True)[:size])
    keys, total = list[Any](), 0
    for pk, row_weight in rows.values_list("pk", weight)[:size].iterator(chunk_size=FIRST_BATCH):
        if keys and total + (row_weight or 0) > MOST_WEIGHT:
            break
        keys.append(pk)
        total += row_weight or 0
    return keys


def next_size(size: int, took: float) -> int:
    intended = round(size * BATCH_SECONDS / took) if took > 0 else LARGEST_BATCH
    return max(1, min(intended, size * 2, LARGEST_BATCH))
