"""A small HTTP/1.1 server on loopback whose answers may also hang, break off or reset the connection."""

import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close sends RST instead of FIN
IDLE_SECONDS = 0.25  # how often a hanging answer checks whether client and server are still there


class Delivery(Enum):
    WHOLE = auto()
    CHUNKED = auto()
    BROKEN = auto()
    HANG = auto()
    TRICKLE = auto()
    RESET = auto()


@dataclass(frozen=True, slots=True)
class Request:
    """`path`: without the query; `arrived`: Unix seconds, `now`: monotonic seconds, both when the request line was read."""

    method: str
    path: str
    headers: Message
    body: bytes
    arrived: float
    now: float


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    parts: tuple[bytes, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE
    wait: float = 0.0


App = Callable[[Request], Answer]


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, "application/json", (json.dumps(value).encode(),), headers or {})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512  # a burst of some hundred connections must not meet the kernel's SYN retry of 1 s

    def __init__(self, app: App, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.app = app
        self.url = f"http://{HOST}:{self.server_port}"
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
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

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the control port shows what arrived."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path, _, _ = self.path.partition("?")
        answer = self.server.app(Request(self.command, path, self.headers, body, self._arrived, self._now))
        if answer.wait:
            self.server.stopping.wait(answer.wait)
        if answer.delivery in (Delivery.HANG, Delivery.TRICKLE):
            self._hang(is_silent=answer.delivery is Delivery.HANG)
        elif answer.delivery is Delivery.RESET:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            os.close(self.connection.detach())
        else:
            self._write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the base class names them so

    def _write(self, answer: Answer) -> None:
        body, is_chunked = b"".join(answer.parts), answer.delivery is Delivery.CHUNKED
        framing = {"Transfer-Encoding": "chunked"} if is_chunked else {"Content-Length": str(len(body))}
        self.send_response_only(answer.status)
        for name, text in {"Date": self.date_time_string(), "Content-Type": answer.content_type, **framing, **answer.headers}.items():
            self.send_header(name, text)
        self.end_headers()
        if is_chunked:
            for part in answer.parts:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                self.wfile.flush()
            body = b"0\r\n\r\n"
        elif answer.delivery is Delivery.BROKEN:
            self.close_connection = True
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def _hang(self, *, is_silent: bool) -> None:
        """Until the client or the server closes the connection; sends a byte now and then unless it is silent."""
        self.close_connection = True
        self.connection.settimeout(IDLE_SECONDS)
        if not is_silent:
            self.send_response_only(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
        while not self.server.stopping.is_set():
            if not is_silent:
                self.wfile.write(b" ")
                self.wfile.flush()
            with suppress(TimeoutError):
                self.connection.recv(1)
                return
