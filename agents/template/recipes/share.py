"""Share an item: press what shares it, and send what that asks for."""

from __future__ import annotations

from agents.page import Page
from agents.page.elements import TEXT_FIELDS
from agents.template import blind
from agents.template.deeds import deed, did, named
from agents.template.form_task import FormTask
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_press
from agents.template.on_item import deeds
from agents.template.past import Past

_NAMES = ("share", "share link", "share this", "recommend", "send to a friend", "copy link", "spread the word", "tell a friend")
_SEND = ("send", "share", "send invite", "share now", "copy link", "confirm", "submit")
_FORM = FormTask(
    "share dialog",
    frozenset({Kind.SHARE}),
    leads=(),
    sends=_SEND,
    known_by=("email", "recipient"),
    fills=("email", "name"),
)


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.SHARE


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return (blind_press(blind.pressed(_NAMES[:1])),)
    return _asked(intent, page) or deeds(intent, page, _NAMES)


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return did(past, _NAMES) and (not page.dialog or past.filled)


def _asked(intent: Intent, page: Page) -> tuple[Move, ...]:
    """What an open dialog wants to know, and what sends it."""
    inside = [element for element in page.elements if element.dialog and element.usable]
    if any(element.role in TEXT_FIELDS for element in inside):
        return _FORM.act(intent, page)
    button = named(inside, _SEND)
    return (deed(page, button, _SEND),) if button else ()
