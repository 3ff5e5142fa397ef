"""The one-shot form: the whole list of actions at once, mostly for pages that nobody has seen yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agents.actions import Action
from agents.page import Page
from agents.protocol import Plan, Step
from agents.template.intents import Intent
from agents.template.moves import BREATH, LOADING, Move, opened
from agents.template.recipes import login, recipe_for
from agents.template.recipes.recipe import Recipe
from agents.template.site_facts import SiteFacts, Sites
from agents.template.ways import by_facts


def one_shot(step: Step, intent: Intent, page: Page | None, sites: Sites) -> Plan:
    """The whole list at once, the task's page first: by what is known of the site; else by the page that came along, or unseen."""
    task, actions = by_facts(step, intent, sites.get(step.project, SiteFacts()))
    if actions:
        return Plan((*opened(step.url), LOADING, *actions), reasoning=f"Template: {task}, as {step.project} is built.")
    return Plan((*opened(step.url), *_by_recipes(intent, page)), reasoning=f"Template: {intent.kind}, all at once.")


def _by_recipes(intent: Intent, page: Page | None) -> Iterator[Action]:
    """Everything by the page that came along or, without one, unseen."""
    if intent.logs_in:
        yield from _spaced(_whole(login, intent, page), LOADING)
        page = None
    stages = (intent, *intent.then)
    for count, stage in enumerate(stages, 1):
        yield from _spaced(_whole(recipe_for(stage), stage, page), LOADING if count < len(stages) else BREATH)
        page = None


def _whole(recipe: Recipe, intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """All moves of a recipe. Once it leads to another page, that one is unseen."""
    reach = recipe.reach(intent, page)
    act = recipe.act(intent, None if reach or page is None else page)
    return (*reach, *(act if act or page is None else recipe.act(intent, None)))


def _spaced(moves: Iterable[Move], last: Action) -> Iterator[Action]:
    """The best way of each move, a wait after each: longer where the next page may be loading."""
    ways = [move.ways[0] for move in moves if move.ways and not move.shown]
    for count, way in enumerate(ways, 1):
        yield way
        if count < len(ways) or last is LOADING:
            yield BREATH if way.type == "TypeAction" else LOADING
