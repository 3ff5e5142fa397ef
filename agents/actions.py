"""Actions of the validators' contract.

An `Action` that exists is valid: `validate`, `repair` and the constructors below are the only ways to make one.
Late-2025 callers void a whole list for one invalid action, so validation is exact: no unknown field, no None, no loose type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from agents.catalogue import CATALOGUE, KEY_NAMES, Kind, Value
from agents.phrases import phrase
from agents.repairs import canonical
from agents.selectors import InvalidAction, Selector, checked, in_words
from agents.text import shorten, storable

__all__ = [
    "Action",
    "InvalidAction",
    "click",
    "hover",
    "navigate",
    "repair",
    "scroll",
    "select_option",
    "send_keys",
    "submit",
    "type_text",
    "validate",
    "wait",
]

# A task ends after 180 s: nothing that waits longer can be meant.
MAX_SECONDS = 180
MAX_PIXELS = 100_000
# Filled-in texts are sentences to letters; a whole page is a reply that went astray.
MAX_TEXT = 20_000

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Action:
    """One browser action: `type` is the canonical name ("ClickAction"), `fields` its JSON fields without the type."""

    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tool(self) -> str:
        """The action's name in step answers, e.g. "browser.click"."""
        return CATALOGUE[self.type].tool

    def as_action(self) -> dict[str, Any]:
        """As one-shot callers want it: `{"type": "ClickAction", "selector": {…}}`."""
        return {"type": self.type, **deepcopy(dict(self.fields))}

    def as_tool_call(self) -> dict[str, Any]:
        """As step callers want it: `{"name": "browser.click", "arguments": {…}}`."""
        return {"name": self.tool, "arguments": deepcopy(dict(self.fields))}

    def in_words(self) -> str:
        """A short sentence for people, e.g. `Type "Arrival" into //input[@name='q']`."""
        return _sentence(self.type, self.fields)


def validate(raw: object) -> Action:
    """The action of a canonical dict `{"type": …, …fields}`; raises InvalidAction, whose text names field and remedy."""
    if not isinstance(raw, Mapping):
        raise InvalidAction("action: must be an object with a type.")
    kind = CATALOGUE.get(raw["type"]) if isinstance(raw.get("type"), str) else None
    if kind is None:
        raise InvalidAction(f"type: must be one of {', '.join(CATALOGUE)}.")
    given = {str(name): value for name, value in raw.items() if name != "type"}
    _check_form(kind, given)
    return Action(kind.type, {name: _value(name, kind.fields[name], value) for name, value in given.items()})


def repair(raw: object) -> Action:
    """The action that foreign JSON surely means, in any of the shapes models write; raises InvalidAction where it is not certain."""
    return validate(canonical(raw))


def _check_form(kind: Kind, given: dict[str, Any]) -> None:
    unknown = sorted(given.keys() - kind.fields.keys())
    if unknown:
        raise InvalidAction(f"{storable(unknown[0])[:100]}: a {kind.type} has no such field; leave it out.")
    if given.keys() - kind.optional not in kind.forms:
        choices = "; or ".join(" and ".join(sorted(form)) or "no field" for form in kind.forms)
        raise InvalidAction(f"{', '.join(sorted(given)) or 'fields'}: a {kind.type} needs exactly {choices}.")


def _value(name: str, wanted: Value, value: object) -> Any:
    if wanted is Value.SELECTOR:
        return checked(value, name)
    if wanted in (Value.PIXELS, Value.SECONDS, Value.MILLISECONDS):
        return _number(name, wanted, value)
    if wanted is Value.TRUE:
        if value is not True:
            raise InvalidAction(f"{name}: must be true, or left out.")
        return True
    return _text(name, wanted, value)


def _number(name: str, wanted: Value, value: object) -> int | float:
    top = {Value.PIXELS: MAX_PIXELS, Value.SECONDS: MAX_SECONDS, Value.MILLISECONDS: MAX_SECONDS * 1000}[wanted]
    if isinstance(value, bool) or not isinstance(value, int | float if wanted is Value.SECONDS else int):
        raise InvalidAction(f"{name}: must be a {'number' if wanted is Value.SECONDS else 'whole number'}.")
    if not 0 <= value <= top:
        raise InvalidAction(f"{name}: must lie between 0 and {top}.")
    return value


