"""The validators' endpoints. Without login, CSRF and host check, since validators may use any address of the miner."""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.urls import is_valid_path

from agents import VERSION
from agents.accounts.miner_status import memory
from agents.common.requests import client_address, is_test
from agents.contract import protocol
from agents.hybrid import runner
from agents.hybrid.admission import CROWDED_SECONDS, SMALL_BYTES, Visit, planning, room
from agents.ledger.unknown_calls import MOST_BODY, is_task, unknown_calls
from agents.models import Source

logger = logging.getLogger(__name__)

# Reading takes 5 to 40 ms a MB, depending on the body.
READ_SECONDS_A_BYTE = 2e-8
# Seconds that a large body may wait to be read: its deadline is unknown before that, and callers wait for 25 s.
READING_SECONDS = 5.0
NO_MEMORY = "Page: it was not read, since pages of other steps used all the memory for pages."
HEALTH = "/health"
# deploy/nginx.conf forwards requests to other paths below this one.
UNKNOWN = "/unknown"
SAFE = ("GET", "HEAD", "OPTIONS")


class MinerMiddleware:
    """First in the chain: callers' paths skip the panel's sessions, host check, CSRF and security headers.

    So do requests to paths that are neither theirs nor the panel's: a caller of another generation gets a 404 as JSON and is
    counted.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path == HEALTH:
            response = health(request)
        elif path in protocol.PATHS:
            response = answer(request)
        elif path.startswith(f"{UNKNOWN}/") or (request.method not in SAFE and not is_valid_path(path)):
            response = unknown(request, path.removeprefix(UNKNOWN)[:200])
        else:
            return self.get_response(request)
        # Without the length the server would close the connection.
        response.headers["Content-Length"] = str(len(response.content))
        return response


def health(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return _wrong_method("GET, HEAD")
    reading = memory.latest
    now, at = reading.health, reading.read_at
    llm = {"state": now.state, "message": now.sentence, "resets_at": now.resets_at, "source": now.source or None, "read_at": at}
    return JsonResponse({"status": "healthy", "agent_type": now.agent_type, "version": VERSION, "llm": llm})


def unknown(request: HttpRequest, path: str) -> HttpResponse:
    if request.method not in SAFE:
        try:
            body = request.read(MOST_BODY)
        except UnreadablePostError:
            body = b""
        unknown_calls.count(request.method or "", path, is_task=is_task(path, body), now=time.time())
    return _error(404, "path", f"The path {path} is unknown. Post to one of {', '.join(protocol.PATHS)}.")


def answer(request: HttpRequest) -> HttpResponse:
    """Handles a `POST` of a step or a one-shot task: 200 with actions; 400 naming the field; 405; 413; 503 if not read in time."""
    if request.method != "POST":
        return _wrong_method("POST")
    received_at = time.time()
    with room.entered() as visit:
        try:
            step = _read(request, visit)
        except RequestDataTooBig:
            most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            return _error(413, "body", f"The body is larger than {most / 1024**2:g} MB ({most:,} bytes). Send a smaller page.")
        except UnreadablePostError:
            return _error(400, "body", "The body is incomplete. Send it again.")
        except protocol.BadRequest as error:
            return _error(400, error.field, str(error))
        if step is None:
            return _unread(request.path_info)
        has_room = visit.has_room
        if not visit.hold(sys.getsizeof(step.page)):
            step, has_room = replace(step, page="", cuts=(*step.cuts, NO_MEMORY)), False
        source = Source.TEST if is_test(request) else Source.VALIDATOR
        result = runner.answer(step, source=source, caller=client_address(request), received_at=received_at, has_room=has_room)
    return JsonResponse(protocol.render(step, result.plan, agent_id=result.agent_id, use=result.use))


def _read(request: HttpRequest, visit: Visit) -> protocol.Step | None:
    """The step; None where a large body got no place to be read in time. With too many steps it waits only shortly."""
    size = int(request.META.get("CONTENT_LENGTH") or 0)
    if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise RequestDataTooBig
    if size <= SMALL_BYTES:
        return protocol.parse(request.path_info, request.read())
    due = time.monotonic() + (READING_SECONDS if visit.has_room else CROWDED_SECONDS)
    with planning.place(size * READ_SECONDS_A_BYTE, due) as is_admitted:
        # Not request.body, which would keep the bytes beside the step until it is answered.
        return protocol.parse(request.path_info, request.read()) if is_admitted else None


def _unread(path: str) -> HttpResponse:
    """The answer to a body that was not parsed: a wait, which is harmless in any step; 503 for a one-shot task, whose URL is needed."""
    logger.warning("A large request to %s was not read: too many others were waiting.", path)
    if protocol.PATHS[path] is protocol.Form.STEP:
        return JsonResponse(protocol.tool_calls())
    return _error(503, "body", "The miner is busy. Send the task again.", {"Retry-After": "1"})


def _wrong_method(allowed: str) -> HttpResponse:
    return _error(405, "method", f"Use {allowed}.", {"Allow": allowed})


def _error(status: int, field: str, message: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return JsonResponse({"error": message, "field": field}, status=status, headers=headers)
