"""The last hours by the records: which step waited for which, its deadline, and the attempts with their results."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.configuration import change, default_account
from agents.models import Account, AuditEntry, Gate, LLMAttempt, RateLimitEvent, Route, Source, Step, Task
from agents.policy.belief import Belief
from agents.policy.pacing import Pace
from agents.policy.reasons import PauseSource, Purpose, Reason, Verdict
from agents.policy.refusals import RefusalClass
from agents.simulation.past import Outcome, Past, read_past, span
from agents.simulation.scenario import BadSetting
from agents.simulation.settings import miner_in_force
from agents.tests.rows import rows

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
START = NOW - timedelta(hours=1)
database = pytest.mark.django_db


def task(key: str = "t") -> Task:
    return Task.objects.get_or_create(
        fingerprint=key, defaults={"key": key, "source": Source.VALIDATOR, "prompt": "p", "url": "http://x/", "created_at": START}
    )[0]


def step(at: float, took: float | None = 1.0, of: str = "t", deadline: float = 25.0, reason: Reason = Reason.ANSWERED) -> Step:
    """A step that was received `at` seconds into the hour and took `took` seconds."""
    received = START + timedelta(seconds=at)
    route = "" if took is None else Route.LLM if reason is Reason.ANSWERED else Route.TEMPLATE
    return Step.objects.create(
        task=task(of),
        source=Source.VALIDATOR,
        endpoint="/step",
        form="step",
        url="http://x/",
        received_at=received,
        deadline_at=received + timedelta(seconds=deadline),
        answered_at=None if took is None else received + timedelta(seconds=took),
        route=route,
        reason="" if took is None else reason,
    )


def attempt(at: float, took: float = 2.0, verdict: Verdict = Verdict.OK, refusal: str = "", **more: Any) -> LLMAttempt:
    sent = START + timedelta(seconds=at)
    values = {
        "account": default_account(),
        "purpose": Purpose.PROBE,
        "number": 1,
        "model": "m",
        "decided_at": sent,
        "slot_at": sent,
        "cut_off_at": sent + timedelta(seconds=20),
        "sent_at": sent,
        "ended_at": sent + timedelta(seconds=took),
    }
    return LLMAttempt.objects.create(verdict=verdict, refusal=refusal, **{**values, **more})


def past() -> Past:
    return read_past(3600, NOW)


@database
def test_a_step_that_waited_for_the_answer_before_it_keeps_its_gap_to_it() -> None:
    step(10, took=4)
    step(16.5, took=1)
    (chain,) = past().chains
    assert chain.at == START.timestamp() + 10
    assert [each.gap for each in chain.steps] == [0.0, 2.5]


@database
def test_steps_that_did_not_wait_and_those_of_other_tasks_keep_their_times() -> None:
    step(10, took=4)
    step(12, took=1)
    step(13, of="other")
    step(20, took=None, of="other")
    step(30, of="other")
    assert [(each.at - START.timestamp(), len(each.steps)) for each in past().chains] == [(10, 1), (12, 1), (13, 2), (30, 1)]


@database
def test_only_steps_of_the_time_count() -> None:
    step(-5)
    step(5)
    step(3601)
    assert past().steps == 1


@database
def test_a_callers_own_deadline_is_kept_and_the_settings_is_not() -> None:
    change({"deadline_seconds": 20}, by=None, reason="test")
    history = change({"deadline_seconds": 20}, by=None, reason="test").history
    history.update(history_date=START + timedelta(seconds=100))
    step(10, deadline=25)
    step(200, deadline=20)
    step(300, deadline=25)
    assert [each.timeout for chain in past().chains for each in chain.steps] == [None, None, 25.0]


@database
def test_a_step_that_may_not_use_the_llm_is_marked() -> None:
    step(10, reason=Reason.CALLER)
    step(15, reason=Reason.SURE)
    step(20, reason=Reason.PAUSED)
    step(25, reason=Reason.COST)
    step(30)
    (chain,) = past().chains
    assert [step.tries_llm for step in chain.steps] == [False, False, True, False, True]
    assert past().llm == 1


@database
def test_attempts_are_read_with_their_outcomes() -> None:
    attempt(1)
    attempt(2, verdict=Verdict.INVALID)
    attempt(3, verdict=Verdict.REFUSED, refusal=RefusalClass.CAPACITY)
    attempt(4, verdict=Verdict.REFUSED, refusal=RefusalClass.UPSTREAM)
    attempt(5, verdict=Verdict.FAILED)
    attempt(6, took=20, verdict=Verdict.FAILED)
    attempt(6.5, verdict=Verdict.REFUSED, refusal=RefusalClass.MODEL_UNPAID)
    attempt(6.6, verdict=Verdict.REFUSED, refusal=RefusalClass.TASK_COST)
    attempt(7, verdict=Verdict.REFUSED, refusal=RefusalClass.EDGE)
    attempt(8, verdict=Verdict.GIVEN_UP, sent_at=None)
    attempt(9, verdict=Verdict.LOST)
    attempt(10, verdict=Verdict.OPEN, ended_at=None)
    result = past().sent
    assert [each.outcome for each in result] == [
        Outcome.OK,
        Outcome.INVALID,
        Outcome.CAPACITY,
        Outcome.FAILED,
        Outcome.FAILED,
        Outcome.CUT_OFF,
        Outcome.MODEL,
        Outcome.FAILED,
        Outcome.REFUSED,
    ]
    assert (result[-1].kind, result[0].for_step, result[0].seconds) == (RefusalClass.EDGE, False, 2.0)


def event(of: LLMAttempt | None, started: float, pause: float, **more: Any) -> RateLimitEvent:
    at = START + timedelta(seconds=started)
    values = {"refusal": RefusalClass.DAILY_QUOTA, "pause_source": PauseSource.PROVIDER, "prediction_source": PauseSource.PROVIDER}
    return RateLimitEvent.objects.create(
        account=default_account(), attempt=of, strike=1, pause_seconds=pause, started_at=at, block_started_at=at, **{**values, **more}
    )


@database
def test_a_stated_reset_is_read_with_its_refusal() -> None:
    refused = attempt(10, took=0.5, verdict=Verdict.REFUSED, refusal=RefusalClass.DAILY_QUOTA)
    event(refused, 10.5, 600)
    (sent,) = past().sent
    assert (sent.stated_until, sent.source) == (START.timestamp() + 610.5, PauseSource.PROVIDER)


@database
def test_a_block_from_before_holds_at_the_beginning_and_one_that_ended_does_not() -> None:
    event(None, -900, 60, ended_by="operator", ended_at=START - timedelta(seconds=800))
    assert past().sent == ()
    event(None, -500, 700)
    (sent,) = past().sent
    assert (sent.at, sent.outcome, sent.stated_until) == (START.timestamp(), Outcome.REFUSED, START.timestamp() + 200)


@database
def test_the_account_with_the_most_attempts_is_replayed_and_the_others_are_counted() -> None:
    other = Account.objects.create(name="other", position=2)
    attempt(1)
    attempt(2, account=other)
    attempt(3, account=other)
    Gate.objects.create(account=other, pace=Pace(belief=Belief(stated=90.0)).as_json())
    AuditEntry.objects.create(at=START, action=AuditEntry.Action.PAUSE, account=other)
    result = past()
    assert (result.account, result.elsewhere, len(result.sent), result.published, result.operator_pauses) == ("other", 1, 2, 90.0, 1)


@database
def test_the_miner_in_force_has_the_settings_and_the_accounts_models() -> None:
    change({"spacing_seconds": 2, "probe_after_pause": False, "deadline_seconds": 30}, by=None, reason="test")
    Account.objects.create(name="mine", model_names=["a/b"])
    miner = miner_in_force("mine")
    assert (miner.limits.spacing, miner.probes, miner.deadline, miner.models) == (2, False, 30, ("a/b",))


@pytest.mark.long
@database
def test_a_thousand_steps_take_as_many_queries_as_one(django_assert_num_queries: Callable[..., Any]) -> None:
    step(1)
    attempt(1)
    with django_assert_num_queries(9):
        past()
    received = {"task": task(), "source": Source.VALIDATOR, "form": "step", "received_at": START, "deadline_at": NOW}
    Step.objects.bulk_create([Step(**received) for _ in range(3000)], batch_size=500)
    with django_assert_num_queries(9):
        assert past().steps == 3001


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), ("24h", 86_400), ("7d", 604_800), (" 1.5H", 5400)])
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert span(text) == seconds


@rows("text", ["", "24", "h", "0h", "-1h", "1w", "24 hours", "nan", "1e9d", "9999d"])
def test_a_time_that_is_none_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(BadSetting, match="--last: must be a time such as 90m, 24h or 7d"):
        span(text)
