"""The server: one thread accepts, receives and sends for all connections; complete requests are answered by other threads.

Also the time limits of a connection, and how a client that still sends is refused.
"""

import logging
import resource
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.conf import settings
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from agents.api import HEALTH
from agents.common.requests import is_trusted
from agents.contract import protocol
from agents.policy.callers import customer
from minerpanel.server import limits
from minerpanel.server.requests import LARGEST, TOO_MUCH_AT_ONCE, TOO_SLOW, Refusal, Request

logger = logging.getLogger(__name__)

Application = Callable[..., Any]
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_PROTO")
LOOP_SECONDS = 1.0  # a stop or a time limit takes effect this late at most


def with_trusted_proxies(application: Application) -> Application:
    """Keep X-Forwarded-* headers from TRUSTED_PROXIES only, and set the scheme that they report."""

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        if is_trusted(environ["REMOTE_ADDR"]):
            if environ.get("HTTP_X_FORWARDED_PROTO", "").strip().lower() == "https":
                environ["wsgi.url_scheme"] = "https"
        else:
            for name in FORWARDED:
                environ.pop(name, None)
        return application(environ, start_response)

    return serve


@dataclass(frozen=True, slots=True)
class Claim:
    """A client's use of a limited resource. `since`: Unix time of its last progress; `is_proxy`: it serves many callers."""

    client: str
    amount: int
    since: float
    is_proxy: bool = False


def first_to_drop(claims: Sequence[Claim]) -> int | None:
    """The index of the claim to drop: of the client with the most in total, the largest, then the oldest; proxies last."""
    taken: Counter[str] = Counter()
    for claim in claims:
        taken[claim.client] += claim.amount
    order = [(not claim.is_proxy, taken[claim.client], claim.amount, -claim.since) for claim in claims]
    return max(range(len(claims)), key=order.__getitem__, default=None)


class Phase(Enum):
    NEW = auto()  # nothing received yet
    IDLE = auto()  # between two requests
    HEADERS = auto()
    BODY = auto()
    ANSWERING = auto()  # a request waits for a thread, or is being answered
    SENDING = auto()  # the answer waits for the client
    DRAINING = auto()  # refused: what it still sends is read and discarded


SECONDS = {
    Phase.NEW: limits.FIRST_BYTE_SECONDS,
    Phase.IDLE: limits.IDLE_SECONDS,
    Phase.HEADERS: limits.HEADER_SECONDS,
    Phase.SENDING: limits.SEND_SECONDS,
    Phase.DRAINING: limits.DRAIN_SECONDS,
}


class Connection(HTTPChannel):  # type: ignore[misc] # waitress ships no types
    """Waitress' channel with limits on the total time, which a client can't extend by sending a byte now and then."""

    request: Any  # the Request being received; None between requests
    requests: Any  # complete ones that are not answered yet
    close_when_flushed: Any

    parser_class = Request
    error_task_class = Refusal

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client, self.is_proxy = customer(self.addr[0]), is_trusted(self.addr[0])
        self.phase_since = self.creation_time
        self.has_been_answered = self.leaves_unread = False
        self.drained: int | None = None  # bytes; None unless it is being drained

    @property
    def phase(self) -> Phase:
        if self.drained is not None:
            return Phase.DRAINING
        if self.total_outbufs_len:
            return Phase.SENDING
        if self.requests:
            return Phase.ANSWERING
        if self.request is not None:
            return Phase.BODY if self.request.headers_finished else Phase.HEADERS
        return Phase.IDLE if self.has_been_answered else Phase.NEW

    def overdue(self, now: float) -> bool:
        phase, request = self.phase, self.request  # another thread may remove the request
        if phase is Phase.ANSWERING:
            return False
        since = self.last_activity if phase is Phase.SENDING else self.phase_since
        body_seconds = request.body_seconds if request is not None else limits.DRAIN_SECONDS
        return bool(now - since > SECONDS.get(phase, body_seconds))

    def end_waiting(self) -> None:
        """Refuse a request that takes too long; close a connection without one."""
        if self.phase in (Phase.HEADERS, Phase.BODY):
            self.refuse(TOO_SLOW)
        else:
            self.will_close = True

    def refuse(self, error: Any) -> None:
        with self.requests_lock:
            if self.request is None or self.requests:
                return
            self.request.refuse(error)
            self.leaves_unread = True
            self.requests.append(self.request)
            self.request = None
            self.server.add_task(self)

    def claim(self, amount: int) -> Claim:
        return Claim(self.client, amount, self.phase_since, self.is_proxy)

    @property
    def held(self) -> int:
        # Copied, since other threads remove requests.
        requests = [*self.requests, self.request]
        return sum(request.held for request in requests if request is not None)

    # What waitress calls

    def received(self, data: bytes) -> bool:
        before = self.request
        if before is None:
            self.phase_since = time.time()
        taken: bool = super().received(data)
        request = self.request
        if request is not None:
            if request is not before or (request.headers_finished and not request.body_noted):
                self.phase_since = time.time()
            request.body_noted = request.headers_finished
            self.server.has_received |= request.headers_finished
        if self.requests and self.requests[-1].is_unread:
            self.leaves_unread = True
        return taken

    def readable(self) -> bool:
        return not self.will_close if self.drained is not None else bool(super().readable())

    def writable(self) -> bool:
        # While a thread sends, it holds the lock. Polling its socket then would return at once, in a busy loop, and keep the
        # interpreter's lock from that thread for 5 ms.
        if self.requests and self.total_outbufs_len and not self.will_close:
            if not self.outbuf_lock.acquire(blocking=False):
                return False
            self.outbuf_lock.release()
        return bool(super().writable())

    def handle_read(self) -> None:
        if self.drained is None:
            super().handle_read()
            return
        # At the end of what the client sends, waitress closes the connection.
        self.drained += len(self.recv(limits.READ_BYTES))
        if self.drained > limits.DRAIN_BYTES:
            self.will_close = True

    def handle_write(self) -> None:
        drains = self.leaves_unread and self.close_when_flushed
        if drains:
            self.close_when_flushed = False  # else waitress would close it: the client would lose the answer
        super().handle_write()
        if not drains or not self.connected:
            return
        if self.total_outbufs_len:
            self.close_when_flushed = True
            return
        self.drained, self.phase_since = 0, time.time()
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # the client has gone
            self.will_close = True

    def service(self) -> None:
        super().service()
        self.has_been_answered, self.phase_since = True, time.time()


