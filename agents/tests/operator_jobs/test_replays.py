"""Replays: a step is answered again against fake Chutes, through the gate, uncounted; and the pages kept for that."""

import os
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from agents.configuration import change, default_account
from agents.configuration.account_changes import add_account
from agents.contract.protocol import Form, PastAction
from agents.contract.protocol import Step as ProtocolStep
from agents.devtools.fake_chutes.process import FakeChutes
from agents.hybrid import page_archive, runner
from agents.models import Gate, LLMAttempt, Replay, Source, Step, StepPage
from agents.operator_jobs import leased_job, replays
from agents.policy.reasons import Purpose
from agents.tests.queue_of_jobs import work

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = "Qwen/Qwen3-32B-TEE", "google/gemma-4-31B-turbo-TEE"
PAGE = '<html><body><form action="/search"><input name="query"><button type="submit">Go</button></form></body></html>'
STEP = ProtocolStep(
    endpoint="/step",
    form=Form.STEP,
    task_id="t",
    prompt="Search for the film 'Arrival'",
    url="http://localhost:8000/?seed=58",
    page=PAGE,
    index=1,
    history=(PastAction("ClickAction", {"x": 1, "y": 2}, succeeded=False, error="missed", url="http://localhost:8000/?seed=58"),),
    project="autocinema",
    timeout_seconds=20.0,
    allowed_tools=frozenset({"browser.click", "browser.type", "browser.submit", "browser.navigate", "browser.wait"}),
    wants_reasoning=True,
)


@pytest.fixture
def fake_chutes(fake_chutes: FakeChutes, settings: Any) -> FakeChutes:
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL = fake_chutes.key, fake_chutes.base_url
    settings.CHUTES_MODELS = (FIRST, SECOND)
    change({"spacing_seconds": 0, "agent_mode": "template"}, by=None, reason="test")
    return fake_chutes


def answered(replay: ProtocolStep = STEP) -> Step:
    """A step that the runner answered, with its page kept."""
    runner.answer(replay, source=Source.VALIDATOR, caller="192.0.2.7")
    page_archive.waiting.join()
    return Step.objects.get()


def replayed(step: Step, way: Replay.Way = Replay.Way.AS_SET, **more: Any) -> Replay:
    replay = replays.start(step, **{"way": way, "account": None, "model": "", "deadline_seconds": 25, "by": "ann", **more})
    assert work(replay)
    return replay


def models_of(replay: Replay) -> list[str]:
    return list(replay.attempts.order_by("pk").values_list("model", flat=True))


def test_a_kept_step_is_read_as_it_was_sent() -> None:
    assert page_archive.unpacked(page_archive.packed(STEP)) == STEP


def test_each_steps_page_is_kept_for_a_week_after_its_answer(fake_chutes: FakeChutes) -> None:
    step, now = answered(), timezone.now()
    assert page_archive.kept(step.pk, now) == STEP
    assert len(StepPage.objects.get().gz) < len(PAGE) * 8
    assert page_archive.kept(step.pk, now + timedelta(days=6, hours=23)) == STEP
    assert page_archive.kept(step.pk, now + timedelta(days=7, hours=1)) is None
    assert page_archive.prune(now) == 0
    assert page_archive.prune(now + timedelta(days=7, hours=1)) == 1
    assert Step.objects.exists()


def test_pages_are_pruned_in_batches(monkeypatch: pytest.MonkeyPatch, fake_chutes: FakeChutes) -> None:
    monkeypatch.setattr(page_archive, "BATCH", 2)
    for number in range(5):
        runner.answer(
            ProtocolStep(**{name: getattr(STEP, name) for name in STEP.__slots__} | {"index": number}), source=Source.TEST, caller=None
        )
    page_archive.waiting.join()
    assert page_archive.prune(timezone.now() + page_archive.KEPT) == 5


def test_a_page_that_is_too_large_is_not_kept(fake_chutes: FakeChutes) -> None:
    noise = os.urandom(page_archive.MAX_GZ).hex()
    step = answered(ProtocolStep(**{name: getattr(STEP, name) for name in STEP.__slots__} | {"page": f"<p>{noise}</p>"}))
    assert not StepPage.objects.exists()
    replay = replayed(step)
    assert (replay.state, replay.fault) == ("failed", replays.GONE)


