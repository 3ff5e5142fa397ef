"""Records are kept for a time, and not without end; what is open stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from agents.configuration import default_account
from agents.models import AuditEntry, LLMAttempt, QuotaReading, RateLimitEvent, Settings, Step, Submission, Task
from agents.reasons import Verdict
from monitoring import jobs, retention
from monitoring.audit import Deed, note
from monitoring.models import Component, Delivery, HealthCheck, HealthState, JournalImport, LogEntry, Notice, Retention, TestResult, TestRun
from monitoring.models.notices import Channel
from monitoring.tests.records import NOW, make_attempt, make_llm_step, make_open_step, make_step, make_task

pytestmark = pytest.mark.django_db

OLD = NOW - timedelta(days=1_000)


@pytest.fixture(autouse=True)
def no_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BREAK_SECONDS", 0.0)
    monkeypatch.setattr(retention, "FIRST_BATCH", 2)


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
    return JournalImport.objects.create(**{"name": "a.log", "state": JournalImport.State.DONE, "started_at": OLD, **fields})


def rule(name: str) -> retention.Rule:
    return next(rule for rule in retention.rules_in_force() if rule.name == name)


def test_nothing_is_deleted_before_its_time() -> None:
    for each in retention.RULES:
        Retention.objects.create(name=each.name, days=10, most_rows=100)
    make_attempt(make_llm_step(at=NOW - timedelta(days=10)))
    make_log(at=NOW - timedelta(days=10))
    assert retention.prune(NOW) == {}
    assert set(retention.prune(NOW + timedelta(seconds=1))) == {"steps", "logs", "tasks"}


def test_an_old_step_goes_with_its_attempts_and_its_task_but_leaves_its_event() -> None:
    attempt = make_attempt(make_llm_step(at=OLD))
    event = make_event(attempt=attempt, started_at=NOW)
    assert retention.prune(NOW) == {"steps": 1, "tasks": 1}
    assert (Step.objects.count(), LLMAttempt.objects.count(), Task.objects.count()) == (0, 0, 0)
    event.refresh_from_db()
    assert event.attempt is None


def test_a_task_stays_as_long_as_its_last_step() -> None:
    task = make_task(at=OLD)
    make_step(task, at=OLD)
    make_step(task, at=NOW, index=1)
    retention.prune(NOW)
    assert Task.objects.get().steps.count() == 1


def test_a_task_that_waits_for_its_worker_stays_without_a_step() -> None:
    waiting = make_task(at=OLD)
    for task, state in ((waiting, "queued"), (make_task(at=OLD), "answered"), (make_task(at=OLD), "cancelled")):
        Submission.objects.create(task=task, submitted_by="ada", state=state, enqueued_at=OLD)
    assert retention.prune(NOW) == {"tasks": 2}
    assert Task.objects.get() == waiting


def test_what_is_open_stays_however_old() -> None:
    step = make_open_step(at=OLD)
    LLMAttempt.objects.filter(pk=make_attempt(step).pk).update(verdict=Verdict.OPEN, ended_at=None)
    event = make_event(ended_by="")
    run = TestRun.objects.create(trigger="operator", state=TestRun.State.RUNNING, asked_at=OLD)
    notice = Notice.objects.create(event="llm_down", number=1, severity=2, at=OLD, title="The LLM is away")
    make_journal(state=JournalImport.State.RUNNING)
    assert retention.prune(NOW) == {}
    for row in (step, event, run, notice):
        row.refresh_from_db()


def test_each_kind_of_record_goes_in_its_time() -> None:
    account = default_account()
    QuotaReading.objects.create(account=account, read_at=OLD)
    component = Component.objects.create(name="web", since=OLD, checked_at=OLD)
    HealthCheck.objects.create(component=component, at=OLD, state=HealthState.UP)
    run = TestRun.objects.create(trigger="operator", state=TestRun.State.DONE, asked_at=OLD)
    TestResult.objects.create(run=run, number=1, suite="key", check_name="reach", verdict="pass", at=OLD)
    notice = Notice.objects.create(event="llm_down", number=1, severity=2, at=OLD, over_at=OLD, title="The LLM is away")
    channel = Channel.objects.create(name="mail", url_sealed="x", scheme="mailto")
    Delivery.objects.create(notice=notice, channel=channel, due_at=OLD)
    make_event()
    make_log()
    make_log(journal=make_journal(), at=NOW)
    Session.objects.create(session_key="a", session_data="", expire_date=NOW - timedelta(seconds=1))
    LLMAttempt.objects.filter(pk=make_attempt(make_step(at=NOW)).pk).update(decided_at=OLD)
    once = dict.fromkeys(("attempts", "events", "readings", "checks", "runs", "logs", "imported", "notices", "imports", "sessions"), 1)
    assert retention.prune(NOW) == once
    assert (TestResult.objects.count(), Delivery.objects.count(), Component.objects.count()) == (0, 0, 1)
    account.refresh_from_db()


def test_imported_lines_count_from_their_import() -> None:
    make_log(journal=make_journal(started_at=NOW), at=OLD)
    assert retention.prune(NOW) == {}


def test_beyond_the_most_rows_the_oldest_go_first() -> None:
    Retention.objects.create(name="logs", days=3_650, most_rows=3)
    made = [make_log(at=NOW - timedelta(minutes=age)) for age in range(8)]
    assert retention.prune(NOW) == {"logs": 5}
    assert list(LogEntry.objects.order_by("-at")) == made[:3]


def test_the_audit_and_the_history_of_settings_are_kept_but_failed_log_ins_go() -> None:
    note(Deed.LOGIN, "", by="ada", now=OLD)
    note(Deed.LOGIN_FAILED, "", by="ada", now=OLD)
    Settings.objects.create(id=Settings.ONLY)
    Settings.history.update(history_date=OLD)
    assert retention.prune(NOW) == {"log_ins": 1}
    assert AuditEntry.objects.get().action == Deed.LOGIN
    assert Settings.history.count() == 1


def test_the_most_rows_of_failed_log_ins_touch_nothing_else_in_the_audit() -> None:
    Retention.objects.create(name="log_ins", days=90, most_rows=1)
    for _ in range(3):
        note(Deed.LOGIN, "", by="ada", now=NOW)
        note(Deed.LOGIN_FAILED, "", by="ada", now=NOW)
    assert retention.prune(NOW) == {"log_ins": 2}
    assert AuditEntry.objects.filter(action=Deed.LOGIN).count() == 3


def test_after_its_time_a_job_stops_and_the_next_one_goes_on() -> None:
    for _ in range(5):
        make_log()
    assert retention.prune(NOW, until=0.0) == {}
    assert retention.prune(NOW) == {"logs": 5}


def test_batches_grow_and_shrink_towards_their_time() -> None:
    aim = retention.BATCH_SECONDS
    assert retention.next_size(100, aim) == 100
    assert retention.next_size(100, aim / 10) == 200
    assert retention.next_size(100, aim * 10) == 10
    assert retention.next_size(100, 0.0) == 200
    assert retention.next_size(1, aim * 100) == 1
    assert retention.next_size(retention.LARGEST_BATCH, aim / 10) == retention.LARGEST_BATCH


def test_what_an_admin_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    Retention.objects.create(name="logs", days=2, most_rows=500)
    assert (rule("logs").days, rule("logs").most_rows) == (2, 500)
    assert rule("checks").days == 7


def test_the_hourly_job_prunes() -> None:
    make_log(at=timezone.now() - timedelta(days=31))
    assert jobs.prune() == {"logs": 1}
    assert jobs.prune() == {}
