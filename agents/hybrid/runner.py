"""One step from request to answer: the template's plan first, then the LLM where a gate permits it, and the facts on record."""

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
from agents.configuration.known_sites import known_sites
from agents.contract.protocol import Form, Plan, Step, Usage, is_done
from agents.contract.step_facts import AttemptEnd, Closing, Opening, Sent, StepFacts, opening
from agents.database import UNAVAILABLE, answering
from agents.hybrid import disk, page_archive, spool, traces
from agents.hybrid.admission import CROWDED_SECONDS, planning
from agents.hybrid.attempt import BLOCKED, REREAD_SECONDS, Attempt, Result, run_tries
from agents.hybrid.history import not_asked, recorded
from agents.hybrid.page_fetch import fetch
from agents.learning import maps
from agents.learning.store import place
from agents.ledger import Clock, Permit, Request
from agents.llm import client
from agents.models import Account, Route, Settings, Source
from agents.page import Page, read
from agents.policy import costs, routing
from agents.policy.callers import Sender, sender
from agents.policy.gate import Decision
from agents.policy.modes import CallerState, Mode
from agents.policy.reasons import Reason, Verdict
from agents.policy.routing import Reach, Rules
from agents.prompting.completions import MAX_TOKENS
from agents.prompting.prompt import MOST_TOKENS, Question, question
from agents.prompting.replies import plan_from_reply
from agents.prompting.task_history import TaskHistory
from agents.template.budget import TEMPLATE_SECONDS, TimeBudget
from agents.template.sites.site_plans import by_facts, knows

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """`agent_id`: by the settings, for callers that read one."""

    plan: Plan
    use: Usage
    agent_id: str


def answer(
    step: Step, *, source: Source, caller: str | None, received_at: float | None = None, has_room: bool = True, clock: Clock = time.time
) -> Answer:
    """What to answer with, inside the step's deadline. Whatever fails inside, the template's plan is sent, and the facts are kept.

    `received_at`: when its request came, now if None. Without `has_room` there are too many steps already: it is answered at once.
    """
    run = StepRun(step, source, caller, clock() if received_at is None else received_at, clock)
    with log_context.about(log_context.step, run.uid):
        run.read_settings()
        run.history.earlier = recorded(step, source, caller, run.received_at)
        run.make_plan(has_room=has_room)
        facts = run.opening()
        result = run.use_llm(facts)
        run.record(facts, result)
        return Answer(result.plan or run.plan, run.use(result), str(run.rules.agent_id))


