"""Records are deleted after their retention time; open ones are kept."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from agents.configuration import default_account
from agents.models import AuditEntry, LimitEstimate, LLMAttempt, QuotaReading, RateLimitEvent, Settings, Step, Submission, Task
from agents.policy.reasons import Verdict
from monitoring import jobs
from monitoring.models import (
    Channel,
    Component,
    Delivery,
    HealthCheck,
    HealthState,
    JournalImport,
    LogEntry,
    Notice,
    Retention,
    TestResult,
    TestRun,
)
from monitoring.reporting.search import INDEXED_CHARS
from monitoring.retention import pruning
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db

OLD = NOW - timedelta(days=1_000)


@pytest.fixture(autouse=True)
def no_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BREAK_SECONDS", 0.0)
    monkeypatch.setattr(pruning, "FIRST_BATCH", 2)


def make_event(**fields: Any) -> RateLimitEvent:
    values = {
        "refusal": "edge",
        "strike": 1,
        "pause_seconds": 60,
        "pause_source": "ladder",
        "prediction_source": "ladder",
        "started_at": OLD,
        "block_started_at": OLD,
        "ended_by": RateLimitEvent.Ended.SUCCEEDED,
    }
    return RateLimitEvent.objects.create(account=default_account(), **{**values, **fields})


def make_log(**fields: Any) -> LogEntry:
    return LogEntry.objects.create(**{"at": OLD, "level": 30, "logger": "agents", "message": "A line", **fields})


def make_journal(**fields: Any) -> JournalImport:
    return JournalImport.objects.create(**{"name": "a.log", "state": JournalImport.State.SUCCEEDED, "requested_at": OLD, **fields})


def rule(name: str) -> pruning.Rule:
    return next(rule for rule in pruning.rules_in_force() if rule.name == name)


def test_no_row_is_deleted_before_its_time() -> None:
    for rule in pruning.RULES:
        Retention.objects.create(name=rule.name, days=10, most_rows=100)
    make_attempt(make_llm_step(at=NOW - timedelta(days=10)))
    make_log(at=NOW - timedelta(days=10))
    assert pruning.prune(NOW) == {}
    assert set(pruning.prune(NOW + timedelta(seconds=1))) == {"steps", "logs", "tasks"}


def test_an_old_step_goes_with_its_attempts_and_its_task_but_leaves_its_event() -> None:
    attempt = make_attempt(make_llm_step(at=OLD))
    event = make_event(attempt=attempt, started_at=NOW)
    assert pruning.prune(NOW) == {"steps": 1, "tasks": 1}
    assert (Step.objects.count(), LLMAttempt.objects.count(), Task.objects.count()) == (0, 0, 0)
    event.refresh_from_db()
    assert event.attempt is None


def test_a_task_stays_as_long_as_its_last_step() -> None:
    task = make_task(at=OLD)
    make_step(task, at=OLD)
    make_step(task, at=NOW, index=1)
    pruning.prune(NOW)
    assert Task.objects.get().steps.count() == 1


def test_a_task_that_waits_for_its_worker_stays_without_a_step() -> None:
    waiting = make_task(at=OLD)
    for task, state in ((waiting, "queued"), (make_task(at=OLD), "answered"), (make_task(at=OLD), "cancelled")):
        Submission.objects.create(task=task, requested_by="ada", state=state, enqueued_at=OLD)
    assert pruning.prune(NOW) == {"tasks": 2}
    assert Task.objects.get() == waiting


def test_open_rows_are_kept_however_old() -> None:
    step = make_open_step(at=OLD)
    LLMAttempt.objects.filter(pk=make_attempt(step).pk).update(verdict=Verdict.OPEN, ended_at=None)
    event = make_event(ended_by="")
    run = TestRun.objects.create(trigger="operator", state=TestRun.State.RUNNING, requested_at=OLD)
    notice = Notice.objects.create(event="llm_down", number=1, severity=2, at=OLD, title="The LLM is away")
    make_journal(state=JournalImport.State.RUNNING)
    assert pruning.prune(NOW) == {}
    for row in (step, event, run, notice):
        row.refresh_from_db()


def test_each_kind_of_record_goes_in_its_time() -> None:
    account = default_account()
    QuotaReading.objects.create(account=account, read_at=OLD)
    LimitEstimate.objects.create(account=account, at=OLD, occasion="accepted", low=1, middle=4, high=60, sent=1)
    component = Component.objects.create(name="web", since=OLD, checked_at=OLD)
    HealthCheck.objects.create(component=component, at=OLD, state=HealthState.UP)
    run = TestRun.objects.create(trigger="operator", state=TestRun.State.SUCCEEDED, requested_at=OLD)
    TestResult.objects.create(run=run, number=1, suite="key", check_name="reach", verdict="pass", at=OLD)
    notice = Notice.objects.create(event="llm_down", number=1, severity=2, at=OLD, over_at=OLD, title="The LLM is away")
    channel = Channel.objects.create(name="mail", url_sealed="x", scheme="mailto")
    Delivery.objects.create(notice=notice, channel=channel, due_at=OLD)
    make_event()
    make_log()
    make_log(journal=make_journal(), at=NOW)
    Session.objects.create(session_key="a", session_data="", expire_date=NOW - timedelta(seconds=1))
    LLMAttempt.objects.filter(pk=make_attempt(make_step(at=NOW)).pk).update(decided_at=OLD)
    once = dict.fromkeys(
        ("attempts", "events", "estimates", "readings", "checks", "runs", "logs", "imported", "notices", "imports", "sessions"), 1
    )
    assert pruning.prune(NOW) == once
    assert (TestResult.objects.count(), Delivery.objects.count(), Component.objects.count()) == (0, 0, 1)
    account.refresh_from_db()


def test_imported_lines_count_from_their_import() -> None:
    make_log(journal=make_journal(requested_at=NOW), at=OLD)
    assert pruning.prune(NOW) == {}


def test_beyond_the_most_rows_the_oldest_go_first() -> None:
    Retention.objects.create(name="logs", days=3_650, most_rows=3)
    made = [make_log(at=NOW - timedelta(minutes=age)) for age in range(8)]
    assert pruning.prune(NOW) == {"logs": 5}
    assert list(LogEntry.objects.order_by("-at")) == made[:3]


def test_the_audit_and_the_history_of_settings_are_kept_but_failed_log_ins_go() -> None:
    AuditEntry.record(AuditEntry.Action.LOGIN, "", by="ada", now=OLD)
    AuditEntry.record(AuditEntry.Action.LOGIN_FAILED, "", by="ada", now=OLD)
    Settings.objects.create(id=Settings.ONLY)
    Settings.history.update(history_date=OLD)
    assert pruning.prune(NOW) == {"log_ins": 1}
    assert AuditEntry.objects.get().action == AuditEntry.Action.LOGIN
    assert Settings.history.count() == 1


def test_the_row_limit_of_failed_log_ins_affects_no_other_audit_entries() -> None:
    Retention.objects.create(name="log_ins", days=90, most_rows=1)
    for _ in range(3):
        AuditEntry.record(AuditEntry.Action.LOGIN, "", by="ada", now=NOW)
        AuditEntry.record(AuditEntry.Action.LOGIN_FAILED, "", by="ada", now=NOW)
    assert pruning.prune(NOW) == {"log_ins": 2}
    assert AuditEntry.objects.filter(action=AuditEntry.Action.LOGIN).count() == 3


def test_after_its_time_a_job_stops_and_the_next_one_goes_on() -> None:
    for _ in range(5):
        make_log()
    assert pruning.prune(NOW, until=0.0) == {}
    assert pruning.prune(NOW) == {"logs": 5}


def test_batches_grow_and_shrink_towards_their_time() -> None:
    aim = pruning.BATCH_SECONDS
    assert pruning.next_size(100, aim) == 100
    assert pruning.next_size(100, aim / 10) == 200
    assert pruning.next_size(100, aim * 10) == 10
    assert pruning.next_size(100, 0.0) == 200
    assert pruning.next_size(1, aim * 100) == 1
    assert pruning.next_size(pruning.LARGEST_BATCH, aim / 10) == pruning.LARGEST_BATCH


def test_an_admins_value_takes_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    Retention.objects.create(name="logs", days=2, most_rows=500)
    assert (rule("logs").days, rule("logs").most_rows) == (2, 500)
    assert rule("checks").days == 7


def test_the_hourly_job_prunes() -> None:
    make_log(at=timezone.now() - timedelta(days=31))
    assert jobs.prune(timezone.now()) == "Deleted: 1 logs."
    assert jobs.prune(timezone.now()) == "Nothing to delete."


def test_a_batch_of_long_texts_is_small_and_one_of_short_texts_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "FIRST_BATCH", 100)
    deleted = list[int]()

    def counted(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if sql.startswith('DELETE FROM "agents_task"'):
            deleted.append(len(params))
        return execute(sql, params, many, context)

    for length in (10, 16_000, 10_000_000):
        for _ in range(30 if length < 1_000_000 else 2):
            make_task(at=OLD, prompt="x" * length)
        with connection.execute_wrapper(counted):
            pruning.prune(NOW)
        largest, deleted[:] = max(deleted), []
        assert largest == {10: 30, 16_000: pruning.MOST_WEIGHT // (INDEXED_CHARS + 16_000 // pruning.FREED), 10_000_000: 1}[length]
