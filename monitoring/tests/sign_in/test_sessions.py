"""Sessions: listed with their browsers, ended by users, and automatically after a day without a visit."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from agents.models import AuditEntry
from monitoring.sign_in.sessions import NOTED_EVERY, SEEN_AT, browser
from monitoring.tests.reading import HTMX, rows_of, text_of
from monitoring.tests.sign_in.people import PASSWORD, make_session

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
PHONE = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"


@pytest.fixture(autouse=True)
def ada(groups: None) -> User:
    user = User.objects.create_user("ada", password=PASSWORD)
    user.groups.set([user.groups.model.objects.get(name="viewers")])
    return user


def logged_in(agent: str = FIREFOX, address: str = "198.51.100.9") -> Client:
    client = Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=address)
    assert client.post("/login/", {"username": "ada", "password": PASSWORD}).status_code == 302
    return client


def test_the_list_has_each_browser_and_no_session_of_others(admin: Client) -> None:
    desk, _phone = logged_in(), logged_in(PHONE, "203.0.113.7")
    admin.get("/")
    rows = rows_of(desk.get("/account/sessions/"))
    assert len(rows) == 2
    assert any("Firefox on Linux This one 198.51.100.9" in row for row in rows)
    assert any("Chrome on Android 203.0.113.7" in row for row in rows)
    assert "ends by itself 1 d after its last visit" in text_of(desk.get("/account/sessions/"))


def test_an_ended_session_is_logged_out_at_once_and_on_record() -> None:
    desk, phone = logged_in(), logged_in(PHONE, "203.0.113.7")
    pk = UserSession.objects.get(ip="203.0.113.7").pk
    desk.post(f"/account/sessions/{pk}/end/")
    assert phone.get("/").status_code == 302
    assert desk.get("/").status_code == 200
    detail = "Ended the session of Chrome on Android at 203.0.113.7. From 198.51.100.9."
    assert AuditEntry.objects.get(action="session").detail == detail


def test_all_others_end_with_one_button_and_the_own_one_by_its_row() -> None:
    desk, *others = logged_in(), logged_in(PHONE), logged_in(PHONE)
    desk.post("/account/sessions/end-others/")
    assert [client.get("/").status_code for client in (desk, *others)] == [200, 302, 302]
    desk.post(f"/account/sessions/{UserSession.objects.get().pk}/end/")
    assert desk.get("/").status_code == 302


def test_a_user_cannot_end_another_users_session(admin: Client) -> None:
    theirs = make_session(User.objects.get(username="ada"))
    assert admin.post(f"/account/sessions/{theirs.pk}/end/").status_code == 404


def test_a_session_ends_a_day_after_its_last_visit() -> None:
    client = logged_in()
    left = Session.objects.get().expire_date - timezone.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    Session.objects.update(expire_date=timezone.now())
    assert client.get("/").status_code == 302


def test_a_visit_begins_the_time_anew_a_page_that_renews_itself_does_not() -> None:
    client = logged_in()
    idle_for(client, NOTED_EVERY + 1)
    before = Session.objects.get().expire_date
    client.get("/", headers=HTMX)
    assert Session.objects.get().expire_date == before
    client.get("/")
    assert Session.objects.get().expire_date > before
    assert timezone.now() - UserSession.objects.get().last_seen_at < timedelta(seconds=10)


def idle_for(client: Client, seconds: float) -> None:
    session = client.session
    session[SEEN_AT] = session.get(SEEN_AT, 0) - seconds
    session.save()
    Session.objects.update(expire_date=timezone.now() + timedelta(hours=2))
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(seconds=seconds))


def test_a_browser_is_named_by_its_user_agent() -> None:
    rows = [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Chrome on Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari on iOS",
        ),
        ("curl/8.9", "a browser"),
    ]
    assert [(agent, browser(UserSession(user_agent=agent))) for agent, _ in rows] == rows
