"""The client of the validators' gateway: chat completions without a key, for one task each."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx

from agents.policy import backoff, gate, latency
from agents.policy.refusals import Reaction, Refusal, RefusalClass, classify
from agents.policy.routing import Reach, reach_of
from agents.prompting.completions import MAX_REPLY_BYTES, Completion, NoCompletion, completion, header_value, request_body

TASK_HEADER = "IWA-Task-ID"
# The gateway spaces requests itself.
LIMITS = gate.Limits(spacing=0.0)
MOST_TASKS = 1_000
_TIMEOUT = httpx.Timeout(None, connect=5.0, pool=2.0)
_BROKEN = (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError, UnicodeError)


class Failed(Exception):
    """An attempt without a completion. `reach`: what it rules out; `may_retry`: another try may succeed at once."""

    def __init__(self, why: str, reach: Reach = Reach.MODEL, *, may_retry: bool = True) -> None:
        super().__init__(why)
        self.reach, self.may_retry = reach, may_retry


@dataclass(frozen=True, slots=True)
class Permit:
    """`then`: the models that may be tried after this one; `lease`: of a probe."""

    model: str
    then: tuple[str, ...]
    cut_off: float
    lease: float | None


class Gateway:
    """For use within one event loop. Its gate and the models' latencies are kept in memory until the process ends."""

    def __init__(self, base_url: str) -> None:
        self.url = f"{base_url.rstrip('/')}/chat/completions"
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=_TIMEOUT)
        self._gate = gate.Gate()
        self._latencies: latency.Samples = {}
        self._over_cost = dict[str, None]()

    def permit(self, models: Sequence[str], task_id: str, cut_off: float) -> Permit | None:
        """For the model that most likely answers in time; None: no request may be sent now."""
        if not models or task_id in self._over_cost:
            return None
        now = time.time()
        first, *then = backoff.ready(self._gate.cooldowns, latency.ordered(self._latencies, models, now, cut_off - now), now)
        decision, self._gate = gate.decide(self._gate, LIMITS, now, cut_off, latency.expected(self._recent(first, now)))
        return Permit(first, tuple(then), cut_off, decision.lease) if decision.slot is not None else None

    async def complete(self, permit: Permit, messages: Sequence[Mapping[str, str]], task_id: str) -> Completion:
        """Raises Failed."""
        sent_at = time.time()
        then = [self._recent(model, sent_at) for model in permit.then]
        longest = latency.limit(self._recent(permit.model, sent_at), then, permit.cut_off - sent_at, 0.0)
        try:
            async with asyncio.timeout(max(0.0, longest)):
                status, headers, body = await self._posted(request_body(permit.model, messages), task_id)
        except (TimeoutError, *_BROKEN) as error:
            self._failed(permit, sent_at, is_usable=None if isinstance(error, TimeoutError) else False)
            raise Failed(f"{type(error).__name__}: {error}") from error
        if not 200 <= status < 300:
            raise self._refused(permit, classify(status, headers, body, time.time()), sent_at, task_id)
        return self._accepted(permit, sent_at, headers, body)

    async def _posted(self, body: Mapping[str, Any], task_id: str) -> tuple[int, Mapping[str, str], str]:
        async with self._client.stream("POST", self.url, headers={TASK_HEADER: header_value(task_id)}, json=body) as response:
            read = b""
            async for chunk in response.aiter_bytes():
                read += chunk
                if len(read) > MAX_REPLY_BYTES:
                    break
        return response.status_code, response.headers, read.decode("utf-8", "replace")

    def _accepted(self, permit: Permit, sent_at: float, headers: Mapping[str, str], body: str) -> Completion:
        now = time.time()
        moved = gate.succeeded(self._gate, LIMITS, sent_at, now)
        self._gate = replace(moved, cooldowns=backoff.warmed(moved.cooldowns, permit.model))
        try:
            reply = completion(body, headers)
        except NoCompletion as error:
            self._note(permit.model, sent_at, is_usable=False)
            raise Failed(str(error)) from None
        self._note(permit.model, sent_at, is_usable=True)
        return reply

    def _refused(self, permit: Permit, refusal: Refusal, sent_at: float, task_id: str) -> Failed:
        now, jitter, reaction = time.time(), random.random(), refusal.kind.reaction
        if refusal.kind.pauses_account:
            pause = refusal.pause(now)
            stated = None if pause is None else (pause, refusal.source)
            self._gate = gate.refused(self._gate, LIMITS, sent_at, now, stated, refusal.kind, jitter)
        else:
            self._gate = gate.released(self._gate, permit.lease)
        if reaction is Reaction.COOLDOWN:
            self._gate = replace(self._gate, cooldowns=backoff.cooled(self._gate.cooldowns, permit.model, now, jitter))
        if refusal.kind is RefusalClass.TASK_COST:
            self._over_cost[task_id] = None
            self._over_cost = dict(list(self._over_cost.items())[-MOST_TASKS:])
        if reaction is Reaction.RETRY:
            self._note(permit.model, sent_at, is_usable=False)
        return Failed(refusal.detail or refusal.kind, reach_of(reaction), may_retry=reaction is Reaction.RETRY)

    def _failed(self, permit: Permit, sent_at: float, *, is_usable: bool | None) -> None:
        self._gate = gate.failed(self._gate, permit.lease, time.time())
        self._note(permit.model, sent_at, is_usable=is_usable)

    def _note(self, model: str, sent_at: float, *, is_usable: bool | None) -> None:
        now = time.time()
        self._latencies = latency.noted(self._latencies, model, now, now - sent_at, is_usable)

    def _recent(self, model: str, now: float) -> Sequence[latency.Sample]:
        return latency.recent(self._latencies, model, now)
