"""The miner's health report in every state."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.accounts.miner_status import Health, Memory, health
from agents.configuration import change, default_account, keys
from agents.configuration.account_changes import change_account
from agents.ledger import actions
from agents.models import Account, Gate, RateLimitEvent
from agents.policy.reasons import Reason
from agents.policy.refusals import BY_CONTROL, NEVER_WORKED, WRONG_HOST, RefusalClass

pytestmark = pytest.mark.django_db(transaction=True)

NOW = 1_790_000_000.0
OWN_LIMIT, NOT_THE_ACCOUNT = (" ".join(BY_CONTROL[kind]) for kind in (RefusalClass.AUTH, RefusalClass.EDGE))


@pytest.fixture(autouse=True)
def ready(settings: Any) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "cpk_made.up", ("a/model",)


def gate(**state: Any) -> None:
    Gate.objects.create(account=default_account(), **state)


def test_a_new_miner_may_use_the_llm() -> None:
    assert health(NOW) == Health("hybrid", "open", "The LLM is available.")


def test_a_pause_is_reported_with_its_end_and_source() -> None:
    gate(strikes=1, paused_at=NOW - 10, paused_until=NOW + 50)
    until = datetime.fromtimestamp(NOW + 50, UTC)
    assert health(NOW) == Health("hybrid", "paused", Reason.PAUSED.sentence, until, "our own backoff")
    Gate.objects.update(pause_source="provider")
    assert health(NOW).source == "stated by the provider"


def test_after_a_pause_the_next_step_probes() -> None:
    gate(strikes=1, paused_at=NOW - 70, paused_until=NOW)
    now = health(NOW)
    assert (now.state, now.resets_at) == ("probing", None)


def test_every_reason_not_to_use_the_llm_is_reported(settings: Any) -> None:
    def reported() -> tuple[str, str]:
        return health(NOW).state, health(NOW).sentence

    settings.CHUTES_MODELS = ()
    assert reported() == ("off", Reason.NO_MODEL.sentence)
    settings.CHUTES_API_KEY = ""
    assert reported() == ("off", Reason.NO_KEY.sentence)
    change_account(default_account(), {"enabled": False}, key=None, by=None, reason="test")
    assert reported() == ("off", Reason.DISABLED.sentence)
    change({"agent_mode": "template"}, by=None, reason="test")
    assert reported() == ("off", Reason.MODE.sentence)
    assert health(NOW).agent_type == "template"


def test_a_key_that_cannot_be_opened_is_reported_with_the_remedy(settings: Any) -> None:
    change_account(default_account(), {}, key="cpk_entered", by=None, reason="test")
    settings.SECRET_KEY = "another-secret-key"
    assert health(NOW).state == "off"
    assert "SECRET_KEY_FALLBACKS" in health(NOW).sentence
    with pytest.raises(keys.UnreadableKey):
        keys.key_of(default_account())


@pytest.mark.usefixtures("no_database")
def test_without_the_database_the_state_is_unknown_and_the_miner_still_answers() -> None:
    assert health(NOW) == Health("hybrid", "unknown", "The database can't be read. The template agent answers.")


def test_while_the_database_hangs_the_last_state_is_sent_at_once_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    assert (memory.latest.health.state, memory.latest.read_at) == ("unknown", None)
    memory.refresh()
    before = memory.latest
    assert (before.health.state, before.read_at is None) == ("open", False)
    hangs, ends = threading.Event(), threading.Event()

    def hang(now: float) -> Health:
        hangs.set()
        assert ends.wait(30)
        return Health("hybrid", "off", "Another state.")

    monkeypatch.setattr("agents.accounts.miner_status.health", hang)
    reader = threading.Thread(target=memory.refresh)
    reader.start()
    assert hangs.wait(30)
    assert memory.latest is before
    ends.set()
    reader.join(30)
    assert memory.latest.health.state == "off"


def event(**fields: Any) -> None:
    at = datetime.fromtimestamp(NOW, UTC)
    facts = {
        "strike": 1,
        "pause_seconds": 60,
        "pause_source": "ladder",
        "started_at": at,
        "block_started_at": at,
        "predicted_at": at,
        "prediction_source": "ladder",
    }
    RateLimitEvent.objects.create(account=default_account(), **{**facts, **fields})


@pytest.mark.parametrize(
    ("refusal", "status", "sentence"),
    [
        ("edge", 429, NEVER_WORKED),
        ("auth", 404, WRONG_HOST),
        ("auth", 401, RefusalClass.AUTH.sentence),
        ("payment", 402, RefusalClass.PAYMENT.sentence),
    ],
)
def test_a_pause_caused_by_the_setup_is_reported_with_what_to_check(refusal: str, status: int, sentence: str) -> None:
    gate(strikes=1, paused_at=NOW - 10, paused_until=NOW + 50, cause=refusal)
    event(refusal=refusal, status=status)
    assert health(NOW).sentence == sentence


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({"control": "auth", "control_at": NOW - 5}, OWN_LIMIT),
        ({"control": "edge", "control_at": NOW - 5}, NOT_THE_ACCOUNT),
        ({"control": "auth", "control_at": NOW - 5, "succeeded_at": NOW - 99}, OWN_LIMIT),
        ({"control": "auth", "control_at": NOW - 11}, NEVER_WORKED),
        ({"control": "auth", "control_at": NOW - 11, "succeeded_at": NOW - 99}, Reason.PAUSED.sentence),
        ({"control": "auth", "control_at": NOW - 5, "cause": "payment"}, RefusalClass.PAYMENT.sentence),
        ({"control": "auth", "control_at": NOW - 5, "strikes": 0, "paused_until": 0}, "The LLM is available."),
        ({}, NEVER_WORKED),
    ],
)
def test_the_refusal_of_a_made_up_key_counts_for_the_edges_present_block_only(state: dict[str, Any], sentence: str) -> None:
    gate(**{"strikes": 1, "paused_at": NOW - 9, "paused_until": NOW + 50, "cause": "edge", "blocked_at": NOW - 10, **state})
    assert health(NOW).sentence == sentence


def test_the_refusal_of_a_made_up_key_does_not_count_for_another_key() -> None:
    gate(strikes=1, paused_at=NOW - 9, paused_until=NOW + 50, cause="edge", blocked_at=NOW - 10)
    actions.note_control(default_account(), RefusalClass.AUTH, NOW)
    assert health(NOW).sentence == OWN_LIMIT
    change_account(default_account(), {}, key="cpk_another", by=None, reason="test")
    assert health(NOW).sentence == NEVER_WORKED


def test_an_account_that_waits_for_its_operator_is_stopped_without_a_time() -> None:
    gate(strikes=1, paused_at=NOW - 10, paused_until=NOW + 50, cause="payment", pause_source="check")
    event(refusal="payment", status=402, prediction_source="check", predicted_at=None)
    now = health(NOW)
    assert (now.state, now.resets_at, now.source) == ("stopped", None, "checked at the settings' interval")


def test_a_prediction_is_reported_with_range_and_source() -> None:
    gate(strikes=1, paused_at=NOW - 10, paused_until=NOW + 50, cause="edge", succeeded_at=NOW - 99)
    at, earliest, latest = (datetime.fromtimestamp(NOW + seconds, UTC) for seconds in (90, 50, 200))
    event(refusal="edge", status=429, prediction_source="history", predicted_at=at, predicted_from=earliest, predicted_to=latest)
    now = health(NOW)
    assert (now.state, now.resets_at, now.source) == ("paused", at, "how long earlier blocks of this kind took")
    assert now.sentence == ("The account is paused. Expected back from 2026-09-21 14:14:10 UTC to 2026-09-21 14:16:40 UTC.")


def test_an_operators_pause_is_reported_as_such() -> None:
    gate(paused_at=NOW - 10, paused_until=NOW + 50, pause_source="operator")
    now = health(NOW)
    assert (now.state, now.sentence) == ("paused", "Paused by an operator until 2026-09-21 14:14:10 UTC.")


def test_of_several_accounts_the_first_usable_one_is_reported() -> None:
    gate(strikes=1, paused_at=NOW - 10, paused_until=NOW + 50, cause="edge", succeeded_at=NOW - 99)
    second = change_account(
        Account.objects.create(name="second", position=2), {"model_names": ["b/model"]}, key="cpk_two", by=None, reason="test"
    )
    assert health(NOW).state == "open"
    Gate.objects.create(account=second, strikes=1, paused_at=NOW - 10, paused_until=NOW + 20, cause="edge", succeeded_at=NOW - 99)
    assert health(NOW).resets_at == datetime.fromtimestamp(NOW + 20, UTC)
    Gate.objects.filter(account=second).update(cause="auth")
    assert health(NOW).resets_at == datetime.fromtimestamp(NOW + 50, UTC)
