"""The server: it accepts, receives and sends for all connections in one thread, and has whole requests answered by others."""

import logging
import resource
import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.conf import settings
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from agents.api import HEALTH
from agents.common.requests import is_trusted
from agents.contract import protocol
from minerpanel.server import limits
from minerpanel.server.connections import Connection, Phase, first_to_go
from minerpanel.server.requests import LARGEST, TOO_MUCH_AT_ONCE, Request

logger = logging.getLogger(__name__)

Application = Callable[..., Any]
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PROTO")
LOOP_SECONDS = 1.0  # a stop, a time limit is noticed this late at the most


def believing_proxies(application: Application) -> Application:
    """The application, which receives X-Forwarded-* headers of TRUSTED_PROXIES only, and the scheme that they report."""

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        if is_trusted(environ["REMOTE_ADDR"]):
            if environ.get("HTTP_X_FORWARDED_PROTO", "").strip().lower() == "https":
                environ["wsgi.url_scheme"] = "https"
        else:
            for name in FORWARDED:
                environ.pop(name, None)
        return application(environ, start_response)

    return serve


class Pools:
    """Threads that answer: steps, the panel's pages, and what takes no time, so that none of them waits for another.

    A thread is started when all others are busy (Waitress' own are all there at once): each keeps a database connection, few stay warm.
    """

    def __init__(self) -> None:
        counts = (settings.WEB_THREADS, limits.PAGE_THREADS, limits.QUICK_THREADS)
        self._steps, self._pages, self._quick = (ThreadPoolExecutor(count) for count in counts)

    def add_task(self, connection: Connection) -> None:
        request: Request = connection.requests[0]
        if request.is_unread or request.path == HEALTH:  # one that is refused before its end has no path
            pool = self._quick
        else:
            pool = self._steps if request.path in protocol.PATHS else self._pages
        pool.submit(connection.service).add_done_callback(_report_fault)


class Server(TcpWSGIServer):  # type: ignore[misc] # waitress ships no types
    channel_class = Connection

    def __init__(self, application: Application, listener: socket.socket) -> None:
        self.has_received = False  # a part of a body, since bodies were last added up
        self._stop_by: float | None = None
        adjustments = Adjustments(
            ident="miner",
            clear_untrusted_proxy_headers=False,  # we believe networks; waitress one address
            connection_limit=limits.OPEN_FILES,  # ours drops a waiting connection; waitress' would accept no more
            cleanup_interval=1,
            max_request_header_size=limits.HEADER_BYTES,
            max_request_body_size=LARGEST + 1,
            recv_bytes=limits.READ_BYTES,
            inbuf_overflow=limits.HELD_BYTES,  # bodies stay in memory, so that steps are answered while the disk is full
            outbuf_overflow=limits.OUTPUT_BYTES,
            outbuf_high_watermark=limits.OUTPUT_BYTES,
            backlog=limits.BACKLOG,
            log_socket_errors=False,  # a client that goes away is no error of ours
        )
        where = (listener.family, listener.type, listener.proto, listener.getsockname())
        application = believing_proxies(application)
        super().__init__(application, {}, _sock=listener, dispatcher=Pools(), adj=adjustments, sockinfo=where, bind_socket=False)

    def run(self) -> bool:
        """Answer until SIGTERM or SIGINT comes, and then what is in hand. False where that took too long."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        while self.turn():
            pass
        return not self._is_busy()

    def turn(self) -> bool:
        """Wait for the next events and serve them. False when a stop is complete."""
        if self._stop_by is not None:
            if self.accepting:
                wasyncore.dispatcher.close(self)  # the port is free for the next process
            if not self._is_busy() or time.time() > self._stop_by:
                return False
        wasyncore.poll2(LOOP_SECONDS, self._map)
        return True

    def stop(self) -> None:
        if self._stop_by is None:
            self._stop_by = time.time() + limits.STOP_SECONDS
            self.pull_trigger()

    # What waitress calls

    def readable(self) -> bool:
        if self.has_received:
            self.has_received = False
            self._bound_bytes()
        return bool(super().readable())

    def handle_accept(self) -> None:
        """Where there are too many, the client that has most loses the one that has waited longest; never one with a request in hand."""
        super().handle_accept()
        if len(self.active_channels) > limits.MOST_CONNECTIONS:
            waiting = [each for each in self._connections() if each.phase is not Phase.IN_HAND]
            index = first_to_go([each.claim(1) for each in waiting])
            if index is not None:
                waiting[index].handle_close()

    def maintenance(self, now: float) -> None:
        for connection in self._connections():
            if connection.overdue(now):
                connection.end_waiting()

    def _connections(self) -> list[Connection]:
        return list(self.active_channels.values())

    def _is_busy(self) -> bool:
        return any(each.phase in (Phase.IN_HAND, Phase.SENDING, Phase.DRAINING) for each in self._connections())

    def _bound_bytes(self) -> None:
        """Refuse bodies that are being received until the rest fits, from the client that sends most."""
        connections = self._connections()
        held = sum(each.held for each in connections)
        uploads = [each for each in connections if each.phase is Phase.BODY and each.request.allowance.on_disk]
        for connection in sorted(uploads, key=lambda each: float(each.phase_since))[limits.MOST_LARGE_BODIES :]:
            connection.refuse(TOO_MUCH_AT_ONCE)
        while held > limits.HELD_BYTES:
            receiving = [each for each in connections if each.phase is Phase.BODY and each.held]
            index = first_to_go([each.claim(each.held) for each in receiving])
            if index is None:
                return
            held -= receiving[index].held
            receiving[index].refuse(TOO_MUCH_AT_ONCE)


def allow_open_files() -> None:
    """Raise the soft limit of file descriptors, often 1,024, as far as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = limits.OPEN_FILES if hard == resource.RLIM_INFINITY else min(limits.OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _report_fault(done: Future[None]) -> None:
    """The application's faults are answered with 500; this one is of the server."""
    if done.exception() is not None:
        logger.error("A request could not be answered.", exc_info=done.exception())
