"""Fake Chutes' inference API, management API, and control port for tests."""

import json
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import unquote

from agents.devtools.fake_chutes import catalogue, completions, plans
from agents.devtools.fake_chutes.account import Account, management
from agents.devtools.fake_chutes.behaviour import CAP, DAILY_QUOTA, Course, Refused, as_json
from agents.devtools.fake_chutes.completions import ChatRequest
from agents.devtools.fake_chutes.server import Answer, Request, json_answer
from agents.simulation import provider
from agents.simulation.provider import ReplyKind
from agents.simulation.scenario import BadSetting, Fault, Number, read

KEPT = 20_000  # arrivals: about 5 MB; more than an hour at the highest rate that a test sends
METHODS = {"/v1/models": "GET", "/v1/chat/completions": "POST"}
# nginx's own page, without a time.
EDGE_PAGE = (
    b"<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n<center><h1>429 Too Many Requests</h1></center>\r\n"
    b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
EDGE = Answer(429, "text/html", (EDGE_PAGE,), {"Server": "nginx"})


def detail(status: int, value: object) -> Answer:
    return json_answer(status, {"detail": value})


BAD_KEY = detail(401, "Invalid or expired token")
REFUSALS = {
    ReplyKind.EDGE: EDGE,
    ReplyKind.AUTH: BAD_KEY,
    ReplyKind.SUBSCRIPTION_CAP: detail(402, CAP),
    ReplyKind.CAPACITY: detail(429, "Infrastructure is at maximum capacity, try again later"),
}


class Chutes:
    """One account behind the edge; `key` may only call models, `admin_key` may read the account too. Thread-safe.

    `folder`: prompts and replies as files, where a person plays the model. `stopping`: ends the wait for a reply.
    """

    def __init__(self, key: str, admin_key: str, course: Course, seed: int, folder: plans.Folder | None = None) -> None:
        self._key, self._admin_key, self._course, self._seed, self._folder = key, admin_key, course, seed, folder
        self._lock, self.stopping = threading.Lock(), threading.Event()
        self._restart()

    def _restart(self) -> None:
        self._started = time.monotonic()
        self._account = Account(self._course, self._seed, time.time())
        self._arrivals = deque[dict[str, Any]](maxlen=KEPT)
        # Separate from the account's generator, so that a request's name does not change the next result.
        self._names = Random(self._seed)

    @contextmanager
    def _at(self, now: float) -> Iterator[Account]:
        with self._lock:
            self._account.advance(now - self._started)
            yield self._account

    def answer(self, request: Request) -> Answer:
        """On the port of the inference and the management API."""
        view, method = management(request.path), METHODS.get(request.path, "GET")
        by_hand = self._by_hand(request)
        with self._at(request.now) as account:
            if view is None and request.path not in METHODS:
                answer = detail(404, "No matching chute found!")
            elif request.method != method:
                answer = detail(405, "Method Not Allowed")
            elif view:
                answer = self._managed(account, request, view)
            elif method == "GET":
                answer = json_answer(200, catalogue.listing(account.behaviour.models))
            else:
                return self._chat(account, request, by_hand)
            return self._recorded(request, answer)

    def _by_hand(self, request: Request) -> str | None:
        """A person's reply, requested before the lock is taken, so that other requests do not wait for it."""
        if self._folder is None or request.method != "POST" or _bearer(request) not in (self._key, self._admin_key):
            return None
        chat = completions.read(request.body)
        return None if isinstance(chat, str) else self._folder.reply_to(chat, self.stopping)

    def _managed(self, account: Account, request: Request, view: Callable[[Account], Any]) -> Answer:
        if refused := account.behaviour.refuse_management.get(unquote(request.path)):
            return _as_answer(refused)
        if _bearer(request) != self._admin_key:
            return BAD_KEY
        return json_answer(200, view(account))

    def _recorded(self, request: Request, answer: Answer, model: str = "", fault: str = "", in_ban: bool = False) -> Answer:
        arrival = {"at": request.arrived, "method": request.method, "path": request.path, "task_id": request.headers.get("IWA-Task-ID", "")}
        self._arrivals.append({**arrival, "status": answer.status, "model": model, "fault": fault, "in_ban": in_ban})
        return answer

    def _chat(self, account: Account, request: Request, by_hand: str | None) -> Answer:
        key = _bearer(request)
        if key not in (self._key, self._admin_key):
            refused = replace(EDGE if key is None else BAD_KEY, wait=account.behaviour.hidden.latency.refusal)
            return self._recorded(request, refused, _named_model(request.body))
        chat, refusing = completions.read(request.body), account.refusing
        reply = account.serve(() if isinstance(chat, str) or refusing else (chat.model,))
        if not isinstance(chat, str) and reply.kind is ReplyKind.ANSWERED:
            return self._recorded(request, self._answered(account, reply, chat, request, by_hand), chat.model, reply.fault or "")
        if reply.kind is ReplyKind.DAILY_QUOTA:
            reset = account.iso(reply.reset_at or 0.0)
            refused = detail(402, {"message": DAILY_QUOTA, "quota_reset_timestamp": reset})
        elif reply.kind is ReplyKind.MODEL:
            invalid = detail(400, chat) if isinstance(chat, str) else detail(404, f"model not found: {chat.model}")
            refused = _as_answer(refusing) if refusing and not isinstance(chat, str) else invalid
        else:
            refused = REFUSALS[reply.kind]
        return self._recorded(request, replace(refused, wait=reply.seconds), _named_model(request.body), in_ban=reply.in_ban)

    def _answered(self, account: Account, reply: provider.Reply, chat: ChatRequest, request: Request, by_hand: str | None) -> Answer:
        given = account.behaviour.reply if by_hand is None else by_hand
        plan = plans.plan(chat.texts) if given is None else given
        completion = completions.completed(chat, reply.model, plan, reply.fault)
        if reply.fault not in completions.UPSTREAM:
            account.pay(completion.usd)
        id_, (total, used) = f"chatcmpl-{self._uuid().hex}", account.daily
        headers = {
            "X-Chutes-Quota-Total": str(total),
            "X-Chutes-Quota-Used": str(used),
            "X-Chutes-Quota-Remaining": str(max(total - used, 0)),
            "X-Chutes-RL-User": f"{account.behaviour.hidden.published:g}",
            "X-Chutes-InvocationID": str(self._uuid()),
        }
        seconds = 0.0 if reply.fault is Fault.HANG else reply.seconds
        return replace(completion.answer(id_, int(request.arrived), headers, reply.fault), wait=seconds)

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self._names.getrandbits(128), version=4)

    def control(self, request: Request) -> Answer:
        """`GET /state`, `POST /set`, `POST /ban` ({"seconds": s}) and `POST /reset`, back to how it started."""
        try:
            match request.method, request.path:
                case "GET", "/state":
                    return json_answer(200, self._state(request.now))
                case "POST", "/reset":
                    with self._lock:
                        self._restart()
                    return json_answer(200, self._state(self._started))
                case "POST", "/set":
                    with self._at(request.now) as account:
                        account.change(json.loads(request.body))
                    return json_answer(200, {"settings": self._state(request.now)["settings"]})
                case "POST", "/ban":
                    seconds = read(Number, json.loads(request.body)["seconds"], "seconds")
                    with self._at(request.now) as account:
                        account.ban(seconds, account.now)
                    return json_answer(200, {"account": self._state(request.now)["account"]})
        except BadSetting as error:
            return json_answer(400, {"error": str(error), "field": error.field})
        except (ValueError, KeyError, TypeError) as error:
            return json_answer(400, {"error": f"body: not the expected JSON ({error!r})", "field": "body"})
        return json_answer(404, {"error": "Unknown; there are GET /state, POST /set, POST /ban and POST /reset."})

    def _state(self, now: float) -> dict[str, Any]:
        with self._at(now) as account:
            return {
                "settings": as_json(account.behaviour),
                "uptime": account.now,
                "account": account.hidden_json(),
                "arrivals": sorted(self._arrivals, key=lambda arrival: float(arrival["at"])),
                "counts": Counter(str(arrival["status"]) for arrival in self._arrivals),
            }


def _as_answer(refused: Refused) -> Answer:
    if refused.html:
        return Answer(refused.status, "text/html", (refused.html.encode(),), refused.headers)
    return json_answer(refused.status, {"detail": refused.detail}, refused.headers)


def _named_model(body: bytes) -> str:
    """The model of a refused request, "" when it can't be read."""
    try:
        return str(json.loads(body)["model"])
    except (ValueError, KeyError, TypeError):
        return ""


def _bearer(request: Request) -> str | None:
    """The key, None for an anonymous request; other headers are ignored."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None
