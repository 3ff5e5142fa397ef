"""The endpoints for programs: alive, ready and metrics; details only for those with access."""

import importlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents import database
from agents.configuration import default_account
from agents.models import DailyUse, Gate, Heartbeat, QuotaReading
from monitoring.health import metrics
from monitoring.models import Component
from monitoring.tests.records import make_attempt, make_event, make_llm_step, make_open_step, make_step

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def token(settings: Any) -> dict[str, str]:
    importlib.reload(metrics)  # its counters cover all time
    settings.METRICS_TOKEN = "only-for-programs"
    return {"Authorization": "Bearer only-for-programs"}


def scraped(client: Client, token: dict[str, str]) -> dict[str, float]:
    lines = client.get("/metrics", headers=token).content.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


def component(name: str, **fields: Any) -> Component:
    now = timezone.now()
    return Component.objects.create(name=name, **{"state": "up", "since": now, "checked_at": now, "message": "Fine.", **fields})


def test_live_uses_no_other_component(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "live"})
    assert client.post("/health/live").status_code == 405


def test_ready_shows_no_details_without_authentication(client: Client) -> None:
    component("queue")
    assert client.get("/health/ready").json() == {"status": "ready"}
    assert client.get("/health/ready", headers={"Authorization": "Bearer wrong"}).json() == {"status": "ready"}


def test_ready_shows_all_components_with_the_token_or_a_session(client: Client, viewer: Client, token: dict[str, str]) -> None:
    component("queue", state="down", message="12 jobs wait.")
    for response in (client.get("/health/ready", headers=token), viewer.get("/health/ready")):
        answer = response.json()["components"]
        assert answer["queue"]["message"] == "12 jobs wait."
        assert (answer["database"]["state"], answer["worker"]["state"]) == ("up", "down")


def test_a_component_that_was_not_checked_for_long_is_unknown(client: Client, token: dict[str, str]) -> None:
    component("queue", checked_at=timezone.now() - timedelta(minutes=10))
    Heartbeat.objects.create(name="worker here/1", beaten_at=timezone.now())
    answer = client.get("/health/ready", headers=token).json()["components"]
    assert answer["queue"]["state"] == "unknown"
    assert answer["worker"]["state"] == "up"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_database")
def test_without_the_database_it_is_not_ready(client: Client) -> None:
    response = client.get("/health/ready")
    assert (response.status_code, response.json()) == (503, {"status": "not ready"})


@pytest.mark.django_db(transaction=True)
def test_while_another_writer_holds_the_database_it_is_not_ready(
    client: Client, token: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "ANSWERING_PATIENCE", 0.05)
    with held_for_writing():
        response = client.get("/health/ready", headers=token)
    assert response.status_code == 503
    answer = response.json()["components"]["database"]
    assert (answer["state"], answer["message"].startswith("Can't be written: ")) == ("down", True)
    database.breaker.close()  # as it does by itself some seconds later
    assert client.get("/health/ready").status_code == 200


