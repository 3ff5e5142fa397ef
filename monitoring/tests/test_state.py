"""The state in one sentence, for every situation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings as DjangoSettings

from agents.configuration import change, change_account, default_account
from agents.governor import Gate, Limits, Pacing
from agents.models import Account, Heartbeat, RateLimitEvent, Settings
from agents.models import Gate as GateRow
from agents.pacing import Pace
from agents.reasons import PauseSource, Reason, Verdict
from agents.refusals import NEVER_WORKED, WRONG_HOST, RefusalClass
from agents.standing import Look
from monitoring.stats.standing import CAUSES, OFF, Tone
from monitoring.stats.state import Facts, State, state, told
from monitoring.tests.records import NOW, make_attempt, make_step

AT = NOW.timestamp()
LOOK = Look(Account(name="default"))
FACTS = Facts(now=NOW, look=LOOK, last_step_at=NOW - timedelta(seconds=12), worker_beat_at=NOW - timedelta(seconds=3))
GATE = Gate(strikes=2, paused_at=AT - 5, paused_until=AT + 192, cause=RefusalClass.EDGE, succeeded_at=AT - 500)


def seen(look: Look = LOOK, **gate: object) -> State:
    return told(replace(FACTS, look=replace(look, gate=replace(GATE, **gate))))  # type: ignore[arg-type]


def words(found: State) -> str:
    return f"{found.headline} {found.llm}{' …' if found.until else ''}{found.after}"


def test_an_open_gate_is_good() -> None:
    assert words(told(FACTS)) == "Answering. LLM ready, one request every 5 s."
    assert told(FACTS).tone is Tone.GOOD


def test_a_slot_that_is_taken_is_no_pause() -> None:
    assert words(seen(strikes=0, paused_until=0.0, last_slot_at=AT)) == "Answering. LLM ready, one request every 5 s."


def test_spacing_0_is_said() -> None:
    assert told(replace(FACTS, look=replace(LOOK, limits=Limits(spacing=0)))).llm == "LLM ready, without spacing."


def test_a_learned_pace_is_said() -> None:
    look = replace(LOOK, limits=Limits(pacing=Pacing.LEARNED), gate=Gate(pace=Pace(level=17.96)))
    assert told(replace(FACTS, look=look)).llm == "LLM ready, up to 18 requests a minute as learned."


def test_a_pause_says_cause_source_and_rung() -> None:
    found = seen()
    assert words(found) == "Answering. LLM paused for …: account rate limit, our ladder rung 2 of 4."
    assert found.until == NOW + timedelta(seconds=192)
    assert found.tone is Tone.WAITING


def test_beyond_the_last_rung_the_ladder_stays_there() -> None:
    assert "rung 4 of 4" in seen(strikes=9).after


def test_a_pause_that_the_provider_named_says_so() -> None:
    found = seen(pause_source=PauseSource.PROVIDER, cause=RefusalClass.DAILY_QUOTA)
    assert found.after == ": daily quota used up, the provider said so."


def test_a_pause_tells_when_the_account_is_expected_back_and_how_that_is_known() -> None:
    event = RateLimitEvent(
        refusal="edge",
        prediction_source="calendar",
        confidence=0.8,
        predicted_at=NOW + timedelta(hours=1),
        predicted_from=NOW + timedelta(hours=1),
        predicted_to=NOW + timedelta(hours=1, seconds=60),
    )
    expected = seen(replace(LOOK, event=event)).expected
    assert expected
    assert (expected.at, expected.latest) == (event.predicted_at, event.predicted_to)
    assert (expected.source, expected.sureness, expected.is_overdue) == ("the provider's calendar, in UTC", "quite sure", False)


def test_an_operators_pause_says_so() -> None:
    found = seen(strikes=0, cause="", pause_source=PauseSource.OPERATOR)
    assert words(found) == "Answering. LLM paused by an operator for …."
    assert found.expected
    assert (found.expected.at, found.expected.sureness) == (NOW + timedelta(seconds=192), "")


def test_what_an_operator_must_do_is_said_in_red() -> None:
    found = seen(cause=RefusalClass.AUTH)
    assert words(found) == "Answering. LLM stopped: key refused, looked at again in …."
    assert found.tone is Tone.BAD
    assert found.remedy == "Check the key and the base URL in the settings."
    assert found.expected
    assert found.expected.at is None
    assert seen(cause=RefusalClass.PAYMENT, paused_until=AT - 1).llm == "LLM stopped: no balance left, looked at again by the next request."


def test_a_key_that_never_worked_is_no_matter_of_a_rate_limit() -> None:
    found = seen(succeeded_at=0.0)
    assert found.tone is Tone.BAD
    assert "limit" not in found.after
    assert found.remedy == NEVER_WORKED


def test_a_wrong_address_is_told_apart_from_a_wrong_key() -> None:
    found = seen(replace(LOOK, event=RateLimitEvent(refusal="auth", status=404, prediction_source="check")), cause=RefusalClass.AUTH)
    assert found.llm.startswith("LLM stopped: wrong address")
    assert found.remedy == WRONG_HOST


def test_after_a_pause_the_next_request_probes() -> None:
    assert seen(paused_until=AT - 10).llm == "The LLM's pause is over: the next request probes the account."
    assert seen(paused_until=AT - 10, probe_until=AT + 9).llm == "The LLM's pause is over: one request is probing the account."


@pytest.mark.parametrize("reason", OFF)
def test_an_llm_that_is_off_says_why_and_what_to_do(reason: Reason) -> None:
    found = told(replace(FACTS, look=replace(LOOK, obstacle=reason)))
    assert found.llm.startswith("LLM")
    assert found.remedy


def test_a_key_that_cannot_be_opened_is_told() -> None:
    assert told(replace(FACTS, look=replace(LOOK, unreadable="Enter it again."))).remedy == "Enter it again."


def test_which_of_several_accounts_is_told_of() -> None:
    assert told(FACTS).account == ""
    assert told(replace(FACTS, accounts=3)).account == "Account default, of 3"


def test_without_any_step_the_miner_is_ready() -> None:
    found = told(replace(FACTS, last_step_at=None))
    assert found.headline == "Ready. No step has come yet."
    assert found.tone is Tone.QUIET


def test_a_silent_worker_is_told() -> None:
    assert told(FACTS).worker == ""
    assert "silent" in told(replace(FACTS, worker_beat_at=NOW - timedelta(seconds=61))).worker
    assert "no sign of life yet" in told(replace(FACTS, worker_beat_at=None)).worker


def test_every_refusal_has_its_cause_in_words() -> None:
    assert set(CAUSES) == set(RefusalClass)


@pytest.mark.django_db
def test_the_state_is_read_from_what_is_on_record(settings: DjangoSettings) -> None:
    now = timezone.now()
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "", ()
    account = default_account()
    assert state(now).llm == "LLM off: no API key is set."
    change_account(account, {}, key="cpk_made.up.key", by=None, reason="")
    assert state(now).llm == "LLM off: no model is known."
    change_account(account, {"model_names": ["a/model"]}, key=None, by=None, reason="")
    assert state(now).llm == "LLM ready, one request every 5 s."
    make_step(at=now)
    Heartbeat.objects.create(name="worker here/1", beaten_at=now)
    GateRow.objects.create(account=account, strikes=1, paused_at=now.timestamp(), paused_until=now.timestamp() + 60)
    assert words(state(now)) == "Answering. LLM paused for …: refused, our ladder rung 1 of 4."
    assert state(now).worker == ""
    change_account(account, {"enabled": False}, key=None, by=None, reason="")
    assert state(now).llm == "LLM off: the account is disabled."
    change({"agent_mode": "template"}, by=None, reason="")
    assert Settings.current().agent_mode == "template"
    assert state(now).llm == "LLM switched off: template mode."


@pytest.mark.django_db
def test_whether_the_key_ever_worked_is_read_from_its_gate(settings: DjangoSettings) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "cpk_made.up.key", ("a/model",)
    account, at = default_account(), NOW.timestamp()
    GateRow.objects.create(account=account, strikes=1, paused_at=at, paused_until=at + 60, cause="edge")
    refused = make_attempt(make_step(), verdict=Verdict.REFUSED, status=429, refusal=RefusalClass.EDGE)
    RateLimitEvent.objects.create(
        account=account,
        attempt=refused,
        refusal=RefusalClass.EDGE,
        status=429,
        strike=1,
        pause_seconds=60,
        pause_source=PauseSource.LADDER,
        started_at=NOW,
        predicted_at=NOW + timedelta(seconds=60),
        prediction_source="ladder",
        block_started_at=NOW,
    )
    assert state(NOW).remedy == NEVER_WORKED
    GateRow.objects.update(succeeded_at=at - 60)
    assert state(NOW).after == ": account rate limit, our ladder rung 1 of 4."
