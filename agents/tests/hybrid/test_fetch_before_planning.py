"""A one-shot task without a page: where settings allow it, the page is fetched first, and the result is on record."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from agents.configuration import change
from agents.contract.protocol import Form, Plan
from agents.contract.protocol import Step as Request
from agents.hybrid import page_archive, runner
from agents.models import Source, Step

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = (
    b"<html><body><input><form action=/find><label>Search <input name=lookup></label><button type=submit>Go</button></form></body></html>"
)


class Site(BaseHTTPRequestHandler):
    """Serves one page and counts the requests."""

    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Site.requests = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}/?seed=58"
    server.shutdown()
    server.server_close()


def answer(url: str, prompt: str = "Search for 'Arrival'", *, page: str = "", project: str = "", form: Form = Form.ONE_SHOT) -> Plan:
    step = Request("/solve_task", form, "t", prompt, url, page, 0, project=project)
    return runner.answer(step, source=Source.VALIDATOR, caller="192.0.2.7").plan


def allow(*hosts: str, fetch_pages: bool = True) -> None:
    change({"fetch_pages": fetch_pages, "fetch_hosts": list(hosts)}, by=None, reason="test")


def typed_into(plan: Plan) -> str:
    return str(next(action.fields["selector"]["value"] for action in plan.actions if action.type == "TypeAction"))


def fetch_note() -> Any:
    return Step.objects.get().limits.get("page_fetch")


def test_the_page_is_read_and_the_plan_made_from_it(url: str) -> None:
    allow("localhost:1-65535")
    plan = answer(url)
    assert typed_into(plan) == "lookup"
    assert fetch_note() == f"Fetched {url} first (1 kB)."
    page_archive.waiting.join()
    assert "Search" in Step.objects.get().page_excerpt


def test_nothing_is_fetched_unless_an_admin_allows_it(url: str) -> None:
    plan = answer(url)
    assert typed_into(plan) != "lookup"
    assert (Site.requests, fetch_note()) == (0, None)


def test_a_list_of_hosts_alone_allows_nothing(url: str) -> None:
    allow("localhost:1-65535", fetch_pages=False)
    answer(url)
    assert Site.requests == 0


def test_a_host_that_is_not_listed_is_not_fetched_from_and_the_reason_is_on_record(url: str) -> None:
    allow("demo.example.com")
    plan = answer(url)
    assert plan.actions[0].fields == {"url": url}
    assert Site.requests == 0
    assert "is not on the list of hosts" in fetch_note()


@pytest.mark.parametrize(
    "what",
    [
        {"page": "<html><body><p>Here</p></body></html>"},
        {"project": "autocinema", "prompt": "Fill out the contact form where the name equals 'Ann'"},
        {"form": Form.STEP},
    ],
    ids=["page-sent", "known-site", "in-steps"],
)
def test_a_page_that_is_not_needed_is_not_fetched(url: str, what: dict[str, Any]) -> None:
    allow("localhost:1-65535")
    answer(url, **what)
    assert (Site.requests, fetch_note()) == (0, None)