def test_a_database_error_for_a_page_loses_only_the_page(fake_chutes: FakeChutes, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked() -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(page_archive, "background_transaction", locked)
        answered()
    assert Step.objects.get().route == "template"
    assert not StepPage.objects.exists()
    Step.objects.all().delete()
    assert page_archive.kept(answered().pk, timezone.now()) == STEP, "the next one is kept"


def test_the_template_gives_the_same_answer_and_nothing_is_sent(fake_chutes: FakeChutes) -> None:
    step = answered()
    replay = replayed(step, Replay.Way.TEMPLATE)
    assert (replay.state, replay.route, replay.reason) == ("succeeded", "template", "mode")
    assert replay.actions == step.actions
    assert replay.duration_ms and replay.duration_ms > 0
    assert (Step.objects.count(), LLMAttempt.objects.count()) == (1, 0)


def test_a_replay_uses_the_present_settings_and_the_gate_and_is_not_counted(fake_chutes: FakeChutes) -> None:
    step = answered()
    change({"agent_mode": "hybrid"}, by=None, reason="test")
    replay = replayed(step)
    assert (replay.state, replay.route, replay.reason) == ("succeeded", "llm", "answered")
    assert replay.actions
    attempt = LLMAttempt.objects.get()
    assert (attempt.purpose, attempt.step, attempt.model, attempt.verdict) == (Purpose.TEST, None, FIRST, "ok")
    assert attempt.prompt_tokens
    assert models_of(replay) == [FIRST]
    assert Step.objects.count() == 1
    assert Gate.objects.get().last_slot_at > 0, "it has taken a slot"


def test_one_model_of_one_account_is_used_alone(fake_chutes: FakeChutes) -> None:
    step = answered()
    spare = add_account("spare", {"base_url": fake_chutes.base_url, "model_names": [FIRST]}, key=fake_chutes.key, by=None, reason="test")
    replay = replayed(step, Replay.Way.MODEL, account=spare, model=SECOND)
    assert (replay.route, models_of(replay)) == ("llm", [SECOND])
    assert LLMAttempt.objects.get().account == spare


def test_a_refusal_pauses_the_account_and_the_template_answers(fake_chutes: FakeChutes) -> None:
    step = answered()
    fake_chutes.set(limit=0)
    change({"agent_mode": "hybrid"}, by=None, reason="test")
    replay = replayed(step)
    assert (replay.state, replay.route, replay.reason) == ("succeeded", "template", "refused")
    assert Gate.objects.get().strikes == 1
    again = replayed(step)
    assert (again.reason, models_of(again)) == ("paused", [])
    assert len([arrival for arrival in fake_chutes.state()["arrivals"] if arrival["path"].endswith("completions")]) == 1


def test_without_a_key_the_reason_is_stored(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_API_KEY = ""
    replay = replayed(answered(), Replay.Way.MODEL, account=default_account(), model=FIRST)
    assert (replay.route, replay.reason) == ("template", "no_key")


def test_a_start_while_a_replay_is_under_way_returns_that_one(fake_chutes: FakeChutes) -> None:
    step = answered()
    how: dict[str, Any] = {"way": Replay.Way.TEMPLATE, "account": None, "model": "", "deadline_seconds": 99, "by": "ann"}
    first = replays.start(step, **how)
    assert first.deadline_seconds == replays.LONGEST_DEADLINE
    assert replays.start(step, **how) == first
    assert work(first)
    assert replays.start(step, **how) != first


def test_a_replay_whose_worker_died_fails_since_a_second_would_be_paid_again(fake_chutes: FakeChutes) -> None:
    replay = replays.start(answered(), way=Replay.Way.TEMPLATE, account=None, model="", deadline_seconds=9, by="ann")
    Replay.objects.update(state=Replay.State.RUNNING, tries=1, lease_until=timezone.now())
    leased_job.dispatch(timezone.now() + timedelta(seconds=1))
    replay.refresh_from_db()
    assert (replay.state, replay.fault) == ("failed", leased_job.LOST)


def test_a_fault_ends_a_replay_with_a_message(
    fake_chutes: FakeChutes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    step = answered()
    StepPage.objects.update(gz=b"not gzip")
    replay = replayed(step)
    assert (replay.state, replay.fault) == ("failed", leased_job.FAULT)
    assert "Traceback" in caplog.text
