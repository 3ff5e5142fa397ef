"""Notices: one per change of state, delivered once to each subscribed channel, through a real receiver."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from agents.configuration import default_account
from agents.models import Account, QuotaReading, RateLimitEvent, Settings, UnknownCall
from agents.operator_jobs import leased_job
from agents.policy.reasons import Reason
from agents.tests.queue_of_jobs import work
from monitoring.models import EVENTS, Channel, Component, Delivery, Notice, TestResult, TestRun
from monitoring.notifications import detection, sending
from monitoring.tests.receiver import Receiver, receiving
from monitoring.tests.records import make_llm_step, make_step

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

State = Delivery.State


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def channel(receiver: Receiver, name: str = "phone", **fields: Any) -> Channel:
    made = Channel(name=name, least_severity=1, **fields)
    sending.set_url(made, receiver.url)
    made.save()
    return made


def paused(**fields: Any) -> RateLimitEvent:
    at = timezone.now()
    facts: dict[str, Any] = {"refusal": "edge", "strike": 1, "pause_seconds": 60, "pause_source": "ladder", "prediction_source": "ladder"}
    times = {"started_at": at, "block_started_at": at, "predicted_at": at + timedelta(seconds=60)}
    return RateLimitEvent.objects.create(account=default_account(), **{**facts, **times, **fields})


def notices() -> list[tuple[str, str]]:
    return list(Notice.objects.order_by("id").values_list("event", "subject"))


def send_all() -> None:
    leased_job.dispatch(timezone.now())
    for delivery in Delivery.objects.filter(state=State.QUEUED):
        work(delivery)


def test_a_pause_and_its_end_are_each_notified_once(receiver: Receiver) -> None:
    channel(receiver)
    event = paused()
    for _ in range(3):
        detection.notice(timezone.now())
    event.ended_by, event.recovered_at = "succeeded", timezone.now()
    event.save()
    for _ in range(3):
        detection.notice(timezone.now())
    assert notices() == [("llm_paused", "default"), ("llm_back", "default")]
    send_all()
    assert [message["title"] for message in receiver.messages] == ["LLM paused: account default", "LLM back: default"]
    assert "Expected back at" in receiver.messages[0]["message"]
    assert receiver.messages[1]["message"].endswith("A request succeeded.")


def test_a_longer_pause_of_the_same_block_is_no_news() -> None:
    first = paused()
    detection.notice(timezone.now())
    RateLimitEvent.objects.filter(pk=first.pk).update(ended_by="timer")
    paused(strike=2)
    detection.notice(timezone.now())
    assert notices() == [("llm_paused", "default")]


@pytest.mark.parametrize(
    ("refusal", "event"), [("auth", "key_refused"), ("payment", "quota_used_up"), ("daily_quota", "quota_used_up"), ("edge", "llm_paused")]
)
def test_a_pause_is_notified_by_its_cause(refusal: str, event: str) -> None:
    paused(refusal=refusal)
    detection.notice(timezone.now())
    assert notices() == [(event, "default")]


def test_a_model_that_is_gone_is_notified_by_name() -> None:
    default_account()
    entry = {"id": "a/model", "input": 1, "output": 1, "json_mode": True}
    Account.objects.update(catalogue=[entry], model_names=["a/model", "b/model"])
    detection.notice(timezone.now())
    assert notices() == [("model_gone", "default b/model")]


def finished(verdict: str, suite: str = "key") -> None:
    now = timezone.now()
    run = TestRun.objects.create(suites=[suite], trigger="schedule", state="succeeded", verdict=verdict, requested_at=now)
    TestResult.objects.create(run=run, number=1, suite=suite, check_name="key", verdict=verdict, meaning="The key was refused.", at=now)


def test_a_failed_suite_and_its_recovery_are_notified() -> None:
    now = timezone.now()
    for minute, run in enumerate((("fail",), ("fail",), ("ok", "logs"), ("ok",))):
        finished(*run)
        detection.notice(now + timedelta(minutes=minute))
    assert notices() == [("test_failed", "key"), ("test_recovered", "key")]
    recovered = Notice.objects.get(event="test_recovered")
    assert recovered.title == "Test recovered: Direct key test"
    assert recovered.body.startswith("It took 3 min. Before: Direct key test failed.")


def test_a_component_is_notified_when_it_is_down_not_at_a_single_failure() -> None:
    now = timezone.now()
    row = Component.objects.create(name="queue", state="degraded", since=now, checked_at=now)
    detection.notice(now)
    Component.objects.filter(pk=row.pk).update(state="down")
    detection.notice(now)
    Component.objects.filter(pk=row.pk).update(state="up")
    detection.notice(now)
    assert notices() == [("component_down", "queue"), ("component_up", "queue")]


def test_silence_and_a_low_share_are_notified_if_they_are_set() -> None:
    now = timezone.now()
    for number in range(25):
        make_step(at=now - timedelta(minutes=40), index=number)
    detection.notice(now)
    assert notices() == []
    Settings.objects.update_or_create(id=1, defaults={"silence_minutes": 30, "least_llm_percent": 50})
    detection.notice(now)
    assert sorted(notices()) == [("llm_share_low", ""), ("silence", "")]
    make_llm_step(at=now, index=30)
    detection.notice(now)
    assert ("requests_back", "") in notices()


def test_steps_of_which_the_template_agent_was_sure_are_no_lack_of_the_llm(receiver: Receiver) -> None:
    channel(receiver)
    now = timezone.now()
    for number in range(25):
        make_step(at=now - timedelta(minutes=4), index=number, reason=Reason.SURE)
    Settings.objects.update_or_create(id=1, defaults={"least_llm_percent": 50})
    detection.notice(now)
    assert notices() == []


def test_a_channel_gets_its_selected_notices(receiver: Receiver) -> None:
    channel(receiver, "all")
    channel(receiver, "serious", events=[])
    Channel.objects.filter(name="serious").update(least_severity=3)
    channel(receiver, "tests only", events=["test_failed"])
    channel(receiver, "off", enabled=False)
    paused()
    detection.notice(timezone.now())
    assert list(Delivery.objects.values_list("channel__name", flat=True)) == ["all"]


def test_a_delivery_that_fails_is_tried_again_and_then_kept_with_the_reason(receiver: Receiver) -> None:
    channel(receiver)
    receiver.status = 500
    paused()
    detection.notice(timezone.now())
    for tries, state in ((1, State.QUEUED), (2, State.QUEUED), (3, State.FAILED)):
        Delivery.objects.update(due_at=timezone.now())
        send_all()
        row = Delivery.objects.get()
        assert (row.tries, row.state) == (tries, state)
    assert "500" in row.fault
    assert "s3cr3t" not in row.fault and "pa55word" not in row.fault


def test_a_url_is_a_secret_and_a_bad_one_is_refused(receiver: Receiver) -> None:
    made = channel(receiver)
    assert "s3cr3t" not in repr(made.__dict__) and made.scheme == "json"
    with pytest.raises(ValidationError):
        sending.set_url(made, "no url at all")


SEND = """
import logging
from django.core.exceptions import ValidationError
from monitoring.models import Channel, Delivery, Notice
from monitoring.notifications import sending
channel = Channel(name="phone")
sending.set_url(channel, "json://user:pa55word-very-secret@127.0.0.1:9/hook/s3cr3t-path")
print("It failed:", sending.send(Delivery(channel=channel, notice=Notice(title="Test", severity=1))))
try:
    sending.set_url(channel, "json://s3cr3t-host:port-s3cr3t/")
