"""One step, whole story: the template's plan first, then the LLM where the gate lets it, and the facts on record."""

from __future__ import annotations

import logging
import random
import time
import traceback
import uuid
from dataclasses import dataclass, replace
from functools import partial

from agents import costs, hybrid, ledger, log_context, spool, step_pages, template
from agents.attempt import Attempt, Result
from agents.configuration import Provider, accounts, provider, rules
from agents.database import UNAVAILABLE
from agents.facts import Closing, Opening, StepFacts, opening, with_template
from agents.hybrid import Budget, Candidate, Mode, Rules, Tries
from agents.keys import UnreadableKey
from agents.known_sites import known_sites
from agents.ledger import Clock, Request
from agents.llm import MAX_TOKENS, Prompt
from agents.looking import Sight, look
from agents.models import Account, Route, Settings, Source
from agents.page import Page, excerpt, read
from agents.prompt import MOST_TOKENS, Question, question
from agents.protocol import Form, Plan, Step
from agents.reasons import Reason
from agents.replies import plan_from_reply

logger = logging.getLogger(__name__)

# What an operator needs to recognise a page.
RECORDED_EXCERPT_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Offer:
    """One account that may be asked for this step, with its provider."""

    account: Account
    provider: Provider


@dataclass(frozen=True, slots=True)
class Situation:
    """What holds for one step, read once. Without `offers`, `reason` says why the LLM is not asked at all."""

    rules: Rules
    reason: Reason
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Fallback:
    """What goes out where the LLM brings nothing. `page` None: none came along; `fault`: a traceback, where the template agent failed;
    `looked`: what became of a look at the page, "" where none was allowed or needed."""

    page: Page | None
    plan: Plan
    fault: str = ""
    looked: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One step on its way to an answer."""

    step: Step
    page: Page | None
    situation: Situation
    budget: Budget
    opening: Opening
    clock: Clock

    def requests(self, tries: Tries) -> list[Request]:
        """What this step may still ask of the gates."""
        offers = {offer.account.pk: offer for offer in self.situation.offers}
        rules, cut_off = self.situation.rules, self.budget.cut_off
        return [_request(offers[each.account], rules, cut_off, each.models) for each in tries.candidates]

    def provider(self, account: Account) -> Provider:
        """The account's provider."""
        return next(offer.provider for offer in self.situation.offers if offer.account.pk == account.pk)


def _request(offer: Offer, rules: Rules, cut_off: float, models: tuple[str, ...]) -> Request:
    prices = offer.provider.prices
    most_usd = {model: costs.of_tokens(prices.get(model), MOST_TOKENS, MAX_TOKENS) for model in models}
    return Request(offer.account, rules.limits, cut_off, models, rules.max_task_usd, most_usd)


def answer(step: Step, *, source: Source, caller: str | None, clock: Clock = time.time) -> Plan:
    """The plan to answer with, inside the step's deadline. Whatever fails inside, the template's plan goes out, and the facts are kept."""
    uid = str(uuid.uuid4())
    with log_context.about(log_context.step, uid):
        return _answer(step, uid, source, caller, clock)


def _answer(step: Step, uid: str, source: Source, caller: str | None, clock: Clock) -> Plan:
    received_at, started = clock(), time.monotonic()
    situation = _look_around(step, source, caller)
    budget = hybrid.budget(step, situation.rules, received_at)
    fallback = _fallback(step, situation.rules, budget.cut_off - received_at)
    if situation.offers and hybrid.is_sure(fallback.plan, situation.rules):
        situation = Situation(situation.rules, Reason.SURE)
    opened = _opening(step, uid, source, caller, received_at, budget, situation.rules, fallback)
    story = Story(step, fallback.page, situation, budget, opened, clock)
    result, llm_fault = _ask_llm(story)
    plan = result.plan or fallback.plan
    closing = Closing(
        route=Route.LLM if result.plan else Route.TEMPLATE,
        reason=result.reason,
        answered_at=clock(),
        duration=time.monotonic() - started,
        actions=[action.as_action() for action in plan.actions],
        done=plan.done,
        fault=fallback.fault or llm_fault,
        attempt=result.end,
    )
    facts = StepFacts(story.opening, closing)
    if result.is_open:
        _write_down(facts, situation.rules)
    else:
        _spool(facts)
    step_pages.keep(story.opening.uid, step)
    return plan


def _look_around(step: Step, source: Source, caller: str | None) -> Situation:
    """The settings and the accounts as they are now. Without the database: the defaults, and no LLM."""
    try:
        settings = Settings.current()
        in_force = rules(settings)
        is_allowed = source != Source.VALIDATOR or settings.may_use_llm(caller)
        found = [_offer(account, in_force.mode, caller_allowed=is_allowed) for account in accounts()]
    except UNAVAILABLE as error:
        logger.warning("The settings can't be read (%s). The template agent answers.", error)
        return Situation(Rules(), Reason.DATABASE)
    reasons = [each for each in found if isinstance(each, Reason)]
    return Situation(in_force, reasons[0] if reasons else Reason.NO_MODEL, tuple(each for each in found if isinstance(each, Offer)))


def _offer(account: Account, mode: Mode, *, caller_allowed: bool) -> Offer | Reason:
    """The account as it may be asked, or why it may not."""
    try:
        known = provider(account)
    except UnreadableKey as error:
        logger.error("Account %s: %s", account.name, error)
        return Reason.NO_KEY
    has_key, models = bool(known.key), known.models
    intention = hybrid.intend(mode=mode, caller_allowed=caller_allowed, enabled=account.enabled, has_key=has_key, models=models)
    return intention.reason or Offer(account, known)


