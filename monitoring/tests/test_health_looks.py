"""Each component's look, and the round that keeps what was seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from agents.configuration import default_account
from agents.models import Account, Gate, Heartbeat, QuotaReading, Settings
from agents.standin.process import StandIn
from monitoring.health import checking, looks
from monitoring.health.judging import Look
from monitoring.models import Component, HealthState

pytestmark = pytest.mark.django_db(transaction=True)

UP, DEGRADED, DOWN, UNKNOWN = HealthState.UP, HealthState.DEGRADED, HealthState.DOWN, HealthState.UNKNOWN


def seen() -> dict[str, Look]:
    return {look.component: look for look in looks.looks(timezone.now())}


def test_the_web_is_asked_over_http(live_server: Any, settings: Any) -> None:
    parts = urlsplit(live_server.url)
    settings.BIND, settings.PORT = parts.hostname, parts.port
    look = seen()["web"]
    assert look.state == UP, look.message
    assert look.latency_ms


def test_a_web_that_is_gone_is_down_with_its_address(settings: Any, free_port: int) -> None:
    settings.BIND, settings.PORT = "127.0.0.1", free_port
    look = seen()["web"]
    assert (look.state, str(free_port) in look.message) == (DOWN, True)


def test_the_database_is_read_and_written_and_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    look = seen()["database"]
    assert look.state == UP
    assert "free." in look.message
    assert Heartbeat.objects.filter(name="database").exists()
    monkeypatch.setattr(looks, "DISK_LOW", 10**18)
    assert seen()["database"].state == DEGRADED
    monkeypatch.setattr(looks, "DISK_FULL", 10**18)
    assert seen()["database"].message.startswith("The disk is full.")


@pytest.mark.parametrize(("age", "state"), [(5, UP), (90, DEGRADED), (600, DOWN)])
def test_the_queue_is_as_good_as_its_oldest_job(age: float, state: HealthState) -> None:
    OrmQ.objects.create(key="minerpanel", payload="x", lock=timezone.now() - timedelta(seconds=age))
    assert seen()["queue"].state == state


@pytest.mark.parametrize(("age", "state"), [(5, UP), (45, DEGRADED), (120, DOWN)])
def test_the_worker_is_as_good_as_its_last_sign_of_life(age: float, state: HealthState) -> None:
    Heartbeat.objects.create(name="worker here/1", beaten_at=timezone.now() - timedelta(seconds=age))
    assert seen()["worker"].state == state


def test_without_any_worker_it_is_down() -> None:
    assert seen()["worker"].message == "No worker has given a sign of life."


def test_a_late_schedule_is_named() -> None:
    Schedule.objects.all().delete()
    assert seen()["scheduler"].state == UP
    Schedule.objects.create(name="Read model lists", func="x", next_run=timezone.now() - timedelta(minutes=10), repeats=-1)
    assert seen()["scheduler"].message == "Late: Read model lists."


@pytest.mark.parametrize(
    ("gate", "state", "words"),
    [
        ({"succeeded_at": 1.0}, UP, "Open."),
        ({}, UNKNOWN, "It has never succeeded."),
        ({"strikes": 1, "cause": "edge", "paused_until": 9e9, "succeeded_at": 1.0}, DEGRADED, "Paused until"),
        ({"strikes": 1, "cause": "edge", "paused_until": 1.0, "succeeded_at": 1.0}, DEGRADED, "a probe decides"),
        ({"strikes": 1, "cause": "auth", "paused_until": 9e9}, DOWN, "Stopped. The key was refused."),
    ],
)
def test_an_account_is_as_its_gate_is(settings: Any, gate: dict[str, Any], state: HealthState, words: str) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "cpk_made.up.key", ("some/model",)
    Gate.objects.create(account=default_account(), **gate)
    look = seen()["account default"]
    assert look.state == state
    assert words in look.message


def test_an_account_without_a_model_is_not_called_open(settings: Any) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "cpk_made.up.key", ()
    Gate.objects.create(account=default_account(), succeeded_at=1.0)
    look = seen()["account default"]
    assert (look.state, look.message[:29]) == (DEGRADED, "Not asked: no model is known.")


def test_a_missing_key_is_down_and_a_disabled_account_unknown(settings: Any) -> None:
    settings.CHUTES_API_KEY = ""
    default_account()
    assert seen()["account default"].state == DOWN
    Account.objects.update(enabled=False)
    assert seen()["account default"].state == UNKNOWN


def test_the_management_api_is_as_its_last_reading() -> None:
    assert "management default" not in seen()
    QuotaReading.objects.create(account=default_account(), read_at=timezone.now(), fault="This key cannot read quotas.")
    assert seen()["management default"].state == DEGRADED


def test_another_miners_api_is_looked_at_where_one_is_set(standin: StandIn, free_port: int) -> None:
    assert "miner API" not in seen()
    Settings.objects.update_or_create(id=1, defaults={"miner_api_url": f"http://127.0.0.1:{free_port}"})
    assert seen()["miner API"].state == DOWN


def test_the_clock_is_compared_with_the_providers_once_an_hour(standin: StandIn, settings: Any) -> None:
    settings.CHUTES_BASE_URL = standin.base_url
    look = seen()["clock"]
    assert look.state in (UP, DEGRADED)
    assert "apart from the provider's" in look.message
    assert "clock" not in seen()


def test_a_round_is_run_once_by_however_many_workers() -> None:
    now = timezone.now()
    assert [checking.check_if_due(now) for _ in range(3)] == [True, False, False]
    assert checking.check_if_due(now + timedelta(seconds=61))


def test_a_round_keeps_state_and_history_and_drops_what_is_gone(settings: Any) -> None:
    settings.CHUTES_API_KEY = ""
    default_account()
    spare = Account.objects.create(name="spare", position=2)
    checking.check(timezone.now())
    row = Component.objects.get(name="account spare")
    assert (row.state, row.seen, row.failures) == (DEGRADED, DOWN, 1)
    checking.check(timezone.now())
    row.refresh_from_db()
    assert (row.state, row.checks.count()) == (DOWN, 2)
    spare.delete()
    checking.check(timezone.now())
    assert not Component.objects.filter(name="account spare").exists()
