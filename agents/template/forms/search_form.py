"""A search with several fields, such as from where to where: its fields are filled one after the other, then it is sent."""

from collections.abc import Sequence
from dataclasses import replace

from agents.page import FIELDS, PICKER, TICKED, Element, Page, words
from agents.template.forms.filling import Answer, answers, filled
from agents.template.forms.slots import Slot
from agents.template.forms.widgets import chosen_from_list
from agents.template.items.filters import APPLY
from agents.template.items.matching import SEARCHING, best_button
from agents.template.moves import Move, press
from agents.template.prompt import Criterion

_SURE, _LIKELY = 0.9, 0.75


def search_fields(criteria: Sequence[Criterion], page: Page) -> tuple[Answer, ...]:
    """The answers of a search with several fields and a button."""
    fields = _fields(page)
    return answers(criteria, fields, page) if len(fields) > 1 and search_button(page) else ()


def search_form(criteria: Sequence[Criterion], page: Page) -> tuple[Move, ...]:
    given, sends = search_fields(criteria, page), search_button(page)
    if not given or not sends:
        return ()
    # A field that is opened by a press takes its value from the suggestions below it, before the next one is opened.
    if listed := chosen_from_list(page, criteria) if any(slot.opens for slot in _fields(page)) else ():
        return listed
    moves = filled(page, given)
    if any(answer.slot.opens and not answer.shown for answer in given):
        return tuple(move for move in moves if move.fills and not move.shown) or next((move,) for move in moves if not move.shown)
    return (*moves, press(page, sends)) if page.elements[sends.place].usable else moves


def search_button(page: Page) -> Element | None:
    """It may be disabled until the fields are filled."""
    last = max((slot.element.place for slot in _fields(page)), default=0)
    shown = (element for element in page.elements if element.role == "button" and not (element.hidden or element.covered or element.opens))
    buttons = [replace(button, disabled=False) for button in shown]
    below = [button for button in buttons if button.place > last]
    named = best_button(buttons, ("search", "find", *APPLY), _SURE) or best_button(below, ("search", "find"), _LIKELY)
    return named or next((button for button in below if SEARCHING & set(words(button.hints))), None)


def _fields(page: Page) -> list[Slot]:
    fields = page.usable((FIELDS - TICKED) | {PICKER})
    return [Slot(field) for field in fields if field.type not in {"password", "email"} and field.form is None]
