"""Notifications: channels that admins add, change, test and delete; open and past notices, and the result of each delivery."""

import socket
from datetime import time, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from agents.configuration.keys import open_sealed
from agents.tests.queue_of_jobs import work
from monitoring.audit.audit_log import newest_entries
from monitoring.models import Channel, Delivery, Notice
from monitoring.notifications import detection, sending
from monitoring.notifications.detection import Condition
from monitoring.retention import pruning
from monitoring.tests.reading import HTMX, rows_of, text_of, tree_of
from monitoring.tests.records import CHANNEL_URL, make_channel, make_delivery, make_notice

pytestmark = pytest.mark.django_db

GOOD = {
    "name": "Phone of Ann",
    "url": CHANNEL_URL,
    "events": ["llm_paused", "llm_back"],
    "least_severity": "1",
    "quiet_from": "22:00",
    "quiet_to": "07:00",
    "zone": "America/New_York",
    "resend_minutes": "30",
    "enabled": "on",
}
NEW = "/notifications/channels/new/"


def audited() -> list[str]:
    """The audit entries of channels, oldest first."""
    entries = newest_entries(kinds=("channel", "channel_test"), who="one-of-admins")
    return [f"{entry.subject}: {', '.join(map(str, entry.facts))}" for entry in reversed(entries)]


def test_an_admin_adds_a_channel(admin: Client) -> None:
    page = admin.post(NEW, GOOD, follow=True)
    channel = Channel.objects.get()
    assert (channel.name, channel.events, channel.least_severity) == ("Phone of Ann", ["llm_paused", "llm_back"], 1)
    assert (channel.quiet_from, channel.quiet_to, channel.resend_minutes, channel.enabled) == (time(22), time(7), 30, True)
    assert rows_of(page)[0].startswith(
        "Phone of Ann json://… LLM paused, LLM back Enabled Information 22:00 to 07:00 America/New_York 30 min – Test Disable"
    )
    assert audited() == [
        "Phone of Ann: Added, Events LLM paused and LLM back, Least severity Information, Quiet from 22:00, Quiet until 07:00, Reminder after 30 min, Time zone America/New_York"
    ]


def test_a_new_channels_quiet_hours_are_meant_in_the_browsers_zone_unless_another_is_chosen(admin: Client) -> None:
    admin.cookies["zone"] = "Asia%2FTokyo"
    assert tree_of(admin.get(NEW)).xpath("//select[@name='zone']/option[@selected]/@value") == ["Asia/Tokyo"]
    assert "Select a valid choice" in text_of(admin.post(NEW, {**GOOD, "zone": "Mars/Olympus"}))
    assert not Channel.objects.exists()


def test_the_url_goes_in_and_never_comes_out(admin: Client) -> None:
    added = admin.post(NEW, GOOD, follow=True)
    channel = Channel.objects.get()
    refused = admin.post(NEW, {**GOOD, "resend_minutes": "soon"})
    form = admin.get(f"/notifications/channels/{channel.pk}/")
    assert open_sealed(channel.url_sealed) == CHANNEL_URL
    assert "In use: json://…" in text_of(form)
    for page in (added, refused, form):
        assert b"s3cr3t" not in page.content and b"pa55word" not in page.content
    assert all("s3cr3t" not in text for text in audited())


def test_a_change_is_kept_with_old_and_new_and_an_empty_url_leaves_the_stored_one(admin: Client) -> None:
    channel = make_channel()
    admin.post(
        f"/notifications/channels/{channel.pk}/", {**GOOD, "name": "phone", "url": "", "events": [], "quiet_from": "", "quiet_to": ""}
    )
    assert audited() == ["phone: Reminder after never → 30 min, Time zone UTC → America/New_York"]
    channel.refresh_from_db()
    assert open_sealed(channel.url_sealed) == CHANNEL_URL


def test_a_url_is_replaced(admin: Client) -> None:
    channel = make_channel()
    admin.post(
        f"/notifications/channels/{channel.pk}/",
        {"name": "phone", "url": "jsons://other/", "least_severity": "1", "zone": "UTC", "resend_minutes": "0", "enabled": "on"},
    )
    channel.refresh_from_db()
    assert (channel.scheme, open_sealed(channel.url_sealed)) == ("jsons", "jsons://other/")
    assert audited() == ["phone: URL replaced"]


