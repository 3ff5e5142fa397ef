"""A reached cap: the worker asks when it resets, and the pause that the refusal began ends then."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents import jobs, llm, readings, runner
from agents.configuration import default_account
from agents.ledger import actions
from agents.models import Account, Gate, RateLimitEvent, Source
from agents.protocol import Form
from agents.protocol import Step as Request
from agents.quotas import SUBSCRIPTION
from agents.reasons import PauseSource
from agents.standin.process import StandIn
from agents.tests.queue_of_jobs import asked, queued, work_off

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "Qwen/Qwen3-32B-TEE"


@pytest.fixture
def standin(managed_standin: StandIn) -> StandIn:
    return managed_standin


def answer() -> None:
    step = Request("/step", Form.STEP, "t", "Search for 'Arrival'", "http://localhost:8000/?seed=58", page="<p>Hello</p>")
    runner.answer(step, source=Source.VALIDATOR, caller="192.0.2.7")


def capped(standin: StandIn, **subscription: Any) -> Account:
    """An account that was refused for its cap, a little while ago."""
    standin.set(**{"cap4h": {"cap": 1.0, "used": 1.0, "reset_at": 900}, **subscription})
    answer()
    return default_account()


def ends_in(standin: StandIn) -> float:
    """When the running pause ends, in seconds from the stand-in's start."""
    return Gate.objects.get().paused_until - (time.time() - float(standin.state()["uptime"]))


def test_a_refusal_for_the_cap_waits_for_the_calendar_until_the_worker_has_asked(standin: StandIn) -> None:
    account = capped(standin)
    assert Gate.objects.get().pause_source == PauseSource.CALENDAR
    assert asked(standin) == [], "the step's answer does not wait for it"
    jobs.canary()
    assert f"agents.jobs.read_cap({account.pk},)" in queued()
    work_off()
    assert asked(standin) == [SUBSCRIPTION]
    gate, event = Gate.objects.get(), RateLimitEvent.objects.get()
    assert gate.pause_source == event.pause_source == event.prediction_source == PauseSource.SUBSCRIPTION
    assert ends_in(standin) == pytest.approx(900, abs=2)
    assert event.predicted_at is not None and event.predicted_to is not None
    assert event.predicted_at.timestamp() == pytest.approx(gate.paused_until, abs=0.001)
    assert event.predicted_from == event.predicted_at < event.predicted_to
    assert event.confidence == 0.95
    assert event.pause_seconds == pytest.approx(gate.paused_until - gate.paused_at)


def test_what_is_known_is_not_asked_again(standin: StandIn) -> None:
    capped(standin)
    for _ in range(3):
        jobs.canary()
        work_off()
    assert asked(standin) == [SUBSCRIPTION]


def test_a_reading_of_the_last_minute_is_not_followed_by_another(standin: StandIn) -> None:
    account = default_account()
    assert readings.read(account, timezone.now())
    capped(standin)
    now = timezone.now()
    assert readings.enqueue_caps(now) == 0
    assert readings.read_cap(account, now) is False
    later = now + timedelta(seconds=61)
    assert readings.enqueue_caps(later) == 1
    assert readings.read_cap(account, later) is True
    assert Gate.objects.get().pause_source == PauseSource.SUBSCRIPTION


def test_a_used_up_month_pauses_until_it_ends(standin: StandIn) -> None:
    account = capped(standin, cap4h={"cap": 1.0, "used": 0.0, "reset_at": 900}, monthly_reset_at=864_000, monthly_used=100)
    assert readings.read_cap(account, timezone.now())
    assert ends_in(standin) == pytest.approx(864_000, abs=2)


def test_a_usage_that_does_not_tell_the_reset_leaves_the_calendar(standin: StandIn) -> None:
    account = capped(standin, refuse_management={SUBSCRIPTION: {"status": 500}})
    before = Gate.objects.get().paused_until
    assert readings.read_cap(account, timezone.now())
    gate = Gate.objects.get()
    assert (gate.paused_until, gate.pause_source) == (before, PauseSource.CALENDAR)
    assert readings.enqueue_caps(timezone.now() + timedelta(seconds=61)) == 0, "the next one of every five minutes may tell it"
    standin.set(refuse_management={})
    assert readings.read(account, timezone.now(), gap=timedelta(0))
    assert Gate.objects.get().pause_source == PauseSource.SUBSCRIPTION


def test_without_an_admin_key_the_calendar_stays(standin: StandIn, settings: Any) -> None:
    settings.CHUTES_ADMIN_KEY = ""
    account = capped(standin)
    jobs.canary()
    assert not any("read_cap" in each for each in queued())
    assert readings.read_cap(account, timezone.now()) is False
    assert Gate.objects.get().pause_source == PauseSource.CALENDAR


def test_an_operators_pause_is_not_moved(standin: StandIn) -> None:
    account = capped(standin)
    actions.pause(account, 86_400, by="ann", now=time.time())
    until = Gate.objects.get().paused_until
    assert readings.enqueue_caps(timezone.now()) == 0
    readings.read(account, timezone.now())
    assert Gate.objects.get().paused_until == until


def test_a_pause_that_began_after_the_reading_is_not_moved_by_it(standin: StandIn) -> None:
    account = capped(standin)
    readings.read(account, timezone.now() - timedelta(seconds=10))
    assert Gate.objects.get().pause_source == PauseSource.CALENDAR


def test_a_daily_quota_is_left_to_its_own_refusal(standin: StandIn) -> None:
    standin.set(quota={"total": 1, "used": 1, "reset_at": 900})
    answer()
    assert readings.enqueue_caps(timezone.now()) == 0
    assert llm.document(f"{standin.management_url}/users/me/quota_usage/*", standin.admin_key, 10) == {"quota": 1, "used": 1.0}
