"""The health check of each component, and the round that records them."""

import os
import shutil
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from agents.configuration import default_account
from agents.devtools.fake_chutes.process import FakeChutes
from agents.models import Account, Gate, Heartbeat, QuotaReading, Settings, SystemSchedule
from agents.policy.modes import Mode
from monitoring.health import health_checks
from monitoring.health.health_checks import Checked
from monitoring.models import Component, HealthState
from monitoring.reporting import search
from monitoring.tests.records import make_task

pytestmark = pytest.mark.django_db(transaction=True)

UP, DEGRADED, DOWN, UNKNOWN = HealthState.UP, HealthState.DEGRADED, HealthState.DOWN, HealthState.UNKNOWN


def seen() -> dict[str, Checked]:
    """The current result of each check."""
    return health_checks.check_all(timezone.now())


def test_the_web_process_is_checked_over_http(live_server: Any, settings: Any) -> None:
    parts = urlsplit(live_server.url)
    settings.BIND, settings.PORT = parts.hostname, parts.port
    check = seen()["web"]
    assert check.state == UP, check.message
    assert check.latency_ms


def test_a_web_that_is_gone_is_down_with_its_address(settings: Any, free_port: int) -> None:
    settings.BIND, settings.PORT = "127.0.0.1", free_port
    check = seen()["web"]
    assert (check.state, str(free_port) in check.message) == (DOWN, True)


def test_the_database_is_read_and_written_and_measured() -> None:
    check = seen()["database"]
    assert check.state == UP
    assert "large." in check.message
    assert Heartbeat.objects.filter(name="database").exists()


def test_little_free_disk_space_is_degraded_and_next_to_none_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    for free, state in ((10**11, UP), (400 * 10**6, DEGRADED), (50 * 10**6, DOWN)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free, total=10**12))
        check = seen()["disk"]
        assert check.state == state
        assert ("only facts are recorded" in check.message) == (state != UP)


