"""Expand or collapse a part of a page."""

from __future__ import annotations

import re

from agents.page import Element, Page
from agents.page.elements import BUTTONS
from agents.template.deeds import did, named
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, press
from agents.template.past import Past

_PART = re.compile(r"\b(details?|menu|description|reviews?|specifications?|faq|section|panel)\b", re.I)
_NAMES = (
    "show details",
    "details",
    "view details",
    "product details",
    "more details",
    "specifications",
    "expand",
    "show more",
    "read more",
)
_COLLAPSES = re.compile(r"\b(?:collapse|close|fold|hide)\b", re.I)
_CLOSING = ("hide details", "collapse", "show less", "hide", "close")
_SURE = 0.7


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.UNFOLD


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """What says whether it is open comes first; else what is called like the part."""
    if page is None or (page.subject is None and page.records):
        return ()
    found = _folded(intent, page)
    return (press(page, found),) if found else ()


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """What answers to the task was pressed; its words may say the opposite by now."""
    acts = act(intent, page)
    return any(past.did(way) for move in acts for way in move.ways) if acts else did(past, _wanted(intent)) and page.subject is not None


def _wanted(intent: Intent) -> tuple[str, ...]:
    part = _PART.search(intent.words)
    names = (part[1],) if part else ()
    return (*_CLOSING, *names, *_NAMES) if _COLLAPSES.search(intent.words) else (*names, *_NAMES)


def _folded(intent: Intent, page: Page) -> Element | None:
    able = [one for one in page.usable(BUTTONS) if not one.href]
    telling = [one for one in able if one.expanded is not None and not one.opens]
    return named(telling, _wanted(intent), 0.4) or named(able, _wanted(intent), _SURE)
