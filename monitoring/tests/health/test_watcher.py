"""The outside watcher, over real HTTP on loopback: what is pinged and when, and what stays secret."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agents.configuration.keys import open_sealed
from agents.models import SystemSchedule
from monitoring.audit.audit_log import newest_entries
from monitoring.health import health_checks, watcher
from monitoring.models import Watcher
from monitoring.tests.reading import text_of, tree_of
from monitoring.tests.records import make_notice

pytestmark = [pytest.mark.django_db, pytest.mark.long]

FORM = "/components/watcher/"
MINUTE = timedelta(minutes=1)


class Service:
    """A service like Healthchecks, and a miner's /health. `got`: paths and bodies of the signals in order; `status`: by path."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/ping/s3cr3t-id"
        self.port = port
        self.got: list[tuple[str, str]] = []
        self.status = {"/health": 200}


@contextmanager
def serving() -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(running.status.get(self.path, 200))
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            running.got.append((self.path.removeprefix("/ping/s3cr3t-id"), body))
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Not in the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Service(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield running
        server.shutdown()


@pytest.fixture
def service(settings: Any) -> Iterator[Service]:
    with serving() as running:
        settings.PORT = running.port
        yield running


def signals(service: Service) -> list[str]:
    listed = [suffix for suffix, _ in service.got]
    service.got.clear()
    return listed


def test_it_is_pinged_while_the_miner_answers_and_gets_fail_otherwise(service: Service) -> None:
    now = timezone.now()
    assert watcher.ping(now) == "", "nothing is set up"
    watcher.set_url(service.url, None)
    watcher.ping(now)
    assert signals(service) == ["/start", ""]
    watcher.ping(now + MINUTE)
    assert signals(service) == [""]
    service.status["/health"] = 503
    assert "answers with status 503" in watcher.ping(now + 2 * MINUTE)
    assert "status 503" in service.got[0][1]
    assert signals(service) == ["/fail"]
    service.status["/health"] = 200
    watcher.ping(now + 3 * MINUTE)
    assert signals(service) == [""]
    watcher.ping(now + 10 * MINUTE)
    assert signals(service) == ["/start", ""], "pings had stayed away"


def test_notified_events_are_logged_there_once(service: Service) -> None:
    now = timezone.now()
    make_notice(title="Old news")
    watcher.set_url(service.url, None)
    watcher.ping(now)
    make_notice("component_down", "queue", title="Down: queue")
    make_notice("component_up", "queue", title="Component up again: queue", over_at=now)
    signals(service)
    watcher.ping(now + MINUTE)
    assert service.got[1][1].count("\n") == 1 and service.got[1][1].endswith("Component up again: queue")
    assert signals(service) == ["", "/log"]
    watcher.ping(now + 2 * MINUTE)
    assert signals(service) == [""]


def test_a_ping_that_does_not_arrive_is_shown_without_its_url(service: Service, viewer: Client, caplog: pytest.LogCaptureFixture) -> None:
    now = timezone.now()
    watcher.set_url(service.url, None)
    service.status["/ping/s3cr3t-id/start"] = 404
    for minute in range(3):
        assert watcher.ping(now + minute * MINUTE) == "It answered with status 404." or minute > 0
    assert caplog.text.count("could not be pinged") == 1
    watcher.set_url("http://127.0.0.1:9/ping/s3cr3t-id", None)
    fault = watcher.ping(now)
    assert fault and "s3cr3t" not in fault + caplog.text
    page = text_of(viewer.get("/components/"), "//*[@aria-labelledby='watcher-title']")
    assert "•••• t-id" in page and "Did not arrive" in page and "s3cr3t" not in page
    checked = health_checks.check_all(now)["outside watcher"]
    assert checked.state == "degraded" and fault in checked.message


def test_suffixes_belong_to_the_path() -> None:
    rows = {
        "https://hc-ping.com/uuid": "https://hc-ping.com/uuid/fail",
        "https://hc-ping.com/key/slug/?create=1": "https://hc-ping.com/key/slug/fail?create=1",
    }
    assert {url: watcher.below(url, "/fail") for url in rows} == rows
    assert watcher.below("https://hc-ping.com/key/slug?create=1", "") == "https://hc-ping.com/key/slug?create=1"


def test_an_admin_sets_the_url_and_removes_it(service: Service, admin: Client) -> None:
    SystemSchedule.objects.create(name="Ping the outside watcher", due_at=timezone.now() + MINUTE)
    page = admin.post(FORM, {"url": service.url}, follow=True)
    row = Watcher.objects.get()
    assert open_sealed(row.url_sealed) == service.url
    assert "Ping URL •••• t-id Last ping none yet" in text_of(page)
    assert SystemSchedule.objects.filter(due_at__lte=timezone.now()).exists(), "the first ping leaves at once"
    for answer in (page, admin.get(FORM), admin.post(FORM, {"url": "x"})):
        assert b"s3cr3t" not in answer.content
    watcher.ping(timezone.now())
    assert "Reported: up" in text_of(admin.get("/components/"))
    admin.post(FORM, {"remove": "1"})
    row.refresh_from_db()
    assert (row.url_sealed, row.url_hint) == ("", "")
    facts = [str(entry.facts[0]) for entry in reversed(newest_entries(kinds=("watcher",), who="one-of-admins"))]
    assert facts == ["Ping URL entered: •••• t-id", "Ping URL removed: •••• t-id"]


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("", "required"),
        ("hc-ping.com/uuid-uuid", "Give the whole ping URL"),
        ("https://hc-ping.com/", "Give the whole ping URL"),
        ("ftp://hc-ping.com/uuid-uuid", "Give the whole ping URL"),
        ("http://[", "Give the whole ping URL"),
        ("http://169.254.169.254/latest", "link-local, metadata or reserved"),
        ("http://metadata.google.internal/uuid", "link-local, metadata or reserved"),
        ("https://hc-ping.com/" + "x" * 500, "at most 500 characters"),
    ],
)
def test_an_invalid_ping_url_is_rejected(url: str, remedy: str, admin: Client) -> None:
    page = admin.post(FORM, {"url": url})
    assert remedy in text_of(page, "//*[@id='id_url_error']")
    assert not Watcher.objects.exists()


def test_others_see_it_and_are_offered_no_act(operator: Client) -> None:
    assert not tree_of(operator.get("/components/")).xpath(f"//a[@href='{FORM}']")
