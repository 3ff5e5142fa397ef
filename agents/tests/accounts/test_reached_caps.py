"""A reached cap: the worker reads its reset time, and the pause ends then."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.accounts import quota_readings
from agents.configuration import default_account
from agents.contract.protocol import Form
from agents.contract.protocol import Step as Request
from agents.devtools.fake_chutes.process import FakeChutes
from agents.hybrid import runner
from agents.ledger import actions
from agents.llm import client
from agents.models import Account, AccountJob, Gate, RateLimitEvent, Source
from agents.policy.quotas import SUBSCRIPTION
from agents.policy.reasons import PauseSource
from agents.tests.queue_of_jobs import management_paths, work_off

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "Qwen/Qwen3-32B-TEE"
# How far two readings of the clock may lie apart on a busy machine, in seconds.
NEAR = 60.0


@pytest.fixture
def fake_chutes(managed_fake_chutes: FakeChutes) -> FakeChutes:
    return managed_fake_chutes


def answer() -> None:
    step = Request("/step", Form.STEP, "t", "Search for 'Arrival'", "http://localhost:8000/?seed=58", page="<p>Hello</p>")
    runner.answer(step, source=Source.VALIDATOR, caller="192.0.2.7")


def capped(fake_chutes: FakeChutes, **subscription: Any) -> Account:
    """An account that was refused for its cap a moment ago."""
    fake_chutes.set(**{"cap4h": {"cap": 1.0, "used": 1.0, "reset_at": 900}, **subscription})
    answer()
    return default_account()


def ends_in(fake_chutes: FakeChutes) -> float:
    """When the running pause ends, in seconds from fake Chutes' start."""
    return Gate.objects.get().paused_until - (time.time() - float(fake_chutes.state()["uptime"]))


def test_a_refusal_for_the_cap_pauses_by_the_calendar_until_the_worker_has_read_the_reset(fake_chutes: FakeChutes) -> None:
    account = capped(fake_chutes)
    assert Gate.objects.get().pause_source == PauseSource.CALENDAR
    assert management_paths(fake_chutes) == [], "the step's answer does not wait for it"
    quota_readings.start_caps(timezone.now())
    assert (AccountJob.objects.get().account, AccountJob.objects.get().kind) == (account, "read_cap")
    work_off()
    assert management_paths(fake_chutes) == [SUBSCRIPTION]
    gate, event = Gate.objects.get(), RateLimitEvent.objects.get()
    assert gate.pause_source == event.pause_source == event.prediction_source == PauseSource.SUBSCRIPTION
    assert ends_in(fake_chutes) == pytest.approx(900, abs=NEAR)
    assert event.predicted_at is not None and event.predicted_to is not None
    assert event.predicted_at.timestamp() == pytest.approx(gate.paused_until, abs=0.001)
    assert event.predicted_from == event.predicted_at < event.predicted_to
    assert event.confidence == 0.95
    assert event.pause_seconds == pytest.approx(gate.paused_until - gate.paused_at)


def test_a_known_reset_is_not_read_again(fake_chutes: FakeChutes) -> None:
    capped(fake_chutes)
    for _ in range(3):
        quota_readings.start_caps(timezone.now())
        work_off()
    assert management_paths(fake_chutes) == [SUBSCRIPTION]


def test_a_reading_of_the_last_minute_is_not_followed_by_another(fake_chutes: FakeChutes) -> None:
    account = default_account()
    assert quota_readings.read(account, timezone.now())
    capped(fake_chutes)
    now = timezone.now()
    assert quota_readings.start_caps(now) == 0
    assert quota_readings.read_cap(account, now) is False
    later = now + timedelta(seconds=61)
    assert quota_readings.start_caps(later) == 1
    assert quota_readings.read_cap(account, later) is True
    assert Gate.objects.get().pause_source == PauseSource.SUBSCRIPTION


def test_a_used_up_month_pauses_until_it_ends(fake_chutes: FakeChutes) -> None:
    account = capped(fake_chutes, cap4h={"cap": 1.0, "used": 0.0, "reset_at": 900}, monthly_reset_at=864_000, monthly_used=100)
    assert quota_readings.read_cap(account, timezone.now())
    assert ends_in(fake_chutes) == pytest.approx(864_000, abs=NEAR)


def test_a_usage_without_the_reset_leaves_the_calendars_time(fake_chutes: FakeChutes) -> None:
    account = capped(fake_chutes, refuse_management={SUBSCRIPTION: {"status": 500}})
    before = Gate.objects.get().paused_until
    assert quota_readings.read_cap(account, timezone.now())
    gate = Gate.objects.get()
    assert (gate.paused_until, gate.pause_source) == (before, PauseSource.CALENDAR)
    assert quota_readings.start_caps(timezone.now() + timedelta(seconds=61)) == 0, "the next reading may have it"
    fake_chutes.set(refuse_management={})
    assert quota_readings.read(account, timezone.now(), gap=timedelta(0))
    assert Gate.objects.get().pause_source == PauseSource.SUBSCRIPTION


def test_without_an_admin_key_the_calendars_time_stays(fake_chutes: FakeChutes, settings: Any) -> None:
    settings.CHUTES_ADMIN_KEY = ""
    account = capped(fake_chutes)
    assert quota_readings.start_caps(timezone.now()) == 0
    assert quota_readings.read_cap(account, timezone.now()) is False
    assert Gate.objects.get().pause_source == PauseSource.CALENDAR


def test_an_operators_pause_is_not_moved(fake_chutes: FakeChutes) -> None:
    account = capped(fake_chutes)
    actions.pause(account, 86_400, by="ann", now=time.time())
    until = Gate.objects.get().paused_until
    assert quota_readings.start_caps(timezone.now()) == 0
    quota_readings.read(account, timezone.now())
    assert Gate.objects.get().paused_until == until


def test_a_pause_that_began_after_the_reading_is_not_moved_by_it(fake_chutes: FakeChutes) -> None:
    account = capped(fake_chutes)
    quota_readings.read(account, timezone.now() - timedelta(seconds=10))
    assert Gate.objects.get().pause_source == PauseSource.CALENDAR


def test_a_daily_quotas_pause_is_not_moved(fake_chutes: FakeChutes) -> None:
    fake_chutes.set(quota={"total": 1, "used": 1, "reset_at": 900})
    answer()
    assert quota_readings.start_caps(timezone.now()) == 0
    assert client.document(f"{fake_chutes.management_url}/users/me/quota_usage/*", fake_chutes.admin_key, 10) == {"quota": 1, "used": 1.0}
