"""The validators' endpoints. No login, no CSRF, no host check: validators reach the miner by whatever address they were given."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError

from agents import VERSION, protocol, runner
from agents.addresses import client_address
from agents.health import health as current_health
from agents.marks import is_test
from agents.models import Source

AGENT_ID = "minerpanel"
HEALTH = "/health"


class MinerMiddleware:
    """First in the chain: the miner's own paths pass by the panel's sessions, host check, CSRF and security headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == HEALTH:
            return health(request)
        if request.path_info in protocol.PATHS:
            return answer(request)
        return self.get_response(request)


def health(request: HttpRequest) -> HttpResponse:
    """`GET /health`: that the miner answers, how, and what the LLM's part is doing."""
    if request.method not in ("GET", "HEAD"):
        return _wrong_method("GET, HEAD")
    now = current_health(time.time())
    llm = {"state": now.state, "message": now.sentence, "resets_at": now.resets_at, "source": now.source or None}
    return JsonResponse({"status": "healthy", "agent_type": now.agent_type, "version": VERSION, "llm": llm})


def answer(request: HttpRequest) -> HttpResponse:
    """`POST` of a step or a one-shot task: 200 with actions; 400 names the field; 405; 413."""
    if request.method != "POST":
        return _wrong_method("POST")
    try:
        body = request.body
        step = protocol.parse(request.path_info, body)
    except RequestDataTooBig:
        return _error(413, "body", f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes. Send a smaller page.")
    except UnreadablePostError:
        return _error(400, "body", "The body broke off. Send it again.")
    except protocol.BadRequest as error:
        return _error(400, error.field, str(error))
    source = Source.TEST if is_test(request) else Source.VALIDATOR
    plan = runner.answer(step, source=source, caller=client_address(request))
    return JsonResponse(protocol.render(step, plan, agent_id=AGENT_ID))


def _wrong_method(allowed: str) -> HttpResponse:
    response = _error(405, "method", f"Use {allowed}.")
    response["Allow"] = allowed
    return response


def _error(status: int, field: str, message: str) -> HttpResponse:
    return JsonResponse({"error": message, "field": field}, status=status)
