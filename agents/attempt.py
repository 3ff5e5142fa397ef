"""One LLM attempt: wait for its slot, send, and say how it ended."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from agents import gates, ledger, llm, log_context
from agents.configuration import Provider
from agents.database import UNAVAILABLE
from agents.facts import AttemptEnd
from agents.governor import earliest, hold
from agents.hybrid import Reach
from agents.ledger import Clock, Permit, Request
from agents.protocol import Plan
from agents.reasons import Reason, Verdict
from agents.refusals import RefusalClass, Scope
from agents.replies import InvalidReply

logger = logging.getLogger(__name__)

# A waiting step looks at the gate at least this often, in seconds.
LOOK_SECONDS = 0.2
REPLY_CHARS = 4_000
REACH = {Scope.ACCOUNT: Reach.ACCOUNT, Scope.KEY: Reach.ACCOUNT, Scope.MODEL: Reach.MODEL, Scope.REQUEST: Reach.STEP}

Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What the LLM's part came to. `plan` None: `reason` says why, `reach` what that rules out, `may_retry` that it may pass at once.

    `end` is how the last attempt ended, still to be written down. `is_open`: Write 1 came through, so Write 2 may be tried.
    """

    reason: Reason
    plan: Plan | None = None
    end: AttemptEnd | None = None
    reach: Reach = Reach.STEP
    may_retry: bool = False
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt needs: what to ask and how to read the reply (raises InvalidReply), the provider, and the gate's permit for it."""

    prompt: llm.Prompt
    read: Callable[[str], Plan]
    provider: Provider
    request: Request
    permit: Permit
    clock: Clock = time.time
    sleep: Sleep = time.sleep

    def run(self) -> Result:
        """Wait, send, read. Never raises for what a provider does."""
        with log_context.about(log_context.attempt, self.permit.attempt_uid or ""):
            return self._run()

    def _run(self) -> Result:
        obstacle = self._wait_for_slot()
        if obstacle:
            reach = Reach.STEP if obstacle is Reason.DATABASE else Reach.ACCOUNT
            return Result(obstacle, end=self._end(Verdict.GIVEN_UP), reach=reach)
        return self._send()

    def _send(self) -> Result:
        started_at = self.clock()
        call = llm.Call(self.provider, self.permit.model, self.prompt, cut_off=self.request.cut_off)
        sent_at = call.sent_at() or started_at
        self._mind_lateness(sent_at)
        try:
            completion = call.result()
        except llm.Refused as error:
            return self._refused(error, sent_at)
        except llm.BrokenReply as error:
            return self._unusable(str(error), sent_at, accepted=error.status is not None)
        except llm.LLMError as error:
            end = self._end(Verdict.FAILED, sent_at=sent_at, status=error.status, detail=str(error))
            return Result(Reason.FAILED, end=end, reach=Reach.MODEL, may_retry=True)
        return self._read(completion, sent_at)

    def _mind_lateness(self, sent_at: float) -> None:
        """A request that was held up on its way out must not come too close to the next one."""
        slot = self.permit.decision.slot or 0.0
        if sent_at <= slot + self.request.limits.grace:
            return
        try:
            ledger.left_late(self.request, slot, sent_at)
        except UNAVAILABLE as error:
            logger.warning("A request left %.0f ms late, and the gate can't be told (%s).", (sent_at - slot) * 1000, error)

    def _wait_for_slot(self) -> Reason | None:
        """Wait until the attempt may leave, looking at the gate meanwhile. The reason why it is given up instead, if it is."""
        decision, limits = self.permit.decision, self.request.limits
        leave_at, now = decision.slot or 0.0, self.clock()
        while now < leave_at:
            self.sleep(min(leave_at - now, LOOK_SECONDS))
            try:
                gate = gates.of(self.request.account)
            except UNAVAILABLE:
                return Reason.DATABASE
            now = self.clock()
            obstacle = hold(gate, limits, decision, self.permit.decided_at, now)
            if obstacle:
                return obstacle
            leave_at = earliest(gate, limits, decision)
        return Reason.MISSED if now > leave_at + limits.grace else None

    def _read(self, completion: llm.Completion, sent_at: float) -> Result:
        try:
            plan = self.read(completion.text)
        except InvalidReply as error:
            return self._unusable(str(error), sent_at, accepted=True, completion=completion)
        return Result(Reason.ANSWERED, plan=plan, end=self._completed(Verdict.OK, completion, sent_at))

    def _refused(self, error: llm.Refused, sent_at: float) -> Result:
        refusal = error.refusal
        end = self._end(
            Verdict.REFUSED,
            sent_at=sent_at,
            status=error.status,
            refusal=refusal.kind,
            pause_source=refusal.source,
            detail=refusal.detail,
        )
        end = replace(end, pause=refusal.pause(end.ended_at))
        return Result(Reason.REFUSED, end=end, reach=REACH[refusal.scope], may_retry=refusal.kind is RefusalClass.UPSTREAM)

    def _unusable(self, detail: str, sent_at: float, *, accepted: bool, completion: llm.Completion | None = None) -> Result:
        if completion:
            end = self._completed(Verdict.INVALID, completion, sent_at, detail)
        else:
            end = self._end(Verdict.INVALID, sent_at=sent_at, status=200, accepted=accepted, detail=detail)
        return Result(Reason.INVALID, end=end, reach=Reach.MODEL, may_retry=True)

    def _completed(self, verdict: Verdict, completion: llm.Completion, sent_at: float, detail: str = "") -> AttemptEnd:
        return self._end(
            verdict,
            sent_at=sent_at,
            status=200,
            accepted=True,
            detail=detail,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            published=completion.published,
            quota=completion.quota,
            cost=self._cost(completion),
            reply=completion.text[:REPLY_CHARS],
        )

    def _cost(self, completion: llm.Completion) -> str | None:
        """In USD, None where the price or the tokens are unknown."""
        price = self.provider.prices.get(self.permit.model)
        if price is None or completion.prompt_tokens is None or completion.completion_tokens is None:
            return None
        return f"{(completion.prompt_tokens * price[0] + completion.completion_tokens * price[1]) / 1e6:.8f}"

    def _end(self, verdict: Verdict, **facts: object) -> AttemptEnd:
        assert self.permit.attempt_uid is not None
        return AttemptEnd(uid=self.permit.attempt_uid, verdict=verdict, ended_at=self.clock(), dice=random.random(), **facts)  # type: ignore[arg-type]
