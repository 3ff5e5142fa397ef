"""Which recipe is for a task. Each module of recipes has a table of its own, by kind; what is in none of them is guessed."""

from agents.template.prompt import Intent
from agents.template.recipes import accounts, form_task, item_tasks, page_tasks
from agents.template.recipes.accounts import LOGIN, LOGOUT
from agents.template.recipes.recipe import BEST_GUESS, Recipe

__all__ = ["BEST_GUESS", "LOGIN", "LOGOUT", "Recipe", "recipe_for"]

_RECIPES = {**form_task.RECIPES, **item_tasks.RECIPES, **page_tasks.RECIPES, **accounts.RECIPES}


def recipe_for(intent: Intent) -> Recipe:
    return _RECIPES.get(intent.kind, BEST_GUESS)
