"""What is one's own ("your film", "my review") stands on one's own page, often behind a tab."""

from __future__ import annotations

import re

from agents.page import Element, Page
from agents.page.elements import BUTTONS
from agents.page.matching import words
from agents.template.deeds import named
from agents.template.intents import Intent
from agents.template.moves import Move, press
from agents.template.quest import quest_of
from agents.template.thesaurus import meant

_OF_MINE = re.compile(r"\b(?:my|your|our|own)\s+(?P<thing>[a-z]+)\b", re.I)
_ROUTE = re.compile(r"/(?:profile|account|dashboard|me|user)(?:[/?#]|$)", re.I)
_NAMES = ("profile", "my profile", "my account", "dashboard")
# What a tab for something else says: one's data, what one has saved, something new.
_ELSE = frozenset({"profile", "password", "setting", "list", "new", "add", "create", "share", "save", "saved"})
_SURE = 0.7


def is_own(intent: Intent) -> bool:
    """Whether the prompt says whose item it is, and nothing else of it."""
    return not quest_of(intent).criteria and _OF_MINE.search(intent.words) is not None


def reach(intent: Intent, page: Page) -> tuple[Move, ...]:
    """To the own page by its route or name; there to the part where the item is."""
    if _ROUTE.search(page.url):
        tab = _part(intent, page)
        return (press(page, tab),) if tab is not None and not tab.selected else ()
    link = next((link for link in page.usable({"link"}) if _ROUTE.search(link.href)), None) or named(page.usable(BUTTONS), _NAMES, _SURE)
    return (press(page, link),) if link else ()


def _part(intent: Intent, page: Page) -> Element | None:
    """The tab that is called like the item, else one where something can be edited."""
    tabs = [tab for tab in page.usable({"tab"}) or page.usable({"button"}) if not _ELSE & (meant(tab.label) | meant(tab.hints))]
    found = _OF_MINE.search(intent.words)
    thing = " ".join(words(found["thing"])) if found else "item"
    return named(tabs, (f"edit {thing}", f"manage {thing}", thing), _SURE) or named(tabs, ("edit", "manage"), _SURE / 2)