def _fallback(step: Step, in_force: Rules, seconds: float) -> Fallback:
    """The page as read and the plan behind the LLM."""
    page, sight = None, Sight("", "")
    try:
        sight = _sight(step, in_force, seconds)
        html = step.page or sight.html
        page = read(html, step.url) if html else None
        plan = template.plain(step) if in_force.mode is Mode.LLM else template.plan(step, page, known_sites())
    except Exception:
        # Every step is answered: a recipe that trips over a page must not cost the answer.
        logger.exception("The template agent failed on step %s of task %s. A plain answer goes out.", step.index, step.task_id)
        return Fallback(page, template.plain(step), traceback.format_exc(), sight.told)
    return Fallback(page, plan, looked=sight.told)


def _sight(step: Step, in_force: Rules, seconds: float) -> Sight:
    """A look at the page where an admin allows it, none came along, and the site's ways are not known. Half of the time is for the rest."""
    if not in_force.look_hosts or step.page.strip() or step.form is not Form.ONE_SHOT or template.knows(step, known_sites()):
        return Sight("", "")
    return look(step.url, in_force.look_hosts, seconds / 2)


def _opening(
    step: Step,
    uid: str,
    source: Source,
    caller: str | None,
    received_at: float,
    budget: Budget,
    in_force: Rules,
    fallback: Fallback,
) -> Opening:
    came = opening(
        step,
        uid=uid,
        source=source,
        caller=caller,
        received_at=received_at,
        deadline_at=budget.deadline,
        page_excerpt=excerpt(fallback.page, RECORDED_EXCERPT_CHARS) if fallback.page else "",
        limits={
            "mode": in_force.mode,
            "llm_use": in_force.llm_use,
            "sure_from": in_force.sure_from,
            "max_task_usd": in_force.max_task_usd,
            "deadline_seconds": budget.deadline - received_at,
            "spacing_seconds": in_force.limits.spacing,
            "backoff_seconds": list(in_force.limits.ladder),
            **({"looked": fallback.looked} if fallback.looked else {}),
        },
    )
    return replace(with_template(came, fallback.plan), kind=_kind(step))


def _kind(step: Step) -> str:
    """The kind of task, "" where a fault is in the way: nothing but a record hangs on it."""
    try:
        return template.kind(step.prompt)
    except Exception:
        logger.exception("The kind of task %s could not be told.", step.task_id)
        return ""


def _ask_llm(story: Story) -> tuple[Result, str]:
    """What the LLM's part came to, and the traceback of a fault."""
    try:
        return _try_models(story), ""
    except UNAVAILABLE as error:
        logger.warning("The database refuses (%s). The template agent answers.", error)
        return Result(Reason.DATABASE, is_open=False), ""
    except Exception:
        # Every step is answered, never with a 500: the template's plan is ready whatever went wrong here.
        logger.exception("Fault while answering step %s of task %s. The template agent answers.", story.step.index, story.step.task_id)
        return Result(Reason.FAULT), traceback.format_exc()


def _try_models(story: Story) -> Result:
    """Write 1, then attempts until one brings a plan, the gates say no, or nothing is left that could help."""
    situation = story.situation
    if spool.is_waiting():
        # The database was away a moment ago. Asking it again would cost this step the wait, and the gate may not be up to date.
        return Result(Reason.DATABASE if situation.offers else situation.reason, is_open=False)
    tries = Tries(tuple(Candidate(offer.account.pk, offer.provider.models) for offer in situation.offers))
    # A slot is open for a moment only: what is asked has to be ready before one is taken.
    asked = question(story.step, story.page) if situation.offers else None
    permit = ledger.open_step(story.opening, story.requests(tries), situation.reason, story.clock)
    result = Result(permit.decision.reason)
    while asked and permit.request and permit.attempt_uid:
        result = _attempt(story, asked, permit.request, permit)
        tries = tries.after(permit.request.account.pk, permit.model, result.reach, may_retry=result.may_retry)
        if result.plan or result.end is None or not tries.candidates:
            return result
        if tries.is_retry:
            time.sleep(hybrid.retry_pause(random.random()))
        try:
            permit = ledger.next_attempt(story.opening, permit.request, result.end, story.requests(tries), story.clock)
        except UNAVAILABLE as error:
            logger.warning("The database refuses (%s). Nothing else is tried.", error)
            return result
        result = Result(result.reason)
    return result


def _attempt(story: Story, asked: Question, request: Request, permit: ledger.Permit) -> Result:
    prompt = Prompt(asked.messages, task_id=story.step.task_id)
    read_reply = partial(plan_from_reply, step=story.step, shown=asked.shown)
    return Attempt(prompt, read_reply, story.provider(request.account), request, permit, story.clock).run()


def _write_down(facts: StepFacts, in_force: Rules) -> None:
    """Write 2. What the database refuses is spooled; what even the disk refuses is logged: the answer goes out all the same."""
    try:
        ledger.close_step(facts, in_force.limits)
    except UNAVAILABLE as error:
        logger.warning("The database refuses (%s).", error)
        _spool(facts)
    except Exception:
        # The answer is ready and goes out whatever is wrong with its record, which is kept for a look.
        logger.exception("The facts of step %s could not be written.", facts.opening.uid)
        _spool(facts)


def _spool(facts: StepFacts) -> None:
    try:
        spool.add(facts)
    except OSError:
        logger.exception("The facts of step %s are lost: the database and the data folder both refuse.", facts.opening.uid)
