"""Open an item: it is done when its page is there; the way to it is the same as for all tasks that are about an item."""

from __future__ import annotations

from agents.page import Page
from agents.template import blind
from agents.template.finding import is_there
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_press
from agents.template.past import Past
from agents.template.quest import quest_of
from agents.template.recipes.search import search_for


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.OPEN_ITEM


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    name = quest_of(intent).name
    return search_for(None, name) if page is None and name else ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    name = quest_of(intent).name
    return (blind_press(blind.item(name[:80])),) if page is None and name else ()


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """Something was pressed, and the page is that of an item that meets the criteria."""
    return past.pressed and is_there(quest_of(intent), page)
