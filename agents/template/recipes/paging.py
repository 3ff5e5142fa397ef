"""Turn the pages of a list: on to the next one, or back, which takes a page to come back from."""

from __future__ import annotations

import re

from agents.page import Element, Page
from agents.template.deeds import deed, did, named
from agents.template.intents import Intent, Kind
from agents.template.moves import Move
from agents.template.past import Past

_BACKWARDS = re.compile(r"\b(?:prev(?:ious)?|earlier|preceding|backwards?)\b", re.I)
_NEXT = ("next page", "next", "forward", "older", "→", "›", "»", ">")
_BACK = ("previous page", "previous", "prev page", "prev", "back page", "back", "newer", "←", "‹", "«", "<")
_SURE = 0.7


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.PAGE


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """On a list's first page there is nothing to go back to: on first."""
    if page is None or not _is_back(intent) or _previous(page):
        return ()
    return _pressed(page, _next(page), _NEXT)


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return ()
    return _pressed(page, _previous(page), _BACK) if _is_back(intent) else _pressed(page, _next(page), _NEXT)


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """By what it is called, or by its selector: an arrow has no words."""
    return did(past, _BACK if _is_back(intent) else _NEXT) or any(past.did(way) for move in act(intent, page) for way in move.ways)


def _is_back(intent: Intent) -> bool:
    return _BACKWARDS.search(intent.words) is not None


def _next(page: Page) -> Element | None:
    return page.pagination.next or named(page.elements, _NEXT, _SURE)


def _previous(page: Page) -> Element | None:
    return page.pagination.previous or named(page.elements, _BACK, _SURE)


def _pressed(page: Page, element: Element | None, names: tuple[str, ...]) -> tuple[Move, ...]:
    return (deed(page, element, names),) if element else ()
