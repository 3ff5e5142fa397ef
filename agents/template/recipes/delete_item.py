"""Delete an item: press what deletes it, on its own page or in its list, and confirm."""

from __future__ import annotations

import re

from agents.page import Page
from agents.template.deeds import deed, did, named
from agents.template.fields import link_to
from agents.template.finding import is_there
from agents.template.intents import Intent, Kind
from agents.template.moves import Move
from agents.template.on_item import deeds
from agents.template.past import Past
from agents.template.quest import quest_of

NAMES = (
    "delete", "remove", "delete item", "delete movie", "delete film", "delete book", "delete entry", "erase", "discard", "trash",
    "move to trash", "cancel", "destroy", "unregister",
)  # fmt: skip
_CONFIRMING = ("delete", "confirm", "yes", "remove", "ok", "yes delete", "confirm delete", "confirm deletion", "proceed", "continue")
_OF_MINE = re.compile(r"\b(?:my|your|own)\b", re.I)
_MINE = ("profile", "my account", "account", "dashboard", "my items", "my movies", "my books")


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.DELETE_ITEM


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """What is one's own stands on one's own page."""
    if page is None or not is_own(intent) or act(intent, page):
        return ()
    return link_to(page, _MINE, 0.7)


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return ()
    return confirming(page) or deeds(intent, page, NAMES)


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return did(past, NAMES) and not page.dialog and not is_there(quest_of(intent), page)


def is_own(intent: Intent) -> bool:
    return not quest_of(intent).criteria and _OF_MINE.search(intent.words) is not None


def confirming(page: Page) -> tuple[Move, ...]:
    """Confirm in an open dialog what was pressed before."""
    inside = [element for element in page.elements if element.dialog and element.usable]
    button = named(inside, _CONFIRMING)
    return (deed(page, button, _CONFIRMING),) if button else ()
