"""Maintenance: events are recorded but not sent, and one message afterwards has those that are still open."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from agents.operator_jobs import leased_job
from agents.tests.queue_of_jobs import work
from monitoring.audit.audit_log import newest_entries
from monitoring.health import metrics
from monitoring.models import Channel, Component, Delivery, MaintenanceWindow, Notice
from monitoring.notifications import detection, maintenance, sending
from monitoring.tests.reading import rows_of, text_of, tree_of
from monitoring.tests.receiver import Receiver, receiving
from monitoring.tests.records import make_channel, make_step

pytestmark = pytest.mark.django_db

NEW = "/notifications/maintenance/new/"
MINUTE = timedelta(minutes=1)


def window(start: datetime, end: datetime, reason: str = "Database is moved") -> MaintenanceWindow:
    return MaintenanceWindow.objects.create(starts_at=start, ends_at=end, reason=reason)


def component(state: str, name: str = "queue") -> None:
    now = timezone.now()
    Component.objects.update_or_create(name=name, defaults={"state": state, "since": now, "checked_at": now})


def sent_titles() -> list[str]:
    return [delivery.notice.title for delivery in Delivery.objects.select_related("notice").order_by("id")]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def test_within_a_window_events_are_recorded_but_not_sent() -> None:
    now, channel = timezone.now(), make_channel(resend_minutes=5)
    component("down", "web")
    detection.notice(now - 10 * MINUTE)
    assert sent_titles() == ["Down: web"]
    window(now - MINUTE, now + MINUTE)
    component("down")
    detection.notice(now)
    assert list(Notice.objects.order_by("id").values_list("title", flat=True)) == ["Down: web", "Down: queue"]
    assert sent_titles() == ["Down: web"], "no first message, and no reminder, which is due"
    detection.make_test(channel, now)
    assert sent_titles() == ["Down: web", "Test of this channel"], "who presses the button of a test gets one"


@pytest.mark.django_db(transaction=True)
def test_after_it_one_message_lists_ongoing_conditions(receiver: Receiver) -> None:
    now = timezone.now()
    channel = Channel(name="phone", least_severity=1)
    sending.set_url(channel, receiver.url)
    channel.save()
    make_channel("tests only", events=["test_failed"])
    component("down", "worker")
    detection.notice(now - 20 * MINUTE)
    window(now - 10 * MINUTE, now - MINUTE)
    component("up", "worker")
    component("down")
    component("down", "disk")
    detection.notice(now - 5 * MINUTE)
    component("up", "disk")
    detection.notice(now - 4 * MINUTE)
    for _ in range(2):
        detection.notice(now)
    assert sent_titles() == ["Down: worker", "Maintenance is over, 1 ongoing: Down: queue"]
    summary = Delivery.objects.latest("id")
    assert summary.notice.severity == 3, "as severe as what is left"
    leased_job.dispatch(timezone.now())
    assert work(summary)
    assert receiver.messages[-1]["message"].splitlines() == [f"Since {now - 5 * MINUTE:%H:%M} UTC: Down: queue", "No longer: Down: worker"]


def test_waiting_messages_are_sent_after_the_window() -> None:
    now = timezone.now()
    make_channel()
    component("down", "web")
    detection.notice(now)
    leased_job.dispatch(timezone.now())
    waiting, on = Delivery.objects.get(), window(now - MINUTE, now + 10 * MINUTE)
    assert work(waiting)
    assert (waiting.state, waiting.fault, waiting.tries) == ("queued", "", 0)
    on.delete()
    Delivery.objects.update(due_at=timezone.now())
    leased_job.dispatch(timezone.now())
    assert work(waiting)
    assert waiting.fault, "nothing listens at the channel's port"


def test_no_summary_is_sent_without_open_events() -> None:
    now = timezone.now()
    make_channel()
    window(now - 10 * MINUTE, now - MINUTE)
    component("down")
    detection.notice(now - 5 * MINUTE)
    component("up")
    detection.notice(now - 4 * MINUTE)
    detection.notice(now)
    assert sent_titles() == []


def test_windows_that_overlap_are_summed_up_once_at_the_end_of_the_last() -> None:
    now = timezone.now()
    make_channel()
    window(now - 10 * MINUTE, now - 2 * MINUTE)
    window(now - 5 * MINUTE, now + MINUTE)
    component("down")
    detection.notice(now - 8 * MINUTE)
    detection.notice(now)
    assert sent_titles() == []
    detection.notice(now + 2 * MINUTE)
    assert sent_titles() == ["Maintenance is over, 1 ongoing: Down: queue"]


def test_an_operator_plans_a_window_and_ends_it(operator: Client, viewer: Client) -> None:
    end = timezone.localtime(timezone.now() + timedelta(hours=2))
    page = operator.post(NEW, {"starts_at": "", "ends_at": f"{end:%Y-%m-%dT%H:%M}", "reason": "Database is moved"}, follow=True)
    assert "Database is moved one-of-operators On: nothing is sent" in rows_of(page)[0]
    planned = MaintenanceWindow.objects.get()
    assert maintenance.active(timezone.now()) == planned
    assert "Database is moved. No notifications are sent." in text_of(viewer.get("/"), "//*[@id='maintenance']")
    assert not tree_of(viewer.get("/notifications/")).xpath("//main//button")
    operator.post(f"/notifications/maintenance/{planned.pk}/end/")
    assert maintenance.active(timezone.now()) is None
    assert not tree_of(viewer.get("/")).xpath("//*[@id='maintenance']")
    assert "Over" in rows_of(viewer.get("/notifications/"))[0]
    ended, added = newest_entries(kinds=("maintenance",), who="one-of-operators")
    assert added.summary.startswith(f"Maintenance window Database is moved: Added, End {end:%Y-%m-%d %H:%M} UTC, Start ")
    assert ended.summary.startswith(f"Maintenance window Database is moved: End {end:%Y-%m-%d %H:%M} UTC → ")


def test_a_window_to_come_is_cancelled(operator: Client) -> None:
    now = timezone.now()
    planned = window(now + timedelta(hours=1), now + timedelta(hours=2))
    assert "Planned" in rows_of(operator.get("/notifications/"))[0]
    operator.post(f"/notifications/maintenance/{planned.pk}/end/")
    assert not MaintenanceWindow.objects.exists()


def test_an_invalid_value_is_rejected_at_its_field(operator: Client) -> None:
    now = timezone.localtime(timezone.now())
    at = {name: f"{now + ahead:%Y-%m-%dT%H:%M}" for name, ahead in (("before", -timedelta(hours=1)), ("soon", timedelta(hours=1)))}
    good = {"starts_at": "", "ends_at": at["soon"], "reason": "Database is moved"}
    rows = [
        ("ends_at", "", "required"),
        ("ends_at", "soon", "Enter a valid date/time"),
        ("ends_at", at["before"], "Give a time after its start"),
        ("ends_at", f"{now + timedelta(days=8):%Y-%m-%dT%H:%M}", "at most 7 days after its start"),
        ("starts_at", at["before"], "Leave it empty to begin now"),
        ("starts_at", f"{now + timedelta(days=400):%Y-%m-%dT%H:%M}", "within a year"),
        ("reason", "", "required"),
        ("reason", "x" * 201, "at most 200 characters"),
    ]
    failures = [
        (field, value)
        for field, value, remedy in rows
        if remedy not in text_of(operator.post(NEW, {**good, field: value}), f"//*[@id='id_{field}_error']")
    ]
    assert failures == []
    assert not MaintenanceWindow.objects.exists()


def test_windows_are_bands_on_the_charts_and_in_the_metrics(viewer: Client) -> None:
    now = timezone.now()
    make_step(at=now - 50 * MINUTE)
    window(now - 30 * MINUTE, now + 30 * MINUTE)
    window(now - timedelta(days=3), now - timedelta(days=2), "Long ago")
    charts = tree_of(viewer.get("/?range=1h")).get_element_by_id("charts").attrib["data-charts"]
    assert charts.count("Maintenance: ") == 1 and "Maintenance: Database is moved" in charts
    assert b"miner_maintenance_active 1.0" in metrics.exposition(now)
    assert b"miner_maintenance_active 0.0" in metrics.exposition(now + timedelta(hours=1))
