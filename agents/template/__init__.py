"""The rule-based agent: a plan from prompt, page and history, in milliseconds and without a model."""

from dataclasses import replace

from agents.contract.actions import wait
from agents.contract.limits import MAX_CRITERIA
from agents.contract.origins import split_http
from agents.contract.protocol import Form, Plan, Step
from agents.contract.task_rules import conform
from agents.page import Page, read
from agents.template.budget import ENDLESS, TimeBudget, budgeted
from agents.template.confidence import rated
from agents.template.moves import opened
from agents.template.next_step import next_step
from agents.template.prompt.criteria import are_cut
from agents.template.prompt.intents import understand
from agents.template.prompt.masking import mask
from agents.template.sites.site_facts import NOWHERE, Sites
from agents.template.sites.site_plans import field_values, one_shot, plan_for

_KNOWN = "How this site does such a task is known."
_PLAIN = "A plain answer, whatever the task is."
CUT_OFF = "The planning was cut off by its time budget."


def plan(step: Step, page: Page | None, sites: Sites = NOWHERE, budget: TimeBudget = ENDLESS) -> Plan:
    """The best plan for a step by rules alone. `page`: the step's page as read, None to have it read here in steps; `sites`: what is
    known of sites, by project. When `budget` is over, the best plan so far is returned, at least a plain one.

    Every action is valid and keeps to the task's host and query; a one-shot plan opens the task's URL first. An action that
    failed in the history is not sent again. `done`: the task is achieved or nothing is left to do.
    """
    step = _placed(step, sites)
    with budgeted(budget) as current:
        made = plain(step) if current.is_over() else _planned(step, page, sites)
        if not current.is_cut_off:
            return made
    # Whether a task is done, or nothing is left to do, can't be seen on a part of the page.
    kept = plain(step) if made.done or not made.actions else made
    # Better than waiting, and no more is known of it.
    return replace(kept, confidence=0.1, confidence_why=CUT_OFF)


def _planned(step: Step, page: Page | None, sites: Sites) -> Plan:
    intent = understand(step.prompt)
    if knows(step, sites):
        made = one_shot(step, intent, None, sites)
        return replace(made, actions=conform(made.actions, step), confidence=sites[step.project].confidence, confidence_why=_KNOWN)
    if step.form is Form.ONE_SHOT:
        page = None if page is None or page.blank else page
        made = one_shot(step, intent, page, sites)
    else:
        page = page or read(step.page, step.url)
        made = next_step(step, intent, page)
    return rated(replace(made, actions=conform(made.actions, step)), step, intent, page)


def _placed(step: Step, sites: Sites) -> Step:
    """`/step` names no project, not even where it wants the whole plan: then the port says which of the known sites it is."""
    if step.project or step.form is not Form.ONE_SHOT or not (parts := split_http(step.url)):
        return step
    return replace(step, project=next((name for name, site in sites.items() if site.port and site.port == parts.port), ""))


def knows(step: Step, sites: Sites = NOWHERE) -> bool:
    """Whether a one-shot task's site and its way of doing the task are known, so that no page is needed."""
    site = sites.get(_placed(step, sites).project) if step.form is Form.ONE_SHOT else None
    return site is not None and plan_for(site, field_values(step.prompt, understand(step.prompt))) is not None


def kind(prompt: str) -> str:
    return understand(prompt).kind


def cuts(prompt: str) -> tuple[str, ...]:
    # A criterion has ten characters or more: "year is 1994".
    is_cut = len(prompt) > MAX_CRITERIA * 10 and are_cut(mask(prompt))
    return (f"Criteria: the first {MAX_CRITERIA} of the prompt were read.",) if is_cut else ()


def plain(step: Step) -> Plan:
    """The plan that can't fail: open the task's URL, or in steps wait a second; a task without words is done."""
    if step.form is Form.STEP:
        nothing = not step.prompt.strip()
        return Plan(() if nothing else (wait(1),), done=nothing, reasoning="Template: waiting.", confidence_why=_PLAIN)
    if opening := opened(step.url):
        return Plan(opening, reasoning="Template: opening the page.", confidence_why=_PLAIN)
    return Plan((wait(1),), reasoning="Template: the task has no page to open.", confidence_why=_PLAIN)
