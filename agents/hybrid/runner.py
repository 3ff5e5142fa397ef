"""One step from request to answer: the template's plan, then LLM attempts where a gate permits them, and the facts on record."""

import logging
import random
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.conf import settings as environment

from agents import database, ledger, template
from agents.common import log_context
from agents.configuration import Provider, accounts, rules, usable
from agents.contract.protocol import Plan, Step, Usage, is_done
from agents.contract.step_facts import AttemptEnd, Closing, Opening, Sent, StepFacts, opening, usage
from agents.database import UNAVAILABLE, answering
from agents.hybrid import disk, page_archive, spool, traces
from agents.hybrid.admission import CROWDED_SECONDS, planning
from agents.hybrid.template_plan import Planned, page_of, planned, recorded
from agents.learning.store import place
from agents.ledger import Clock, Permit, Request, gate_rows
from agents.llm import client
from agents.models import Account, Route, Settings, Source
from agents.policy import costs, latency, routing
from agents.policy.callers import Sender, sender
from agents.policy.gate import Decision, closes, earliest, hold
from agents.policy.modes import CallerState, Mode
from agents.policy.reasons import Reason, Verdict
from agents.policy.refusals import Reaction
from agents.policy.routing import BLOCKED, Candidate, Reach, Rules, Tries, reach_of, retry_pause, unsent_reach
from agents.prompting.completions import MAX_TOKENS, Completion
from agents.prompting.prompt import MOST_TOKENS, Question, question
from agents.prompting.replies import InvalidReply, plan_from_reply
from agents.prompting.task_history import TaskHistory

logger = logging.getLogger(__name__)

REREAD_SECONDS = 0.2  # a waiting step reads the gate at least this often, in seconds
REPLY_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Answer:
    """`agent_id`: by the settings."""

    plan: Plan
    use: Usage
    agent_id: str


@dataclass(frozen=True, slots=True)
class Result:
    """How the LLM's part ended. Without a plan: `reason`; `reach`, what it rules out; `may_retry`: another try may succeed at once.

    `end`: how the last attempt ended, not recorded yet. `is_open`: Write 1 succeeded, so Write 2 may be tried.
    """

    reason: Reason
    plan: Plan | None = None
    end: AttemptEnd | None = None
    reach: Reach = Reach.STEP
    may_retry: bool = False
    is_open: bool = True


def answer(
    step: Step, *, source: Source, caller: str | None, received_at: float | None = None, has_room: bool = True, clock: Clock = time.time
) -> Answer:
    """Answers a step within its deadline. On any error the template's plan is sent and the facts are kept.

    `received_at`: when its request arrived, None for now. Without `has_room` the process has too many steps: it is answered at once.
    """
    run = StepRun(step, source, caller, clock() if received_at is None else received_at, clock)
    with log_context.about(log_context.step, run.uid):
        run.read_settings()
        run.history.earlier = recorded(step, source, caller, run.received_at)
        run.make_plan(has_room=has_room)
        facts = run.opening()
        result = run.use_llm(facts)
        run.record(facts, result)
        return Answer(result.plan or run.planned.plan, usage(run.sent, is_llm=result.plan is not None), str(run.rules.agent_id))


