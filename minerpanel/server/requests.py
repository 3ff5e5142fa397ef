"""A request as it arrives. A body is read only if its path accepts one, and only up to that path's limit."""

import json
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from django.urls import is_valid_path, reverse
from waitress.buffers import TempfileBasedBuffer
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask
from waitress.utilities import Error

from agents.api import SAFE
from agents.contract import protocol
from agents.ledger.unknown_calls import MOST_BODY
from minerpanel.server import limits
from monitoring.logs import imports


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a request's body is read: at most `limit` bytes; with `on_disk` into a file. With `may_be_left` a body is left
    unread if it is larger, or has no Content-Length."""

    limit: int
    on_disk: bool = False
    may_be_left: bool = False


NOTHING = Allowance(0)
UNKNOWN_BODY = Allowance(MOST_BODY, may_be_left=True)
LARGEST = imports.LARGEST + imports.FORM_BYTES  # of any body, in bytes


def allowance(method: str, path: str) -> Allowance:
    """How much of a request's body is read: nothing if no view uses it."""
    if path in protocol.PATHS:
        return Allowance(settings.DATA_UPLOAD_MAX_MEMORY_SIZE) if method == "POST" else NOTHING
    if not is_valid_path(path):
        return NOTHING if method in SAFE else UNKNOWN_BODY
    if method == "POST" and path == reverse("imports"):
        return Allowance(LARGEST, on_disk=True)
    return Allowance(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


class Refused(Error):  # type: ignore[misc] # waitress ships no types
    """`field`: the part of the request that is at fault, in the form of the callers' endpoints."""

    def __init__(self, code: int, reason: str, text: str, field: str = "body") -> None:
        super().__init__(text)
        self.code, self.reason, self.field = code, reason, field


TOO_SLOW = Refused(408, "Request Timeout", "The request took too long to arrive. Send it again.", "request")
TOO_MUCH_AT_ONCE = Refused(503, "Service Unavailable", "Too many bodies are being received. Send it again in a moment.")
BAD_FRAMING = Refused(400, "Bad Request", "The body comes in too many small chunks. Send it with a Content-Length.")


def too_large(limit: int) -> Refused:
    return Refused(413, "Request Entity Too Large", f"The body is larger than {limit} bytes. Send a smaller page.")


class DiskBuffer(TempfileBasedBuffer):  # type: ignore[misc]
    """An upload's body, beside the database: /tmp may be small."""

    def newfile(self) -> IO[bytes]:
        return TemporaryFile("w+b", dir=settings.FILE_UPLOAD_TEMP_DIR)


class Request(HTTPRequestParser):  # type: ignore[misc]
    """`is_unread`: its body is left unread, so the connection ends after the answer."""

    body_rcv: Any  # what receives the body; None without one
    error: Any
    allowance: Allowance = NOTHING
    is_unread = False
    body_noted = False  # the time limit of the connection runs from the end of the headers

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data[: limits.CHUNKED_AT_ONCE] if self.chunked else data)
        if self.chunked and self.body_rcv is not None and self.error is None:
            content = len(self.body_rcv)
            framing = self.body_bytes_received - content
            if content > self.allowance.limit:
                self.refuse(too_large(self.allowance.limit))
            elif framing > content / 16 + limits.FRAMING_BYTES:  # chunks of less than 100 bytes on average
                self.refuse(BAD_FRAMING)
        if self.error is not None:
            self.is_unread = True
        # After the headers of an unread body comes that body, not the next request.
        return len(data) if self.is_unread else consumed

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.body_rcv is None:
            return
        self.allowance = allowance(self.command, self.path)
        may_be_left = self.allowance.may_be_left and (self.chunked or self.content_length > self.allowance.limit)
        if self.allowance == NOTHING or may_be_left:
            self.leave_body()
        elif self.content_length > self.allowance.limit:
            self.refuse(too_large(self.allowance.limit))
        elif self.allowance.on_disk:
            self.body_rcv.buf = DiskBuffer()

    def leave_body(self) -> None:
        self.body_rcv, self.content_length, self.chunked = None, 0, False
        self.headers.pop("CONTENT_LENGTH", None)
        self.headers["CONNECTION"] = "close"
        self.is_unread, self.expect_continue = True, False

    def refuse(self, error: Any) -> None:
        if self.body_rcv is not None:
            self.body_rcv.getbuf().close()
        self.leave_body()
        self.error, self.completed = error, True

    @property
    def held(self) -> int:
        return 0 if self.allowance.on_disk or self.body_rcv is None else self.body_bytes_received

    @property
    def body_seconds(self) -> float:
        return limits.LARGE_BODY_SECONDS if self.allowance.on_disk else limits.BODY_SECONDS


class Refusal(ErrorTask):  # type: ignore[misc]
    """An error answer of the server itself, as JSON that names the field, like those of the callers' endpoints."""

    def execute(self) -> None:
        error = self.request.error
        body = json.dumps({"error": error.body, "field": getattr(error, "field", "request")}).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.content_length = len(body)
        self.set_close_on_finish()
        self.write(body)
