"""The one-shot form: all actions at once, by the page if it was sent, else for an unseen page."""

from agents.contract.actions import Action
from agents.contract.protocol import Plan, Step
from agents.page import Page
from agents.template.items.answers import answer
from agents.template.moves import BREATH, LOADING, opened
from agents.template.prompt import Intent, Kind
from agents.template.recipes import LOGIN, Recipe, recipe_for


def one_shot(step: Step, intent: Intent, page: Page | None) -> Plan:
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
