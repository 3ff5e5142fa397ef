"""Open an item: the link of the card that bears its name or best meets the criteria; else search for it."""

from __future__ import annotations

from agents.page import Element, Page
from agents.template import blind
from agents.template.cards import best_card
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_press, press
from agents.template.past import Past
from agents.template.recipes.search import search_for


def fits(intent: Intent) -> bool:
    return intent.kind in {Kind.OPEN_ITEM, Kind.PREVIEW}


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return search_for(None, intent.subject) if _named(intent) else ()
    return () if _link(intent, page) else search_for(page, intent.subject or intent.words)


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return (blind_press(blind.item(intent.subject[:80])),) if _named(intent) else ()
    link = _link(intent, page)
    return (press(page, link),) if link else ()


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """A link was pressed that no search came after, and the page's heading or title bears the name, or there is no name to look for."""
    pressed = bool(past.entries) and any(one.type == "ClickAction" and one.succeeded is not False for one in past.entries)
    if not pressed:
        return False
    heads = " ".join((page.title, *page.headings[:3])).lower()
    return not _named(intent) or intent.subject.lower() in heads or _link(intent, page) is None


def _named(intent: Intent) -> bool:
    return bool(intent.subject) and not any(one.operator.negative for one in intent.criteria if one.field in {"name", "title"})


def _link(intent: Intent, page: Page) -> Element | None:
    return best_card(page, intent, page.usable({"link"}), ("view details", "see more", "more info", "open"))
