"""The inference host: who may call, which answer a request gets, and what success publishes."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from agents.standin import answers, catalogue, completions, plans
from agents.standin.account import Account, Verdict, arrive
from agents.standin.arrivals import Arrival, Arrivals
from agents.standin.behaviour import Behaviour, Fault, as_json, draw_fault, draw_latency, merged
from agents.standin.completions import BadBody, ChatRequest
from agents.standin.server import Answer, Request, json_answer
from agents.standin.timeline import Change, apply

MODELS_PATH, CHAT_PATH = "/v1/models", "/v1/chat/completions"


class Chutes:
    """One account behind the edge. Thread-safe: each request is decided under one lock, the waiting happens outside of it."""

    def __init__(self, key: str, behaviour: Behaviour, timeline: Sequence[Change], seed: int, now: float) -> None:
        self._key, self._initial, self._timeline, self._seed = key, behaviour, tuple(timeline), seed
        self._lock = threading.Lock()
        self._restart(now)

    def _restart(self, now: float) -> None:
        self._behaviour, self._pending, self._started = self._initial, self._timeline, now
        self._account, self._arrivals, self._rng = Account(), Arrivals(), Random(self._seed)

    def reset(self, now: float) -> None:
        """Back to how it started: behaviour, timeline, account, arrivals and dice."""
        with self._lock:
            self._restart(now)

    def change(self, changes: object, now: float) -> None:
        """Merges settings. Raises BadSetting, and changes nothing then."""
        with self._lock:
            self._advance(now)
            self._behaviour = merged(self._behaviour, changes)

    def state(self, now: float) -> dict[str, Any]:
        """`settings`, `served`, `uptime` (s), `counts` and `arrivals`."""
        with self._lock:
            self._advance(now)
            settings = {"settings": as_json(self._behaviour), "served": self._account.served, "uptime": now - self._started}
            return {**settings, **self._arrivals.as_json()}

    def answer(self, request: Request) -> Answer:
        """The answer to one request, on record as arrived."""
        with self._lock:
            self._advance(request.now)
            answer, model, fault = self._decide(request)
            task_id = request.headers.get("IWA-Task-ID", "")
            self._arrivals.add(Arrival(request.arrived, request.method, request.path, answer.status, model, task_id, fault))
            return answer

    def _advance(self, now: float) -> None:
        due = [change for change in self._pending if change.at <= now - self._started]
        self._behaviour, self._pending = apply(self._behaviour, due), self._pending[len(due) :]

    def _decide(self, request: Request) -> tuple[Answer, str, str]:
        wanted = {MODELS_PATH: "GET", CHAT_PATH: "POST"}.get(request.path)
        if wanted is None:
            return answers.detail(404, "No matching chute found!"), "", ""
        if request.method != wanted:
            return answers.detail(405, "Method Not Allowed"), "", ""
        if request.path == MODELS_PATH:
            return json_answer(200, catalogue.listing()), "", ""
        return self._chat(request)

    def _chat(self, request: Request) -> tuple[Answer, str, str]:
        refusal = self._turned_away(request)
        if refusal is not None:
            return replace(refusal, wait=self._behaviour.refusal_seconds), answers.named_model(request.body), ""
        try:
            chat = completions.read(request.body)
        except BadBody as error:
            return answers.detail(400, str(error)), answers.named_model(request.body), ""
        answer, fault = self._complete(chat, request)
        return answer, ",".join(chat.models), fault

    def _turned_away(self, request: Request) -> Answer | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return answers.edge()
        if key.strip() != self._key or not self._behaviour.valid:
            return answers.detail(401, "Invalid or expired token")
        self._account, verdict = arrive(self._account, self._behaviour.limit, self._behaviour.window, request.now)
        return None if verdict is Verdict.ACCEPTED else answers.edge()

    def _complete(self, chat: ChatRequest, request: Request) -> tuple[Answer, str]:
        for model in chat.models:
            if model not in catalogue.BY_ID:
                return answers.detail(404, f"model not found: {model}"), ""
            fault = draw_fault(self._behaviour, self._rng)
            if fault is not Fault.HTTP503:
                return self._reply(model, chat, fault, request), fault or ""
        return answers.detail(503, "No instances available (yet) for this chute."), Fault.HTTP503

    def _reply(self, model: str, chat: ChatRequest, fault: Fault | None, request: Request) -> Answer:
        reply = completions.cut(answers.reply(plans.plan(chat.texts), fault), chat.max_tokens)
        id_ = f"chatcmpl-{uuid.UUID(int=self._rng.getrandbits(128), version=4).hex}"
        good = answers.completion(id_, int(request.arrived), model, chat, reply, self._published())
        wait = self._rng.uniform(*self._behaviour.slow_seconds) if fault is Fault.SLOW else draw_latency(self._behaviour, self._rng)
        return replace(answers.spoiled(good, fault), wait=wait)

    def _published(self) -> Mapping[str, str]:
        invocation = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        return answers.published(self._behaviour.published, self._account.served, invocation)