class StepRun:
    """One step on its way to an answer; `answer` calls the methods in their order. Whatever fails in them, the step is answered.

    `requests`: what the gates may be requested for; none where the LLM is not used, for `reason`. `plan` is sent where the LLM brings none.
    `came`: the step as its caller sent it; `step`: with its history completed by our records.
    `page` None: there is none. `question`: for the LLM, made before a slot is reserved where one seems free, else at the first attempt.
    `refused`: the decision by which no LLM is used, where it is known before anything is written. `fault`: the traceback of what failed
    here. Without `keeps_details` only facts are recorded.
    """

    last_rules = Rules()  # as this process last read them, for use while the database is away

    def __init__(self, step: Step, source: Source, caller: str | None, received_at: float, clock: Clock) -> None:
        self.step, self.source, self.caller, self.received_at, self.clock = step, source, caller, received_at, clock
        self.came, self.history = step, TaskHistory(step)
        self.uid = str(uuid.uuid4())
        self.started = time.monotonic() - max(0.0, clock() - received_at)
        self.rules, self.keeps_details, self.caller_state = StepRun.last_rules, True, CallerState.OTHER
        self.reason, self.requests, self.providers = Reason.NO_MODEL, list[Request](), dict[int, Provider]()
        self.plan, self.cuts = template.plain(step), step.cuts
        self.page: Page | None = None
        self.question: Question | None = None
        self.refused: Permit | None = None
        self.sent = list[Sent]()
        self.kind = self.fault = self.fetch_note = ""

    def read_settings(self) -> None:
        """The settings and accounts as they are now. Without the database: the settings as last read, and no LLM."""
        settings, found, reasons = None, list[Account](), list[Reason]()
        try:
            with answering():
                settings = Settings.current()
                self.rules = StepRun.last_rules = rules(settings)
                found = accounts()
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
        own = [account for account in found if account.serves(environment.MINER_NAME)]
        if found and not own:
            self.reason = Reason.ASSIGNED
        for account in own:
            known = usable(account, in_force.mode, caller_allowed=state is not CallerState.BLOCKED)
            if isinstance(known, Reason):
                reasons.append(known)
                continue
            self.providers[account.pk], cut_off = known, self.budget.cut_off
            usd = {model: costs.of_tokens(known.prices.get(model), MOST_TOKENS, MAX_TOKENS) for model in known.models}
            self.requests.append(Request(account, in_force.limits, cut_off, known.models, in_force.max_task_usd, usd, in_force.caps, by))
        self.reason = reasons[0] if reasons else self.reason

    def make_plan(self, *, has_room: bool) -> None:
        """Wait for a place, and plan. A plain answer at once where waiting would make the step late; without `has_room`, no LLM."""
        cut_off, html = self.started + self.budget.cut_off - self.received_at, self.step.page
        if has_room:
            html = html or self._fetched(cut_off - time.monotonic())
        else:
            cut_off = min(cut_off, time.monotonic() + CROWDED_SECONDS)
        with planning.plan(len(html), self.caller, cut_off) as is_admitted:
            if is_admitted:
                self._plan_by_template(html, cut_off)
            if is_admitted and has_room and self.requests:
                self._prepare_question()
        if not (is_admitted and has_room):
            self._skip_llm(Reason.BUSY)

    def _skip_llm(self, reason: Reason) -> None:
        self.reason, self.requests = reason, []

    def _fetched(self, seconds: float) -> str:
        step, hosts = self.step, self.rules.fetch_hosts
        try:
            if hosts and step.form is Form.ONE_SHOT and not knows(step, known_sites()):
                html, self.fetch_note = fetch(step.url, hosts, seconds / 2)
                return html
        except Exception:
            logger.exception("The page of task %s could not be fetched. It is planned without.", step.task_id)
        return ""

    def _plan_by_template(self, html: str, cut_off: float) -> None:
        try:
            sites, now = known_sites(), time.monotonic()  # the first step of a process waits until the sites are loaded
            budget = TimeBudget(_overtime(now, now + (cut_off - now) / 2), 0.0)
            self.page = read(html, self.came.url) if html else None
            step = self.step = self.history.completed(self.page)
            if self.rules.mode is not Mode.LLM:
                at = place(step.url, step.project, self.source, self.caller, self.caller_state)
                learned = maps.facts_at(at, self.page)
                self.plan = template.plan(step, self.page, by_facts(sites, learned), budget, learned.solutions)
            self.cuts = (*step.cuts, *(self.page.cuts if self.page else ()), *template.cuts(step.prompt))
            self.kind = template.kind(step.prompt)
        except Exception:
            logger.exception("The template agent failed on step %s of task %s. A plain answer is sent.", self.came.index, self.came.task_id)
            self.plan, self.fault = template.plain(self.came), traceback.format_exc()

    def _prepare_question(self) -> None:
        """A slot is open for a moment only, so the question is made before. It costs more than the plan, so only where a gate is open."""
        if routing.is_sure(self.plan, self.rules, self.step, self.history.earlier or ()):
            self._skip_llm(Reason.SURE)
            return
        try:
            permit = ledger.preview(self.requests, self.clock)
            if permit.decision.may_send:
                self.question = question(self.step, self.page)
                self.requests = not_asked(self.history, self.question.digest, self.requests)
                self.reason = self.reason if self.requests else Reason.REPEATED
            elif permit.decision.reason in BLOCKED:
                self.refused = permit
        except UNAVAILABLE:
            pass  # so do the writes
        except Exception:
            logger.exception("The LLM's prompt for task %s failed. The template agent answers.", self.step.task_id)
            self.fault = self.fault or traceback.format_exc()
            self._skip_llm(Reason.FAULT)

    def opening(self) -> Opening:
        in_force, received_at, deadline_at = self.rules, self.received_at, self.budget.deadline
        limits: dict[str, Any] = {name: getattr(in_force, name) for name in ("mode", "llm_use", "sure_from", "max_task_usd")}
        limits |= {"deadline_seconds": deadline_at - received_at}
        limits |= {"spacing_seconds": in_force.limits.spacing, "backoff_seconds": list(in_force.limits.ladder)}
        limits |= {"page_fetch": self.fetch_note} if self.fetch_note else {}
        limits |= {"solution": self.plan.solution} if self.plan.solution else {}
        limits |= {"cuts": list(self.cuts)} if self.cuts else {}
        known: dict[str, Any] = {"kind": self.kind, "effect_before": self.history.effect, "miner": environment.MINER_NAME}
        known |= {"confidence": self.plan.confidence, "confidence_why": self.plan.confidence_why}
        known |= {"uid": self.uid, "caller": self.caller, "limits": limits}
        return opening(self.came, source=self.source, received_at=received_at, deadline_at=deadline_at, **known)

    def use_llm(self, facts: Opening) -> Result:
        try:
            if database.breaker.is_open or spool.must_join(facts.fingerprint):
                # To try the database again would cost this step the wait; while facts of attempts wait the gate is not up to date.
                return Result(Reason.DATABASE if self.requests else self.reason, is_open=False)
            if not self.requests:
                self.refused = Permit(Decision(self.reason), self.clock())
            if self.refused:
                return Result(self.refused.decision.reason)
            permit = self._outwait(facts, self.requests, ledger.open_step(facts, self.requests, self.clock))
            return run_tries(self.requests, permit, self._send, partial(self._next_permit, facts))
        except UNAVAILABLE as error:
            logger.warning("The database refuses (%s). The template agent answers.", error)
            return Result(Reason.DATABASE, is_open=False)
        except Exception:
            logger.exception("Fault while answering step %s of task %s. The template agent answers.", self.step.index, self.step.task_id)
            self.fault = self.fault or traceback.format_exc()
            return Result(Reason.FAULT)

    def _next_permit(self, facts: Opening, before: Request, ended: AttemptEnd, requests: Sequence[Request]) -> Permit:
        return self._outwait(facts, requests, ledger.next_attempt(facts, before, ended, requests, self.clock))

    def _outwait(self, facts: Opening, requests: Sequence[Request], permit: Permit) -> Permit:
        """Wait while a pause or a probe may end in time; nothing is written until one has. The reason is what was waited for last."""
        while permit.decision.may_wait:
            time.sleep(REREAD_SECONDS)
            decision = ledger.preview(requests, self.clock).decision
            if decision.reason is Reason.DEADLINE:
                break
            permit = replace(permit, decision=decision) if decision.may_wait else ledger.decide_again(facts, requests, self.clock)
        return permit

    def _send(self, permit: Permit, request: Request) -> Result:
        self.question = self.question or question(self.step, self.page)
        asked = [self.question.digest, permit.model]
        if self.history.is_asked(*asked):
            end = AttemptEnd(uid=permit.attempt_uid or "", verdict=Verdict.GIVEN_UP, ended_at=self.clock(), jitter=random.random())
            return Result(Reason.REPEATED, end=end, reach=Reach.MODEL)
        prompt = client.Prompt(self.question.messages, task_id=self.step.task_id)
        read_reply = partial(plan_from_reply, step=self.step, shown=self.question.shown)
        result = Attempt(prompt, read_reply, self.providers[request.account.pk], request, permit, self.clock).run()
        if result.end:
            base_url = self.providers[request.account.pk].base_url
            self.sent.append(Sent(permit.model, base_url, permit.decided_at, result.end, self.question.messages))
        if result.end and result.end.accepted:
            self.history.asked.append(asked)
        if result.reason is Reason.INVALID and result.end:
            self._note(f"The reply before was not used: {result.end.detail}")
        return result

    def _note(self, why: str) -> None:
        """The next prompt says what became of the reply to this one."""
        self.history.notes.append(why)
        self.step, self.question = replace(self.step, notes=(*self.step.notes, why)), None

    def use(self, result: Result) -> Usage:
        ends = [each.end for each in self.sent]
        tokens = (sum(end.prompt_tokens or 0 for end in ends), sum(end.completion_tokens or 0 for end in ends))
        return Usage(*tokens, sum(float(end.cost or 0) for end in ends), self.sent[-1].model if result.plan and self.sent else None)

    def record(self, facts: Opening, result: Result) -> None:
        """Write 2, or into the spool with the excerpt of the page: then no row is there to get it later."""
        plan = result.plan or self.plan
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
            logger.warning("The database refuses (%s).", error)
        except Exception:
            # The answer is ready and is sent whatever is wrong with its record, which is kept in the spool.
            logger.exception("The facts of step %s could not be written.", self.uid)
        if not is_written:
            excerpt = page_archive.excerpt_of(self.page if self.keeps_details else None)
            spool.add(replace(whole, opening=replace(facts, page_excerpt=excerpt)))
        page_archive.keep(self.uid, self.step, self.page)
        traces.keep(whole, self.sent)


def _overtime(began: float, latest: float) -> Callable[[], float]:
    """Seconds by which this thread is past `latest`, or past TEMPLATE_SECONDS of the processor; negative before both."""
    most = time.thread_time() + TEMPLATE_SECONDS

    def overtime() -> float:
        now = time.monotonic()
        # The processor's time, which takes longer to read, is never more than that of the clock.
        is_early = now - began < TEMPLATE_SECONDS
        return now - latest if is_early else max(now - latest, time.thread_time() - most)

    return overtime
