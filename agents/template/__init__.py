"""The rule-based agent: a plan from prompt, page and history, in milliseconds and without a model."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from agents.contract.action_history import Past
from agents.contract.actions import Action, wait
from agents.contract.limits import MAX_CRITERIA
from agents.contract.protocol import Form, Plan, Step
from agents.contract.task_rules import conform
from agents.page import Page, read
from agents.template.budget import ENDLESS, TimeBudget, budgeted
from agents.template.confidence import is_certain, is_guessed, rated
from agents.template.items.answers import answer
from agents.template.moves import BREATH, LOADING, NOTHING_KNOWN, Known, opened
from agents.template.next_step import next_step
from agents.template.prompt import Intent, Kind
from agents.template.prompt.criteria import are_cut
from agents.template.prompt.intents import understand
from agents.template.prompt.masking import mask
from agents.template.recipes import LOGIN, Recipe, recipe_for
from agents.template.sites.known_step import known_step
from agents.template.solutions.solution import Solution, best_for
from agents.template.solutions.using import by_solution

logger = logging.getLogger(__name__)

_PLAIN = "A plain answer, whatever the task is."
CUT_OFF = "The planning was cut off by its time budget."


def plan(
    step: Step, page: Page | None, known: Known = NOTHING_KNOWN, budget: TimeBudget = ENDLESS, solutions: Sequence[Solution] = ()
) -> Plan:
    """The best plan for a step by rules alone. `page`: the step's page as read, None to read it here in steps. `solutions`: learned from
    runs on the step's site; they come before the rules. Every action is valid and keeps to the task's host and query; a one-shot plan opens
    the task's URL first. An action that failed in the history is not sent again. `done`: the task is achieved or nothing is left to do.
    When `budget` is over, the best plan so far is returned, at least a plain one."""
    with budgeted(budget) as current:
        planned = plain(step) if current.is_over() else _planned(step, page, known, solutions)
        if not current.is_cut_off:
            return planned
    # Whether a task is done, or nothing is left to do, can't be decided on a part of the page.
    kept = plain(step) if planned.done or not planned.actions else planned
    return replace(kept, confidence=0.1, confidence_why=CUT_OFF)  # better than waiting; how much better is unknown


def _planned(step: Step, page: Page | None, known: Known, solutions: Sequence[Solution]) -> Plan:
    intent = understand(step.prompt)
    if step.form is Form.ONE_SHOT:
        stated = known.stated(step, intent, "")
        if planned := stated[0] if stated else known.seen(step, intent):
            return replace(planned, actions=conform(planned.actions, step))
        page = None if page is None or page.blank else page
        planned = _one_shot(step, intent, page)
    else:
        page = page or read(step.page, step.url)
        if planned := _as_learned(step, intent, page, solutions):
            kept = conform(planned.actions, step)
            return replace(planned, actions=kept, reached=planned.reached if len(kept) == len(planned.actions) else ())
        planned = _next(step, intent, page, known)
    return rated(replace(planned, actions=conform(planned.actions, step)), step, intent, page)


def _next(step: Step, intent: Intent, page: Page, known: Known) -> Plan:
    """By the site's stated plan, if it uses all of the task; else by the rules; where these are not certain, by any known plan."""
    begun = replace(step, url=step.start or step.url)
    stated, is_whole = (None if page.blank else known.stated(begun, intent, page.title)) or (None, False)
    if stated and is_whole and not page.is_loading and (by_plan := known_step(step, intent, page, stated, is_whole=True)):
        return by_plan
    planned = next_step(step, intent, page)
    if page.blank or is_certain(planned, intent, page, Past(step.history)):
        return planned
    other, ends = stated or known.seen(begun, intent), planned.done or is_guessed(planned)
    return (known_step(step, intent, page, other, ends=ends) if other else None) or planned


def _one_shot(step: Step, intent: Intent, page: Page | None) -> Plan:
    if intent.kind is Kind.QUESTION:
        return Plan(opened(step.url), reasoning="Template: a question.", answer=answer(intent, page) if page else "")
    return Plan((*opened(step.url), *_by_recipes(intent, page)), reasoning=f"Template: {intent.kind}, all at once.")


def _by_recipes(intent: Intent, page: Page | None) -> list[Action]:
    """The best action of each move, with waits in between: longer where the next page may be loading."""
    stages: list[tuple[Recipe, Intent]] = [(LOGIN, intent)] if intent.logs_in else []
    stages += [(recipe_for(stage), stage) for stage in intent.stages]
    actions: list[Action] = []
    for recipe, stage in stages:
        reach = recipe.reach(stage, page) if page else recipe.blind_reach(stage)
        act = recipe.act(stage, page) if page and not reach else ()
        moves = (*reach, *(act or recipe.blind_act(stage)))
        best = [move.alternatives[0] for move in moves if move.alternatives and not move.shown]
        actions += [part for action in best for part in (action, BREATH if action.type == "TypeAction" else LOADING)]
        page = None
    return actions[:-1] if best else actions


def _as_learned(step: Step, intent: Intent, page: Page, solutions: Sequence[Solution]) -> Plan | None:
    try:
        solution = best_for(solutions, intent)
        return by_solution(step, intent, page, solution) if solution else None
    except Exception:
        logger.exception("A learned solution failed on step %s of task %s. The rules plan it.", step.index, step.task_id)
        return None


def kind(prompt: str) -> str:
    return understand(prompt).kind


def cuts(prompt: str) -> tuple[str, ...]:
    is_cut = len(prompt) > MAX_CRITERIA * 10 and are_cut(mask(prompt))  # a criterion has ten characters or more: "year is 1994"
    return (f"Criteria: the first {MAX_CRITERIA} of the prompt were read.",) if is_cut else ()


def plain(step: Step) -> Plan:
    """The plan that can't fail: open the task's URL, or in steps wait a second; a task without a prompt is done."""
    if step.form is Form.STEP:
        nothing = not step.prompt.strip()
        return Plan(() if nothing else (wait(1),), done=nothing, reasoning="Template: waiting.", confidence_why=_PLAIN)
    if opening := opened(step.url):
        return Plan(opening, reasoning="Template: opening the page.", confidence_why=_PLAIN)
    return Plan((wait(1),), reasoning="Template: the task has no page to open.", confidence_why=_PLAIN)
