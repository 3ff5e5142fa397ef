"""A page fetch: only on listed hosts, at the address that was checked, small, quick, never raising."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from agents.hybrid import template_plan
from agents.hybrid.template_plan import fetch

PATIENCE = 60.0
PAGE = "<html><body><form><input name=q></form></body></html>"


class Site(BaseHTTPRequestHandler):
    """A site that behaves as the path of the request names, and keeps its requests."""

    requests: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        type(self).requests.append((self.path, dict(self.headers)))
        name = self.path.strip("/").partition("?")[0]
        getattr(self, f"_{name}", self._page)()

    def _page(self, body: bytes = PAGE.encode(), status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for key, value in {"Content_Type": "text/html", "Set_Cookie": "a=b", **headers}.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _moved(self) -> None:
        self._page(status=302, Location="/there?seed=5")

    def _away(self) -> None:
        self._page(status=302, Location="http://127.0.0.1:1/there")

    def _round(self) -> None:
        self._page(status=302, Location="/round")

    def _large(self) -> None:
        self._page(b"x" * (template_plan.MAX_BYTES + 1))

    def _broken(self) -> None:
        self._page(status=500)

    def _picture(self) -> None:
        self._page(Content_Type="image/png")

    def _slow(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(600):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.1)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    Site.requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_page_on_a_listed_host_is_read(port: int) -> None:
    html, note = fetch(f"http://127.0.0.1:{port}/?seed=5", [f"127.0.0.1:{port}"], PATIENCE)
    assert html == PAGE
    assert note == f"Fetched http://127.0.0.1:{port}/?seed=5 first (1 kB)."
    path, headers = Site.requests[0]
    assert (path, headers["Host"]) == ("/?seed=5", f"127.0.0.1:{port}")
    assert "Cookie" not in headers


def test_no_cookie_of_one_fetch_is_shown_to_the_next(port: int) -> None:
    for _ in range(2):
        fetch(f"http://127.0.0.1:{port}/", [f"127.0.0.1:{port}"], PATIENCE)
    assert "Cookie" not in Site.requests[1][1]


def test_a_redirect_on_the_same_host_is_followed(port: int) -> None:
    assert fetch(f"http://127.0.0.1:{port}/moved", [f"127.0.0.1:{port}"], PATIENCE)[0] == PAGE
    assert [path for path, _ in Site.requests] == ["/moved", "/there?seed=5"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("away", "redirects to another host"),
        ("round", "redirects too often"),
        ("large", "longer than"),
        ("broken", "answers 500"),
        ("picture", "not HTML"),
    ],
)
def test_only_a_small_page_of_the_same_host_is_read(port: int, path: str, why: str) -> None:
    html, note = fetch(f"http://127.0.0.1:{port}/{path}", ["127.0.0.1:1-65535"], PATIENCE)
    assert html == ""
    assert why in note


def test_a_slow_page_is_cut_off(port: int) -> None:
    started = time.monotonic()
    assert fetch(f"http://127.0.0.1:{port}/slow", [f"127.0.0.1:{port}"], 0.5)[0] == ""
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("hosts", [[], ["example.com"], ["127.0.0.1"], ["127.0.0.2:1-65535"], ["no host at all"]])
def test_a_host_that_is_not_listed_gets_no_request(port: int, hosts: list[str]) -> None:
    assert fetch(f"http://127.0.0.1:{port}/", hosts, PATIENCE)[0] == ""
    assert Site.requests == []


def at(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """The name server's answers, in order; returns the names that were resolved."""
    requests: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        requests.append(host)
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return requests


def test_a_listed_name_with_a_private_address_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, ["127.0.0.1"])
    _, note = fetch(f"http://demo.example.com:{port}/", [f"demo.example.com:{port}"], PATIENCE)
    assert "127.0.0.1, a private address" in note
    assert Site.requests == []


def test_a_name_with_one_private_address_among_several_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, ["93.184.216.34", "127.0.0.1"])
    assert fetch(f"http://demo.example.com:{port}/", [f"demo.example.com:{port}"], PATIENCE)[0] == ""
    assert Site.requests == []


def test_the_checked_address_is_connected_to_even_if_the_name_resolves_differently_later(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = at(monkeypatch, ["127.0.0.1"], ["10.255.255.1"])
    hosts = [f"demo.example.com:{port}", f"127.0.0.1:{port}"]
    assert fetch(f"http://demo.example.com:{port}/", hosts, PATIENCE)[0] == PAGE
    assert requests == ["demo.example.com"]
    assert Site.requests[0][1]["Host"] == f"demo.example.com:{port}"


@pytest.mark.parametrize("url", ["about:blank", "ftp://x.org/", "", "http://[::1", "http://x.org:99999/", "file:///etc/passwd"])
def test_only_http_addresses_are_fetched(url: str) -> None:
    assert fetch(url, ["x.org"], PATIENCE)[0] == ""


def test_a_host_that_does_not_answer_is_reported() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = taken.getsockname()[1]
    assert "can't be reached" in fetch(f"http://127.0.0.1:{free}/", ["127.0.0.1:1-65535"], PATIENCE)[1]