def _text(name: str, wanted: Value, value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or value != storable(value):
        raise InvalidAction(f"{name}: must be a text of up to {MAX_TEXT} characters, without NUL and lone surrogates.")
    if wanted is not Value.TEXT and not value.strip():
        raise InvalidAction(f"{name}: must not be empty.")
    if wanted is Value.URL:
        _check_url(name, value)
    if wanted is Value.KEYS:
        _check_keys(name, value)
    return value


def _check_url(name: str, url: str) -> None:
    if _UNSAFE_IN_URL.search(url):
        raise InvalidAction(f"{name}: must not hold spaces or control characters; percent-encode them.")
    if _SCHEME.match(url) and not url.lower().startswith(("http://", "https://")):
        raise InvalidAction(f"{name}: must be http or https.")


def _check_keys(name: str, keys: str) -> None:
    parts = ["+"] if keys == "+" else keys.split("+")
    unknown = [part for part in parts if len(part) != 1 and part not in KEY_NAMES]
    if unknown:
        raise InvalidAction(f'{name}: {unknown[0]!r} is no key; send "Enter", "Control+A", a character …, or use TypeAction for text.')


def navigate(url: str) -> Action:
    return validate({"type": "NavigateAction", "url": url})


def click(selector: Selector) -> Action:
    return validate({"type": "ClickAction", "selector": selector})


def type_text(selector: Selector, text: str) -> Action:
    return validate({"type": "TypeAction", "selector": selector, "text": text})


def select_option(selector: Selector, text: str) -> Action:
    """Choose the option that shows `text` in the one `<select>` that matches."""
    return validate({"type": "SelectDropDownOptionAction", "selector": selector, "text": text})


def submit(selector: Selector) -> Action:
    """Press Enter in the one field that matches."""
    return validate({"type": "SubmitAction", "selector": selector})


def wait(seconds: float) -> Action:
    return validate({"type": "WaitAction", "time_seconds": seconds})


def send_keys(keys: str) -> Action:
    """Press a key or chord, e.g. "Enter", "Control+A"."""
    return validate({"type": "SendKeysIWAAction", "keys": keys})


def hover(selector: Selector) -> Action:
    return validate({"type": "HoverAction", "selector": selector})


def scroll(side: str) -> Action:
    """Scroll one screen: `side` is up, down, left or right."""
    return validate({"type": "ScrollAction", side: True})


_SENTENCES = {
    "NavigateAction": phrase("Open {url}"),
    "ClickAction": phrase("Click {target}"),
    "DoubleClickAction": phrase("Double-click {target}"),
    "TypeAction": phrase('Type "{text}" into {target}'),
    "SelectDropDownOptionAction": phrase('Choose "{text}" in {target}'),
    "SelectAction": phrase('Choose "{value}" in {target}'),
    "HoverAction": phrase("Hover over {target}"),
    "SubmitAction": phrase("Press Enter in {target}"),
    "ScrollAction": phrase("Scroll to {value}"),
    "WaitAction": phrase("Wait {time_seconds:g} s"),
    "SendKeysIWAAction": phrase("Press {keys}"),
    "AssertAction": phrase('Check that the page says "{text_to_assert}"'),
    "DragAndDropAction": phrase("Drag {sourceSelector} onto {targetSelector}"),
    "ScreenshotAction": phrase("Take a screenshot"),
    "IdleAction": phrase("Do nothing"),
    "DoneAction": phrase("Say that the task is done"),
}
_WITH_FLAG = {
    "go_back": phrase("Go back"),
    "go_forward": phrase("Go forward"),
    "up": phrase("Scroll up"),
    "down": phrase("Scroll down"),
    "left": phrase("Scroll left"),
    "right": phrase("Scroll right"),
}


def _sentence(action_type: str, fields: Mapping[str, Any]) -> str:
    for name, sentence in _WITH_FLAG.items():
        if name in fields:
            return sentence
    selector = fields.get("selector")
    shown = {name: shorten(value) if isinstance(value, str) else value for name, value in fields.items()}
    target = in_words(selector) if selector else phrase("the point {x}, {y}", x=fields.get("x"), y=fields.get("y"))
    if action_type == "WaitAction" and selector:
        return phrase("Wait for {target}", target=shorten(target))
    return phrase(_SENTENCES[action_type], **{**shown, "target": shorten(target)})