@pytest.mark.long
def test_an_invalid_value_is_rejected_at_its_field(admin: Client) -> None:
    make_channel("taken")
    rows: list[tuple[str, object, str]] = [
        ("url", "no url at all", "Apprise does not support this URL. Use one such as json://host/path"),
        ("url", "", "required"),
        ("name", "taken", "Choose another name"),
        ("name", "x" * 61, "at most 60 characters"),
        ("events", ["everything"], "not one of the available choices"),
        ("least_severity", "9", "not one of the available choices"),
        ("least_severity", "3", "No selected event has this severity"),
        ("quiet_to", "", "Give both times, or neither"),
        ("quiet_from", "", "Give both times, or neither"),
        ("quiet_to", "22:00", "The quiet hours start and end at the same time"),
        ("quiet_to", "late", "Enter a valid time"),
        ("resend_minutes", "1", "at least 5 minutes, or 0"),
        ("resend_minutes", "99999", "less than or equal to 10080"),
    ]
    failures = []
    for field, value, remedy in rows:
        response = admin.post(NEW, {**GOOD, field: value})
        if remedy not in text_of(response, f"//*[@id='id_{field}_error']") or "Nothing is saved" not in text_of(response):
            failures.append((field, value))
    assert failures == []


def test_the_test_button_queues_a_message_and_the_page_shows_how_it_ended(admin: Client) -> None:
    channel = make_channel(enabled=False)
    page = admin.post(f"/notifications/channels/{channel.pk}/test/", follow=True)
    delivery = Delivery.objects.get()
    assert OrmQ.objects.count() == 1
    assert "A test goes to phone" in text_of(page) and "Waiting" in rows_of(page)[0]
    assert work(delivery), "nothing listens at the channel's port"
    rows = rows_of(admin.get("/notifications/", headers=HTMX))
    assert "Test of this channel Test of a channel phone Information Waiting" in rows[1] and rows[1].endswith(" 1")
    assert "s3cr3t" not in rows[1] and len(rows[1]) > 90, "the fault is shown"
    assert audited() == [": Sent to phone."]


def test_two_tests_are_two_messages(admin: Client) -> None:
    channel = make_channel()
    for _ in range(2):
        admin.post(f"/notifications/channels/{channel.pk}/test/")
    assert list(Notice.objects.values_list("number", flat=True)) == [1, 2]


def test_a_disabled_channel_gets_no_messages_not_even_waiting_ones(admin: Client) -> None:
    channel = make_channel()
    waiting = make_delivery(make_notice(), channel, state="queued", ended_at=None)
    page = admin.post(f"/notifications/channels/{channel.pk}/switch/", {"enabled": "false"}, follow=True)
    assert "phone is disabled." in text_of(page)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.fault) == ("cancelled", "The channel was disabled.")
    detection.keep([Condition("component_down", "web", "Down: web")], timezone.now())
    assert Delivery.objects.count() == 1
    admin.post(f"/notifications/channels/{channel.pk}/switch/", {"enabled": "true"})
    assert audited() == ["phone: Enabled yes → no", "phone: Enabled no → yes"]


def test_a_channel_is_deleted_with_its_messages_and_the_notices_stay(admin: Client) -> None:
    channel = make_channel()
    make_delivery(make_notice(), channel)
    page = admin.post(f"/notifications/channels/{channel.pk}/delete/", follow=True)
    assert "phone is deleted." in text_of(page)
    assert not Channel.objects.exists() and not Delivery.objects.exists() and Notice.objects.count() == 1
    assert audited() == ["phone: Deleted"]


def test_a_viewer_sees_the_pages_without_actions(viewer: Client) -> None:
    make_delivery(make_notice(), make_channel())
    page = viewer.get("/notifications/")
    assert not tree_of(page).xpath("//main//form | //main//button")
    assert "phone json://…" in text_of(page)


def test_empty_pages_explain_themselves(admin: Client, viewer: Client) -> None:
    assert "there is no channel. Add one" in text_of(admin.get("/notifications/"))
    assert "Admins can add one." in text_of(viewer.get("/notifications/"))
    assert "No notices yet." in text_of(viewer.get("/notifications/notices/"))
    assert "No message has been sent yet." in text_of(viewer.get("/notifications/deliveries/"))


