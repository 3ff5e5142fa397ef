"""Whole steps against fake Chutes: the route, the reason and the records."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from agents import ledger
from agents.accounts.miner_status import health
from agents.configuration import change, default_account
from agents.contract.protocol import Form, Plan
from agents.contract.protocol import Step as Request
from agents.devtools.fake_chutes.process import FakeChutes
from agents.hybrid import page_archive, runner
from agents.ledger import gate_rows
from agents.models import Gate, LLMAttempt, RateLimitEvent, Source, Step
from agents.policy import latency, routing
from agents.policy.gate import Decision
from agents.policy.reasons import Reason
from agents.policy.refusals import NEVER_WORKED
from agents.policy.reset_times import CACHED

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = "Qwen/Qwen3-32B-TEE", "google/gemma-4-31B-turbo-TEE"
DAY = 86_400
# How far two readings of the clock may lie apart on a busy machine, in seconds.
PATIENCE = 30.0
PAGE = '<html><body><form action="/search"><input name="query"><button type="submit">Go</button></form></body></html>'


@pytest.fixture
def fake_chutes(fake_chutes: FakeChutes, settings: Any) -> FakeChutes:
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL = fake_chutes.key, fake_chutes.base_url
    settings.CHUTES_MODELS = (FIRST, SECOND)
    set_rules(spacing_seconds=0)
    return fake_chutes


def set_rules(**changes: Any) -> None:
    change(changes, by=None, reason="test")


def answer(index: int = 0, **more: Any) -> Plan:
    fields = {
        "endpoint": "/step",
        "form": Form.STEP,
        "task_id": "t",
        "prompt": "Search for the film 'Arrival'",
        "page": PAGE,
        "index": index,
    }
    step = Request(**{**fields, "url": "http://localhost:8000/?seed=58", **more})
    return runner.answer(step, source=Source.VALIDATOR, caller="192.0.2.7").plan


def routes() -> list[tuple[str, str]]:
    return list(Step.objects.order_by("id").values_list("route", "reason"))


def verdicts() -> list[tuple[str, str, str]]:
    return list(LLMAttempt.objects.order_by("id").values_list("model", "verdict", "refusal"))


def calls(fake_chutes: FakeChutes) -> int:
    return sum(arrival["path"].endswith("/chat/completions") for arrival in fake_chutes.state()["arrivals"])


def test_a_healthy_provider_answers_and_everything_is_on_record(fake_chutes: FakeChutes) -> None:
    plan = answer()
    page_archive.waiting.join()
    step, attempt = Step.objects.get(), LLMAttempt.objects.get()
    assert plan.actions
    assert step.actions == [action.as_action() for action in plan.actions]
    assert (step.route, step.reason, step.is_late) == ("llm", "answered", False)
    assert step.limits == {
        "mode": "hybrid",
        "llm_use": "always",
        "sure_from": 0.8,
        "max_task_usd": 0.05,
        "deadline_seconds": 25.0,
        "spacing_seconds": 0.0,
        "backoff_seconds": [60.0, 120.0, 240.0, 480.0],
    }
    assert (attempt.model, attempt.verdict, attempt.status) == (FIRST, "ok", 200)
    assert attempt.prompt_tokens
    assert attempt.completion_tokens
    assert attempt.latency_ms is not None
    assert attempt.latency_ms > 0
    assert "textbox" in step.page_excerpt
    assert step.confidence == 1.0
    assert step.confidence_why


def test_the_provider_is_sent_the_key_and_the_task(fake_chutes: FakeChutes) -> None:
    answer(task_id="täsk\n7")
    arrival = fake_chutes.state()["arrivals"][-1]
    assert arrival["status"] == 200
    assert arrival["task_id"] == "t?sk?7"


def test_a_limited_account_is_paused_and_the_next_steps_do_not_use_it(fake_chutes: FakeChutes, caplog: pytest.LogCaptureFixture) -> None:
    fake_chutes.set(limit=0)
    for index in range(4):
        assert answer(index).actions
    assert routes() == [("template", "refused"), *[("template", "paused")] * 3]
    assert verdicts() == [(FIRST, "refused", "edge")]
    assert calls(fake_chutes) == 1
    event = RateLimitEvent.objects.get()
    assert (event.strike, event.pause_source, event.status, event.ended_by) == (1, "ladder", 429, "")
    assert 60 <= event.pause_seconds <= 63, "the rung, with a little jitter"
    assert caplog.messages.count("Chutes API rate limited (429). Exponential backoff: Waiting 60s before retry (attempt 1)...") == 1


def test_no_prompt_is_built_for_a_step_that_the_gate_turns_away(fake_chutes: FakeChutes, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_chutes.set(limit=0)
    answer()
    built = list[str]()
    monkeypatch.setattr(runner, "question", lambda step, page: built.append(step.task_id))
    answer(1)
    assert routes() == [("template", "refused"), ("template", "paused")]
    assert built == []


def test_a_prompt_is_built_late_where_the_gate_opened_meanwhile(fake_chutes: FakeChutes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "preview", lambda requests, clock: ledger.Permit(Decision(Reason.SPACING), clock()))
    answer()
    assert routes() == [("llm", "answered")]


def test_after_the_pause_one_probe_brings_the_llm_back(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(limit=0)
    answer()
    fake_chutes.set(limit=60)
    Gate.objects.update(paused_at=time.time() - 61, paused_until=time.time() - 1)
    answer(1)
    assert routes()[-1] == ("llm", "answered")
    event, gate = RateLimitEvent.objects.get(), Gate.objects.get()
    assert event.ended_by == "succeeded"
    assert event.recovered_at is not None
    assert (gate.strikes, gate.probe_until) == (0, 0.0)


def test_a_refused_probe_climbs_the_ladder(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(limit=0)
    answer()
    Gate.objects.update(paused_at=time.time() - 61, paused_until=time.time() - 1)
    answer(1)
    assert list(RateLimitEvent.objects.order_by("id").values_list("strike", "ended_by")) == [(1, "timer"), (2, "")]
    assert 120 <= RateLimitEvent.objects.get(strike=2).pause_seconds <= 126


@pytest.mark.parametrize(
    ("fault", "verdict", "reason"),
    [("http500", "refused", "refused"), ("reset", "failed", "failed"), ("empty", "invalid", "invalid"), ("badjson", "invalid", "invalid")],
)
def test_a_fault_of_one_model_moves_on_to_the_next_and_pauses_nothing(
    fake_chutes: FakeChutes, fault: str, verdict: str, reason: str
) -> None:
    fake_chutes.set(faults={fault: 1.0})
    assert answer().actions
    assert routes() == [("template", reason)]
    assert [(model, ended) for model, ended, _ in verdicts()] == [(FIRST, verdict), (SECOND, verdict)]
    assert Gate.objects.get().strikes == 0
    assert not RateLimitEvent.objects.exists()


def test_a_refused_key_is_not_tried_at_every_step(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_API_KEY = "cpk_" + ".".join("0" * 32 for _ in range(3))
    answer()
    answer(1)
    assert verdicts() == [(FIRST, "refused", "auth")]
    assert routes() == [("template", "refused"), ("template", "paused")]


def test_a_wrong_host_is_reported_as_such(fake_chutes: FakeChutes, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.CHUTES_BASE_URL = fake_chutes.base_url.removesuffix("/v1")
    answer()
    answer(1)
    attempt, event = LLMAttempt.objects.get(), RateLimitEvent.objects.get()
    assert (attempt.status, attempt.refusal, attempt.detail) == (404, "auth", "No matching chute found!")
    assert (event.refusal, event.pause_source) == ("auth", "check")
    assert event.pause_seconds == pytest.approx(300, abs=PATIENCE)
    assert routes() == [("template", "refused"), ("template", "paused")]
    assert "Account default paused for 300 s: No chat API answers at this address." in caplog.text


def next_boundary(now: float, period: int) -> float:
    """The next one in UTC, and a little more, for the provider's cache; that much after one has passed, still the same."""
    return ((now - CACHED) // period + 1) * period + CACHED


@pytest.mark.parametrize(
    ("account", "refusal", "source", "until"),
    [
        ({"quota": {"total": 1, "used": 1, "reset_at": 3000}}, "daily_quota", "provider", lambda now, began: began + 3000),
        (
            {"refuse": {"status": 402, "detail": {"quota_reset_timestamp": "?"}}},
            "daily_quota",
            "calendar",
            lambda now, _: next_boundary(now, DAY),
        ),
        ({"refuse": "free_daily"}, "free_daily", "calendar", lambda now, _: next_boundary(now, DAY)),
        ({"refuse": "subscription_cap"}, "subscription_cap", "calendar", lambda now, _: next_boundary(now, DAY // 6)),
        ({"refuse": {"status": 429, "headers": {"Retry-After": "900"}}}, "edge", "provider", lambda now, _: now + 900),
        ({"refuse": "payment"}, "payment", "check", lambda now, _: now + 300),
        ({"valid": False}, "auth", "check", lambda now, _: now + 300),
        ({"refuse": {"status": 429, "detail": "Slow down"}}, "edge", "ladder", lambda now, _: now + 60),
    ],
)
def test_a_refusal_pauses_the_account_for_as_long_as_it_lasts(
    fake_chutes: FakeChutes, account: dict[str, Any], refusal: str, source: str, until: Callable[[float, float], float]
) -> None:
    fake_chutes.set(**account)
    answer()
    answer(1)
    began_at = time.time() - fake_chutes.state()["uptime"]
    event, gate = RateLimitEvent.objects.get(), Gate.objects.get()
    expected = until(event.started_at.timestamp(), began_at)
    assert (event.refusal, event.pause_source, gate.pause_source) == (refusal, source, source)
    assert gate.paused_until == pytest.approx(expected, abs=PATIENCE)
    if source == "check":
        assert event.predicted_at is None, "when an operator tops up is unknown"
    else:
        assert event.predicted_at
        assert event.predicted_at.timestamp() == pytest.approx(gate.paused_until, abs=0.001)
    assert routes() == [("template", "refused"), ("template", "paused")]
    assert calls(fake_chutes) == 1


def test_when_a_quotas_pause_is_over_one_probe_brings_the_llm_back(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(quota={"total": 1, "used": 1, "reset_at": 3000})
    answer()
    assert Gate.objects.get().paused_until - time.time() <= 3000
    fake_chutes.set(quota={"total": 1, "used": 0, "reset_at": 6000})
    Gate.objects.update(paused_at=time.time() - 61, paused_until=time.time() - 1)
    answer(1)
    assert routes() == [("template", "refused"), ("llm", "answered")]
    assert RateLimitEvent.objects.get().ended_by == "succeeded"


def test_a_full_model_is_skipped_and_the_account_stays_in_use(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(models={FIRST: {"full": 1.0}})
    answer()
    assert verdicts() == [(FIRST, "refused", "capacity"), (SECOND, "ok", "")]
    assert Gate.objects.get().strikes == 0


def test_a_full_model_cools_down_and_the_next_step_uses_another_at_once(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(models={FIRST: {"full": 1.0}})
    answer()
    answer(1)
    assert verdicts() == [(FIRST, "refused", "capacity"), (SECOND, "ok", ""), (SECOND, "ok", "")]


def test_the_gates_state_is_kept_between_steps(fake_chutes: FakeChutes) -> None:
    set_rules(pacing="auto", spacing_seconds=0.2)
    answer()
    answer(1)
    gate = gate_rows.of(default_account())
    assert len(gate.pace.sends) == 2
    assert gate.pace.published == 60
    assert gate.succeeded_at
    fake_chutes.set(limit=0)
    answer(2)
    assert gate_rows.of(default_account()).cause == "edge"


def test_a_key_that_never_worked_is_not_reported_as_a_rate_limit(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(limit=0)
    answer()
    assert gate_rows.of(default_account()).never_worked
    assert health(time.time()).sentence == NEVER_WORKED
    Gate.objects.update(paused_at=time.time() - 61, paused_until=time.time() - 1)
    fake_chutes.set(limit=60)
    answer(1)
    assert not gate_rows.of(default_account()).never_worked
    fake_chutes.set(limit=0)
    answer(2)
    assert health(time.time()).sentence.startswith(Reason.PAUSED.sentence)


def test_an_unknown_model_is_passed_over(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_MODELS = ("no/such-model", SECOND)
    answer()
    assert verdicts() == [("no/such-model", "refused", "model"), (SECOND, "ok", "")]
    assert routes() == [("llm", "answered")]


@pytest.mark.parametrize(
    ("status", "detail", "refusal"),
    [
        (402, "Chute unavailable because the creator of this chute chute.user_id='ab12' has zero balance.", "model"),
        (402, "TEE models require an active subscription or positive balance.", "model_unpaid"),
        (400, "Model not allowed", "model"),
        (400, "Missing pricing for model", "model"),
    ],
)
def test_a_model_that_is_refused_to_the_account_cools_and_the_account_stays_in_use(
    fake_chutes: FakeChutes, status: int, detail: str, refusal: str
) -> None:
    fake_chutes.set(refuse={"status": status, "detail": detail})
    answer()
    assert verdicts() == [(FIRST, "refused", refusal), (SECOND, "refused", refusal)]
    assert [model for model, _, _ in Gate.objects.get().cooldowns] == [FIRST, SECOND]
    assert list(RateLimitEvent.objects.order_by("id").values_list("model", "refusal")) == [(FIRST, refusal), (SECOND, refusal)]
    assert health(time.time()).state == "open"
    fake_chutes.set(refuse=None)
    answer(1)
    assert routes() == [("template", "refused"), ("llm", "answered")]


@pytest.mark.parametrize("cap", [0.05, 0.0])
def test_a_task_at_the_gateways_cost_limit_goes_on_with_the_template_and_other_tasks_with_the_llm(
    fake_chutes: FakeChutes, cap: float
) -> None:
    set_rules(max_task_usd=cap)
    fake_chutes.set(refuse={"status": 402, "detail": "Cost limit exceeded. Current: $0.06, Limit: $0.05"})
    answer()
    assert verdicts() == [(FIRST, "refused", "task_cost")]
    assert health(time.time()).state == "open"
    assert not RateLimitEvent.objects.exists()
    fake_chutes.set(refuse=None)
    answer(1)
    answer(2, task_id="another")
    assert routes() == [("template", "refused"), ("template", "cost"), ("llm", "answered")]
    assert calls(fake_chutes) == 2


def test_a_client_that_the_edges_firewall_turns_away_pauses_nothing(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(refuse="blocked")
    answer()
    assert verdicts() == [(FIRST, "refused", "upstream"), (SECOND, "refused", "upstream")]
    gate = Gate.objects.get()
    assert (gate.strikes, gate.cooldowns) == (0, [])


def test_a_hanging_provider_is_cut_off_in_time_and_counts_as_long_as_it_was_waited_for(
    fake_chutes: FakeChutes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "UNKNOWN", 0.5)
    monkeypatch.setattr(routing, "budget", lambda _, at: routing.Budget(at + 90, at + 4))  # a busy machine is in time, too
    fake_chutes.set(faults={"hang": 1.0})
    assert answer().actions
    assert verdicts()[0][1] == "failed"
    assert routes() == [("template", "failed")]
    assert not Step.objects.get().is_late
    assert latency.expected(Gate.objects.get().latencies[FIRST]) > 1.5


def test_a_step_with_a_short_timeout_gets_the_template_at_once(fake_chutes: FakeChutes) -> None:
    answer(timeout_seconds=8.0)
    assert routes() == [("template", "deadline")]
    assert calls(fake_chutes) == 0


def test_a_step_with_a_short_timeout_gets_the_llm_once_it_has_been_fast(fake_chutes: FakeChutes) -> None:
    for index in range(5):
        answer(index)
    answer(5, timeout_seconds=8.0)
    assert routes()[-1] == ("llm", "answered")


def test_a_step_whose_slot_comes_too_late_gets_the_template_at_once(fake_chutes: FakeChutes) -> None:
    set_rules(spacing_seconds=60)
    answer()
    answer(1)
    assert routes() == [("llm", "answered"), ("template", "spacing")]
    assert Step.objects.get(index=1).retry_at is not None


def test_template_mode_sends_no_request(fake_chutes: FakeChutes) -> None:
    set_rules(agent_mode="template")
    answer()
    assert routes() == [("template", "mode")]
    assert calls(fake_chutes) == 0


def test_a_sure_step_is_answered_by_the_template_and_takes_no_slot_where_the_llm_is_for_unsure_ones(fake_chutes: FakeChutes) -> None:
    set_rules(llm_use="when_unsure", sure_from=0.8)
    answer()
    answer(1, prompt="Do the usual thing")
    assert routes() == [("template", "sure"), ("llm", "answered")]
    sure, unsure = Step.objects.order_by("id")
    assert (sure.confidence or 0) >= 0.8 > (unsure.confidence or 0)
    assert sure.limits["llm_use"] == "when_unsure"
    assert LLMAttempt.objects.get().step == unsure


def test_after_template_the_llm_keeps_a_task_of_which_a_step_was_unsure(fake_chutes: FakeChutes) -> None:
    set_rules(llm_use="after_template", sure_from=0.8)
    answer()
    answer(1)
    Step.objects.filter(index=1).update(confidence=0.5)
    answer(2)
    answer(2, task_id="another")
    assert routes() == [("template", "sure"), ("template", "sure"), ("llm", "answered"), ("template", "sure")]


def test_always_uses_the_llm_however_sure_the_template_is(fake_chutes: FakeChutes) -> None:
    set_rules(sure_from=0.0)
    answer()
    assert routes() == [("llm", "answered")]


def test_a_task_whose_next_call_might_exceed_its_cap_goes_on_with_the_template(fake_chutes: FakeChutes) -> None:
    set_rules(max_task_usd=0.0102)
    answer()
    answer(1)
    answer(2, task_id="another")
    assert routes() == [("llm", "answered"), ("template", "cost"), ("llm", "answered")]
    assert Step.objects.get(index=1).retry_at is None
    set_rules(max_task_usd=0)
    answer(3)
    assert routes()[-1] == ("llm", "answered")


def test_a_model_that_costs_more_than_the_cap_leaves_is_skipped(fake_chutes: FakeChutes) -> None:
    account = default_account()
    account.price_overrides = {FIRST: [100, 100], SECOND: [0.1, 0.1]}
    account.save()
    answer()
    assert verdicts() == [(SECOND, "ok", "")]


def test_llm_mode_falls_back_to_a_plain_answer(fake_chutes: FakeChutes) -> None:
    set_rules(agent_mode="llm")
    fake_chutes.set(limit=0)
    assert [action.type for action in answer().actions] == ["WaitAction"]


def test_a_missing_key_or_model_is_the_reason(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_MODELS = ()
    answer()
    settings.CHUTES_API_KEY = ""
    answer(1)
    assert routes() == [("template", "no_model"), ("template", "no_key")]


def test_a_disabled_account_gets_no_request(fake_chutes: FakeChutes) -> None:
    account = default_account()
    account.enabled = False
    account.save()
    answer()
    assert routes() == [("template", "disabled")]


def test_a_request_sent_before_the_pause_does_not_end_it_by_its_success(fake_chutes: FakeChutes) -> None:
    answer()
    attempt = LLMAttempt.objects.get()
    assert attempt.sent_at is not None
    Gate.objects.update(strikes=2, paused_at=attempt.sent_at.timestamp() + 1, paused_until=time.time() + 100)
    answer(1)
    assert Gate.objects.get().strikes == 2


def test_the_callers_timeout_counts_less_a_margin() -> None:
    assert routing.budget(10.0, 100.0) == routing.Budget(deadline=110.0, cut_off=108.5)
    assert routing.budget(1_000.0, 100.0) == routing.Budget(deadline=280.0, cut_off=278.5)


def test_a_step_without_a_timeout_of_its_own_has_the_settings_deadline() -> None:
    set_rules(agent_mode="template", deadline_seconds=40.0)
    answer(timeout_seconds=10.0)
    answer(1)
    seconds = [(step.deadline_at - step.received_at).total_seconds() for step in Step.objects.order_by("id")]
    assert seconds == pytest.approx([10.0, 40.0], abs=0.001)
