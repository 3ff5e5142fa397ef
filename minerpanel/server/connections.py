"""One client's connection: how long it may wait for what, and what becomes of a client that is refused while it sends."""

import ipaddress
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from waitress.channel import HTTPChannel

from agents.common.requests import is_trusted
from minerpanel.server import limits
from minerpanel.server.requests import TOO_SLOW, Refusal, Request


@dataclass(frozen=True, slots=True)
class Claim:
    """Of something scarce. `since`: Unix time from which the client has been waited for; `is_proxy`: many callers stand behind it."""

    client: str
    amount: int
    since: float
    is_proxy: bool = False


def client_of(address: str) -> str:
    """Who stands behind an address: itself, or its network of 64 bits for IPv6, of which one machine has all addresses."""
    if ":" not in address:
        return address
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))


def first_to_go(claims: Sequence[Claim]) -> int | None:
    """The index of the claim to give up: of the client that takes most in all, the largest, then the oldest; proxies last."""
    taken: Counter[str] = Counter()
    for claim in claims:
        taken[claim.client] += claim.amount
    order = [(not claim.is_proxy, taken[claim.client], claim.amount, -claim.since) for claim in claims]
    return max(range(len(claims)), key=order.__getitem__, default=None)


class Phase(Enum):
    NEW = auto()  # nothing has come yet
    IDLE = auto()  # between two requests
    HEADERS = auto()
    BODY = auto()
    IN_HAND = auto()  # a request waits for a thread, or is being answered
    SENDING = auto()  # the answer waits for the client
    DRAINING = auto()  # refused: what it still sends is read and dropped


SECONDS = {
    Phase.NEW: limits.FIRST_BYTE_SECONDS,
    Phase.IDLE: limits.IDLE_SECONDS,
    Phase.HEADERS: limits.HEADER_SECONDS,
    Phase.SENDING: limits.SEND_SECONDS,
    Phase.DRAINING: limits.DRAIN_SECONDS,
}


class Connection(HTTPChannel):  # type: ignore[misc] # waitress ships no types
    """Waitress' channel with total time limits, which a client that sends a byte now and then can't stretch."""

    request: Any  # the Request that is being received; None between two
    requests: Any  # those that were received whole, and are not answered yet
    close_when_flushed: Any

    parser_class = Request
    error_task_class = Refusal

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client, self.is_proxy = client_of(self.addr[0]), is_trusted(self.addr[0])
        self.phase_since = self.creation_time
        self.has_been_answered = self.leaves_unread = False
        self.drained: int | None = None  # bytes; None where it is not being drained

    @property
    def phase(self) -> Phase:
        if self.drained is not None:
            return Phase.DRAINING
        if self.total_outbufs_len:
            return Phase.SENDING
        if self.requests:
            return Phase.IN_HAND
        if self.request is not None:
            return Phase.BODY if self.request.headers_finished else Phase.HEADERS
        return Phase.IDLE if self.has_been_answered else Phase.NEW

    def overdue(self, now: float) -> bool:
        phase, request = self.phase, self.request  # a thread may take the request away meanwhile
        if phase is Phase.IN_HAND:
            return False
        since = self.last_activity if phase is Phase.SENDING else self.phase_since
        body_seconds = request.body_seconds if request is not None else limits.DRAIN_SECONDS
        return bool(now - since > SECONDS.get(phase, body_seconds))

    def end_waiting(self) -> None:
        """Refuse the request that takes too long; close a connection without one."""
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
        # Copied, since threads take requests away.
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
        # A thread that sends holds the lock. Polling for its socket meanwhile returns at once, again and again, and keeps the
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