def test_open_notices_are_listed_apart_from_past_ones(viewer: Client) -> None:
    now = timezone.now()
    open_one = make_notice(at=now - timedelta(minutes=5))
    make_notice("component_down", "web", at=now - timedelta(hours=2), title="Down: web", over_at=now - timedelta(hours=1))
    make_delivery(open_one, make_channel())
    make_delivery(open_one, make_channel("mail"), state="failed", ended_at=None)
    make_delivery(open_one, make_channel("chat"), state="queued", ended_at=None)
    page = viewer.get("/notifications/")
    assert "LLM paused: account default Warning 1 sent 1 queued 1 failed" in rows_of(page)[0]
    assert "Down: web" not in text_of(page, "//*[@id='notifications']/section[1]")
    both = rows_of(viewer.get("/notifications/notices/"))
    assert "Ongoing" in both[0]
    assert "Down: web Warning after 1 h no channel" in both[1]


def test_messages_are_filtered_by_the_url(viewer: Client) -> None:
    phone, mail = make_channel(), make_channel("mail")
    pause, down = make_notice(), make_notice("component_down", "web", title="Down: web", severity=3)
    for channel in (phone, mail):
        make_delivery(pause, channel)
        make_delivery(down, channel, state="failed", ended_at=None, fault="Connection refused", tries=3)
    for query, count in (
        ("", 4),
        (f"channel={mail.pk}", 2),
        ("event=llm_paused", 2),
        ("severity=3", 2),
        ("state=failed", 2),
        (f"state=succeeded&channel={mail.pk}", 1),
    ):
        assert len(rows_of(viewer.get(f"/notifications/deliveries/?{query}"))) == count, query
    row = rows_of(viewer.get(f"/notifications/deliveries/?state=failed&channel={mail.pk}"))[0]
    assert row.endswith("Down: web Component down mail Critical Failed Connection refused 3")


def test_a_filter_that_cannot_be_is_named_and_not_applied(viewer: Client) -> None:
    make_delivery(make_notice(), make_channel())
    page = viewer.get("/notifications/deliveries/?channel=none&state=lost")
    assert "Channel is not applied" in text_of(page) and "How it ended is not applied" in text_of(page)
    assert len(rows_of(page)) == 1


@pytest.mark.parametrize("address", ["/notifications/deliveries/", "/notifications/notices/"])
def test_the_rest_is_on_further_pages(address: str, viewer: Client) -> None:
    channel, now = make_channel(), timezone.now()
    for number in range(51):
        make_delivery(make_notice(subject=str(number), at=now - timedelta(minutes=number), over_at=now), channel)
    first = viewer.get(address)
    older = tree_of(first).xpath("//a[@rel='next']/@href")[0]
    assert len(rows_of(first)) == 50
    assert ["account 50" in row for row in rows_of(viewer.get(older))] == [True]


def test_old_ended_notices_are_deleted_and_open_ones_kept() -> None:
    now, channel = timezone.now(), make_channel()
    old = now - timedelta(days=91)
    make_delivery(make_notice("component_down", "gone", at=old, over_at=old), channel)
    still = make_notice("component_down", "web", at=old)
    first, reminder = make_delivery(still, channel), make_delivery(still, channel, repeat=1)
    recent = make_notice("component_down", "worker", at=now - timedelta(days=89), over_at=now)
    pruning.prune(now)
    assert set(Notice.objects.all()) == {still, recent}
    assert set(Delivery.objects.all()) == {first} and reminder.pk


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "2852039166", "metadata.google.internal"])
def test_a_channel_is_not_pointed_at_metadata(admin: Client, host: str) -> None:
    page = admin.post(NEW, {**GOOD, "url": f"json://{host}/latest"})
    assert "link-local, metadata or reserved address" in text_of(page)
    assert not Channel.objects.exists()


def test_a_channel_whose_host_resolves_to_metadata_later_gets_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = make_delivery(make_notice(), make_channel())
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *args, **more: real("169.254.169.254", *args, **more))
    assert sending.send(delivery) == sending.REFUSED
