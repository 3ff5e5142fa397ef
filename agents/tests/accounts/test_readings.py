"""Readings of accounts by the worker, from a real management host: never too often, and without the key in any text."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from agents.accounts import quota_readings
from agents.configuration import default_account
from agents.configuration.keys import seal
from agents.devtools.fake_chutes.process import FakeChutes
from agents.devtools.fake_chutes.server import Answer, Server, json_answer
from agents.models import Account, AccountJob, QuotaReading
from agents.policy.quotas import PATHS, Reading
from agents.tests.queue_of_jobs import management_paths, queued, work_off

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]
MODEL = "Qwen/Qwen3-32B-TEE"
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HTML_429 = {"status": 429, "html": "<html>429 Too Many Requests</html>"}
READING = "import django; django.setup(); from agents.tests.accounts.test_readings import main; main()"


@pytest.fixture
def fake_chutes(managed_fake_chutes: FakeChutes) -> FakeChutes:
    return managed_fake_chutes


def read(fake_chutes: FakeChutes) -> Reading:
    return quota_readings.read_host(fake_chutes.management_url, fake_chutes.admin_key, time.time())


def test_an_admin_key_reads_balance_quota_and_caps(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(balance=2.5, quota={"total": 300, "used": 180}, cap4h={"cap": 1.0, "used": 0.5, "reset_at": 900})
    default_account()
    quota_readings.start_due(timezone.now())
    work_off()
    row = QuotaReading.objects.get()
    assert (row.balance, row.daily_total, row.daily_used, row.is_unlimited, row.fault) == (2.5, 300, 180, False, "")
    assert (row.is_subscribed, row.four_hour_cap, row.four_hour_used, row.monthly_cap) == (True, 1, 0.5, None)
    began_at = time.time() - fake_chutes.state()["uptime"]
    assert row.four_hour_reset_at is not None
    assert row.four_hour_reset_at.timestamp() == pytest.approx(began_at + 900, abs=60)


def test_pay_as_you_go_is_recognised(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(balance=2.5)
    result = read(fake_chutes)
    assert (result.balance, result.is_unlimited, result.is_subscribed, result.faults) == (2.5, True, False, ())


def test_a_month_that_ended_already_has_an_unknown_reset(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(cap4h={"cap": 1.0}, monthly_reset_at=-3600, monthly_used=12)
    result = read(fake_chutes)
    assert (result.monthly_cap, result.monthly_used, result.monthly_reset_at, result.faults) == (100, 12, None, ())


def test_a_key_without_admin_rights_cannot_read_and_the_error_has_the_remedy(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_ADMIN_KEY = fake_chutes.key
    row = quota_readings.read(default_account(), NOW)
    assert row is not None
    assert row.fault == "This key cannot read quotas: it needs an admin key."
    assert (row.balance, row.daily_total, row.is_subscribed) == (None, None, None)


@pytest.mark.parametrize(
    ("refusal", "fault"),
    [
        ({"status": 500, "detail": "oops"}, "Balance unknown: the management host answered with 500."),
        ({"status": 401, "detail": "no"}, "This key cannot read quotas: it needs an admin key."),
        ({"status": 403, "html": "<html>nginx</html>"}, "Balance unknown: the management host answered with 403."),
    ],
)
def test_a_refused_part_does_not_affect_the_others(fake_chutes: FakeChutes, refusal: dict[str, Any], fault: str) -> None:
    fake_chutes.set(balance=1, quota={"total": 300, "used": 180}, refuse_management={"/users/me": refusal})
    result = read(fake_chutes)
    assert (result.balance, result.daily_used, result.is_subscribed, result.faults) == (None, 180, False, (fault,))


def test_a_host_that_refuses_too_many_requests_gets_no_more(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(refuse_management={"/users/me": HTML_429})
    assert read(fake_chutes).faults == (
        "The management host refused for too many requests (429); the next reading follows in some minutes.",
    )
    assert management_paths(fake_chutes) == ["/users/me"]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(200, "text/html", (b"<html>Sign in</html>",)), "Balance unknown: the answer is no JSON."),
        (Answer(200, "application/json", (b'{"balance": NaN}',)), "Balance unknown: the answer has no number for it."),
        (Answer(302, "text/html", (), {"Location": "/"}), "No management API answers at this address; check the Management URL."),
        (json_answer(404, {"detail": "Not Found"}), "No management API answers at this address; check the Management URL."),
    ],
)
def test_invalid_answers_are_reported_as_unknown(answer: Answer, fault: str) -> None:
    server = Server(lambda _: answer, 0)
    server.start()
    try:
        assert fault in quota_readings.read_host(server.url, "cpk_a.b.c", time.time()).faults
    finally:
        server.stop()


def test_a_host_that_is_down_is_reported_and_gets_one_request(fake_chutes: FakeChutes, free_port: int) -> None:
    (fault,) = quota_readings.read_host(f"http://127.0.0.1:{free_port}", fake_chutes.admin_key, time.time()).faults
    assert fault.startswith("The management host gives no answer: The provider can't be reached")


def test_no_account_is_read_faster_than_every_five_minutes_however_often_the_job_runs(fake_chutes: FakeChutes) -> None:
    account = default_account()
    for seconds in range(0, 921, 7):
        quota_readings.read(account, NOW + timedelta(seconds=seconds))
    times = [(row.read_at - NOW).total_seconds() for row in QuotaReading.objects.order_by("read_at")]
    assert times == [0, 301, 602, 903]
    assert management_paths(fake_chutes).count("/users/me") == 4


def test_a_clock_that_was_set_back_does_not_stop_the_readings(fake_chutes: FakeChutes) -> None:
    account = default_account()
    assert quota_readings.read(account, NOW)
    assert quota_readings.read(account, NOW - timedelta(seconds=5)) is None, "another machine's clock"
    assert quota_readings.read(account, NOW - timedelta(hours=1))


def managed(process_environment: dict[str, str], fake_chutes: FakeChutes) -> dict[str, str]:
    return {**process_environment, "CHUTES_ADMIN_KEY": fake_chutes.admin_key, "CHUTES_MANAGEMENT_URL": fake_chutes.management_url}


def test_however_many_workers_read_one_account_it_is_read_once(fake_chutes: FakeChutes, process_environment: dict[str, str]) -> None:
    environment = managed(process_environment, fake_chutes)
    workers = [subprocess.Popen([sys.executable, "-c", READING], cwd=ROOT, env=environment) for _ in range(3)]
    assert [worker.wait(300) for worker in workers] == [0, 0, 0]
    assert sorted(management_paths(fake_chutes)) == sorted(PATHS)


@pytest.mark.slow
def test_on_postgres_a_worker_waits_for_the_one_that_claims(
    fake_chutes: FakeChutes, process_environment: dict[str, str], postgres_url: str
) -> None:
    environment = {**managed(process_environment, fake_chutes), "DATABASE_URL": postgres_url}
    command = [sys.executable, "manage.py", "shell", "--command", "from agents.configuration import accounts; accounts()"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=300)
    with psycopg.connect(postgres_url) as claiming, psycopg.connect(postgres_url, autocommit=True) as observer:
        claiming.execute("SELECT 1 FROM agents_account FOR NO KEY UPDATE")
        claiming.execute(
            "INSERT INTO agents_quotareading (account_id, read_at, is_unlimited, fault) SELECT id, now(), false, '' FROM agents_account"
        )
        worker = subprocess.Popen([sys.executable, "-c", READING], cwd=ROOT, env=environment)
        while worker.poll() is None and not observer.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
            time.sleep(0.05)
        claiming.commit()
        assert worker.wait(300) == 0
    assert management_paths(fake_chutes) == []


def main() -> None:
    """Four threads of one worker, each of which runs the job."""
    account, ready = default_account(), threading.Barrier(4)

    def work(_: int) -> None:
        ready.wait()
        quota_readings.read(account, timezone.now())
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_only_enabled_accounts_with_an_admin_key_that_are_due_are_queued(fake_chutes: FakeChutes) -> None:
    first = default_account()
    Account.objects.create(name="keyless")
    Account.objects.create(name="off", enabled=False, admin_key_sealed=seal("cpk_x"))
    second = Account.objects.create(
        name="own", admin_key_sealed=seal(fake_chutes.admin_key), management_url=fake_chutes.management_url + "/"
    )
    quota_readings.start_due(timezone.now())
    assert list(AccountJob.objects.values_list("account", "kind")) == [(pk, "read_quota") for pk in (first.pk, second.pk)]
    work_off()
    quota_readings.start_due(timezone.now())
    assert queued() == []
    assert QuotaReading.objects.filter(fault="").count() == 2


def test_a_key_that_cannot_be_opened_is_on_record_with_the_remedy(fake_chutes: FakeChutes, settings: Any) -> None:
    sealed = Account.objects.create(name="sealed", admin_key_sealed=seal(fake_chutes.admin_key))
    settings.SECRET_KEY = "another-secret-key"
    row = quota_readings.read(sealed, NOW)
    assert row is not None and "SECRET_KEY_FALLBACKS" in row.fault
    assert management_paths(fake_chutes) == []


def test_neither_rows_nor_logs_nor_jobs_hold_a_key(fake_chutes: FakeChutes, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    account = default_account()
    for key in (fake_chutes.admin_key, "cpk_wrong.key.of-somebody"):
        settings.CHUTES_ADMIN_KEY = key
        echoed = {"/users/me/quotas": {"status": 500, "detail": f"Bearer {key} is bad"}}
        fake_chutes.set(refuse_management=echoed, cap4h={"cap": 1.0, "used": 1.0, "reset_at": 900})
        QuotaReading.objects.all().delete()
        quota_readings.start_due(NOW)
        held = [*(str(vars(row)) for row in QuotaReading.objects.all()), *queued(), caplog.text]
        quota_readings.read(account, NOW)
        held += [*(str(vars(row)) for row in QuotaReading.objects.all()), caplog.text]
        assert not any(key in text or "feedface" in text for text in held)
