"""Daily caps, shares of callers and missed slots: what the ledger writes, and how the runner answers."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agents import ledger
from agents.accounts import status
from agents.accounts.miner_status import health
from agents.configuration import change, default_account, provider
from agents.contract.protocol import Form, Plan
from agents.contract.protocol import Step as Request
from agents.contract.step_facts import AttemptEnd, Opening, opening
from agents.devtools.fake_chutes.process import FakeChutes
from agents.hybrid import runner
from agents.hybrid.runner import Attempt
from agents.ledger import gate_rows
from agents.llm.client import Prompt
from agents.models import DailyUse, LLMAttempt, Source, Step
from agents.policy.callers import Sender
from agents.policy.costs import Caps, next_day
from agents.policy.gate import Limits
from agents.policy.reasons import Purpose, Reason, Verdict
from agents.policy.routing import Reach

pytestmark = pytest.mark.django_db(transaction=True)

NOW = 1_790_000_000.0
MODEL = "Qwen/Qwen3-32B-TEE"
LIMITS = Limits(spacing=5.0)
PROMPT = Prompt([{"role": "user", "content": "Say OK."}])


@pytest.fixture
def fake_chutes(fake_chutes: FakeChutes, settings: Any) -> FakeChutes:
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = fake_chutes.key, fake_chutes.base_url, (MODEL,)
    set_rules(spacing_seconds=0)
    return fake_chutes


def set_rules(**changes: Any) -> None:
    change(changes, by=None, reason="test")


def answer(caller: str = "192.0.2.7", index: int = 0) -> Plan:
    step = Request("/step", Form.STEP, "t", "Search for 'Arrival'", "http://localhost:8000/?seed=58", page="<p>Hello</p>", index=index)
    return runner.answer(step, source=Source.VALIDATOR, caller=caller).plan


def reasons() -> list[str]:
    return list(Step.objects.order_by("id").values_list("reason", flat=True))


def used(**whose: Any) -> tuple[int, float]:
    row = DailyUse.objects.get(**whose)
    return row.attempts, row.usd


def test_after_the_last_attempt_of_the_day_the_template_answers_until_midnight_utc(fake_chutes: FakeChutes) -> None:
    set_rules(daily_attempts=2)
    for index in range(3):
        answer(index=index)
    assert reasons() == ["answered", "answered", "cap"]
    last = Step.objects.order_by("id").last()
    assert last is not None
    assert last.retry_at == datetime.fromtimestamp(next_day(last.received_at.timestamp()), UTC)
    assert last.declined[0]["reason"] == "cap"
    assert LLMAttempt.objects.count() == 2


def test_a_day_counts_what_its_attempts_cost(fake_chutes: FakeChutes) -> None:
    default_account()
    for index in range(2):
        answer(index=index)
    costs = [float(attempt.cost or 0) for attempt in LLMAttempt.objects.all()]
    for whose in ({"account": default_account()}, {"caller": "192.0.2.7"}):
        attempts, usd = used(**whose)
        assert attempts == 2
        assert usd == pytest.approx(sum(costs) or usd)
        assert usd < sum(attempt.reserved_usd for attempt in LLMAttempt.objects.all())


def test_what_one_more_attempt_may_cost_has_to_fit_into_the_day(fake_chutes: FakeChutes) -> None:
    set_rules(daily_usd=0.0001)
    answer()
    assert reasons() == ["cap"]
    assert not LLMAttempt.objects.exists()


def test_an_account_that_has_used_its_day_is_shown_as_such(fake_chutes: FakeChutes) -> None:
    set_rules(daily_attempts=1)
    answer()
    (snapshot,) = status.account_statuses(time.time())
    assert (snapshot.state(time.time()), snapshot.obstacle) == (status.AccountState.OFF, Reason.CAP)
    assert health(time.time()).sentence == Reason.CAP.sentence


def test_a_caller_that_has_used_its_day_leaves_the_llm_to_the_others(fake_chutes: FakeChutes) -> None:
    set_rules(caller_daily_attempts=1)
    for caller in ("192.0.2.7", "192.0.2.7", "192.0.2.8"):
        answer(caller)
    assert reasons() == ["answered", "cap", "answered"]


def begun(caller: str, index: int = 0) -> Opening:
    step = Request("/step", Form.STEP, f"task of {caller}", "Log out", "http://localhost:8000/?seed=58", index=index)
    return opening(step, source=Source.VALIDATOR, caller=caller, received_at=NOW, deadline_at=NOW + 25, limits={})


def request(caller: str, *, is_allowed: bool = True, caps: Caps | None = None) -> ledger.Request:
    sender = Sender(caller, caller, is_allowed)
    return ledger.Request(default_account(), LIMITS, NOW + 23.5, ("m",), most_usd={"m": 0.01}, caps=caps or Caps(), sender=sender)


def open_attempt(caller: str, index: int = 0, **how: Any) -> ledger.Permit:
    return ledger.open_step(begun(caller, index), [request(caller, **how)], lambda: NOW)


def given_up(permit: ledger.Permit) -> AttemptEnd:
    assert permit.attempt_uid
    return AttemptEnd(permit.attempt_uid, Verdict.GIVEN_UP, NOW + 1)


def test_an_attempt_counts_at_its_highest_cost_until_it_ends_and_not_at_all_if_it_was_not_sent() -> None:
    permit = open_attempt("192.0.2.7")
    assert used(account=default_account()) == used(caller="192.0.2.7") == (1, 0.01)
    ledger.close_attempt(given_up(permit), LIMITS)
    assert used(account=default_account()) == used(caller="192.0.2.7") == (0, 0.0)


def test_an_attempt_whose_outcome_is_unknown_keeps_its_highest_cost() -> None:
    permit = open_attempt("192.0.2.7")
    assert permit.attempt_uid
    ledger.close_attempt(AttemptEnd(permit.attempt_uid, Verdict.FAILED, NOW + 9, sent_at=NOW), LIMITS)
    assert used(account=default_account()) == (1, 0.01)


def test_yesterdays_cost_is_not_counted_and_old_days_are_deleted() -> None:
    DailyUse.objects.create(day="2026-09-20", account=default_account(), attempts=7)
    DailyUse.objects.create(day="2026-08-01", caller="192.0.2.9", attempts=7)
    assert open_attempt("192.0.2.7", caps=Caps(attempts=1)).attempt_uid
    assert open_attempt("192.0.2.7", 1, caps=Caps(attempts=1)).decision.reason is Reason.CAP
    assert not DailyUse.objects.filter(caller="192.0.2.9").exists()


def crowded() -> list[ledger.Permit]:
    """A stranger's four steps hold all slots that are in time."""
    permits = [open_attempt("198.51.100.9", index, is_allowed=False) for index in range(5)]
    assert permits[4].decision.reason is Reason.SPACING
    return permits[:4]


