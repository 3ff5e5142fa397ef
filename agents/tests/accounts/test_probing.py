"""Probes: after a pause without a step, a request for a single token checks the account, counted apart from steps."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from agents import ledger
from agents.accounts import probing
from agents.configuration import change, default_account
from agents.contract.protocol import Form
from agents.contract.protocol import Step as Request
from agents.devtools.fake_chutes.process import FakeChutes
from agents.hybrid import runner
from agents.ledger import actions, gate_rows
from agents.models import Account, AccountJob, AuditEntry, Gate, LLMAttempt, RateLimitEvent, Source, Step
from agents.operator_jobs import leased_job
from agents.tests.queue_of_jobs import work

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "Qwen/Qwen3-32B-TEE"


@pytest.fixture
def fake_chutes(fake_chutes: FakeChutes, settings: Any) -> FakeChutes:
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = fake_chutes.key, fake_chutes.base_url, (MODEL,)
    change({"spacing_seconds": 0}, by=None, reason="test")
    return fake_chutes


def answer() -> None:
    step = Request("/step", Form.STEP, "t", "Search for 'Arrival'", "http://localhost:8000/?seed=58", page="<p>Hello</p>")
    runner.answer(step, source=Source.VALIDATOR, caller="192.0.2.7")


def refused_and_over(fake_chutes: FakeChutes, **account: Any) -> Account:
    """An account whose pause has just ended."""
    fake_chutes.set(**(account or {"limit": 0}))
    answer()
    now = time.time()
    Gate.objects.update(paused_at=now - 61, paused_until=now - 1)
    return default_account()


def queued() -> int:
    return int(OrmQ.objects.count())


def probe(account: Account, kind: AccountJob.Kind = AccountJob.Kind.PROBE) -> str:
    """Run a probe as a worker; returns the result of the newest attempt."""
    before = LLMAttempt.objects.count()
    assert work(leased_job.start(AccountJob, account=account, kind=kind)[0])
    return LLMAttempt.objects.latest("pk").verdict if LLMAttempt.objects.count() > before else "nothing sent"


def probe_if_due(account: Account) -> str:
    return probe(account, AccountJob.Kind.PROBE_IF_DUE)


def test_a_probe_brings_the_llm_back_and_costs_one_token(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes)
    fake_chutes.set(limit=60)
    assert probe_if_due(account) == "ok"
    attempt = LLMAttempt.objects.get(purpose="probe")
    assert (attempt.step, attempt.completion_tokens, attempt.verdict) == (None, 1, "ok")
    assert gate_rows.of(account).strikes == 0
    event = RateLimitEvent.objects.get()
    assert (event.ended_by, event.recovered_at) == ("succeeded", attempt.ended_at)
    assert Step.objects.count() == 1, "a probe is no step"


def test_a_refused_probe_climbs_the_ladder_and_the_next_one_waits_for_the_pause(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes)
    assert probe_if_due(account) == "refused"
    gate = gate_rows.of(account)
    assert gate.strikes == 2
    assert gate.paused_until - gate.paused_at >= 120
    assert probe_if_due(account) == "nothing sent"
    assert list(RateLimitEvent.objects.order_by("id").values_list("ended_by", flat=True)) == ["timer", ""]


def test_the_worker_queues_a_probe_when_a_pause_is_over_and_none_before(fake_chutes: FakeChutes) -> None:
    refused_and_over(fake_chutes)
    Gate.objects.update(paused_until=time.time() + 3_600)
    assert (probing.start_due(timezone.now()), queued()) == (0, 0)
    Gate.objects.update(paused_until=time.time() - 1)
    assert (probing.start_due(timezone.now()), queued()) == (1, 1)


def test_while_a_step_probes_no_other_probe_is_queued(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes)
    Gate.objects.update(probe_until=time.time() + 150)
    assert not probing.is_due(account, timezone.now())
    assert probe(account) == "nothing sent"


def test_a_probe_without_a_result_is_not_repeated_at_once(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes)
    fake_chutes.set(faults={"http500": 1.0}, limit=60)
    assert probe_if_due(account) == "refused"
    assert gate_rows.of(account).strikes == 1
    assert not probing.is_due(account, timezone.now())
    LLMAttempt.objects.filter(purpose="probe").update(decided_at=timezone.now() - probing.AGAIN_AFTER)
    assert probing.is_due(account, timezone.now())


@pytest.mark.parametrize("changes", [{"probe_after_pause": False}, {"agent_mode": "template"}])
def test_probes_can_be_switched_off_and_template_mode_needs_none(fake_chutes: FakeChutes, changes: dict[str, Any]) -> None:
    refused_and_over(fake_chutes)
    change(changes, by=None, reason="test")
    assert probing.start_due(timezone.now()) == 0


def test_a_disabled_account_is_never_probed(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes)
    Account.objects.update(enabled=False)
    assert probing.start_due(timezone.now()) == 0
    assert probe(account) == "nothing sent"


def test_a_refused_key_is_probed_once_until_the_next_check(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes, valid=False)
    assert probe_if_due(account) == "refused"
    gate = gate_rows.of(account)
    assert gate.paused_until - gate.paused_at >= 300
    assert RateLimitEvent.objects.filter(predicted_at=None).count() == 2, "the time of the repair is unknown"


def test_an_operators_probe_ends_the_pause_and_is_on_record(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes)
    Gate.objects.update(paused_until=time.time() + 3_600)
    probing.start(account, by="ada", now=time.time())
    assert queued() == 1
    fake_chutes.set(limit=60)
    assert work(AccountJob.objects.get())
    assert LLMAttempt.objects.latest("pk").verdict == "ok"
    entry = AuditEntry.objects.get()
    assert (entry.by, entry.action, entry.account) == ("ada", "probe", account)
    assert entry.detail.endswith(" of a pause were left.")


def test_an_operators_pause_holds_although_an_open_request_succeeds(fake_chutes: FakeChutes) -> None:
    account = default_account()
    answer()
    sent_at = LLMAttempt.objects.get().sent_at
    assert sent_at
    actions.pause(account, 600, by="ada", now=time.time())
    step = Step.objects.count()
    answer()
    assert Step.objects.order_by("id")[step].reason == "paused"
    assert len(fake_chutes.state()["arrivals"]) == 1
    assert not RateLimitEvent.objects.exists()
    actions.resume(account, by="ada", now=time.time())
    answer()
    assert Step.objects.order_by("-id")[0].route == "llm"


def test_resume_ends_a_pause_and_the_next_step_probes(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes)
    Gate.objects.update(paused_until=time.time() + 3_600)
    fake_chutes.set(limit=60)
    actions.resume(account, by="ada", now=time.time())
    answer()
    assert LLMAttempt.objects.order_by("-id")[0].lease is not None
    event = RateLimitEvent.objects.get()
    assert (event.ended_by, event.recovered_at is not None) == ("operator", True)


def test_clear_opens_the_gate_and_resets_the_ladder(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes)
    actions.clear(account, by="ada", now=time.time())
    gate = gate_rows.of(account)
    assert (gate.strikes, gate.rungs, gate.cooldowns, gate.paused_until) == (0, 0, (), 0.0)
    assert RateLimitEvent.objects.get().ended_by == "operator"
    answer()
    assert RateLimitEvent.objects.get(ended_by="").strike == 1


def test_a_new_key_is_probed_at_once_and_counts_as_never_having_worked(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes, valid=False)
    now = time.time()
    Gate.objects.update(paused_until=now + 300, succeeded_at=now - 1000)
    actions.rekey(account, now)
    gate = gate_rows.of(account)
    assert (gate.paused_until, gate.succeeded_at) == (now, 0.0)


def test_earlier_blocks_predict_the_next_one_and_the_outcome_is_kept_beside_it(fake_chutes: FakeChutes) -> None:
    account = refused_and_over(fake_chutes)
    first = RateLimitEvent.objects.get()
    assert (first.prediction_source, first.confidence) == ("ladder", 0.2)
    for seconds in (110, 120, 130):
        began = timezone.now() - timedelta(days=1, seconds=seconds)
        back = began + timedelta(seconds=seconds)
        past = {"started_at": began, "block_started_at": began, "recovered_at": back, "ended_at": back, "ended_by": "succeeded"}
        RateLimitEvent.objects.create(
            account=account, refusal="edge", strike=1, pause_seconds=60, pause_source="ladder", prediction_source="ladder", **past
        )
    fake_chutes.set(limit=60)
    probe(account)
    fake_chutes.set(limit=0)
    answer()
    event = RateLimitEvent.objects.get(ended_by="")
    assert event.prediction_source == "history"
    assert event.predicted_at and event.predicted_from and event.predicted_to
    assert (event.predicted_at - event.block_started_at).total_seconds() == pytest.approx(110, abs=0.001)
    assert event.predicted_from <= event.predicted_at <= event.predicted_to


def test_a_full_model_is_an_event_of_that_model_until_it_accepts_a_request(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(models={MODEL: {"full": 1.0}})
    answer()
    event = RateLimitEvent.objects.get()
    assert (event.model, event.refusal, event.ended_by) == (MODEL, "capacity", "")
    assert event.predicted_at and event.predicted_at > event.started_at
    fake_chutes.set(models={MODEL: {"full": 0.0}})
    answer()
    event.refresh_from_db()
    assert (event.ended_by, event.recovered_at is not None) == ("succeeded", True)
    assert gate_rows.of(default_account()).strikes == 0


def test_the_days_quota_in_an_answer_is_kept(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(quota={"total": 100, "used": 7})
    answer()
    quota = Gate.objects.get().quota
    assert (quota["total"], quota["remaining"]) == (100, quota["total"] - quota["used"])
    assert quota["at"] <= time.time()


def test_a_probe_is_given_up_where_the_gate_refuses(fake_chutes: FakeChutes) -> None:
    account = default_account()
    actions.pause(account, 600, by="ada", now=time.time())
    assert probe(account) == "nothing sent"
    assert ledger.lose_attempts(timezone.now()) == 0
