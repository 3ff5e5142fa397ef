"""The recipes, one a file, in the order in which they are asked; the last one is for everything."""

from __future__ import annotations

from agents.template.intents import Intent
from agents.template.recipes import (
    best_guess,
    cart,
    delete_item,
    filtering,
    login,
    logout,
    navigate,
    open_item,
    react,
    register,
    scroll,
    search,
    share,
    unfold,
    watch,
    wishlist,
)
from agents.template.recipes.recipe import Recipe

RECIPES: tuple[Recipe, ...] = (
    login,
    logout,
    register,
    search,
    filtering,
    open_item,
    wishlist,
    cart,
    share,
    watch,
    react,
    delete_item,
    unfold,
    scroll,
    navigate,
    best_guess,
)


def recipe_for(intent: Intent) -> Recipe:
    """The first recipe that is for this intent."""
    return next(recipe for recipe in RECIPES if recipe.fits(intent))