def test_facts_that_wait_or_are_lost_are_shown(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert (seen()["spool"].state, seen()["spool"].message) == (UP, "Nothing waits.")
    (tmp_path / "spool" / "attempts").mkdir(parents=True)
    waiting = tmp_path / "spool" / "attempts" / "1-x.json"
    waiting.write_text("{}")
    assert (seen()["spool"].state, "wait for the database: 1" in seen()["spool"].message) == (DEGRADED, True)
    waiting.unlink()
    lost = tmp_path / "spool" / "lost"
    lost.write_text("2\n3\n")
    assert (seen()["spool"].state, "refused them: 5." in seen()["spool"].message) == (DEGRADED, True)
    os.utime(lost, (1.0, 1.0))
    assert seen()["spool"].state == UP


@pytest.mark.skipif(connection.vendor != "sqlite", reason="Postgres indexes each row as it is written")
def test_a_text_index_that_is_far_behind_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        make_task()
    assert (seen()["text index"].state, seen()["text index"].message) == (UP, "3 rows are not indexed yet.")
    monkeypatch.setattr(health_checks, "BEHIND", 2)
    assert seen()["text index"].state == DEGRADED
    search.fill(until=time.monotonic() + 60)
    assert (seen()["text index"].state, seen()["text index"].message) == (UP, "All texts are indexed.")


def test_the_queue_is_as_good_as_its_oldest_job() -> None:
    job = OrmQ.objects.create(key="minerpanel", payload="x", lock=timezone.now())
    listed = []
    for age in (5, 90, 600):
        OrmQ.objects.filter(pk=job.pk).update(lock=timezone.now() - timedelta(seconds=age))
        listed.append(health_checks.COMPONENTS["queue"](timezone.now()))
    assert [check and check.state for check in listed] == [UP, DEGRADED, DOWN]


def test_the_worker_is_as_good_as_its_last_sign_of_life() -> None:
    listed = []
    for age in (5, 45, 120):
        beaten_at = timezone.now() - timedelta(seconds=age)
        Heartbeat.objects.update_or_create(name="worker here/1", defaults={"beaten_at": beaten_at})
        listed.append(health_checks.COMPONENTS["worker"](timezone.now()))
    assert [check and check.state for check in listed] == [UP, DEGRADED, DOWN]


def test_without_any_worker_it_is_down() -> None:
    assert seen()["worker"].message == "No worker has started yet."


def test_a_late_schedule_is_named() -> None:
    assert seen()["scheduler"].state == UP
    SystemSchedule.objects.create(name="Read model lists", due_at=timezone.now() - timedelta(minutes=10))
    assert seen()["scheduler"].message == "Late: Read model lists."


def test_an_account_is_as_its_gate_is(settings: Any) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "cpk_made.up.key", ("some/model",)
    account = default_account()
    rows: list[tuple[dict[str, Any], HealthState, str]] = [
        ({"succeeded_at": 1.0}, UP, "Open."),
        ({}, UNKNOWN, "It has never succeeded."),
        ({"strikes": 1, "cause": "edge", "paused_until": 9e9, "succeeded_at": 1.0}, DEGRADED, "Paused until"),
        ({"strikes": 1, "cause": "edge", "paused_until": 1.0, "succeeded_at": 1.0}, DEGRADED, "a probe decides"),
        ({"strikes": 1, "cause": "auth", "paused_until": 9e9}, DOWN, "Stopped. The key was refused."),
    ]
    failures = []
    for gate, state, text in rows:
        Gate.objects.all().delete()
        Gate.objects.create(account=account, **gate)
        check = seen()["account default"]
        if check.state != state or text not in check.message:
            failures.append((gate, check))
    assert failures == []


def test_an_account_without_a_model_is_not_called_open(settings: Any) -> None:
    settings.CHUTES_API_KEY, settings.CHUTES_MODELS = "cpk_made.up.key", ()
    Gate.objects.create(account=default_account(), succeeded_at=1.0)
    check = seen()["account default"]
    assert (check.state, check.message[:18]) == (DEGRADED, "No model is known.")


def test_a_missing_key_is_down_and_a_disabled_account_unknown(settings: Any) -> None:
    settings.CHUTES_API_KEY = ""
    default_account()
    assert seen()["account default"].state == DOWN
    Account.objects.update(enabled=False)
    assert seen()["account default"].state == UNKNOWN


def test_in_template_mode_without_a_key_no_component_is_down_or_degraded(settings: Any) -> None:
    settings.CHUTES_API_KEY = ""
    Settings.objects.update_or_create(id=1, defaults={"agent_mode": Mode.TEMPLATE})
    QuotaReading.objects.create(account=default_account(), read_at=timezone.now(), fault="No API key is set.")
    result = seen()
    assert [result[name].state for name in ("account default", "management default")] == [UNKNOWN, UNKNOWN]


def test_the_management_api_is_as_its_last_reading() -> None:
    assert "management default" not in seen()
    QuotaReading.objects.create(account=default_account(), read_at=timezone.now(), fault="This key cannot read quotas.")
    assert seen()["management default"].state == DEGRADED


def test_another_miners_api_is_checked_if_one_is_set(fake_chutes: FakeChutes, free_port: int) -> None:
    assert "miner API" not in seen()
    Settings.objects.update_or_create(id=1, defaults={"miner_api_url": f"http://127.0.0.1:{free_port}"})
    assert seen()["miner API"].state == DOWN


def test_the_clock_is_compared_with_the_providers_once_an_hour(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_BASE_URL = fake_chutes.base_url
    check = seen()["clock"]
    assert check.state in (UP, DEGRADED)
    assert "apart from the provider's" in check.message
    assert "clock" not in seen()


def test_a_clock_that_cannot_be_read_is_unknown_in_a_sentence(settings: Any, free_port: int) -> None:
    settings.CHUTES_BASE_URL = f"http://127.0.0.1:{free_port}/v1"
    check = seen()["clock"]
    assert (check.state, check.message) == (UNKNOWN, "Not compared: the provider can't be reached.")


def test_a_round_keeps_state_and_history_and_removes_missing_components(settings: Any) -> None:
    settings.CHUTES_API_KEY = ""
    default_account()
    spare = Account.objects.create(name="spare", position=2)
    health_checks.check(timezone.now())
    row = Component.objects.get(name="account spare")
    assert (row.state, row.failures) == (DEGRADED, 1)
    health_checks.check(timezone.now())
    row.refresh_from_db()
    assert (row.state, row.checks.count()) == (DOWN, 2)
    spare.delete()
    health_checks.check(timezone.now())
    assert not Component.objects.filter(name="account spare").exists()
