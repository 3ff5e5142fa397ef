"""Operators' actions on a gate, from the form to the gate and, for a probe, to a provider."""

import time
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ
from pytest_django.fixtures import Settings as DjangoSettings

from agents.common.text import length
from agents.configuration import change, default_account
from agents.devtools.fake_chutes.process import FakeChutes
from agents.ledger import gate_rows
from agents.models import AccountJob, AuditEntry, Gate, LLMAttempt
from agents.policy.gate import GateState
from agents.policy.reasons import PauseSource, Purpose
from agents.tests.queue_of_jobs import work
from monitoring.tests.reading import text_of, tree_of

pytestmark = pytest.mark.django_db

MODEL = "Qwen/Qwen3-32B-TEE"


@pytest.fixture(autouse=True)
def ready(fake_chutes: FakeChutes, settings: DjangoSettings) -> None:
    fake_chutes.set(limit=60)
    settings.CHUTES_API_KEY, settings.CHUTES_BASE_URL, settings.CHUTES_MODELS = fake_chutes.key, fake_chutes.base_url, (MODEL,)


def paused(**gate: Any) -> None:
    now = time.time()
    state = {"strikes": 2, "paused_at": now - 5, "paused_until": now + 500, "cause": "edge", "succeeded_at": now - 99}
    Gate.objects.create(account=default_account(), **{**state, **gate})


def address(action: str) -> str:
    return f"/rate-limit/{default_account().pk}/{action}/"


def state() -> GateState:
    return gate_rows.of(default_account()).state(time.time())


def audit() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.values_list("by", "action", "detail"))


def test_each_action_shows_effect_and_risk_before_it_is_done(operator: Client) -> None:
    paused()
    for action, effect, risk in (
        ("probe", "sends one request for a single token", "the next pause takes 4 min."),
        ("pause", "Nothing is sent for this time", "A pause that already lasts longer stays as it is."),
        ("resume", "Ends the pause.", "the next pause takes 4 min."),
        ("clear", "Forgets all refusals", "the backoff restarts at 1 min"),
    ):
        text = text_of(operator.get(address(action)), "//main")
        assert effect in text
        assert risk in text
    assert state() is GateState.PAUSED
    assert audit() == []


@pytest.mark.parametrize(
    ("sent", "seconds"), [({"length": "5"}, 300), ({"length": "360"}, 21_600), ({"length": "15", "minutes": "2"}, 120)]
)
def test_a_pause_lasts_as_long_as_entered(sent: dict[str, str], seconds: float, operator: Client) -> None:
    before = time.time()
    response = operator.post(address("pause"), sent, follow=True)
    gate = gate_rows.of(default_account())
    assert before + seconds <= gate.paused_until <= time.time() + seconds
    assert gate.pause_source is PauseSource.OPERATOR
    assert "LLM paused by an operator for" in text_of(response)
    assert "default is paused for" in text_of(response, "//*[@role='status'][contains(@class, 'alert-success')]")
    assert audit() == [("one-of-operators", "pause", f"For {length(seconds)}. No pause was running.")]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "length"),
        ({"length": "7"}, "length"),
        ({"length": "5", "minutes": "0"}, "minutes"),
        ({"length": "5", "minutes": "soon"}, "minutes"),
        ({"length": "5", "minutes": "10081"}, "minutes"),
    ],
)
def test_a_pause_that_cannot_be_read_is_refused_at_its_field(sent: dict[str, str], field: str, operator: Client) -> None:
    response = operator.post(address("pause"), sent)
    assert response.status_code == 200
    assert text_of(response, f"//*[@id='id_{field}_error']")
    assert state() is GateState.OPEN


def test_resuming_ends_the_pause_and_leaves_the_probe_to_the_next_request(operator: Client) -> None:
    paused()
    response = operator.post(address("resume"), follow=True)
    assert "The pause of default has ended." in text_of(response)
    assert state() is GateState.PROBING
    assert [entry[:2] for entry in audit()] == [("one-of-operators", "resume")]


def test_clearing_forgets_all_refusals(operator: Client) -> None:
    paused()
    operator.post(address("clear"))
    assert (state(), gate_rows.of(default_account()).strikes) == (GateState.OPEN, 0)
    assert [entry[:2] for entry in audit()] == [("one-of-operators", "clear")]


def test_a_probe_ends_the_pause_of_an_account_that_works_again(operator: Client) -> None:
    paused()
    assert "A probe of default is queued." in text_of(operator.post(address("probe"), follow=True))
    assert state() is GateState.PROBING
    assert OrmQ.objects.count() == 1
    assert work(AccountJob.objects.get())
    assert state() is GateState.OPEN
    assert LLMAttempt.objects.get().purpose == Purpose.PROBE
    assert [entry[:2] for entry in audit()] == [("one-of-operators", "probe")]


def test_a_refused_probe_results_in_the_announced_pause(operator: Client, fake_chutes: FakeChutes) -> None:
    paused()
    fake_chutes.set(limit=0)
    foretold = text_of(operator.get(address("probe")), "//main")
    operator.post(address("probe"))
    work(AccountJob.objects.get())
    gate = gate_rows.of(default_account())
    assert "the next pause takes 4 min." in foretold
    assert gate.strikes == 3
    assert gate.paused_until - gate.paused_at == pytest.approx(240, rel=0.051)  # our own pauses are lengthened by up to 5 %


def test_an_impossible_action_is_refused_with_the_reason(operator: Client) -> None:
    response = operator.post(address("resume"))
    assert "No pause is running" in text_of(response, "//*[@role='alert']")
    change({"agent_mode": "template"}, by=None, reason="")
    response = operator.post(address("probe"))
    assert "nothing can be sent" in text_of(response, "//*[@role='alert']")
    assert tree_of(response).xpath("//form[@id='gate-action']//button[@disabled]")
    assert audit() == []
    assert OrmQ.objects.count() == 0


def test_a_silent_worker_is_reported_before_a_probe_is_queued(operator: Client) -> None:
    assert "The worker sends the probe." in text_of(operator.get(address("probe")), "//*[@role='alert']")


def test_an_account_that_is_not_there_is_no_fault(operator: Client) -> None:
    assert operator.post("/rate-limit/999999/clear/").status_code == 404


def test_a_viewer_is_refused(viewer: Client) -> None:
    paused()
    for action in ("probe", "pause", "resume", "clear"):
        assert viewer.post(address(action), {"length": "5"}).status_code == 403
    assert state() is GateState.PAUSED
    assert audit() == []
