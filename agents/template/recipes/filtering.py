"""Filter a list: set the controls that the criteria are about, and apply them where the page wants that."""

from __future__ import annotations

import re

from agents.page import Element, Page
from agents.template.deeds import deed, did, named
from agents.template.filters import controls, loose
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, press
from agents.template.past import Past

_APPLY = ("apply", "apply filters", "show results", "filter", "update results")
_UNFOLD = ("filters", "show filters", "more filters", "advanced filters", "filter")
_ROUTE = re.compile(r"/(?:search|browse|catalog(?:ue)?|explore|products|shop|items|all)(?:[/?#]|$)", re.I)
_LISTS = ("search", "browse", "filter", "catalog", "explore", "discover", "shop", "all")


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.FILTER


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """To the controls: unfolded where they hide, else on the page that lists what is filtered."""
    if page is None or controls(page, intent.criteria):
        return ()
    unfold = named(page.elements, _UNFOLD, least=0.9)
    if unfold is not None:
        return (deed(page, unfold, _UNFOLD),)
    routed = next((link for link in page.usable({"link"}) if _ROUTE.search(link.href) and not _ROUTE.search(page.url)), None)
    found = routed or named(page.elements, (*_things(intent), *_LISTS), least=0.8)
    return (press(page, found),) if found else ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return ()
    set_ = controls(page, intent.criteria) or loose(page, intent.criteria)
    button = _apply(page, set_)
    return (*set_, deed(page, button, _APPLY)) if button else set_


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """The controls are set, and what applies them was pressed where there is such a thing."""
    moves = controls(page, intent.criteria) or loose(page, intent.criteria)
    if not moves:
        return past.filled or past.pressed
    button = _apply(page, moves)
    return all(move.shown or any(past.did(way) for way in move.ways) for move in moves) and (button is None or did(past, _APPLY))


def _apply(page: Page, moves: tuple[Move, ...]) -> Element | None:
    """What applies what was set; what searches too, where something was typed."""
    typed = any(way.type == "TypeAction" for move in moves for way in move.ways)
    return named(page.elements, (*_APPLY, "search") if typed else _APPLY, least=0.9) if moves else None


def _things(intent: Intent) -> tuple[str, ...]:
    return (intent.subject,) if 0 < len(intent.subject) <= 20 else ()
