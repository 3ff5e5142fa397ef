"""How long an attempt may last, which model comes first, and what a step waits for: the runner against fake Chutes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from agents import database
from agents.configuration import change, default_account
from agents.contract.protocol import Form
from agents.contract.protocol import Step as Request
from agents.devtools.fake_chutes.process import FakeChutes
from agents.hybrid import runner
from agents.hybrid.admission import planning
from agents.ledger import gate_rows
from agents.models import Gate, LLMAttempt, Source, Step
from agents.policy import latency, routing

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = "Qwen/Qwen3-32B-TEE", "google/gemma-4-31B-turbo-TEE"
# How long a busy machine may take for what needs milliseconds, in seconds.
PATIENCE = 15.0


@pytest.fixture
def fake_chutes(fake_chutes: FakeChutes, settings: Any, monkeypatch: pytest.MonkeyPatch) -> FakeChutes:
    monkeypatch.setattr(database, "ANSWERING_PATIENCE", PATIENCE)
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL = fake_chutes.key, fake_chutes.base_url
    settings.CHUTES_MODELS = (FIRST, SECOND)
    change({"spacing_seconds": 0}, by=None, reason="test")
    default_account()
    return fake_chutes


def given(monkeypatch: pytest.MonkeyPatch, seconds: float, expected: float = 0.5) -> None:
    """The LLM's part may last `seconds`, of which an answer is expected to need `expected`; the caller waits far longer."""
    monkeypatch.setattr(latency, "UNKNOWN", expected)
    monkeypatch.setattr(routing, "budget", lambda _, at: routing.Budget(at + 90, at + seconds))


def answer(index: int = 0) -> None:
    step = Request("/step", Form.STEP, "t", "Search for 'Arrival'", "http://localhost:8000/?seed=58", page="<p>Hello</p>", index=index)
    runner.answer(step, source=Source.VALIDATOR, caller="192.0.2.7")


def answer_together(count: int) -> None:
    def answer_one(index: int) -> None:
        try:
            answer(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(answer_one, range(count)))


def pause(seconds: float, **gate: Any) -> None:
    """The account is paused after a refusal, for `seconds` more."""
    now = time.time()
    state = {"strikes": 1, "cause": "edge", "blocked_at": now - 60, "paused_at": now - 60, "paused_until": now + seconds}
    Gate.objects.update_or_create(account=default_account(), defaults={**state, **gate})


def remember(latencies: Any) -> None:
    Gate.objects.update_or_create(account=default_account(), defaults={"latencies": latencies})


def routes() -> list[tuple[str, str]]:
    return list(Step.objects.order_by("index").values_list("route", "reason"))


def verdicts() -> list[tuple[str, str]]:
    return list(LLMAttempt.objects.order_by("id").values_list("model", "verdict"))


def in_time() -> bool:
    return not any(step.is_late for step in Step.objects.all())


def test_a_model_that_hangs_gives_way_to_the_next_one_which_answers_in_time(
    fake_chutes: FakeChutes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "HANDOVER", PATIENCE)
    given(monkeypatch, 2 * PATIENCE + 6, expected=PATIENCE)
    remember({FIRST: [[time.time(), 0.1, False]] * 2})
    fake_chutes.set(models={FIRST: {"faults": {"hang": 1.0}}})
    answer()
    assert verdicts() == [(FIRST, "failed"), (SECOND, "ok")]
    assert routes() == [("llm", "answered")]
    cut, _ = LLMAttempt.objects.order_by("id")
    assert cut.detail.startswith("Took longer than its limit of ")
    assert cut.detail.endswith(" s: cut off so that another model can answer in time.")
    assert cut.cut_off_at == cut.ended_at
    latencies = Gate.objects.get().latencies
    assert [latencies[model][-1][2] for model in (FIRST, SECOND)] == [None, True]


