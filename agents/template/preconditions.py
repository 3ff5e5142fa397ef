"""What must be so before a recipe can act: the item found, or in the list that it is to be taken from."""

from __future__ import annotations

import re

from agents.page import Page
from agents.page.matching import words
from agents.sites import path_of
from agents.template import own
from agents.template.deeds import did
from agents.template.entering import log_in
from agents.template.fields import passwords
from agents.template.finding import fitting, is_there, towards
from agents.template.intents import Intent, Kind
from agents.template.moves import Move
from agents.template.on_item import deeds
from agents.template.past import Past
from agents.template.quest import ABOUT_ITEMS, quest_of
from agents.template.recipes import cart
from agents.template.sections import to_section

# Their recipes look themselves whose buttons they press, on an item's card too.
_ON_CARDS = ABOUT_ITEMS - {Kind.OPEN_ITEM, Kind.BACK, Kind.COMMENT, Kind.OWN_WORDS, Kind.BOOKING, Kind.CHECKOUT}
# These can be about no item at all.
_ALSO_WITHOUT = frozenset({Kind.BOOKING, Kind.CHECKOUT, Kind.EDIT_ITEM, Kind.DELETE_ITEM, Kind.REACT, Kind.MARK, Kind.UNFOLD})
_ACCOUNTS = frozenset({Kind.LOGIN, Kind.LOGOUT, Kind.REGISTER})
# Past the cart there is nothing left to be put in.
_PAYING = frozenset({"checkout", "payment"})
# These are done where the things are listed.
_ON_LISTS = frozenset({Kind.SEARCH, Kind.FILTER, Kind.SORT})
_IN_SECTIONS = frozenset({Kind.OPEN_ITEM, Kind.EDIT_ITEM, Kind.DELETE_ITEM, Kind.MARK})
_BUY = ("buy now", "buy it now", "order now", "purchase now", "checkout now", "buy", "purchase")
_AT_ONCE = re.compile(r"\bbuy now\b", re.I)


def before(intent: Intent, page: Page, past: Past, acts: tuple[Move, ...]) -> tuple[Move, ...]:
    """The moves that bring about what the task needs first; nothing where all is so. `acts` is what the recipe would do here."""
    if passwords(page) and page.logged_in is not True and intent.kind not in _ACCOUNTS:
        return log_in(intent, page)
    if intent.kind is Kind.CHECKOUT and (_PAYING & set(words(path_of(page.url))) or did(past, _BUY)):
        return ()
    if path_of(page.url) == "/" and (onward := _into_section(intent, page, past, acts)):
        return onward
    if intent.kind not in ABOUT_ITEMS or (acts and intent.kind in _ON_CARDS):
        return ()
    quest = quest_of(intent)
    if intent.kind is Kind.EDIT_ITEM and own.is_own(intent):
        return () if acts else own.reach(intent, page)
    if _through_cart(intent):
        return cart.filling(intent, page, past) or ()
    if quest.open and intent.kind in _ALSO_WITHOUT:
        return ()
    return _at_once(intent, page, past) if is_there(quest, page) else towards(quest, page, past)


def _at_once(intent: Intent, page: Page, past: Past) -> tuple[Move, ...]:
    """Of what is bought without a cart: press that, on the item's page."""
    wanted = intent.kind is Kind.CHECKOUT and _AT_ONCE.search(intent.words) and not did(past, _BUY)
    return deeds(intent, page, _BUY) if wanted else ()


def _into_section(intent: Intent, page: Page, past: Past, acts: tuple[Move, ...]) -> tuple[Move, ...]:
    """From the start page to the part of the site where such things are, unless the task can be done here."""
    listing = intent.kind in _ON_LISTS and not acts
    looking = intent.kind in _IN_SECTIONS and not any(verdict.certain for _, verdict in fitting(quest_of(intent), page))
    moves = to_section(intent, page) if listing or looking else ()
    return () if any(past.times(way) for move in moves for way in move.ways) else moves


def _through_cart(intent: Intent) -> bool:
    """Whether the item has to be in the cart first."""
    bought = intent.kind is Kind.CHECKOUT and not _AT_ONCE.search(intent.words) and not quest_of(intent).open
    return bought or cart.takes_from_cart(intent)
