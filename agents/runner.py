"""One step, whole story: the template's plan first, then the LLM where the gate lets it, and the facts on record."""

from __future__ import annotations

import logging
import time
import traceback
from dataclasses import dataclass

from agents import hybrid, ledger, spool, template
from agents.attempt import Attempt, Result
from agents.configuration import Provider, default_account, provider, rules
from agents.database import UNAVAILABLE
from agents.facts import Closing, Opening, StepFacts, opening
from agents.hybrid import Budget, Intention, Mode, Rules
from agents.keys import UnreadableKey
from agents.ledger import Clock, Request
from agents.models import Account, Route, Settings, Source
from agents.page import Page, excerpt, read
from agents.prompt import messages
from agents.protocol import Plan, Step
from agents.reasons import Reason

logger = logging.getLogger(__name__)

# What an operator needs to recognise a page; an LLM may see more of it.
RECORDED_EXCERPT_CHARS = 4_000
PROMPT_EXCERPT_CHARS = 24_000


@dataclass(frozen=True, slots=True)
class Situation:
    """What holds for one step, read once."""

    rules: Rules
    intention: Intention
    account: Account | None = None
    provider: Provider | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """One step on its way to an answer."""

    step: Step
    page: Page | None
    situation: Situation
    budget: Budget
    opening: Opening
    clock: Clock

    def request(self, model: str) -> Request:
        """What this step asks of the gate for one model."""
        assert self.situation.account is not None
        return Request(self.situation.account, self.situation.rules.limits, self.budget.cut_off, model)


def answer(step: Step, *, source: Source, caller: str | None, clock: Clock = time.time) -> Plan:
    """The plan to answer with, inside the step's deadline. Whatever fails inside, the template's plan goes out, and the facts are kept."""
    received_at, started = clock(), time.monotonic()
    situation = _look_around(step, source, caller)
    page, fallback, fault = _template_plan(step, situation.rules.mode)
    budget = hybrid.budget(step, situation.rules, received_at)
    story = Story(step, page, situation, budget, _opening(step, source, caller, received_at, budget, page, situation.rules), clock)
    result, llm_fault = _ask_llm(story)
    plan = result.plan or fallback
    closing = Closing(
        route=Route.LLM if result.plan else Route.TEMPLATE,
        reason=result.reason,
        answered_at=clock(),
        duration=time.monotonic() - started,
        actions=[action.as_action() for action in plan.actions],
        done=plan.done,
        fault=fault or llm_fault,
        attempt=result.end,
    )
    facts = StepFacts(story.opening, closing)
    if result.is_open:
        _write_down(facts, situation.rules)
    else:
        _spool(facts)
    return plan


def _look_around(step: Step, source: Source, caller: str | None) -> Situation:
    """The settings and the account as they are now. Without the database: the defaults, and no LLM."""
    try:
        settings, account = Settings.current(), default_account()
        known = provider(account)
    except UNAVAILABLE as error:
        logger.warning("The settings can't be read (%s). The template agent answers.", error)
        return Situation(Rules(), Intention(reason=Reason.DATABASE))
    except UnreadableKey as error:
        logger.error("%s", error)
        return Situation(rules(settings), Intention(reason=Reason.NO_KEY))
    in_force = rules(settings)
    intention = hybrid.intend(
        mode=in_force.mode,
        caller_allowed=source != Source.VALIDATOR or settings.may_use_llm(caller),
        enabled=account.enabled,
        has_key=bool(known.key),
        models=known.models,
    )
    return Situation(in_force, intention, account, known)


def _template_plan(step: Step, mode: Mode) -> tuple[Page | None, Plan, str]:
    """The page as read, the plan behind the LLM, and the traceback of a fault."""
    page = None
    try:
        page = read(step.page, step.url) if step.page else None
        plan = template.plain(step) if mode is Mode.LLM else template.plan(step, page)
    except Exception:
        # Every step is answered: a recipe that trips over a page must not cost the answer.
        logger.exception("The template agent failed on step %s of task %s. A plain answer goes out.", step.index, step.task_id)
        return page, template.plain(step), traceback.format_exc()
    return page, plan, ""


def _opening(
    step: Step, source: Source, caller: str | None, received_at: float, budget: Budget, page: Page | None, in_force: Rules
) -> Opening:
    return opening(
        step,
        source=source,
        caller=caller,
        received_at=received_at,
        deadline_at=budget.deadline,
        page_excerpt=excerpt(page, RECORDED_EXCERPT_CHARS) if page else "",
        limits={
            "mode": in_force.mode,
            "deadline_seconds": budget.deadline - received_at,
            "spacing_seconds": in_force.limits.spacing,
            "backoff_seconds": list(in_force.limits.ladder),
        },
    )


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
    """Write 1, then one attempt a model until one brings a plan, the gate says no, or no other model can help."""
    intention = story.situation.intention
    if spool.is_waiting():
        # The database was away a moment ago. Asking it again would cost this step the wait, and the gate may not be up to date.
        return Result(intention.reason or Reason.DATABASE, is_open=False)
    models = list(intention.models)
    request = story.request(models.pop(0)) if models else None
    permit = ledger.open_step(story.opening, request, intention.reason or Reason.NO_MODEL, story.clock)
    result = Result(permit.decision.reason)
    while request and permit.attempt_uid:
        result = _attempt(story, request, permit)
        if result.is_final or not models or result.end is None:
            return result
        request = story.request(models.pop(0))
        try:
            permit = ledger.next_attempt(story.opening, result.end, request, story.clock)
        except UNAVAILABLE as error:
            logger.warning("The database refuses (%s). No further model is tried.", error)
            return result
        result = Result(result.reason)
    return result


def _attempt(story: Story, request: Request, permit: ledger.Permit) -> Result:
    known = story.situation.provider
    assert known is not None
    page_text = excerpt(story.page, PROMPT_EXCERPT_CHARS) if story.page else ""
    return Attempt(story.step, messages(story.step, page_text), known, request, permit, story.clock).run()


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
