"""Go back to the whole list from one of its items: open one, the one that is meant where the prompt says it, then press what leads back."""

from __future__ import annotations

from agents.page import Page
from agents.template.deeds import deed, did, named
from agents.template.finding import is_there
from agents.template.intents import Intent, Kind
from agents.template.moves import Move
from agents.template.past import Past
from agents.template.quest import quest_of

_NAMES = ("back to all", "back to list", "back to results", "back", "return to list", "all", "return")
_SURE = 0.45


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.BACK


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """Only on the item's page: on others something else leads back."""
    if page is None or not is_there(quest_of(intent), page):
        return ()
    found = named(page.elements, _NAMES, _SURE)
    return (deed(page, found, ("back",)),) if found else ()


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return did(past, _NAMES[:4]) and not is_there(quest_of(intent), page)
