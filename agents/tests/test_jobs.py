"""The worker's own jobs: it cleans up after dead processes, and reads the model lists."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from agents import jobs, ledger
from agents.configuration import default_account, models_of, provider
from agents.configuration.account_changes import change_account
from agents.contract.protocol import Form
from agents.contract.protocol import Step as Request
from agents.contract.step_facts import AttemptEnd, Closing, Opening, StepFacts, opening
from agents.devtools.fake_chutes.process import FakeChutes
from agents.hybrid import spool
from agents.models import Account, Heartbeat, LLMAttempt, Settings, Source, Step, Submission, SystemSchedule
from agents.operator_jobs import submissions
from agents.policy.gate import Limits
from agents.policy.reasons import Reason, Verdict
from agents.tests.queue_of_jobs import kinds_queued, work
from agents.worker import schedules

pytestmark = pytest.mark.django_db(transaction=True)

URL = "http://localhost:8000/?seed=58"


@pytest.fixture(autouse=True)
def quiet(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(spool, "drain_soon", lambda: None)


def begun(*, ago: float, source: Source = Source.VALIDATOR) -> Opening:
    step, received_at = Request("/step", Form.STEP, "t", "Log out", URL), time.time() - ago
    return opening(step, source=source, caller=None, received_at=received_at, deadline_at=received_at + 25, limits={})


def open_attempt(opened: Opening) -> str:
    """Opens an attempt; returns its id."""
    request = ledger.Request(default_account(), Limits(spacing=0), opened.received_at + 20, ("m",))
    permit = ledger.open_step(opened, [request], lambda: opened.received_at)
    assert permit.attempt_uid
    return permit.attempt_uid


def test_attempts_whose_process_died_are_closed_as_lost_and_running_ones_stay_open() -> None:
    open_attempt(begun(ago=20 + jobs.LOST_AFTER.total_seconds() + 60))
    open_attempt(begun(ago=20 + jobs.LOST_AFTER.total_seconds() - 60))
    jobs.reconcile(timezone.now())
    lost, under_way = LLMAttempt.objects.order_by("id")
    assert (lost.verdict, lost.ended_at) == (Verdict.LOST, lost.cut_off_at)
    assert (under_way.verdict, under_way.ended_at) == (Verdict.OPEN, None)


def test_spooled_facts_are_written_before_attempts_are_closed_as_lost() -> None:
    opened = begun(ago=1_000)
    end = AttemptEnd(
        uid=open_attempt(opened), verdict=Verdict.OK, ended_at=opened.received_at + 3, sent_at=opened.received_at, accepted=True, status=200
    )
    spool.add(StepFacts(opened, Closing("llm", Reason.ANSWERED, opened.received_at + 3, 3.0, attempt=end)))
    jobs.reconcile(timezone.now())
    assert LLMAttempt.objects.get().verdict == Verdict.OK
    assert Step.objects.get().route == "llm"


def test_a_task_whose_answer_waits_in_the_spool_is_not_answered_again() -> None:
    row = submissions.submit(prompt="Log out", url=URL, page="", by="ann")
    Submission.objects.update(state=Submission.State.RUNNING, tries=1, lease_until=timezone.now() - timedelta(seconds=1))
    step = Request("panel", Form.ONE_SHOT, row.task.key, "Log out", URL)
    now = time.time()
    opened = opening(step, source=Source.OPERATOR, caller=None, received_at=now, deadline_at=now + 25, limits={})
    spool.add(StepFacts(opened, Closing("template", Reason.DATABASE, now, 0.1)))
    jobs.canary()
    assert work(row)
    assert (row.state, Step.objects.get().task) == ("succeeded", row.task)


def test_a_round_is_logged_in_one_line_and_an_empty_round_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "agents.jobs")
    jobs.reconcile(timezone.now())
    assert not caplog.messages
    open_attempt(begun(ago=1_000))
    jobs.reconcile(timezone.now())
    assert caplog.messages == ["1 attempts closed as lost, 0 spooled steps written."]


def test_a_canary_is_a_sign_of_life_and_sends_what_is_due() -> None:
    schedules.ensure()
    jobs.canary()
    assert Heartbeat.objects.get().beaten_at > timezone.now() - timedelta(minutes=1)
    assert kinds_queued() == ["agents.SystemSchedule"] * SystemSchedule.objects.count() != []


def test_every_entry_of_the_schedules_names_a_function_and_a_known_setting() -> None:
    assert len(settings.SCHEDULES) >= 10
    for entry in settings.SCHEDULES:
        assert callable(import_string(entry.function)), entry.name
        assert entry.cron or entry.every
        assert not isinstance(entry.every, str) or hasattr(Settings.current(), entry.every)


def test_the_model_list_sets_prices_and_the_three_cheapest_models(settings: Any) -> None:
    with FakeChutes.started() as fake_chutes:
        settings.CHUTES_BASE_URL = fake_chutes.base_url
        account = default_account()
        jobs.read_catalogues(timezone.now())
    account.refresh_from_db()
    assert models_of(account) == ("Qwen/Qwen3-32B-TEE", "google/gemma-4-31B-turbo-TEE", "deepseek-ai/DeepSeek-V4-Flash-0731-TEE")
    assert provider(account).prices["Qwen/Qwen3-32B-TEE"] == (0.08, 0.24)
    assert account.history.count() == 1, "reading a list is not a change by an admin"


def test_a_list_that_cannot_be_read_does_not_change_any_account(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    kept = [{"id": "m", "input": 1.0, "output": 1.0, "json_mode": True}]
    sealed = change_account(default_account(), {}, key="cpk_entered", by=None, reason="test")
    Account.objects.filter(pk=sealed.pk).update(catalogue=kept)
    settings.SECRET_KEY = "another-secret-key"
    away = Account.objects.create(name="away", base_url="http://127.0.0.1:9/v1", catalogue=kept)
    change_account(away, {}, key="cpk_entered", by=None, reason="test")
    Account.objects.create(name="off", base_url="http://127.0.0.1:9/v1", enabled=False)
    with FakeChutes.started() as fake_chutes:
        Account.objects.create(name="fine", base_url=fake_chutes.base_url)
        jobs.read_catalogues(timezone.now())
    assert list(Account.objects.exclude(name="fine").order_by("id").values_list("catalogue", flat=True)) == [kept, kept, []]
    assert Account.objects.get(name="fine").catalogue
    assert "The model list of account default can't be read: The stored key can't be opened" in caplog.text
    assert "The model list of account away can't be read: The provider can't be reached" in caplog.text
    assert "account off" not in caplog.text


def test_a_miner_without_a_key_is_not_warned_of_a_list_that_it_does_not_need(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    settings.CHUTES_API_KEY = ""
    jobs.read_catalogues(timezone.now())
    assert "The model list" not in caplog.text
