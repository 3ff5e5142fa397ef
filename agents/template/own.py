"""What is one's own ("your film", "my review") stands on one's own page, often behind a tab."""

from __future__ import annotations

import re

from agents.page import Page
from agents.page.elements import BUTTONS
from agents.page.matching import words
from agents.template.deeds import named
from agents.template.intents import Intent
from agents.template.moves import Move, press
from agents.template.quest import quest_of

_OF_MINE = re.compile(r"\b(?:my|your|our|own)\s+(?P<thing>[a-z]+)\b", re.I)
_ROUTE = re.compile(r"/(?:profile|account|dashboard|me|user)(?:[/?#]|$)", re.I)
_NAMES = ("profile", "my profile", "my account", "dashboard")
_SURE = 0.8


def is_own(intent: Intent) -> bool:
    """Whether the prompt says whose item it is, and nothing else of it."""
    return not quest_of(intent).criteria and _OF_MINE.search(intent.words) is not None


def reach(intent: Intent, page: Page) -> tuple[Move, ...]:
    """To the own page by its route or name; there to the part that is called like the item."""
    if _ROUTE.search(page.url):
        tab = named(page.usable(BUTTONS), _parts(intent), _SURE)
        return (press(page, tab),) if tab is not None and not tab.selected else ()
    link = next((link for link in page.usable({"link"}) if _ROUTE.search(link.href)), None) or named(page.usable(BUTTONS), _NAMES, _SURE)
    return (press(page, link),) if link else ()


def _parts(intent: Intent) -> tuple[str, ...]:
    found = _OF_MINE.search(intent.words)
    thing = " ".join(words(found["thing"])) if found else "items"
    return (f"edit {thing}", f"manage {thing}", f"my {thing}", f"your {thing}", thing, "manage", "items", "listings")
