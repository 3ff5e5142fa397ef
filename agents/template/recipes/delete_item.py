"""Delete an item: press what deletes it, on its own page or in its list, and confirm."""

from __future__ import annotations

from agents.page import Page
from agents.template import own
from agents.template.deeds import deed, did, named
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


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.DELETE_ITEM


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """What is one's own stands on one's own page."""
    return own.reach(intent, page) if page is not None and own.is_own(intent) and not act(intent, page) else ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return ()
    return confirming(page) or deeds(intent, page, NAMES)


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return did(past, NAMES) and not page.dialog and not is_there(quest_of(intent), page)


def confirming(page: Page) -> tuple[Move, ...]:
    """Confirm in an open dialog what was pressed before."""
    inside = [element for element in page.elements if element.dialog and element.usable]
    button = named(inside, _CONFIRMING)
    return (deed(page, button, _CONFIRMING),) if button else ()