class Pools:
    """Thread pools for steps, for the panel's pages, and for quick answers, so that none of them waits for another.

    A thread is started only when all others are busy (waitress would start all at once), as each keeps a database connection.
    """

    def __init__(self) -> None:
        counts = (settings.WEB_THREADS, limits.PAGE_THREADS, limits.QUICK_THREADS)
        self._steps, self._pages, self._quick = (ThreadPoolExecutor(count) for count in counts)

    def add_task(self, connection: Connection) -> None:
        request: Request = connection.requests[0]
        if request.is_unread or request.path == HEALTH:  # one that is refused before its headers ended has no path
            pool = self._quick
        else:
            pool = self._steps if request.path in protocol.PATHS else self._pages
        pool.submit(connection.service).add_done_callback(_report_fault)


class Server(TcpWSGIServer):  # type: ignore[misc] # waitress ships no types
    channel_class = Connection

    def __init__(self, application: Application, listener: socket.socket) -> None:
        self.has_received = False  # part of a body, since the last sum of all bodies
        self._stop_by: float | None = None
        adjustments = Adjustments(
            ident="miner",
            clear_untrusted_proxy_headers=False,  # TRUSTED_PROXIES has networks; waitress takes one address
            connection_limit=limits.OPEN_FILES,  # beyond it waitress would accept none; handle_accept drops a waiting one instead
            cleanup_interval=1,
            max_request_header_size=limits.HEADER_BYTES,
            max_request_body_size=LARGEST + 1,
            recv_bytes=limits.READ_BYTES,
            inbuf_overflow=limits.HELD_BYTES,  # bodies stay in memory, so that steps are answered while the disk is full
            outbuf_overflow=limits.OUTPUT_BYTES,
            outbuf_high_watermark=limits.OUTPUT_BYTES,
            backlog=limits.BACKLOG,
            log_socket_errors=False,  # a client that disconnects is no error
        )
        where = (listener.family, listener.type, listener.proto, listener.getsockname())
        application = with_trusted_proxies(application)
        super().__init__(application, {}, _sock=listener, dispatcher=Pools(), adj=adjustments, sockinfo=where, bind_socket=False)

    def run(self) -> bool:
        """Serve until SIGTERM or SIGINT, then finish the requests being answered. False if that took too long."""
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
        """Beyond the limit the client with the most connections loses its longest idle one, never one that is being answered."""
        super().handle_accept()
        if len(self.active_channels) > limits.MOST_CONNECTIONS:
            waiting = [connection for connection in self._connections() if connection.phase is not Phase.ANSWERING]
            index = first_to_drop([connection.claim(1) for connection in waiting])
            if index is not None:
                waiting[index].handle_close()

    def maintenance(self, now: float) -> None:
        for connection in self._connections():
            if connection.overdue(now):
                connection.end_waiting()

    def _connections(self) -> list[Connection]:
        return list(self.active_channels.values())

    def _is_busy(self) -> bool:
        return any(connection.phase in (Phase.ANSWERING, Phase.SENDING, Phase.DRAINING) for connection in self._connections())

    def _bound_bytes(self) -> None:
        """Refuse bodies being received, from the client that sends most, until the rest fits into the limit."""
        connections = self._connections()
        held = sum(connection.held for connection in connections)
        uploads = [connection for connection in connections if connection.phase is Phase.BODY and connection.request.allowance.on_disk]
        for connection in sorted(uploads, key=lambda upload: float(upload.phase_since))[limits.MOST_LARGE_BODIES :]:
            connection.refuse(TOO_MUCH_AT_ONCE)
        while held > limits.HELD_BYTES:
            receiving = [connection for connection in connections if connection.phase is Phase.BODY and connection.held]
            index = first_to_drop([connection.claim(connection.held) for connection in receiving])
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
    """An error of the server itself: those of the application are answered with 500."""
    if done.exception() is not None:
        logger.error("A request could not be answered.", exc_info=done.exception())