class StepRun:
    """A step that is being answered; `answer` calls the methods in their order. No error in them leaves the step without an answer.

    `requests`: to the gates; none where the LLM is not used, for `reason`. `planned`: the template agent's part. `sent_step`: the step as
    its caller sent it; `step`: with its history completed by our records. `question`: for the LLM, made before a slot is reserved where one
    seems free, else at the first attempt. `refused`: the decision against the LLM, where it is made before anything is written.
    `fault`: a traceback. Without `keeps_details` only facts are recorded.
    """

    last_rules = Rules()  # as last read by this process, used while the database is down

    def __init__(self, step: Step, source: Source, caller: str | None, received_at: float, clock: Clock) -> None:
        self.step, self.source, self.caller, self.received_at, self.clock = step, source, caller, received_at, clock
        self.sent_step, self.history = step, TaskHistory(step)
        self.uid = str(uuid.uuid4())
        self.started = time.monotonic() - max(0.0, clock() - received_at)
        self.rules, self.keeps_details, self.caller_state = StepRun.last_rules, True, CallerState.OTHER
        self.reason, self.requests, self.providers = Reason.NO_MODEL, list[Request](), dict[int, Provider]()
        self.planned = Planned(template.plain(step), step, cuts=step.cuts)
        self.question: Question | None = None
        self.refused: Permit | None = None
        self.sent = list[Sent]()
        self.fault = self.fetch_note = ""

    def read_settings(self) -> None:
        """The settings and accounts in force. Without the database: the settings as last read, and no LLM."""
        settings, all_accounts = None, list[Account]()
        try:
            with answering():
                settings = Settings.current()
                self.rules = StepRun.last_rules = rules(settings)
                all_accounts = accounts()
        except UNAVAILABLE as error:
            logger.warning("The settings can't be read (%s). The template agent answers.", error)
            self.reason = Reason.DATABASE
        in_force, state, by = self.rules, CallerState.ALLOWED, Sender()
        self.keeps_details = not disk.space(settings.free_disk_mb if settings else None).is_low
        self.budget = routing.budget(self.step.timeout_seconds or in_force.deadline_seconds, self.received_at)
        if settings and self.source == Source.VALIDATOR:
            state = settings.caller_state(self.caller)
            by = sender(self.caller, state, in_force.caller_caps)
        self.caller_state = state if settings else CallerState.OTHER
        may_call, own = state is not CallerState.BLOCKED, [account for account in all_accounts if account.serves(environment.MINER_NAME)]
        offers = [(account, usable(account, in_force.mode, caller_allowed=may_call)) for account in own]
        otherwise = Reason.ASSIGNED if all_accounts and not own else self.reason
        self.reason = next((offer for _, offer in offers if isinstance(offer, Reason)), otherwise)
        for account, provider in offers:
            if isinstance(provider, Provider):
                usd = {model: costs.of_tokens(provider.prices.get(model), MOST_TOKENS, MAX_TOKENS) for model in provider.models}
                use = (provider.models, in_force.max_task_usd, usd, in_force.caps, by)
                self.requests.append(Request(account, in_force.limits, self.budget.cut_off, *use))
                self.providers[account.pk] = provider

    def make_plan(self, *, has_room: bool) -> None:
        """Wait for a place, then plan. Where waiting would make the step late, the plain plan stays. Without `has_room`: no LLM."""
        step, cut_off = self.sent_step, self.started + self.budget.cut_off - self.received_at
        if has_room:
            html, self.fetch_note = page_of(step, self.rules.fetch_hosts, (cut_off - time.monotonic()) / 2)
        else:
            html, cut_off = step.page, min(cut_off, time.monotonic() + CROWDED_SECONDS)
        with planning.plan(len(html), self.caller, cut_off) as is_admitted:
            if is_admitted:
                at = place(step.url, step.project, self.source, self.caller, self.caller_state)
                self.planned = planned(self.history, html, at, cut_off, is_used=self.rules.mode is not Mode.LLM)
                self.step, self.fault = self.planned.step, self.planned.fault
            if is_admitted and has_room and self.requests:
                self._prepare_question()
        if not (is_admitted and has_room):
            self._skip_llm(Reason.BUSY)

    def _skip_llm(self, reason: Reason) -> None:
        self.reason, self.requests = reason, []

    def _prepare_question(self) -> None:
        """Make the prompt before a slot is reserved, as slots are short; it takes longer than the plan, so only where a gate is open."""
        if routing.is_sure(self.planned.plan, self.rules, self.step, self.history.earlier or ()):
            self._skip_llm(Reason.SURE)
            return
        try:
            permit = ledger.preview(self.requests, self.clock)
            if permit.decision.may_send:
                prompt = self.question = question(self.step, self.planned.page)
                left = [replace(each, models=self.history.models_without_reply(prompt.digest, each.models)) for each in self.requests]
                self.requests = [request for request in left if request.models]
                self.reason = self.reason if self.requests else Reason.REPEATED
            elif permit.decision.reason in BLOCKED:
                self.refused = permit
        except UNAVAILABLE:
            pass  # the writes fail too and are handled there
        except Exception:
            logger.exception("The LLM's prompt for task %s failed. The template agent answers.", self.step.task_id)
            self.fault = self.fault or traceback.format_exc()
            self._skip_llm(Reason.FAULT)

    def opening(self) -> Opening:
        in_force, received_at, deadline_at, plan = self.rules, self.received_at, self.budget.deadline, self.planned.plan
        limits: dict[str, Any] = {name: getattr(in_force, name) for name in ("mode", "llm_use", "sure_from", "max_task_usd")}
        limits |= {"deadline_seconds": deadline_at - received_at}
        limits |= {"spacing_seconds": in_force.limits.spacing, "backoff_seconds": list(in_force.limits.ladder)}
        notes = {"page_fetch": self.fetch_note, "solution": plan.solution, "reached": list(plan.reached), "cuts": list(self.planned.cuts)}
        limits |= {name: note for name, note in notes.items() if note}
        about: dict[str, Any] = {"kind": self.planned.kind, "effect_before": self.history.effect, "miner": environment.MINER_NAME}
        about |= {"confidence": plan.confidence, "confidence_why": plan.confidence_why, "uid": self.uid, "caller": self.caller}
        return opening(self.sent_step, source=self.source, received_at=received_at, deadline_at=deadline_at, limits=limits, **about)

    def use_llm(self, facts: Opening) -> Result:
        try:
            if database.breaker.is_open or spool.must_join(facts.fingerprint):
                # Another try would make this step wait. While facts of attempts are in the spool, the gate is out of date.
                return Result(Reason.DATABASE if self.requests else self.reason, is_open=False)
            if not self.requests:
                self.refused = Permit(Decision(self.reason), self.clock())
            if self.refused:
                return Result(self.refused.decision.reason)
            permit = self._outwait(facts, self.requests, ledger.open_step(facts, self.requests, self.clock))
            return run_tries(self.requests, permit, self._send, partial(self._next_permit, facts))
        except UNAVAILABLE as error:
            logger.warning("The database is unavailable (%s). The template agent answers.", error)
            return Result(Reason.DATABASE, is_open=False)
        except Exception:
            logger.exception("Step %s of task %s failed. The template agent answers.", self.step.index, self.step.task_id)
            self.fault = self.fault or traceback.format_exc()
            return Result(Reason.FAULT)

    def _next_permit(self, facts: Opening, before: Request, ended: AttemptEnd, requests: Sequence[Request]) -> Permit:
        return self._outwait(facts, requests, ledger.next_attempt(facts, before, ended, requests, self.clock))

    def _outwait(self, facts: Opening, requests: Sequence[Request], permit: Permit) -> Permit:
        """Wait while a pause or a probe may end in time; nothing is written meanwhile. The last cause of waiting is the reason."""
        while permit.decision.may_wait:
            time.sleep(REREAD_SECONDS)
            decision = ledger.preview(requests, self.clock).decision
            if decision.reason is Reason.DEADLINE:
                break
            permit = replace(permit, decision=decision) if decision.may_wait else ledger.decide_again(facts, requests, self.clock)
        return permit

    def _send(self, permit: Permit, request: Request) -> Result:
        self.question = self.question or question(self.step, self.planned.page)
        digest, provider = self.question.digest, self.providers[request.account.pk]
        prompt = client.Prompt(self.question.messages, task_id=self.step.task_id)
        read_reply = partial(plan_from_reply, step=self.step, shown=self.question.shown)
        attempt = Attempt(prompt, read_reply, provider, request, permit, self.clock)
        if self.history.has_replied(digest, permit.model):
            return Result(Reason.REPEATED, end=attempt.ended(Verdict.GIVEN_UP), reach=Reach.MODEL)
        result = attempt.run()
        assert result.end is not None
        self.sent.append(Sent(permit.model, provider.base_url, permit.decided_at, result.end, prompt.messages))
        if result.end.accepted:
            self.history.replied.append([digest, permit.model])
        if result.reason is Reason.INVALID:
            # The next prompt lists why this reply was not used.
            self.history.notes.append(f"The reply before was not used: {result.end.detail}")
            self.step, self.question = replace(self.step, notes=(*self.step.notes, self.history.notes[-1])), None
        return result

    def record(self, facts: Opening, result: Result) -> None:
        """Write 2; or else the spool, with the page's excerpt, which is otherwise added to the row later."""
        plan, page = result.plan or self.planned.plan, self.planned.page
        closing = Closing(
            route=Route.LLM if result.plan else Route.TEMPLATE,
            reason=result.reason,
            answered_at=self.clock(),
            duration=time.monotonic() - self.started,
            actions=[action.as_action() for action in plan.actions],
            done=is_done(self.step, plan),
            answer=plan.answer,
            fault=self.fault,
            attempt=result.end,
            **self.history.facts(plan, is_by_llm=result.plan is not None),
        )
        whole = StepFacts(facts, closing if self.keeps_details else closing.without_details())
        is_written = False
        try:
            if result.is_open:
                ledger.close_step(whole, self.rules.limits, self.history.earlier, self.refused)
                is_written = True
        except UNAVAILABLE as error:
            logger.warning("The database is unavailable (%s).", error)
        except Exception:  # the answer is sent; its record is kept in the spool
            logger.exception("The facts of step %s could not be written.", self.uid)
        if not is_written:
            excerpt = page_archive.excerpt_of(page if self.keeps_details else None)
            spool.add(replace(whole, opening=replace(facts, page_excerpt=excerpt)))
        page_archive.keep(self.uid, self.step, page)
        traces.keep(whole, self.sent)


