"""LLM attempts of a step, one after another, until one brings a plan: wait for the slot, send, and what became of it."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agents import ledger
from agents.common import log_context
from agents.configuration import Provider
from agents.contract.protocol import Plan
from agents.contract.step_facts import AttemptEnd
from agents.database import UNAVAILABLE, answering
from agents.ledger import Clock, Permit, Request, gate_rows
from agents.llm import client
from agents.policy import costs, latency
from agents.policy.gate import closes, earliest, hold
from agents.policy.reasons import Reason, Verdict
from agents.policy.refusals import Reaction
from agents.policy.routing import Candidate, Reach, Tries, reach_of, retry_pause
from agents.prompting.completions import Completion
from agents.prompting.replies import InvalidReply

logger = logging.getLogger(__name__)

REREAD_SECONDS = 0.2  # a waiting step reads the gate at least this often, in seconds
REPLY_CHARS = 4_000
BLOCKED = {Reason.PAUSED, Reason.PROBING}
# What an attempt that was not sent rules out; else the account, which may have another slot, or a pause that ends in time.
UNSENT_REACH = {Reason.DATABASE: Reach.STEP, **dict.fromkeys((Reason.SHARE, *BLOCKED), Reach.NOTHING)}


@dataclass(frozen=True, slots=True)
class Result:
    """How the LLM's part ended. `plan` None: `reason` gives the cause, `reach` what that rules out, `may_retry` that it may pass at once.

    `end`: the end of the last attempt, still to be recorded. `is_open`: Write 1 succeeded, so Write 2 may be tried.
    """

    reason: Reason
    plan: Plan | None = None
    end: AttemptEnd | None = None
    reach: Reach = Reach.STEP
    may_retry: bool = False
    is_open: bool = True


def run_tries(
    requests: Sequence[Request],
    permit: Permit,
    send: Callable[[Permit, Request], Result],
    next_permit: Callable[[Request, AttemptEnd, list[Request]], Permit],
) -> Result:
    """Attempts until one brings a plan, the gates refuse, or nothing is left that could help.

    `next_permit` records how an attempt ended and requests the next; the last attempt's end is left to the caller.
    """
    tries = Tries(tuple(Candidate(request.account.pk, request.models) for request in requests))
    result = Result(permit.decision.reason)
    while permit.request and permit.attempt_uid:
        result = send(permit, permit.request)
        tries = tries.after(permit.request.account.pk, permit.model, result.reach, may_retry=result.may_retry)
        if result.plan or result.end is None or not tries.candidates:
            return result
        if tries.is_retry:
            time.sleep(retry_pause(random.random()))
        models = {each.account: each.models for each in tries.candidates}
        left = [replace(request, models=models[request.account.pk]) for request in requests if request.account.pk in models]
        try:
            permit = next_permit(permit.request, result.end, left)
        except UNAVAILABLE as error:
            logger.warning("The database refuses (%s). Nothing else is tried.", error)
            return result
        reason = permit.decision.reason
        result = Result(reason if {reason, result.reason} <= BLOCKED else result.reason)
    return result


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt with the gate's `permit`. `read` makes the plan from a reply's text; raises InvalidReply."""

    prompt: client.Prompt
    read: Callable[[str], Plan]
    provider: Provider
    request: Request
    permit: Permit
    clock: Clock = time.time

    def run(self) -> Result:
        with log_context.about(log_context.attempt, self.permit.attempt_uid or ""):
            try:
                closes_at = self._wait_for_slot()
            except UNAVAILABLE:
                closes_at = Reason.DATABASE
            if isinstance(closes_at, Reason):
                return Result(closes_at, end=self._end(Verdict.GIVEN_UP), reach=UNSENT_REACH.get(closes_at, Reach.ACCOUNT))
            return self._send(closes_at)

    def _wait_for_slot(self) -> float | Reason:
        """Wait until the attempt may leave; a slot that was missed is replaced while there is time. Until when it may leave, or why not."""
        permit = self.permit
        waited = self._wait(permit)
        while waited is Reason.MISSED:
            permit = ledger.renew(permit, self.clock)
            if permit.decision.slot is None:
                return permit.decision.reason
            waited = self._wait(permit)
        return waited

    def _wait(self, permit: Permit) -> float | Reason:
        decision, limits = permit.decision, self.request.limits
        leave_at, now = decision.slot or 0.0, self.clock()
        closes_at = leave_at + decision.leeway + limits.grace
        if decision.is_taken and now >= leave_at:
            # Recording it took so long that the attempt which held the slot before may have left.
            return Reason.MISSED
        while now < leave_at:
            time.sleep(min(leave_at - now, REREAD_SECONDS))
            with answering():
                gate = gate_rows.of(self.request.account)
            now = self.clock()
            obstacle = hold(gate, limits, decision, permit.decided_at, now)
            if obstacle:
                return obstacle
            leave_at, closes_at = earliest(gate, limits, decision), closes(gate, limits, decision)
        return Reason.MISSED if now > closes_at else closes_at

    def _send(self, closes_at: float) -> Result:
        started_at = self.clock()
        left, wait = self.request.cut_off - started_at, (self.permit.decision.slot or 0.0) - self.permit.decided_at
        longest = latency.limit(self.permit.recent, self.permit.then, left, wait)
        purpose = client.FOR_ANOTHER if longest < left else client.IN_TIME
        call = client.Call(self.provider, self.permit.model, self.prompt, cut_off=started_at + longest, purpose=purpose)
        sent_at = call.sent_at() or started_at
        if sent_at > closes_at:
            # It was held up on its way out and must not come too close to the next one.
            try:
                ledger.left_late(self.request, closes_at - self.request.limits.grace, sent_at)
            except UNAVAILABLE as error:
                logger.warning("A request left %.0f ms late, and the gate could not be updated (%s).", (sent_at - closes_at) * 1000, error)
        facts: dict[str, Any] = {"sent_at": sent_at, "status": 200, "accepted": True}
        try:
            completion = call.result()
            facts |= self._facts(completion)
            return Result(Reason.ANSWERED, self.read(completion.text), self._end(Verdict.OK, **facts))
        except client.Refused as error:
            return self._refused(error, sent_at)
        except (client.BrokenReply, InvalidReply) as error:
            end = self._end(Verdict.INVALID, **facts, detail=str(error))
            return Result(Reason.INVALID, end=end, reach=Reach.MODEL, may_retry=True)
        except client.LLMError as error:
            is_cut = isinstance(error, client.TimedOut)
            end = self._end(Verdict.FAILED, sent_at=sent_at, status=error.status, detail=str(error), is_cut=is_cut)
            return Result(Reason.FAILED, end=end, reach=Reach.MODEL, may_retry=True)

    def _facts(self, completion: Completion) -> dict[str, Any]:
        prompt_tokens, completion_tokens = completion.prompt_tokens, completion.completion_tokens
        price, cost = self.provider.prices.get(self.permit.model), None
        if price and prompt_tokens is not None and completion_tokens is not None:
            cost = f"{costs.of_tokens(price, prompt_tokens, completion_tokens):.8f}"
        counted = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "cost": cost}
        return {**counted, "published": completion.published, "quota": completion.quota, "reply": completion.text[:REPLY_CHARS]}

    def _refused(self, error: client.Refused, sent_at: float) -> Result:
        refusal = error.refusal
        known = {"refusal": refusal.kind, "pause_source": refusal.source, "detail": refusal.detail}
        end = self._end(Verdict.REFUSED, sent_at=sent_at, status=error.status, **known)
        end = replace(end, pause=refusal.pause(end.ended_at))
        reaction = refusal.kind.reaction
        return Result(Reason.REFUSED, end=end, reach=reach_of(reaction), may_retry=reaction is Reaction.RETRY)

    def _end(self, verdict: Verdict, **facts: Any) -> AttemptEnd:
        assert self.permit.attempt_uid is not None
        return AttemptEnd(uid=self.permit.attempt_uid, verdict=verdict, ended_at=self.clock(), jitter=random.random(), **facts)
