"""Search: into the search field, press Enter."""

from __future__ import annotations

from agents.page import Element, Page
from agents.page.elements import TEXT_FIELDS
from agents.template import blind
from agents.template.fields import form_of, link_to
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_enter, blind_fill, fill, send
from agents.template.past import Past
from agents.template.values import example

NAMES = ("search", "find", "look up", "go", "query", "discover")
_FIELD_NAMES = ("search", "query", "q", "find", "keyword", "look for", "discover")
_NOT_FOR_WORDS = frozenset({"password", "email", "date", "number", "time", "tel", "url"})
_WEAK = 0.3


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.SEARCH


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None or search_field(page):
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
    field = search_field(page)
    if field is None:
        return ()
    button = form_of(page, field, NAMES).button if field.form is not None else None
    return (fill(page, field, words), send(page, field, button, enter_first=True))


def search_field(page: Page) -> Element | None:
    """By type, else by name; else the page's only field for words."""
    fields = [field for field in page.usable(TEXT_FIELDS) if field.type not in _NOT_FOR_WORDS]
    typed = next((field for field in fields if field.role == "searchbox"), None)
    if typed or not fields:
        return typed
    named = page.find(_FIELD_NAMES, TEXT_FIELDS, _WEAK)
    if named in fields:
        return named
    return fields[0] if len(fields) == 1 else None


def term(intent: Intent) -> str:
    """What to search for: the subject; else a value that meets the first criterion."""
    first = next(iter(intent.criteria), None)
    if first and (first.operator.negative or not intent.subject):
        return example(first)
    return intent.subject or intent.words