except ValidationError:
    print("It was refused.")
logging.getLogger("monitoring").debug("This level is logged.")
"""


def test_no_part_of_a_url_reaches_the_log() -> None:
    command = [sys.executable, "manage.py", "shell", "--command", SEND]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env={**os.environ, "LOG_LEVEL": "DEBUG"}, capture_output=True, text=True, check=True, timeout=120
    )
    logged = done.stdout + done.stderr
    assert "It failed: " in logged and "It was refused." in logged and "This level is logged." in logged
    assert "s3cr3t" not in logged and "pa55word" not in logged


def test_in_quiet_hours_a_message_waits_until_they_are_over() -> None:
    rows = [
        ("22:00", "07:00", "23:30", "07:00"),
        ("22:00", "07:00", "03:00", "07:00"),
        ("22:00", "07:00", "12:00", "12:00"),
        ("09:00", "17:00", "10:00", "17:00"),
        ("09:00", "09:00", "10:00", "10:00"),
    ]
    failures = []
    for begin, end, at, due in rows:
        quiet = Channel(quiet_from=time.fromisoformat(begin), quiet_to=time.fromisoformat(end))
        now = datetime.combine(date(2026, 9, 21), time.fromisoformat(at), tzinfo=UTC)
        after = detection.after_quiet(quiet, now)
        if after.strftime("%H:%M") != due or after < now:
            failures.append((begin, end, at, after))
    assert failures == []


def test_quiet_hours_are_in_the_channels_zone_also_across_clock_changes() -> None:
    quiet = Channel(quiet_from=time(22), quiet_to=time(7), zone="Europe/Berlin")
    assert detection.after_quiet(quiet, datetime(2026, 7, 1, 20, 30, tzinfo=UTC)) == datetime(2026, 7, 2, 5, 0, tzinfo=UTC)
    assert detection.after_quiet(quiet, datetime(2026, 7, 1, 19, 30, tzinfo=UTC)) == datetime(2026, 7, 1, 19, 30, tzinfo=UTC)
    night_of_the_change = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    assert detection.after_quiet(quiet, night_of_the_change) == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)


def test_a_lasting_condition_is_reminded_of_until_it_is_over(receiver: Receiver) -> None:
    channel(receiver, resend_minutes=30)
    event = paused()
    now = timezone.now()
    detection.notice(now)
    detection.notice(now + timedelta(minutes=29))
    assert Delivery.objects.count() == 1
    detection.notice(now + timedelta(minutes=31))
    assert list(Delivery.objects.order_by("id").values_list("repeat", flat=True)) == [0, 1]
    RateLimitEvent.objects.filter(pk=event.pk).update(ended_by="succeeded", recovered_at=now)
    detection.notice(now + timedelta(minutes=32))
    Delivery.objects.update(due_at=now)
    send_all()
    assert list(Delivery.objects.order_by("id").values_list("state", flat=True)) == [State.SUCCEEDED, State.CANCELLED, State.SUCCEEDED], (
        "the last reports the end"
    )


def test_the_button_sends_at_once(receiver: Receiver) -> None:
    delivery = detection.make_test(channel(receiver, quiet_from=time(0), quiet_to=time(23, 59)), timezone.now())
    leased_job.dispatch(timezone.now())
    assert work(delivery)
    assert receiver.messages[0]["title"] == "Test of this channel"


def test_every_event_that_ends_names_one_that_there_is() -> None:
    assert {event.over for event in EVENTS.values()} - {"", None} <= EVENTS.keys()


def test_an_account_that_is_about_to_be_used_up_is_notified_once_per_change(receiver: Receiver) -> None:
    channel(receiver)
    now = timezone.now()
    reading = QuotaReading.objects.create(account=default_account(), read_at=now, daily_total=300, daily_used=280)
    for _ in range(2):
        detection.notice(now)
    assert notices() == [("quota_forecast", "default")]
    assert "93 % of the daily quota is used" in Notice.objects.get().body
    QuotaReading.objects.filter(pk=reading.pk).update(daily_used=3)
    detection.notice(now)
    assert Notice.objects.get().over_at == now


@pytest.mark.parametrize(("used_an_hour", "event"), [(30, []), (400, [("quota_forecast", "default")])])
def test_a_forecast_is_notified_only_when_it_is_near(used_an_hour: int, event: list[tuple[str, str]]) -> None:
    now = timezone.now().replace(hour=12, minute=0)
    for ago in range(37):
        used = 1700 - used_an_hour * ago / 12
        QuotaReading.objects.create(account=default_account(), read_at=now - timedelta(minutes=5 * ago), daily_total=2000, daily_used=used)
    detection.notice(now)
    assert notices() == event


def test_a_new_path_that_resembles_a_task_is_notified_once_and_three_a_day_at_most() -> None:
    now = timezone.now().replace(hour=12)
    for number in range(5):
        at = now + timedelta(seconds=number)
        UnknownCall.objects.create(method="POST", path=f"/find_{number}", is_task=number > 0, calls=1, first_seen_at=at, last_seen_at=at)
    for later in (0, 1, 24):
        detection.notice(now + timedelta(hours=later))
    assert notices() == [("new_path", f"POST /find_{number}") for number in (1, 2, 3)]
