"""The state in one sentence, for every situation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings as DjangoSettings

from agents.configuration import change, change_account, default_account
from agents.governor import Gate, Limits
from agents.models import Gate as GateRow
from agents.models import Heartbeat, RateLimitEvent, Settings
from agents.reasons import PauseSource, Reason, Verdict
from agents.refusals import NEVER_WORKED, WRONG_HOST, RefusalClass
from monitoring.stats.state import CAUSES, OFF, Facts, State, Tone, state, told
from monitoring.tests.records import NOW, make_attempt, make_step

AT = NOW.timestamp()
FACTS = Facts(
    now=NOW,
    gate=Gate(),
    limits=Limits(),
    obstacle=None,
    unreadable="",
    cause=None,
    last_step_at=NOW - timedelta(seconds=12),
    worker_beat_at=NOW - timedelta(seconds=3),
)
PAUSED = replace(FACTS, gate=Gate(strikes=2, paused_at=AT - 5, paused_until=AT + 192), cause=RefusalClass.EDGE)


def words(found: State) -> str:
    return f"{found.headline} {found.llm}{' for …' if found.until else ''}{found.after}"


def test_an_open_gate_is_good() -> None:
    assert words(told(FACTS)) == "Answering. LLM ready, one request every 5 s."
    assert told(FACTS).tone is Tone.GOOD


def test_spacing_0_is_said() -> None:
    assert told(replace(FACTS, limits=Limits(spacing=0))).llm == "LLM ready, without spacing."


def test_a_pause_says_cause_source_and_rung() -> None:
    found = told(PAUSED)
    assert words(found) == "Answering. LLM paused for …: account rate limit, our ladder rung 2 of 4."
    assert found.until == NOW + timedelta(seconds=192)
    assert found.tone is Tone.WAITING


def test_beyond_the_last_rung_the_ladder_stays_there() -> None:
    assert "rung 4 of 4" in told(replace(PAUSED, gate=replace(PAUSED.gate, strikes=9))).after


def test_a_pause_that_the_provider_named_says_so() -> None:
    gate = replace(PAUSED.gate, pause_source=PauseSource.PROVIDER)
    assert told(replace(PAUSED, gate=gate, cause=RefusalClass.DAILY_QUOTA)).after == ": daily quota used up, the provider said so."


def test_what_an_operator_must_do_is_said_in_red() -> None:
    found = told(replace(PAUSED, cause=RefusalClass.AUTH))
    assert found.tone is Tone.BAD
    assert found.remedy == "Check the key and the base URL in the settings."


def test_a_key_that_never_worked_is_no_matter_of_a_rate_limit() -> None:
    found = told(replace(PAUSED, has_succeeded=False))
    assert found.tone is Tone.BAD
    assert "limit" not in found.after
    assert found.remedy == NEVER_WORKED


def test_a_wrong_address_is_told_apart_from_a_wrong_key() -> None:
    found = told(replace(PAUSED, cause=RefusalClass.AUTH, status=404))
    assert found.after.startswith(": wrong address")
    assert found.remedy == WRONG_HOST


def test_after_a_pause_the_next_step_probes() -> None:
    gate = Gate(strikes=1, paused_at=AT - 70, paused_until=AT - 10)
    assert told(replace(FACTS, gate=gate)).llm == "The LLM's pause is over: the next step probes the account."
    assert told(replace(FACTS, gate=replace(gate, probe_until=AT + 9))).llm == "The LLM's pause is over: one step is probing the account."


@pytest.mark.parametrize("reason", OFF)
def test_an_llm_that_is_off_says_why_and_what_to_do(reason: Reason) -> None:
    found = told(replace(FACTS, obstacle=reason))
    assert found.llm.startswith("LLM")
    assert found.remedy


def test_a_key_that_cannot_be_opened_is_told() -> None:
    assert told(replace(FACTS, unreadable="Enter it again.")).remedy == "Enter it again."


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
