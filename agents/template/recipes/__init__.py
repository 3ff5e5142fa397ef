"""The recipe of each kind of task; for other kinds, a guess."""

from agents.template.prompt import Intent, Kind
from agents.template.recipes.accounts import LOGIN, LOGOUT, REGISTER
from agents.template.recipes.form_task import Choose, FormTask
from agents.template.recipes.item_tasks import Cart, DeleteItem, OpenItem, OwnComment, PressOnItem, React, Share, Wishlist
from agents.template.recipes.page_tasks import FILTER, BackToList, Cell, Navigate, Scroll, Search, Sort, TurnPage, Unfold
from agents.template.recipes.recipe import BEST_GUESS, Recipe

__all__ = ["BEST_GUESS", "LOGIN", "LOGOUT", "Recipe", "recipe_for"]

_RECIPES: dict[Kind, Recipe] = {
    **{kind: FormTask() for kind in Kind if kind.row.sent_by},
    **{kind: PressOnItem() for kind in Kind if kind.row.buttons},
    Kind.LOGIN: LOGIN, Kind.LOGOUT: LOGOUT, Kind.REGISTER: REGISTER, Kind.SEARCH: Search(), Kind.OPEN_ITEM: OpenItem(),
    Kind.PAGE: TurnPage(), Kind.BACK: BackToList(), Kind.FILTER: FILTER, Kind.SORT: Sort(), Kind.UNFOLD: Unfold(), Kind.SCROLL: Scroll(),
    Kind.NAVIGATE: Navigate(), Kind.CELL: Cell(), Kind.CART: Cart(), Kind.READING_LIST: Wishlist(), Kind.WISHLIST: Wishlist(),
    Kind.SHARE: Share(), Kind.OWN_COMMENT: OwnComment(), Kind.MARK: React(), Kind.DELETE_ITEM: DeleteItem(), Kind.REACT: React(),
    Kind.CHOOSE: Choose(), Kind.SETTINGS: Choose(), Kind.QUESTION: Recipe(),
}  # fmt: skip


def recipe_for(intent: Intent) -> Recipe:
    return _RECIPES.get(intent.kind, BEST_GUESS)
