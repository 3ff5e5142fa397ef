"""Search: into the search field, press Enter."""

from __future__ import annotations

from agents.page import Page
from agents.template import blind
from agents.template.fields import form_of, link_to
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_enter, blind_fill, fill, send
from agents.template.past import Past
from agents.template.values import example

NAMES = ("search", "find", "look up", "go", "query", "discover")


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.SEARCH


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None or page.search_box:
        return ()
    return link_to(page, ("search", "find", "browse", "catalog"))


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return search_for(page, term(intent))


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return past.after_enter() is not None


def search_for(page: Page | None, words: str) -> tuple[Move, ...]:
    """Type the words into the search field and send them; nothing where the page has none."""
    if page is None:
        return (blind_fill(blind.TEXT_FIELD, words), blind_enter(blind.TEXT_FIELD))
    field = page.search_box
    if field is None:
        return ()
    button = form_of(page, field, NAMES).button if field.form is not None else None
    return (fill(page, field, words), send(page, field, button, enter_first=True))


def term(intent: Intent) -> str:
    """What to search for: the subject; else a value that meets the first criterion."""
    first = next(iter(intent.criteria), None)
    if first and (first.operator.negative or not intent.subject):
        return example(first)
    return intent.subject or intent.words
