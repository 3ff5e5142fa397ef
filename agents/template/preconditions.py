"""What must be so before a recipe can act: the item found, or in the list that it is to be taken from."""

from __future__ import annotations

import re

from agents.page import Page
from agents.template.finding import is_there, towards
from agents.template.intents import Intent, Kind
from agents.template.moves import Move
from agents.template.past import Past
from agents.template.quest import ABOUT_ITEMS, quest_of
from agents.template.recipes import cart

# Their recipes look themselves whose buttons they press, on an item's card too.
_ON_CARDS = frozenset(
    {
        Kind.TRAILER,
        Kind.PREVIEW,
        Kind.SHARE,
        Kind.CART,
        Kind.WISHLIST,
        Kind.READING_LIST,
        Kind.REACT,
        Kind.MARK,
        Kind.DELETE_ITEM,
        Kind.EDIT_ITEM,
    }
)
_OWN = re.compile(r"\b(?:your|my)\b", re.I)


def before(intent: Intent, page: Page, past: Past, acts: tuple[Move, ...]) -> tuple[Move, ...]:
    """The moves that bring about what the task needs first; nothing where all is so. `acts` is what the recipe would do here."""
    if acts and intent.kind in _ON_CARDS:
        return ()
    if cart.takes_from_cart(intent):
        filled = cart.filling(intent, page, past)
        if filled is not None:
            return filled
    quest = quest_of(intent)
    if intent.kind not in ABOUT_ITEMS or quest.open or _changes_own(intent) or is_there(quest, page):
        return ()
    return towards(quest, page, past)


def _changes_own(intent: Intent) -> bool:
    """Whether an item of one's own is to be changed: its criteria tell what it is to become, not which it is."""
    return intent.kind is Kind.EDIT_ITEM and _OWN.search(intent.words) is not None
