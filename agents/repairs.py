"""From the shapes in which models write actions to the contract's: only what is certain, never a guess."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from agents.catalogue import KEY_ALIASES, Kind, Value, kind_of
from agents.selector_repairs import repair_selector
from agents.selectors import InvalidAction, for_playwright
from agents.text import storable_json

Fields = dict[str, Any]

_NAME_KEYS = ("type", "name", "action", "tool", "tool_name", "action_type")
_ARGUMENT_KEYS = ("arguments", "args", "parameters", "params")
_SIDES = ("up", "down", "left", "right")
_HISTORY = {"goback": "go_back", "goforward": "go_forward"}
_SELECTOR_ALIASES = {"locator": None, "xpath": "xpath", "css": "css", "cssSelector": "css"}
_FIELD_ALIASES: dict[str, dict[str, str]] = {
    "NavigateAction": {"href": "url", "goBack": "go_back", "goForward": "go_forward"},
    "TypeAction": {"value": "text", "content": "text"},
    "SelectDropDownOptionAction": {"value": "text", "option": "text", "label": "text", "timeoutMs": "timeout_ms"},
    "SelectAction": {"text": "value", "option": "value", "label": "value"},
    "ScrollAction": {"text": "value", "to": "value"},
    "WaitAction": {"timeSeconds": "time_seconds", "seconds": "time_seconds"},
    "SendKeysIWAAction": {"key": "keys"},
    "AssertAction": {"text": "text_to_assert", "textToAssert": "text_to_assert"},
    "DragAndDropAction": {
        "source_selector": "sourceSelector",
        "target_selector": "targetSelector",
        "source": "sourceSelector",
        "target": "targetSelector",
    },
}
_HOST_WITH_PORT = re.compile(r"(?:[\w-]+\.)*[\w-]+:\d+(?=[/?#]|$)")
# No digit is lost on the way to text below this; what is larger is no value that a person would type.
_EXACT = 10**15


def canonical(raw: object) -> Fields:
    """The dict `{"type": …, …fields}` of a foreign action, still to be validated; raises InvalidAction when its type is unknown."""
    kind, given = named(storable_json(raw))
    fields = {name: value for name, value in _renamed(kind, given).items() if name in kind.fields and value is not None}
    repaired = {name: _repaired(kind.fields[name], value) for name, value in fields.items()}
    kept = {name: value for name, value in repaired.items() if kind.fields[name] is not Value.TRUE or value is not False}
    return {"type": kind.type, **_one_form(kind, kept)}


def named(raw: object) -> tuple[Kind, Fields]:
    """The kind of a foreign action and its fields, as they were written; raises InvalidAction when no known type can be read."""
    if not isinstance(raw, dict):
        raise InvalidAction("action: must be an object with a type.")
    call = _unwrapped(raw)
    for key in _NAME_KEYS:
        kind = kind_of(call.get(key))
        if kind:
            return kind, {**_history_flag(call[key]), **_arguments(call, key)}
    if len(call) == 1:
        name, fields = next(iter(call.items()))
        kind = kind_of(name)
        if kind and isinstance(fields, dict):
            return kind, {**_history_flag(name), **fields}
    raise InvalidAction("type: no known action; use one of the catalogue.")


def _unwrapped(raw: Fields) -> Fields:
    if isinstance(raw.get("function"), dict):
        return dict(raw["function"])
    if isinstance(raw.get("action"), dict):
        return {**{key: raw[key] for key in ("selector",) if key in raw}, **raw["action"]}
    return raw


def _history_flag(name: str) -> Fields:
    folded = re.sub(r"[\s_-]|browser\.|Action$", "", name).casefold()
    return {_HISTORY[folded]: True} if folded in _HISTORY else {}


def _arguments(call: Fields, name_key: str) -> Fields:
    rest = {key: value for key, value in call.items() if key != name_key and key not in _ARGUMENT_KEYS}
    for key in _ARGUMENT_KEYS:
        if key in call:
            return {**rest, **_as_object(call[key])}
    return rest


def _as_object(value: object) -> Fields:
    if isinstance(value, str):
        try:
            value = storable_json(json.loads(value or "{}"))
        except (ValueError, RecursionError):
            raise InvalidAction("arguments: not JSON; send an object.") from None
    return value if isinstance(value, dict) else {}


def _renamed(kind: Kind, given: Fields) -> Fields:
    aliases = _FIELD_ALIASES.get(kind.type, {})
    fields = {aliases[name]: value for name, value in given.items() if name in aliases}
    if "selector" in kind.fields:
        fields |= _selector_by_alias(given)
    fields |= {name: value for name, value in given.items() if value is not None and name in kind.fields}
    return _scrolled(given, fields) if kind.type == "ScrollAction" else fields


def _selector_by_alias(given: Fields) -> Fields:
    for alias, way in _SELECTOR_ALIASES.items():
        value = given.get(alias)
        if value:
            return {"selector": {"type": way, "value": value} if way else value}
    return {}


def _scrolled(given: Fields, fields: Fields) -> Fields:
    """Sides may come as a direction, as a value, or with an amount, which the contract doesn't have."""
    direction = given.get("direction", fields.get("value"))
    if isinstance(direction, str) and direction.strip().casefold() in _SIDES:
        fields = {name: value for name, value in fields.items() if name != "value"} | {direction.strip().casefold(): True}
    if isinstance(fields.get("value"), int | float):
        fields = {name: value for name, value in fields.items() if name != "value"}
    return fields


def _repaired(wanted: Value, value: Any) -> Any:
    match wanted:
        case Value.SELECTOR:
            return repair_selector(value)
        case Value.PLAYWRIGHT:
            return value if isinstance(value, str) else for_playwright(repair_selector(value))
        case Value.TRUE:
            return _flag(value)
        case Value.KEYS:
            return _keys(value)
        case Value.PIXELS | Value.MILLISECONDS | Value.SECONDS:
            return _number(value, whole=wanted is not Value.SECONDS)
    return _url(_plain_text(value)) if wanted is Value.URL else _plain_text(value)


def _flag(value: object) -> object:
    if isinstance(value, str):
        return {"true": True, "false": False, "": False}.get(value.strip().casefold(), value)
    return bool(value) if value in (0, 1) else value


def _number(value: object, *, whole: bool) -> object:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return value
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    return round(value) if whole or value.is_integer() else value


def _plain_text(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _EXACT:
        return str(value)
    return value


def _url(value: object) -> object:
    if not isinstance(value, str):
        return value
    url = value.strip().replace(" ", "%20")
    return f"http://{url}" if _HOST_WITH_PORT.match(url) else url


def _keys(value: object) -> object:
    """Key names in the spelling of Playwright; a list is a chord where its first key is held, else not certain."""
    if isinstance(value, list) and value and all(isinstance(key, str) for key in value):
        held = KEY_ALIASES.get(value[0].casefold()) in {"Control", "Shift", "Alt", "Meta"}
        value = "+".join(value) if held or len(value) == 1 else value
    if not isinstance(value, str) or value == "+":
        return value
    return "+".join(KEY_ALIASES.get(part.strip().casefold(), part.strip() or part) for part in value.split("+"))


def _one_form(kind: Kind, fields: Fields) -> Fields:
    """Where callers let the selector win over a point or a time, the loser goes."""
    if "selector" in fields and frozenset({"selector"}) in kind.forms:
        return {name: value for name, value in fields.items() if name == "selector" or name in kind.optional}
    if fields.get("url") == "":
        return {name: value for name, value in fields.items() if name != "url"}
    return fields