def test_a_model_that_was_cut_off_again_and_again_is_tried_last(fake_chutes: FakeChutes) -> None:
    remember({FIRST: [[time.time(), 10.0, None]] * 3})
    answer()
    assert verdicts() == [(SECOND, "ok")]


@pytest.mark.parametrize("fault", ["empty", "http500"])
def test_results_that_show_how_well_a_model_answers_are_kept(fake_chutes: FakeChutes, fault: str) -> None:
    fake_chutes.set(models={FIRST: {"faults": {fault: 1.0}}})
    answer()
    latencies = Gate.objects.get().latencies
    assert [latencies[model][0][2] for model in (FIRST, SECOND)] == [False, True]


def test_a_full_model_and_a_refused_account_do_not_change_a_models_results(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(models={FIRST: {"full": 1.0}})
    answer()
    fake_chutes.set(limit=0)
    answer(1)
    assert list(Gate.objects.get().latencies) == [SECOND]


def test_a_step_outwaits_the_rest_of_a_pause_and_becomes_the_probe(fake_chutes: FakeChutes) -> None:
    pause(1.5)
    ends_at = Gate.objects.get().paused_until
    answer()
    attempt, step = LLMAttempt.objects.get(), Step.objects.get()
    assert routes() == [("llm", "answered")]
    assert attempt.lease is not None
    assert attempt.sent_at is not None and attempt.sent_at.timestamp() >= ends_at
    assert step.decided_at is not None and step.decided_at.timestamp() >= ends_at, "the decision on record is the new one"
    assert gate_rows.of(default_account()).strikes == 0


def test_a_step_does_not_wait_for_a_pause_that_outlasts_its_time(fake_chutes: FakeChutes) -> None:
    pause(60)
    started_at = time.time()
    answer()
    assert routes() == [("template", "paused")]
    assert time.time() - started_at < PATIENCE, "it could have waited for 17 seconds"
    assert not LLMAttempt.objects.exists()


def test_a_step_that_waits_for_a_probe_in_vain_is_answered_in_time_and_for_that_reason(
    fake_chutes: FakeChutes, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, PATIENCE / 2)
    pause(1.0, probe_until=time.time() + 60)
    before = Gate.objects.values().get()
    started_at = time.time()
    answer()
    assert routes() == [("template", "probing")], "the pause ended while it waited"
    assert time.time() >= started_at + PATIENCE / 2 - 1.0
    assert in_time()
    assert Gate.objects.values().get() == before


def test_of_steps_that_wait_one_probes_and_the_others_follow_its_answer(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(latency=0.5)
    pause(3.0)
    answer_together(3)
    assert routes() == [("llm", "answered")] * 3
    probe, *others = LLMAttempt.objects.order_by("sent_at")
    assert [attempt.lease is not None for attempt in (probe, *others)] == [True, False, False]
    assert probe.ended_at is not None
    assert all(probe.ended_at <= attempt.decided_at for attempt in others)


def test_when_the_probe_is_refused_the_steps_that_wait_are_answered_at_once(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(limit=0)
    pause(3.0)
    answer_together(3)
    assert sorted(routes()) == [("template", "paused")] * 2 + [("template", "refused")]
    assert LLMAttempt.objects.count() == 1
    assert in_time()


def test_steps_that_wait_hold_no_place_for_planning(fake_chutes: FakeChutes, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, 2 * PATIENCE)
    pause(PATIENCE)
    waiting = threading.Thread(target=answer_together, args=(planning.places + 1,))
    waiting.start()
    over = time.monotonic() + PATIENCE
    while Step.objects.filter(reason="paused", answered_at=None).count() <= planning.places:
        assert time.monotonic() < over, "no steps wait"
        time.sleep(0.1)
    with planning.place(0.01, time.monotonic() + PATIENCE) as is_admitted:
        assert is_admitted
        assert Step.objects.filter(answered_at=None).count() == planning.places + 1
    Gate.objects.update(strikes=0, paused_until=0.0)
    waiting.join()
    assert routes() == [("llm", "answered")] * (planning.places + 1)
