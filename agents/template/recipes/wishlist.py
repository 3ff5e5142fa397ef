"""Wishlists, watchlists, reading lists, favourites: put an item on one, or take it off."""

from __future__ import annotations

import re

from agents.page import Page
from agents.template import blind
from agents.template.deeds import did
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_press
from agents.template.on_item import deeds
from agents.template.past import Past

_ON = (
    "add to watchlist",
    "add to wishlist",
    "add to reading list",
    "add to list",
    "save to list",
    "save for later",
    "favorite",
    "save",
    "want to read",
    "read later",
    "watch later",
    "track",
    "add",
    "wishlist",
)
_OFF = ("remove from watchlist", "remove from list", "remove from reading list", "remove bookmark", "saved", "in list", "added", "remove")
_GONE = ("remove", "unsave")
# What would take an item off must not be taken for what puts it on.
_SURE = 0.8
_TAKES_OFF = re.compile(r"^\W*(?:\w+ ){0,4}?(?:remove|delete|take|drop|unsave|unfavou?rite|clear)\b", re.I)


def fits(intent: Intent) -> bool:
    return intent.kind in {Kind.WISHLIST, Kind.READING_LIST}


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """Taking off what isn't on the list is putting it there first: the button's words tell which it would do."""
    if page is None:
        return (blind_press(blind.pressed(_OFF[:5] if takes_off(intent) else _ON[:5])),)
    off = deeds(intent, page, _OFF, _SURE)
    if takes_off(intent):
        return off or deeds(intent, page, _ON)
    return () if off else deeds(intent, page, _ON)


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """Something was pressed, and the page offers the opposite now: what was put on can be taken off."""
    pressed = did(past, (*_ON, *_OFF))
    if not takes_off(intent):
        return pressed
    return pressed and not deeds(intent, page, _OFF, _SURE) and (did(past, _GONE) or bool(deeds(intent, page, _ON)))


def takes_off(intent: Intent) -> bool:
    return _TAKES_OFF.search(intent.words) is not None