def run_tries(
    requests: Sequence[Request],
    permit: Permit,
    send: Callable[[Permit, Request], Result],
    next_permit: Callable[[Request, AttemptEnd, list[Request]], Permit],
) -> Result:
    """Attempts until one gives a plan, the gates refuse, or no model is left.

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
        models = {candidate.account: candidate.models for candidate in tries.candidates}
        left = [replace(request, models=models[request.account.pk]) for request in requests if request.account.pk in models]
        try:
            permit = next_permit(permit.request, result.end, left)
        except UNAVAILABLE as error:
            logger.warning("The database is unavailable (%s). No other model is tried.", error)
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
                return Result(closes_at, end=self.ended(Verdict.GIVEN_UP), reach=unsent_reach(closes_at))
            return self._send(closes_at)

    def _wait_for_slot(self) -> float | Reason:
        """Wait for the slot; a missed one is replaced while there is time. Returns until when the request may be sent, or why not."""
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
            # Recording it took so long that the attempt which held the slot before may have been sent.
            return Reason.MISSED
        while now < leave_at:
            time.sleep(min(leave_at - now, REREAD_SECONDS))
            with answering():
                gate = gate_rows.of(self.request.account)
            now = self.clock()
            if obstacle := hold(gate, limits, decision, permit.decided_at, now):
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
            # It was delayed and must keep its distance to the next request.
            try:
                ledger.left_late(self.request, closes_at - self.request.limits.grace, sent_at)
            except UNAVAILABLE as error:
                logger.warning("A request was %.0f ms late, and the gate could not be updated (%s).", (sent_at - closes_at) * 1000, error)
        facts: dict[str, Any] = {"sent_at": sent_at, "status": 200, "accepted": True}
        try:
            completion = call.result()
            facts |= self._facts(completion)
            return Result(Reason.ANSWERED, self.read(completion.text), self.ended(Verdict.OK, **facts))
        except client.Refused as error:
            return self._refused(error, sent_at)
        except (client.BrokenReply, InvalidReply) as error:
            end = self.ended(Verdict.INVALID, **facts, detail=str(error))
            return Result(Reason.INVALID, end=end, reach=Reach.MODEL, may_retry=True)
        except client.LLMError as error:
            is_cut = isinstance(error, client.TimedOut)
            end = self.ended(Verdict.FAILED, sent_at=sent_at, status=error.status, detail=str(error), is_cut=is_cut)
            return Result(Reason.FAILED, end=end, reach=Reach.MODEL, may_retry=True)

    def _facts(self, completion: Completion) -> dict[str, Any]:
        prompt_tokens, completion_tokens = completion.prompt_tokens, completion.completion_tokens
        price, cost = self.provider.prices.get(self.permit.model), None
        if price and prompt_tokens is not None and completion_tokens is not None:
            cost = f"{costs.of_tokens(price, prompt_tokens, completion_tokens):.8f}"
        read = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "cost": cost, "published": completion.published}
        return read | {"quota": completion.quota, "reply": completion.text[:REPLY_CHARS]}

    def _refused(self, error: client.Refused, sent_at: float) -> Result:
        refusal, reaction = error.refusal, error.refusal.kind.reaction
        facts = {"refusal": refusal.kind, "pause_source": refusal.source, "detail": refusal.detail}
        end = self.ended(Verdict.REFUSED, sent_at=sent_at, status=error.status, **facts)
        end = replace(end, pause=refusal.pause(end.ended_at))
        return Result(Reason.REFUSED, end=end, reach=reach_of(reaction), may_retry=reaction is Reaction.RETRY)

    def ended(self, verdict: Verdict, **facts: Any) -> AttemptEnd:
        return AttemptEnd(uid=self.permit.attempt_uid or "", verdict=verdict, ended_at=self.clock(), jitter=random.random(), **facts)
