"""The bodies and headers that Chutes and the nginx before it send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from agents.standin.completions import ChatRequest, Reply, events, whole
from agents.standin.faults import Fault
from agents.standin.refusals import Refused
from agents.standin.server import Answer, Delivery, json_answer

EDGE_PAGE = (
    b"<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n<center><h1>429 Too Many Requests</h1></center>\r\n"
    b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
BAD_JSON = '{"actions": [{"type": "ClickAction", "selector": {"type":'
NO_SUCH_SELECTOR = {"type": "ClickAction", "selector": {"type": "cssSelector", "value": "#go"}}
INVALID_PLAN = json.dumps({"actions": [NO_SUCH_SELECTOR, {"type": "TypeAction", "text": "no selector"}, {"type": "Fly"}]})
UPSTREAM = {
    Fault.HTTP500: (500, "Internal server error"),
    Fault.HTTP502: (502, "Bad gateway"),
    Fault.HTTP503: (503, "No instances available (yet) for this chute."),
    Fault.HTTP504: (504, "Gateway timeout"),
}
UNSENT = {Fault.HANG: Delivery.HANG, Fault.RESET: Delivery.RESET}
STREAM_ERROR = b'{"detail": "upstream instance went away"}\n'


def edge() -> Answer:
    """The edge's 429: nginx's own page, without a word about when."""
    return Answer(429, "text/html", (EDGE_PAGE,), {"Server": "nginx"})


def detail(status: int, text: str) -> Answer:
    """A refusal in Chutes' form."""
    return json_answer(status, {"detail": text})


def timestamp(at: float) -> str:
    """A Unix time as Chutes writes it into a body."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def refused(refusal: Refused) -> Answer:
    """A refusal that was set."""
    return Answer(refusal.status, refusal.content_type, (refusal.body,), refusal.headers)


def named_model(body: bytes) -> str:
    """The model that a refused request named, "" when it can't be read."""
    try:
        model = json.loads(body)["model"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(model)


def published(limit: float, total: int, used: int, invocation: str) -> dict[str, str]:
    """The headers that only a 2xx carries. `total` and `used`: of the day's requests, total 0 for pay as you go; `limit` may be inf."""
    return {
        "X-Chutes-Quota-Total": str(total),
        "X-Chutes-Quota-Used": str(used),
        "X-Chutes-Quota-Remaining": str(max(total - used, 0)),
        "X-Chutes-RL-User": f"{limit:g}",
        "X-Chutes-InvocationID": invocation,
    }


def reply(plan: str, fault: Fault | None) -> Reply:
    """What the model says: `plan`, or its faulty form."""
    match fault:
        case Fault.EMPTY:
            return Reply("")
        case Fault.BADJSON:
            return Reply(BAD_JSON)
        case Fault.INVALID:
            return Reply(INVALID_PLAN)
        case Fault.TRUNCATED:
            return Reply(plan[: len(plan) // 2], "length")
    return Reply(plan)


def completion(id_: str, created: int, model: str, chat: ChatRequest, said: Reply, headers: Mapping[str, str]) -> Answer:
    """A good answer, as JSON or as a stream."""
    if chat.stream:
        return Answer(200, "text/event-stream", events(id_, created, model, chat, said), headers, Delivery.CHUNKED)
    return json_answer(200, whole(id_, created, model, chat, said), headers)


def spoiled(good: Answer, fault: Fault | None) -> Answer:
    """`good` as the fault lets it out; status 0 means that no answer goes out at all."""
    if fault in UPSTREAM:
        return detail(*UPSTREAM[fault])
    if fault in UNSENT:
        return replace(good, status=0, delivery=UNSENT[fault])
    if fault not in (Fault.BROKEN, Fault.MIDSTREAM):
        return good
    return _broken_stream(good, fault) if good.delivery is Delivery.CHUNKED else replace(good, delivery=Delivery.BROKEN)


def _broken_stream(good: Answer, fault: Fault) -> Answer:
    """A broken stream ends in good order, but without its `[DONE]`; one that fails midway says so, in a line without `data:`."""
    if fault is Fault.BROKEN:
        return replace(good, parts=good.parts[: len(good.parts) // 2])
    return replace(good, parts=(*good.parts[:2], STREAM_ERROR))
