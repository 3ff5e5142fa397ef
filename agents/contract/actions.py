"""Actions of the validators' contract.

Every `Action` is valid: only `validate`, `repair` and the constructors below make one.
Late-2025 callers reject a whole list for one invalid action, so validation is exact: no unknown field, no None, no other type.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from agents.common.text import shorten, storable
from agents.contract.action_repair import canonical
from agents.contract.action_types import CATALOGUE, KEY_NAMES, Value
from agents.contract.selectors import InvalidAction, Selector, checked, in_words

__all__ = ["Action", "InvalidAction", "repair", "validate"]

# A task ends after 180 s.
MAX_SECONDS = 180
_TOPS = {Value.PIXELS: 100_000, Value.SECONDS: MAX_SECONDS, Value.MILLISECONDS: MAX_SECONDS * 1000}
# Texts to fill in are sentences up to letters; a longer text is a faulty reply.
MAX_TEXT = 20_000

# Types whose action puts a value into a field.
FILLS = frozenset({"TypeAction", "SelectDropDownOptionAction"})

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f]")
_WITH_FLAG = {"go_back": "Go back", "go_forward": "Go forward"} | {side: f"Scroll {side}" for side in ("up", "down", "left", "right")}


@dataclass(frozen=True, slots=True)
class Action:
    """`type` is the canonical name ("ClickAction"), `fields` are its JSON fields without the type."""

    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tool(self) -> str:
        return CATALOGUE[self.type].tool

    def as_action(self) -> dict[str, Any]:
        return {"type": self.type, **deepcopy(dict(self.fields))}

    def as_tool_call(self) -> dict[str, Any]:
        return {"name": self.tool, "arguments": deepcopy(dict(self.fields))}

    def in_words(self) -> str:
        """For people, e.g. `Type "Arrival" into //input[@name='q']`."""
        if flagged := next((sentence for name, sentence in _WITH_FLAG.items() if name in self.fields), None):
            return flagged
        selector = self.fields.get("selector")
        shown = {name: shorten(value) if isinstance(value, str) else value for name, value in self.fields.items()}
        target = shorten(in_words(selector) if selector else f"the point {self.fields.get('x')}, {self.fields.get('y')}")
        sentence = "Wait for {target}" if self.type == "WaitAction" and selector else CATALOGUE[self.type].sentence
        return sentence.format(**{**shown, "target": target})


def validate(raw: object) -> Action:
    """The action of a canonical dict `{"type": …, …fields}`; raises InvalidAction, whose message names field and remedy."""
    if not isinstance(raw, Mapping):
        raise InvalidAction("action: must be an object with a type.")
    kind = CATALOGUE.get(raw["type"]) if isinstance(raw.get("type"), str) else None
    if kind is None:
        raise InvalidAction(f"type: must be one of {', '.join(CATALOGUE)}.")
    given = {str(name): value for name, value in raw.items() if name != "type"}
    if unknown := sorted(given.keys() - kind.fields.keys()):
        raise InvalidAction(f"{storable(unknown[0])[:100]}: a {kind.type} has no such field; leave it out.")
    if given.keys() - kind.optional not in kind.forms:
        choices = "; or ".join(" and ".join(sorted(form)) or "no field" for form in kind.forms)
        raise InvalidAction(f"{', '.join(sorted(given)) or 'fields'}: a {kind.type} needs exactly {choices}.")
    return Action(kind.type, {name: _value(name, kind.fields[name], value) for name, value in given.items()})


def repair(raw: object) -> Action:
    """The action of any shape that models write; raises InvalidAction where the meaning is not certain."""
    return validate(canonical(raw))


def _value(name: str, kind: Value, value: Any) -> Any:
    if kind is Value.SELECTOR:
        return checked(value, name)
    if kind in _TOPS:
        _check_number(name, kind, value)
    elif kind is not Value.TRUE:
        _check_text(name, kind, value)
    elif value is not True:
        raise InvalidAction(f"{name}: must be true, or left out.")
    return value


def _check_number(name: str, kind: Value, value: object) -> None:
    is_whole = kind is not Value.SECONDS
    if isinstance(value, bool) or not isinstance(value, int if is_whole else int | float):
        raise InvalidAction(f"{name}: must be a {'whole number' if is_whole else 'number'}.")
    if not 0 <= value <= _TOPS[kind]:
        raise InvalidAction(f"{name}: must lie between 0 and {_TOPS[kind]}.")


def _check_text(name: str, kind: Value, value: object) -> None:
    if not isinstance(value, str) or len(value) > MAX_TEXT or value != storable(value):
        raise InvalidAction(f"{name}: must be a text of up to {MAX_TEXT} characters, without NUL and lone surrogates.")
    if kind is not Value.TEXT and not value.strip():
        raise InvalidAction(f"{name}: must not be empty.")
    if kind is Value.URL and _UNSAFE_IN_URL.search(value):
        raise InvalidAction(f"{name}: must not hold spaces or control characters; percent-encode them.")
    if kind is Value.URL and _SCHEME.match(value) and not value.lower().startswith(("http://", "https://")):
        raise InvalidAction(f"{name}: must be http or https.")
    if kind is Value.KEYS:
        parts = ["+"] if value == "+" else value.split("+")
        if unknown := [part for part in parts if len(part) != 1 and part not in KEY_NAMES]:
            raise InvalidAction(f'{name}: {unknown[0]!r} is no key; send "Enter", "Control+A", a character …, or use TypeAction for text.')


def navigate(url: str) -> Action:
    return validate({"type": "NavigateAction", "url": url})


def click(selector: Selector) -> Action:
    return validate({"type": "ClickAction", "selector": selector})


def type_text(selector: Selector, text: str) -> Action:
    return validate({"type": "TypeAction", "selector": selector, "text": text})


def select_option(selector: Selector, text: str) -> Action:
    return validate({"type": "SelectDropDownOptionAction", "selector": selector, "text": text})


def submit(selector: Selector) -> Action:
    return validate({"type": "SubmitAction", "selector": selector})


def wait(seconds: float) -> Action:
    return validate({"type": "WaitAction", "time_seconds": seconds})


def send_keys(keys: str) -> Action:
    return validate({"type": "SendKeysIWAAction", "keys": keys})
