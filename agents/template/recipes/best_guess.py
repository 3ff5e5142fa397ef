"""The best reading of a prompt that no other recipe is for: fill what its criteria name, press what its words name."""

from __future__ import annotations

import re

from agents.page import Element, Page
from agents.page.elements import BUTTONS, FIELDS, TEXT_FIELDS
from agents.page.matching import words
from agents.template import blind
from agents.template.cards import best_card
from agents.template.fields import fills_for, form_of
from agents.template.intents import Intent
from agents.template.leads import ADDING
from agents.template.moves import Move, blind_press, press, send
from agents.template.past import Past
from agents.template.thesaurus import meant

# Half of what a button says must stand in the prompt, and one word that says what to do.
_LEAST = 0.6
# What a prompt may want switched.
_SWITCHES = frozenset({"checkbox", "radio", "switch"})
# What follows is no name of a button; and what markup says of any button.
_CRITERIA = re.compile(r"\b(?:where|whose|that|which|with)\b", re.I)
_MARKUP = frozenset({"button", "btn", "link", "action", "cta", "trigger", "click"})
_TWO = 2


def fits(intent: Intent) -> bool:
    return True


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        quoted = intent.subject if len(intent.subject) <= 40 and len(intent.subject.split()) <= 3 else ""
        return (blind_press(blind.pressed((quoted,))),) if quoted else ()
    fills = fills_for(page, intent.criteria, [field for field in page.usable(FIELDS) if field.type != "hidden"])
    anchor = _anchor(page, fills)
    if anchor is not None:
        return (*fills, send(page, anchor, form_of(page, anchor, (intent.words, "submit", "save", "send")).button))
    guess = _guess(intent, page)
    return (*fills, press(page, guess)) if guess else fills


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """A form was sent, one that still stands by its own button; or something was pressed, and nothing else answers to the prompt."""
    moves = act(intent, page)
    if any(move.fills for move in moves) and not past.nameless("ClickAction", succeeded=True):
        return any(past.did(way) for move in moves if not move.fills for way in move.ways)
    return past.after_sending() is not None or (past.pressed and _guess(intent, page) is None)


def _anchor(page: Page, fills: tuple[Move, ...]) -> Element | None:
    """A text field among those that are filled: the form to send is the one around it."""
    used = [move.ways[0].fields["selector"] for move in fills if move.ways]
    return next((field for field in page.usable(TEXT_FIELDS) if used and page.selector(field) in used), None)


def _guess(intent: Intent, page: Page) -> Element | None:
    """The link or button that the prompt's words name best, by itself or by the card that it stands in."""
    buttons = page.usable(BUTTONS | _SWITCHES)
    said = set(words(intent.words))
    named = [(_named(said, element), element) for element in buttons]
    best = max((merit for merit, _ in named), default=0.0)
    if best < _LEAST:
        return best_card(page, intent, buttons, (intent.words,)) if intent.subject else None
    alike = [element for merit, element in named if merit >= best - 0.01]
    return max(alike, key=lambda element: (len(said & set(words(page.card(element)))), -element.place))


def told(intent: Intent, page: Page) -> Element | None:
    """The button that the prompt itself names: all that it says, or that its markup calls it, stands in the prompt's own words."""
    said = _alike(_CRITERIA.split(intent.words, maxsplit=1)[0])
    buttons = [one for one in page.usable(BUTTONS) if max(_all_of(said, one.label), _all_of(said, one.hints)) >= _TWO]
    return max(buttons, key=lambda one: (_all_of(said, one.label), _all_of(said, one.hints), -one.place), default=None)


def _all_of(said: frozenset[str], text: str) -> int:
    """How many words a text shares with what is said, 0 where it says anything else."""
    own = _alike(text) - _MARKUP
    return len(own) if own <= said else 0


def _alike(text: str) -> frozenset[str]:
    """What a text means; to create is to add."""
    return frozenset("add" if word in ADDING else word for word in meant(text))


def _named(said: set[str], element: Element) -> float:
    """The share of what an element says that the prompt says too; a little more for more words."""
    own = words(element.label)
    shared = sum(word in said for word in own)
    return shared / len(own) + min(shared, 5) / 50 if own and shared else 0.0