@contextmanager
def held_for_writing() -> Iterator[None]:
    """The table or the whole database locked by another connection."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            yield
        return
    other = connection.copy()
    with closing(other), other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE agents_heartbeat IN SHARE ROW EXCLUSIVE MODE")
        yield


def test_metrics_need_the_token_or_the_permission(client: Client, viewer: Client, settings: Any) -> None:
    assert client.get("/metrics").status_code == 403
    assert viewer.get("/metrics").status_code == 200
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403


def test_steps_and_attempts_are_counted_by_their_labels(client: Client, token: dict[str, str]) -> None:
    now = timezone.now()
    make_attempt(make_llm_step(at=now), latency_ms=1_200.0)
    make_step(at=now, index=1, reason="paused", duration_ms=30.0)
    make_step(at=now, index=2, reason="paused", duration_ms=25_000.0)
    result = scraped(client, token)
    assert result['miner_steps_total{miner="",reason="answered",route="llm",source="validator"}'] == 1
    assert result['miner_steps_total{miner="",reason="paused",route="template",source="validator"}'] == 2
    assert result['miner_llm_attempts_total{purpose="step",refusal="",verdict="ok"}'] == 1
    assert result['miner_step_duration_seconds_bucket{le="0.05",miner="",route="template"}'] == 1
    assert result['miner_step_duration_seconds_bucket{le="0.01",miner="",route="template"}'] == 0
    assert result['miner_late_steps_total{miner="",source="validator"}'] == 1
    assert result['miner_late_steps_total{miner="",source="operator"}'] == 0


GROWING = re.compile("agents_(step|llmattempt|ratelimitevent|task|quotareading|dailyuse)|monitoring_healthcheck")
CALL = 'gen_ai_operation_name="chat",gen_ai_provider_name="127.0.0.1",gen_ai_request_model='


def test_llm_calls_have_opentelemetrys_names(client: Client, token: dict[str, str]) -> None:
    step = make_llm_step(at=timezone.now())
    make_attempt(step, latency_ms=1_200.0, prompt_tokens=900, completion_tokens=40, cost="0.0012")
    make_attempt(step, number=2, verdict="refused", refusal="edge", latency_ms=100.0)
    make_attempt(step, number=3, verdict="given_up", sent_at=None, latency_ms=None)
    result = scraped(client, token)
    assert result[f'gen_ai_client_operation_duration_seconds_bucket{{{CALL}"a/model",le="1.28",outcome="ok"}}'] == 1
    assert result[f'gen_ai_client_operation_duration_seconds_bucket{{{CALL}"a/model",le="0.64",outcome="ok"}}'] == 0
    assert result[f'gen_ai_client_operation_duration_seconds_count{{{CALL}"a/model",outcome="edge"}}'] == 1
    assert not [name for name in result if "given_up" in name and name.startswith("gen_ai")], "nothing was sent"
    assert result[f'gen_ai_client_token_usage_sum{{{CALL}"a/model",gen_ai_token_type="input"}}'] == 900
    assert result[f'gen_ai_client_token_usage_sum{{{CALL}"a/model",gen_ai_token_type="output"}}'] == 40
    assert result['miner_llm_cost_usd_total{account="default",gen_ai_request_model="a/model"}'] == 0.0012


def test_however_many_models_are_used_their_series_are_bounded(client: Client, token: dict[str, str]) -> None:
    for number in range(metrics.MOST_MODELS + 5):
        make_attempt(make_llm_step(at=timezone.now()), model=f"model-{number}")
    calls = {
        name: count for name, count in scraped(client, token).items() if name.startswith("gen_ai_client_operation_duration_seconds_count")
    }
    assert len(calls) == metrics.MOST_MODELS + 1
    assert next(count for name, count in calls.items() if 'request_model="other"' in name) == 5


def test_records_before_this_process_are_not_read(client: Client, token: dict[str, str], django_assert_max_num_queries: Any) -> None:
    for number in range(3):
        make_attempt(make_llm_step(at=timezone.now() - timedelta(hours=1), index=number))
        make_event(at=timezone.now() - timedelta(hours=1), took=60.0)
    result = scraped(client, token)
    assert not [name for name in result if name.startswith(("miner_steps_total", "gen_ai"))]
    make_event(at=timezone.now(), pause=90.0)
    make_attempt(make_llm_step(at=timezone.now()))
    with django_assert_max_num_queries(25):
        result = scraped(client, token)
    assert result["miner_paused_seconds_total"] == 90
    assert result['miner_steps_total{miner="",reason="answered",route="llm",source="validator"}'] == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="Postgres plans by the number of rows, which are few here.")
def test_a_scrape_scans_no_table_that_grows_with_the_steps(client: Client, token: dict[str, str]) -> None:
    make_attempt(make_llm_step(at=timezone.now()))
    make_event(at=timezone.now())
    scans = []
    for _ in range(2):  # the first scrape of a process, and a later one
        with CaptureQueriesContext(connection) as captured:
            scraped(client, token)
        for sql in [query["sql"] for query in captured if query["sql"].startswith("SELECT")]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                scans += [(plan, sql) for *_, plan in cursor.fetchall() if plan.startswith("SCAN") and GROWING.search(plan)]
    assert scans == []


def test_an_open_step_is_counted_once_it_is_answered(client: Client, token: dict[str, str]) -> None:
    now = timezone.now()
    opened = make_open_step(at=now, deadline_at=now + timedelta(seconds=20))
    make_step(at=now, index=1, reason="paused")
    name = 'miner_steps_total{miner="",reason="paused",route="template",source="validator"}'
    assert name not in scraped(client, token)
    type(opened).objects.filter(pk=opened.pk).update(route="template", reason="paused", answered_at=timezone.now(), duration_ms=1)
    assert scraped(client, token)[name] == 2
    assert scraped(client, token)[name] == 2, "nothing is counted twice"


def test_caps_use_of_the_day_and_balance_are_there(client: Client, token: dict[str, str]) -> None:
    account, now = default_account(), timezone.now()
    DailyUse.objects.create(day=now.date(), account=account, attempts=12, usd=0.5)
    QuotaReading.objects.create(account=account, read_at=now, balance=7.25)
    result = scraped(client, token)
    assert (result['miner_account_day_attempts{account="default"}'], result["miner_cap_day_attempts"]) == (12, 5_000)
    assert (result['miner_account_day_cost_usd{account="default"}'], result["miner_cap_day_cost_usd"]) == (0.5, 5)
    assert result['miner_account_balance_usd{account="default"}'] == 7.25


def test_the_gate_the_queue_and_the_heartbeats_are_there(client: Client, token: dict[str, str]) -> None:
    now = timezone.now().timestamp()
    Gate.objects.create(account=default_account(), strikes=1, cause="edge", paused_at=now, paused_until=now + 60)
    Heartbeat.objects.create(name="worker here/1", beaten_at=timezone.now())
    component("web", state="degraded")
    result = scraped(client, token)
    assert result['miner_gate_state{account="default",state="paused"}'] == 1
    assert 50 < result['miner_gate_pause_left_seconds{account="default"}'] <= 60
    assert result["miner_queue_jobs"] == result["miner_spool_steps"] == result["miner_lost_steps_total"] == 0
    assert result['miner_heartbeat_age_seconds{name="worker here/1"}'] < 60
    assert result['miner_component_up{component="web"}'] == 0.5
