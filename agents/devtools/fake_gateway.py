"""A validators' gateway on this machine, with each of its faults by name."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/chutes/v1/chat/completions"
PLAN = '{"actions": [{"type": "scroll", "down": true}], "done": false, "reasoning": "Further down."}'
EDGE = "<html><head><title>429 Too Many Requests</title></head><body>nginx</body></html>"
LONGEST = 60.0  # seconds that an answer may hang
Answer = tuple[int, str]  # status and body


def completion(text: str) -> str:
    usage = {"prompt_tokens": 900, "completion_tokens": 40, "total_tokens": 940}
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}], "usage": usage})


def _detail(text: str) -> str:
    return json.dumps({"detail": text})


ANSWERS: dict[str, Answer] = {
    "ok": (200, completion(PLAN)),
    "task over its cost": (402, _detail("Cost limit exceeded for this task: 0.0512 of 0.05 USD")),
    "model without a price": (400, _detail("Missing pricing for model a/model")),
    "model not allowed": (400, _detail("Model not allowed: a/model")),
    "request refused": (400, _detail("messages: field required")),
    "rate limit": (429, EDGE),
    "model full": (429, _detail("Infrastructure is at maximum capacity, try again later")),
    "server error": (500, _detail("exhausted all available targets")),
    "bad gateway": (502, "<html>502</html>"),
    "no JSON": (200, "<html>all fine</html>"),
    "no message": (200, '{"choices": []}'),
    "empty": (200, completion("")),
    "prose": (200, completion("I would click the button.")),
    "wrong actions": (200, completion('{"actions": [{"type": "fly"}, {"type": "click", "element": 99999}]}')),
    "endless": (200, completion("x" * 5_000_000)),
    "deep": (200, "[" * 200_000),
}
FAULTS = [*(name for name in ANSWERS if name != "ok"), "hangs", "trickles", "resets"]


class Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(raw)
        self.server.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
        fault = self.server.says(body)
        if self.path != PATH or not self.headers.get("IWA-Task-ID") or "stream" in body:
            self._send(422, _detail("IWA-Task-ID is missing, or the path or a field is not served"))
        elif fault == "hangs":
            self.server.is_over.wait(LONGEST)
        elif fault == "trickles":
            self._trickle()
        elif fault == "resets":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
        else:
            self._send(*ANSWERS[fault])

    def _send(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if body.startswith("<") else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def _trickle(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        ends_at = time.monotonic() + LONGEST
        while time.monotonic() < ends_at and not self.server.is_over.wait(0.5):
            self.wfile.write(b" ")
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 -- as the base class names it


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.says: Callable[[Mapping[str, Any]], str] = lambda _: "ok"
        self.requests = list[tuple[dict[str, str], dict[str, Any]]]()
        self.is_over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away."""


@contextmanager
def fake_gateway() -> Iterator[Server]:
    """`says`: which answer or fault a request meets; `requests`: headers and body of each."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, name="fake gateway", daemon=True).start()
        try:
            yield server
        finally:
            server.is_over.set()
            server.shutdown()
