"""The rule-based agent: a plan from prompt, page and history, in milliseconds and without a model."""

from __future__ import annotations

from dataclasses import replace

from agents.actions import InvalidAction, navigate, wait
from agents.conventions import conform
from agents.page import Page, read
from agents.protocol import Form, Plan, Step
from agents.template.confidence import rated
from agents.template.intents import understand
from agents.template.one_shot import one_shot
from agents.template.planning import next_step
from agents.template.site_facts import NOWHERE, Sites
from agents.template.wanted import wanted
from agents.template.ways import way_for

__all__ = ["kind", "knows", "plain", "plan"]

_KNOWN = "How this site does such a task is known."

_PLAIN = "A plain answer, whatever the task is."


def plan(step: Step, page: Page | None, sites: Sites = NOWHERE) -> Plan:
    """The best plan for a step by rules alone. `page` is the step's page as read, None to have it read here in steps.
    `sites` is what is known of sites, by project.

    Every action is valid and keeps to the task's host and seed; a one-shot plan opens the task's URL first. An action that
    failed in the history is not sent again. `done` is said when the task is achieved or nothing is left to do. `confidence` tells
    how sure it is.
    """
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


def knows(step: Step, sites: Sites = NOWHERE) -> bool:
    """Whether a one-shot task's site and its way of doing the task are known, so that no page is needed."""
    site = sites.get(step.project)
    return step.form is Form.ONE_SHOT and site is not None and way_for(site, wanted(step.prompt, understand(step.prompt))) is not None


def kind(prompt: str) -> str:
    """The kind of task that a prompt asks for, as understood."""
    return understand(prompt).kind


def plain(step: Step) -> Plan:
    """The plan that can't fail: open the task's URL, or in steps wait a second; a task without words is done."""
    if step.form is Form.STEP:
        nothing = not step.prompt.strip()
        return Plan(() if nothing else (wait(1),), done=nothing, reasoning="Template: waiting.", confidence_why=_PLAIN)
    try:
        return Plan((navigate(step.url),), reasoning="Template: opening the page.", confidence_why=_PLAIN)
    except InvalidAction:
        return Plan((wait(1),), reasoning="Template: the task has no page to open.", confidence_why=_PLAIN)
