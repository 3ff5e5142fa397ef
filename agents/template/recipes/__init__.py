"""The recipes, one a file, in the order in which they are asked; the last one is for everything."""

from __future__ import annotations

from agents.template.intents import Intent
from agents.template.recipes import (
    add_item,
    best_guess,
    booking,
    calendar,
    cart,
    checkout,
    comment,
    complete_task,
    contact,
    delete_item,
    edit_item,
    edit_profile,
    filtering,
    login,
    logout,
    message,
    navigate,
    open_item,
    react,
    register,
    scroll,
    search,
    settings,
    share,
    sorting,
    todo,
    unfold,
    views,
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
    sorting,
    open_item,
    contact.RECIPE,
    comment.RECIPE,
    add_item.RECIPE,
    edit_item.RECIPE,
    edit_profile.RECIPE,
    checkout.RECIPE,
    booking.RECIPE,
    message.RECIPE,
    calendar.RECIPE,
    complete_task,
    todo.RECIPE,
    settings.RECIPE,
    wishlist,
    cart,
    share,
    watch,
    react,
    delete_item,
    unfold,
    scroll,
    views,
    navigate,
    best_guess,
)


def recipe_for(intent: Intent) -> Recipe:
    """The first recipe that is for this intent."""
    return next(recipe for recipe in RECIPES if recipe.fits(intent))
