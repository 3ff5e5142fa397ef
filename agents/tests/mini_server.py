"""The small site over HTTP: one server, whose site is changed for each task."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from agents.tests.mini_site import MiniSite


class Served(Protocol):
    """A site at one seed: the page at a path, and the path to go to after a form was sent."""

    seed: int

    def get(self, path: str, query: Mapping[str, str]) -> str: ...

    def post(self, path: str, sent: Mapping[str, str]) -> str: ...


class MiniServer(ThreadingHTTPServer):
    """Serves `site`, one request at a time."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site: Served = MiniSite(1)
        self.turn = Lock()

    def opened(self, seed: int) -> tuple[MiniSite, str]:
        """A new visitor's site at a seed, and its address."""
        site = MiniSite(seed)
        return site, self.serves(site)

    def serves(self, site: Served) -> str:
        self.site = site
        return f"http://127.0.0.1:{self.server_port}/?seed={site.seed}"


class _Handler(BaseHTTPRequestHandler):
    server: MiniServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/favicon.ico":
            self.send_error(404)
            return
        with self.server.turn:
            body = self.server.site.get(parts.path, dict(parse_qsl(parts.query))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        with self.server.turn:
            then = self.server.site.post(urlsplit(self.path).path, dict(parse_qsl(sent)))
        self.send_response(303)
        self.send_header("Location", then + ("&" if "?" in then else "?") + f"seed={self.server.site.seed}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is the base class's)
        """Keep the tests' output clean."""


@contextmanager
def mini_server() -> Iterator[MiniServer]:
    with MiniServer() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()
