"""One account at Chutes: who may call, which answer a request gets, what success publishes, and what happens over time."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import unquote

from agents.standin import answers, billing, catalogue, completions, management, plans, provider, refusals
from agents.standin.arrivals import Arrival, Arrivals
from agents.standin.behaviour import Course, as_json, merged
from agents.standin.completions import BadBody, ChatRequest
from agents.standin.faults import Fault
from agents.standin.management import Snapshot
from agents.standin.provider import Said, World
from agents.standin.refusals import Refused
from agents.standin.server import Answer, Request, json_answer

MODELS_PATH, CHAT_PATH = "/v1/models", "/v1/chat/completions"
# What a thinking model thinks before its first word; a plan's usual bound of 2,048 tokens leaves little behind it.
THOUGHTS = 2000


class Chutes:
    """One account behind the edge. Thread-safe: each request is decided under one lock, the waiting happens outside of it.

    `key` may only invoke; `admin_key` reads the account too.
    """

    def __init__(self, key: str, admin_key: str, course: Course, seed: int, now: float) -> None:
        self._key, self._admin_key, self._course, self._seed = key, admin_key, course, seed
        self._lock = threading.Lock()
        self._restart(now)

    def _restart(self, now: float) -> None:
        self._behaviour, self._pending, self._started = self._course.start, self._course.timeline, now
        self._world, self._served, self._billed = World(), 0, 0.0
        self._began_at = time.time() - (time.monotonic() - now)
        self._arrivals, self._rng = Arrivals(), provider.account_dice(self._seed)
        # Names of their own dice: what a request is called must not change what comes of the next one
        self._names = Random(self._seed)

    def reset(self, now: float) -> None:
        """Back to how it started: behaviour, timeline, account, arrivals and dice."""
        with self._lock:
            self._restart(now)

    def change(self, changes: object, now: float) -> None:
        """Merges settings. Raises BadSetting, and changes nothing then."""
        with self._lock:
            self._advance(now)
            self._set(changes)

    def ban(self, seconds: float, now: float) -> None:
        """Bans the account from now on."""
        with self._lock:
            self._advance(now)
            self._world = provider.banned_now(self._world, now - self._started, seconds)

    def state(self, now: float) -> dict[str, Any]:
        """`settings`, `served`, `uptime` (s), `account` (what is hidden from callers), `counts` and `arrivals`."""
        with self._lock:
            self._advance(now)
            settings = {"settings": as_json(self._behaviour), "served": self._served, "uptime": now - self._started}
            return {**settings, "account": self._snapshot(now).account(), **self._arrivals.as_json()}

    def inference(self, request: Request) -> Answer:
        """The inference host's answer to one request, on record as arrived."""
        with self._lock:
            self._advance(request.now)
            return self._recorded(request, *self._infer(request))

    def manage(self, request: Request) -> Answer:
        """The management host's answer to one request, on record as arrived."""
        with self._lock:
            self._advance(request.now)
            return self._recorded(request, self._managed(request))

    def both(self, request: Request) -> Answer:
        """Both hosts behind one port."""
        return self.manage(request) if management.find(request.path) else self.inference(request)

    def _recorded(self, request: Request, answer: Answer, model: str = "", fault: str = "", in_ban: bool = False) -> Answer:
        task_id = request.headers.get("IWA-Task-ID", "")
        self._arrivals.add(Arrival(request.arrived, request.method, request.path, answer.status, model, task_id, fault, in_ban))
        return answer

    def _advance(self, now: float) -> None:
        while self._pending and self._pending[0].at <= now - self._started:
            change, self._pending = self._pending[0], self._pending[1:]
            self._set(change.changes)
            if change.ban is not None:
                self._world = provider.banned_now(self._world, change.at, change.ban)

    def _set(self, changes: object) -> None:
        self._behaviour = merged(self._behaviour, changes)
        assert isinstance(changes, Mapping)
        if "used" in (changes.get("quota") or {}):
            self._world = replace(self._world, quota_used=None, quota_round=0)
        if "used" in (changes.get("cap4h") or {}):
            self._world = replace(self._world, cap_used=None, cap_round=0)
        if "balance" in changes:
            self._billed = 0.0

    def _snapshot(self, now: float) -> Snapshot:
        return Snapshot(self._behaviour, self._world, self._served, self._billed, now - self._started, self._began_at)

    def _managed(self, request: Request) -> Answer:
        found = management.find(request.path)
        if found is None:
            return answers.detail(404, "Not Found")
        if request.method != "GET":
            return answers.detail(405, "Method Not Allowed")
        refused = self._behaviour.refuse_management.get(unquote(request.path))
        if refused:
            return answers.refused(refused)
        if request.path != management.UTILIZATION and _bearer(request) != self._admin_key:
            return answers.detail(401, refusals.KEY)
        return json_answer(200, found(self._snapshot(request.now)))

    def _infer(self, request: Request) -> tuple[Answer, str, str, bool]:
        wanted = {MODELS_PATH: "GET", CHAT_PATH: "POST"}.get(request.path)
        if wanted is None:
            return answers.detail(404, "No matching chute found!"), "", "", False
        if request.method != wanted:
            return answers.detail(405, "Method Not Allowed"), "", "", False
        if request.path == MODELS_PATH:
            return json_answer(200, catalogue.listing(self._behaviour.models)), "", "", False
        return self._chat(request)

    def _chat(self, request: Request) -> tuple[Answer, str, str, bool]:
        key, refusal_seconds = _bearer(request), self._behaviour.hidden.latency.refusal
        if key is None:
            return replace(answers.edge(), wait=refusal_seconds), answers.named_model(request.body), "", False
        if key not in (self._key, self._admin_key):
            return replace(answers.detail(401, refusals.KEY), wait=refusal_seconds), answers.named_model(request.body), "", False
        try:
            chat, bad = completions.read(request.body), None
        except BadBody as error:
            chat, bad = None, answers.detail(400, str(error))
        reply = self._ask(chat.models if chat and not self._refusing(request.now) else (), request.now)
        if chat is None or reply.said is not Said.ANSWERED:
            refused = bad if bad and reply.said is Said.MODEL else self._refused(reply, chat, request.now)
            return replace(refused, wait=reply.seconds), answers.named_model(request.body), "", reply.in_ban
        return self._answered(reply, chat, request), ",".join(chat.models), reply.fault or "", False

    def _refusing(self, now: float) -> Refused | None:
        """What is refused to every request that passes the edge."""
        if self._behaviour.refuse:
            return self._behaviour.refuse
        if billing.is_month_used_up(self._behaviour, self._billed, self._world, now - self._started):
            return refusals.NAMED["subscription_cap"]
        return refusals.NAMED["payment"] if billing.is_broke(self._behaviour, self._billed) else None

    def _ask(self, models: tuple[str, ...], now: float) -> provider.Reply:
        """What the provider says. Without models a request only passes the edge, and what it may cost."""
        hidden = billing.enforced(self._behaviour, self._billed)
        self._world, reply = provider.ask(self._world, hidden, models, now - self._started, self._rng)
        return reply

    def _refused(self, reply: provider.Reply, chat: ChatRequest | None, now: float) -> Answer:
        match reply.said:
            case Said.EDGE:
                return answers.edge()
            case Said.AUTH:
                return answers.detail(401, refusals.KEY)
            case Said.DAILY_QUOTA:
                reset = answers.timestamp(self._began_at + (reply.reset_at or 0.0))
                return json_answer(402, {"detail": {"message": refusals.DAILY_QUOTA, "quota_reset_timestamp": reset}})
            case Said.SUBSCRIPTION_CAP:
                return answers.detail(402, refusals.CAP)
            case Said.CAPACITY:
                return answers.detail(429, refusals.CAPACITY)
        refusing = self._refusing(now)
        return answers.refused(refusing) if refusing else answers.detail(404, f"model not found: {chat.models[0] if chat else ''}")

    def _answered(self, reply: provider.Reply, chat: ChatRequest, request: Request) -> Answer:
        thoughts = THOUGHTS if chat.thinks and catalogue.THINKS in catalogue.model(reply.model).features else 0
        plan = plans.plan(chat.texts) if self._behaviour.says is None else self._behaviour.says
        said = replace(answers.reply(plan, reply.fault), thoughts=thoughts)
        said = completions.cut(said, chat.max_tokens)
        if reply.fault not in answers.UPSTREAM:
            self._account_for(reply, chat, said, request.now)
        id_ = f"chatcmpl-{self._uuid().hex}"
        good = answers.completion(id_, int(request.arrived), reply.model, chat, said, self._published(request.now))
        return replace(answers.spoiled(good, reply.fault), wait=self._seconds(reply))

    def _account_for(self, reply: provider.Reply, chat: ChatRequest, said: completions.Reply, now: float) -> None:
        self._served += 1
        if billing.is_billed(self._behaviour, self._world, now - self._started):
            self._billed += billing.price(reply.model, chat, said)

    def _seconds(self, reply: provider.Reply) -> float:
        if reply.fault is Fault.SLOW:
            return self._rng.uniform(*self._behaviour.slow_seconds)
        return 0.0 if reply.fault is Fault.HANG else reply.seconds

    def _published(self, now: float) -> Mapping[str, str]:
        total, used = self._snapshot(now).daily
        return answers.published(self._behaviour.hidden.published, total, used, str(self._uuid()))

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self._names.getrandbits(128), version=4)


def _bearer(request: Request) -> str | None:
    """The key, None where the call is anonymous: another header does not count."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None
