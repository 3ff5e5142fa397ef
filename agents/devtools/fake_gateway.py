"""A local server that behaves like the validators' gateway, with each of its faults by name."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from agents.devtools.fake_chutes.server import Answer, Delivery, Request, Server

PATH = "/chutes/v1/chat/completions"
PLAN = '{"actions": [{"type": "scroll", "down": true}], "done": false, "reasoning": "Further down."}'
EDGE = "<html><head><title>429 Too Many Requests</title></head><body>nginx</body></html>"


def completion(text: str) -> str:
    usage = {"prompt_tokens": 900, "completion_tokens": 40, "total_tokens": 940}
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}], "usage": usage})


def _detail(text: str) -> str:
    return json.dumps({"detail": text})


# Status and body.
ANSWERS = {
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
UNFINISHED = {"hangs": Delivery.HANG, "trickles": Delivery.TRICKLE, "resets": Delivery.RESET}
FAULTS = [*(name for name in ANSWERS if name != "ok"), *UNFINISHED]


class Gateway:
    """`choose`: the name of the answer or fault for a request's body; `requests`: headers and body of each."""

    def __init__(self) -> None:
        self.choose: Callable[[Mapping[str, Any]], str] = lambda _: "ok"
        self.requests = list[tuple[dict[str, str], dict[str, Any]]]()
        self.server = Server(self._answer, 0)
        self.url = self.server.url

    def _answer(self, request: Request) -> Answer:
        body = json.loads(request.body)
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, body))
        fault = self.choose(body)
        status, text = ANSWERS.get(fault, (200, ""))
        if request.path != PATH or not request.headers.get("IWA-Task-ID") or "stream" in body:
            fault, status, text = "ok", 422, _detail("IWA-Task-ID is missing, or the path or a field is not served")
        kind = "text/html" if text.startswith("<") else "application/json"
        return Answer(status, kind, (text.encode(),), delivery=UNFINISHED.get(fault, Delivery.WHOLE))


@contextmanager
def fake_gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    gateway.server.start()
    try:
        yield gateway
    finally:
        gateway.server.stop()
