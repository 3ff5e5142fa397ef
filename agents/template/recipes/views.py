"""Switch to another view of what a page shows: a day, a month, an agenda, a list; where a menu hides the views, it is opened first."""

from __future__ import annotations

import re

from agents.page import Element, Page
from agents.page.elements import BUTTONS, FIELDS, OPTIONS
from agents.page.matching import words
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, press
from agents.template.past import Past

_NAMED = re.compile(r"\b([\w-]+)[ -]view\b", re.I)
_MENUS = BUTTONS | FIELDS
_SHORT = 4
_SAYS_NOTHING = frozenset({"view", "select", "switch", "show", "to", "the", "calendar"})


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.NAVIGATE and _NAMED.search(intent.words) is not None


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return ()
    found = _view(intent, page) or _menu(page)
    return (press(page, found),) if found else ()


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """The view was pressed; one press while it is still offered was that of the menu."""
    presses = sum(entry.type == "ClickAction" and entry.succeeded is not False for entry in past.entries)
    return presses > 1 or (presses == 1 and _view(intent, page) is None)


def _view(intent: Intent, page: Page) -> Element | None:
    """What bears the view's name and nothing more."""
    name = _NAMED.search(intent.words)
    wanted = words(name[1]) if name else ()
    return next((one for one in page.usable(_MENUS | OPTIONS) if _own(one) == wanted), None)


def _own(element: Element) -> tuple[str, ...]:
    return tuple(word for word in words(element.label or element.text) if word not in _SAYS_NOTHING)


def _menu(page: Page) -> Element | None:
    """What is called a view and says which one is shown, not which one it leads to."""
    called = [one for one in page.usable(_MENUS) if "view" in words(f"{one.label} {one.hints}") and len(words(one.label)) <= _SHORT]
    return next((one for one in called if not one.href), None)