def test_an_allowed_callers_step_takes_a_strangers_slot_and_both_decisions_are_on_record() -> None:
    strangers = crowded()
    opened_step = replace(begun("198.51.100.9", 1), uid=str(Step.objects.get(index=1).uid))
    permit = open_attempt("192.0.2.7")
    assert permit.decision.slot == strangers[1].decision.slot
    step = Step.objects.get(task__caller="192.0.2.7")
    assert step.reason == ""
    assert step.attempts.get().slot_at.timestamp() == pytest.approx(permit.decision.slot, abs=0.01)
    result = waited(strangers[1])
    assert (result.reason, result.reach) == (Reason.SHARE, Reach.NOTHING)
    assert result.end is not None
    llm_request = request("198.51.100.9", is_allowed=False)
    again = ledger.next_attempt(opened_step, llm_request, result.end, [llm_request], lambda: NOW + 1)
    assert again.attempt_uid is None
    assert LLMAttempt.objects.get(uid=strangers[1].attempt_uid or "").verdict == Verdict.GIVEN_UP
    assert gate_rows.of(default_account()).claim(permit.attempt_uid or "") is not None


def waited(permit: ledger.Permit) -> Any:
    """The result of an attempt that reads the gate a moment later; nothing is sent."""
    assert permit.request
    clock = iter([NOW, NOW + 0.2, NOW + 0.2]).__next__
    return Attempt(PROMPT, lambda _: Plan(()), provider(default_account()), permit.request, permit, clock).run()


def test_an_attempt_that_wakes_late_is_sent_and_its_new_slot_is_on_record(fake_chutes: FakeChutes) -> None:
    account, late = default_account(), 0.5
    limits = Limits(spacing=1.0)
    llm_request = ledger.Request(account, limits, time.time() + 25, (MODEL,))
    permit = ledger.open_attempt([llm_request], Purpose.TEST, lambda: time.time() - late)
    result = Attempt(PROMPT, lambda _: Plan(()), provider(account), llm_request, permit).run()
    assert result.reason is Reason.ANSWERED
    assert result.end is not None
    ledger.close_attempt(result.end, limits)
    attempt = LLMAttempt.objects.get()
    assert attempt.verdict == Verdict.OK
    assert attempt.slot_at.timestamp() >= (permit.decision.slot or 0) + late - 0.01
    assert len(gate_rows.of(account).pace.sends) == 1, "the slot that was missed is free"


def test_an_attempt_without_time_for_another_slot_is_given_up_and_frees_its_own() -> None:
    permit = open_attempt("192.0.2.7")
    again = ledger.renew(permit, lambda: NOW + 20)
    assert (again.decision.reason, again.decision.slot) == (Reason.MISSED, None)
    ledger.close_attempt(given_up(permit), LIMITS)
    gate = gate_rows.of(default_account())
    assert (gate.pace.sends, gate.claims) == ((), ())
