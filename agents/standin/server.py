"""A small HTTP/1.1 server on loopback whose answers may also hang, break off or reset the connection.

It knows nothing of Chutes: an `App` turns a Request into an Answer.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close sends RST instead of FIN
IDLE_SECONDS = 0.25  # how often a hanging answer looks whether its client or the server is gone
BACKLOG = 512  # a burst of some hundred connections must not meet the kernel's SYN retry of 1 s


class Delivery(StrEnum):
    """How an answer goes out."""

    WHOLE = "whole"
    CHUNKED = "chunked"
    BROKEN = "broken"
    HANG = "hang"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is without its query; `arrived`: wall-clock s, `now`: monotonic s, both when the request line was read."""

    method: str
    path: str
    headers: Message
    body: bytes
    arrived: float
    now: float


@dataclass(frozen=True, slots=True)
class Answer:
    """`parts` are the body's chunks; `wait`: s until it goes out."""

    status: int
    content_type: str
    parts: tuple[bytes, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE
    wait: float = 0.0


App = Callable[[Request], Answer]


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """`value` as a JSON body."""
    return Answer(status, "application/json", (json.dumps(value).encode(),), headers or {})


class Server(ThreadingHTTPServer):
    """Serves `app` on 127.0.0.1 from a thread of its own; port 0 takes a free one."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = BACKLOG

    def __init__(self, app: App, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.app = app
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet
    _arrived = 0.0
    _now = 0.0

    def parse_request(self) -> bool:
        self._arrived, self._now = time.time(), time.monotonic()
        return super().parse_request()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Silent: what arrived can be read on the control port."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._write(json_answer(411, {"detail": "Send a Content-Length."}))
            return
        request = Request(self.command, self.path.partition("?")[0], self.headers, self.rfile.read(int(length)), self._arrived, self._now)
        answer = self.server.app(request)
        if answer.wait:
            self.server.stopping.wait(answer.wait)
        self._deliver(answer)

    def _deliver(self, answer: Answer) -> None:
        match answer.delivery:
            case Delivery.HANG:
                self._hang()
            case Delivery.RESET:
                self._reset()
            case Delivery.CHUNKED:
                self._write_chunked(answer)
            case Delivery.BROKEN:
                self._write_half(answer)
            case Delivery.WHOLE:
                self._write(answer)

    def _head(self, answer: Answer, framing: str, value: str) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", answer.content_type)
        self.send_header(framing, value)
        for name, text in answer.headers.items():
            self.send_header(name, text)
        self.end_headers()

    def _write(self, answer: Answer) -> None:
        body = b"".join(answer.parts)
        self._head(answer, "Content-Length", str(len(body)))
        self.wfile.write(body)

    def _write_chunked(self, answer: Answer) -> None:
        self._head(answer, "Transfer-Encoding", "chunked")
        for part in answer.parts:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _write_half(self, answer: Answer) -> None:
        body = b"".join(answer.parts)
        self._head(answer, "Content-Length", str(len(body)))
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def _hang(self) -> None:
        self.close_connection = True
        self.connection.settimeout(IDLE_SECONDS)
        while not self.server.stopping.is_set():
            try:
                self.connection.recv(1)
            except TimeoutError:
                continue
            return

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        os.close(self.connection.detach())
