"""From the numbers that a model picks to actions on the page's elements."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from agents.actions import Action, InvalidAction, repair, select_option, type_text, validate
from agents.page import Element
from agents.page.elements import BUTTONS, TICKED
from agents.protocol import Form, Step
from agents.repairs import named
from agents.selectors import Selector
from agents.showing import Shown
from agents.template.moves import MOST_SELECTORS
from agents.template.past import Past
from agents.text import storable_json

_NUMBER_KEYS = ("element", "number", "index", "selector")
_TEXT_KEYS = ("text", "value", "option", "content", "label")
_NUMBER = re.compile(r"\s*\[?\s*(\d{1,5})\s*\]?\s*")
_FILLS = frozenset({"TypeAction", "SelectDropDownOptionAction", "SelectAction"})
_ESCAPED = re.compile(r"&lt;[a-z_]{2,40}&gt;")


def picked(raw: object, step: Step, shown: Shown) -> Action:
    """The action that a model means by its JSON, on the element whose number it gives.

    Where a page was shown in step form, elements are picked by number alone: a selector of the model's own was never seen to match.
    Raises InvalidAction, which says what is wrong.
    """
    kind, fields = named(storable_json(raw))
    number = _number(fields) if "selector" in kind.fields else None
    if number is None:
        return _unpicked(repair(raw), step, shown)
    element = shown.elements.get(number)
    if element is None or shown.page is None:
        raise InvalidAction(f"element: there is no number {number} on the page.")
    make = _filling(element, fields) if kind.type in _FILLS else _pressing(kind.type, element)
    return _untried([make(selector) for selector in shown.page.selectors(element)[:MOST_SELECTORS]], Past(step.history))


def _number(fields: dict[str, object]) -> int | None:
    for value in (fields.get(key) for key in _NUMBER_KEYS):
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 100_000 and value == int(value):
            return int(value)
        if isinstance(value, str) and (found := _NUMBER.fullmatch(value)):
            return int(found[1])
    return None


def _unpicked(action: Action, step: Step, shown: Shown) -> Action:
    if step.form is Form.STEP and shown.page is not None and {"selector", "x", "sourceSelector"} & action.fields.keys():
        raise InvalidAction("element: pick one of the page's numbers.")
    return action


def _filling(element: Element, fields: dict[str, object]) -> Callable[[Selector], Action]:
    """What a person would do to bring the text into the field: type it, or choose the option that says it."""
    if element.role in TICKED:
        return _pressing("ClickAction", element)
    said = next((value for value in (fields.get(key) for key in _TEXT_KEYS) if isinstance(value, str | int | float)), None)
    if said is None or isinstance(said, bool) or element.role in BUTTONS:
        raise InvalidAction("text: give a text, and the number of a field.")
    text = _ESCAPED.sub(lambda found: html.unescape(found[0]), str(said))
    if element.tag != "select":
        return lambda selector: type_text(selector, text)
    option = next((option for option in element.options if _folded(option) == _folded(text)), None)
    if option is None:
        raise InvalidAction("text: choose one of the options.")
    return lambda selector: select_option(selector, option)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _pressing(action_type: str, element: Element) -> Callable[[Selector], Action]:
    """Enter is for fields; a button is clicked."""
    made_type = "ClickAction" if action_type == "SubmitAction" and element.role in BUTTONS else action_type
    return lambda selector: validate({"type": made_type, "selector": selector})


def _untried(ways: list[Action], past: Past) -> Action:
    untried = next((way for way in ways if not past.failed(way)), None)
    if untried is None:
        raise InvalidAction("element: every way to it has failed before.")
    return untried
