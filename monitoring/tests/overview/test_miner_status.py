"""The state in one sentence, for every situation."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings as DjangoSettings

from agents.accounts.status import AccountStatus
from agents.configuration import change, default_account
from agents.configuration.account_changes import change_account
from agents.models import Account, Heartbeat, RateLimitEvent, Settings
from agents.models import Gate as GateRow
from agents.policy.gate import Gate, Limits, succeeded
from agents.policy.modes import Pacing
from agents.policy.reasons import PauseSource, Reason, Verdict
from agents.policy.refusals import NEVER_WORKED, WRONG_HOST, RefusalClass
from monitoring.health.components import WorkerNow, worker_now
from monitoring.overview.status import MinerStatus, miner_status
from monitoring.ratelimit.status_text import Tone
from monitoring.tests.records import NOW, make_attempt, make_step

AT = NOW.timestamp()
SNAPSHOT = AccountStatus(Account(name="default"))
FACTS = MinerStatus(NOW, SNAPSHOT, NOW - timedelta(seconds=12), WorkerNow(NOW, is_silent=False, message=""))
GATE = Gate(strikes=2, paused_at=AT - 5, paused_until=AT + 192, cause=RefusalClass.EDGE, succeeded_at=AT - 500)


def seen(snapshot: AccountStatus = SNAPSHOT, **gate: object) -> MinerStatus:
    return replace(FACTS, snapshot=replace(snapshot, gate=replace(GATE, **gate)))  # type: ignore[arg-type]


def status_text(status: MinerStatus) -> str:
    return f"{status.headline} {status.llm.text}{' …' if status.llm.until else ''}{status.llm.after}"


def test_an_open_gate_is_good() -> None:
    assert status_text(FACTS) == "Answering. LLM ready, one request every 5 s."
    assert FACTS.tone is Tone.GOOD


def test_a_slot_that_is_taken_is_no_pause() -> None:
    assert status_text(seen(strikes=0, paused_until=0.0, last_slot_at=AT)) == "Answering. LLM ready, one request every 5 s."


def test_spacing_0_is_shown() -> None:
    assert replace(FACTS, snapshot=replace(SNAPSHOT, limits=Limits(spacing=0))).llm.text == "LLM ready, without spacing."


def test_an_automatic_pace_is_shown() -> None:
    limits = Limits(pacing=Pacing.AUTO)
    snapshot = replace(SNAPSHOT, limits=limits, gate=succeeded(Gate(), limits, AT, AT))
    assert replace(FACTS, snapshot=snapshot).llm.text == "LLM ready, up to 60 requests a minute according to its answers."


def test_a_pause_shows_cause_source_and_backoff_step() -> None:
    status = seen()
    assert status_text(status) == "Answering. LLM paused for …: rate limit, our own backoff, pause 2 of 4."
    assert status.llm.until == NOW + timedelta(seconds=192)
    assert status.tone is Tone.WAITING


def test_beyond_the_last_backoff_step_the_last_one_is_shown() -> None:
    assert "pause 4 of 4" in seen(strikes=9).llm.after


def test_a_pause_under_automatic_pacing_has_no_backoff_step() -> None:
    assert seen(replace(SNAPSHOT, limits=Limits(pacing=Pacing.AUTO))).llm.after == ": rate limit, our own backoff."


def test_a_pause_by_the_provider_shows_its_source() -> None:
    status = seen(pause_source=PauseSource.PROVIDER, cause=RefusalClass.DAILY_QUOTA)
    assert status.llm.after == ": daily quota, stated by the provider."


def test_a_pause_shows_the_expected_recovery_and_its_source() -> None:
    event = RateLimitEvent(
        refusal="edge",
        prediction_source="calendar",
        confidence=0.8,
        predicted_at=NOW + timedelta(hours=1),
        predicted_from=NOW + timedelta(hours=1),
        predicted_to=NOW + timedelta(hours=1, seconds=60),
    )
    expected = seen(replace(SNAPSHOT, event=event)).expected
    assert expected
    assert (expected.at, expected.latest) == (event.predicted_at, event.predicted_to)
    assert (expected.source, expected.confidence, expected.is_overdue) == ("the provider's calendar, in UTC", "high confidence", False)


def test_an_operators_pause_is_labelled() -> None:
    status = seen(strikes=0, cause="", pause_source=PauseSource.OPERATOR)
    assert status_text(status) == "Answering. LLM paused by an operator for …."
    assert status.expected
    assert (status.expected.at, status.expected.confidence) == (NOW + timedelta(seconds=192), "")


def test_a_remedy_that_needs_an_operator_is_red() -> None:
    status = seen(cause=RefusalClass.AUTH)
    assert status_text(status) == "Answering. LLM stopped: key refused, checked again in …."
    assert status.tone is Tone.BAD
    assert status.llm.remedy == "Check the key and the base URL in the settings."
    assert status.expected
    assert status.expected.at is None
    assert seen(cause=RefusalClass.PAYMENT, paused_until=AT - 1).llm.text == "LLM stopped: no balance, checked again by the next request."


def test_a_key_that_never_worked_is_no_matter_of_a_rate_limit() -> None:
    status = seen(succeeded_at=0.0)
    assert status.tone is Tone.BAD
    assert "limit" not in status.llm.after
    assert status.llm.remedy == NEVER_WORKED


def test_a_limit_confirmed_by_a_control_request_is_shown_as_the_accounts() -> None:
    status = seen(replace(SNAPSHOT, control=RefusalClass.AUTH), succeeded_at=0.0)
    assert status.tone is Tone.WAITING
    assert status.llm.after == ": rate limit, our own backoff, pause 2 of 4."
    assert status.llm.remedy.endswith("this limit is this account's own. Wait for the reset. The panel probes by itself.")


def test_a_refusal_of_all_accounts_needs_the_operator() -> None:
    status = seen(replace(SNAPSHOT, control=RefusalClass.EDGE))
    assert status.tone is Tone.BAD
    assert status.llm.after.startswith(": turned away by the edge")


def test_a_wrong_address_is_distinguished_from_a_wrong_key() -> None:
    status = seen(replace(SNAPSHOT, event=RateLimitEvent(refusal="auth", status=404, prediction_source="check")), cause=RefusalClass.AUTH)
    assert status.llm.text.startswith("LLM stopped: wrong address")
    assert status.llm.remedy == WRONG_HOST


def test_after_a_pause_the_next_request_probes() -> None:
    assert seen(paused_until=AT - 10).llm.text == "The LLM's pause is over: the next request probes the account."
    assert seen(paused_until=AT - 10, probe_until=AT + 9).llm.text == "The LLM's pause is over: one request is probing the account."


@pytest.mark.parametrize("reason", [Reason.MODE, Reason.DISABLED, Reason.UNREADABLE, Reason.NO_KEY, Reason.NO_MODEL])
def test_an_llm_that_is_off_shows_reason_and_remedy(reason: Reason) -> None:
    status = replace(FACTS, snapshot=replace(SNAPSHOT, obstacle=reason))
    assert status.llm.text.startswith("LLM")
    assert status.llm.remedy


def test_without_any_step_the_miner_is_ready() -> None:
    status = replace(FACTS, last_step_at=None)
    assert status.headline == "Ready. No step has arrived yet."
    assert status.tone is Tone.QUIET


@pytest.mark.django_db
def test_a_silent_worker_is_reported() -> None:
    assert "No worker has started" in worker_now(NOW).warning
    Heartbeat.objects.create(name="worker here/1", beaten_at=NOW)
    assert worker_now(NOW).warning == ""
    assert "does not respond" in worker_now(NOW + timedelta(seconds=61)).warning


@pytest.mark.django_db
def test_the_state_is_read_from_the_records(settings: DjangoSettings) -> None:
    now = timezone.now()
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "", ()
    account = default_account()
    assert miner_status(now, worker_now(now)).llm.text == "LLM off: no API key is set."
    change_account(account, {}, key="cpk_made.up.key", by=None, reason="")
    assert miner_status(now, worker_now(now)).llm.text == "LLM off: no model is known."
    change_account(account, {"model_names": ["a/model"]}, key=None, by=None, reason="")
    assert miner_status(now, worker_now(now)).llm.text == "LLM ready, one request every 5 s."
    make_step(at=now)
    Heartbeat.objects.create(name="worker here/1", beaten_at=now)
    GateRow.objects.create(account=account, strikes=1, paused_at=now.timestamp(), paused_until=now.timestamp() + 60)
    assert status_text(miner_status(now, worker_now(now))) == "Answering. LLM paused for …: refused, our own backoff, pause 1 of 4."
    assert miner_status(now, worker_now(now)).worker.warning == ""
    change_account(account, {"enabled": False}, key=None, by=None, reason="")
    assert miner_status(now, worker_now(now)).llm.text == "LLM off: the account is disabled."
    change({"agent_mode": "template"}, by=None, reason="")
    assert Settings.current().agent_mode == "template"
    assert miner_status(now, worker_now(now)).llm.text == "LLM off: template mode is set."


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
    assert miner_status(NOW, worker_now(NOW)).llm.remedy == NEVER_WORKED
    GateRow.objects.update(succeeded_at=at - 60)
    assert miner_status(NOW, worker_now(NOW)).llm.after == ": rate limit, our own backoff, pause 1 of 4."
