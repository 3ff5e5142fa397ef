"""Repairs actions that models write in other shapes than the contract's, where their meaning is certain."""

import json
import math
import re
from typing import Any

from agents.common.text import storable_json
from agents.contract.action_types import KEY_ALIASES, Kind, Value, folded, kind_of
from agents.contract.selectors import TEXT, InvalidAction, Selector, attribute, by_attribute, checked, for_playwright, xpath

Fields = dict[str, Any]

_XPATH_MARK = re.compile(r"\A\s*xpath\s*=\s*(?=[/(.])", re.IGNORECASE)
_CSS_MARK = re.compile(r"\A\s*css\s*=\s*", re.IGNORECASE)
# Names of strategies, as models write them in the place of a type or attribute.
_STRATEGIES = {
    **dict.fromkeys(("xpath", "xpathselector"), "xpath"),
    **dict.fromkeys(("css", "cssselector", "custom"), "css"),
    **dict.fromkeys(("text", "innertext", "textcontent", "tagcontains", "tagcontainsselector"), "text"),
}
_AS_ATTRIBUTE = frozenset({"attribute", "attributevalue", "attributevalueselector"})
# Attributes that models write as types.
_ATTRIBUTE_TYPES = frozenset({"id", "name", "class", "placeholder", "href", "aria-label", "data-testid", "title", "role"})
_NO_TYPE = "selector.type: must be attributeValueSelector, tagContainsSelector or xpathSelector."


def repair_selector(raw: object) -> Selector:
    """Raises InvalidAction where the meaning is not certain."""
    if isinstance(raw, str):
        return _from_text(raw)
    if not isinstance(raw, dict):
        raise InvalidAction("selector: must be an object with type and value.")
    strategy, value = _strategy_and_value(raw)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = repr(value)
    if not isinstance(value, str):
        raise InvalidAction("selector.value: must be a text.")
    return _by_strategy(strategy, value)


def _by_strategy(strategy: str, value: str) -> Selector:
    if strategy in {"xpath", "css"}:
        return _xpath(value) if strategy == "xpath" else _from_text(value)
    if strategy == "text":
        return checked({"type": TEXT, "value": " ".join(value.split()), "case_sensitive": True})
    # Callers strip the marks of CSS too.
    if strategy == "@class":
        return by_attribute("class", " ".join(part.lstrip(".") for part in value.split()))
    return by_attribute(strategy[1:], value.strip().lstrip("#") if strategy == "@id" else value)


def _from_text(text: str) -> Selector:
    if _XPATH_MARK.match(text) or text.strip().startswith(("//", "(//", ".//")):
        return _xpath(text)
    return attribute("custom", _CSS_MARK.sub("", text, count=1).strip())


def _strategy_and_value(raw: dict[str, Any]) -> tuple[str, object]:
    type_ = raw.get("type")
    if isinstance(type_, str) and type_.strip().casefold() not in _AS_ATTRIBUTE:
        return _strategy(type_, is_type=True), raw.get("value")
    if isinstance(type_, str) or "attribute" in raw:
        return _strategy(raw.get("attribute")), raw.get("value")
    if len(raw) != 1:
        raise InvalidAction(_NO_TYPE)
    name, value = next(iter(raw.items()))
    return _strategy(name, is_type=True), value


def _strategy(name: object, *, is_type: bool = False) -> str:
    """The strategy that a type or attribute names: "xpath", "css", "text", or an attribute as "@id". `is_type`: others are refused."""
    bare = name.strip().removeprefix("@") if isinstance(name, str) else ""
    if strategy := _STRATEGIES.get(bare.casefold()):
        return strategy
    if not bare or (is_type and bare not in _ATTRIBUTE_TYPES):
        raise InvalidAction(_NO_TYPE)
    return "@class" if bare == "className" else f"@{bare}"


def _xpath(text: str) -> Selector:
    expression = _XPATH_MARK.sub("", text, count=1).strip().removeprefix(".")
    if expression.startswith("/html"):
        expression = f"/{expression}"
    elif re.match(r"[A-Za-z*]", expression):
        expression = f"//{expression}"
    return xpath(expression)


_NAME_KEYS = ("type", "name", "action", "tool", "tool_name", "action_type")
_ARGUMENT_KEYS, _SIDES = ("arguments", "args", "parameters", "params"), ("up", "down", "left", "right")
_IN_HISTORY = {"goback": {"go_back": True}, "goforward": {"go_forward": True}}
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
    "DragAndDropAction": {f"{end}{kind}": f"{end}Selector" for end in ("source", "target") for kind in ("", "_selector")},
}
_HOST_WITH_PORT = re.compile(r"(?:[\w-]+\.)*[\w-]+:\d+(?=[/?#]|$)")
# Numbers below this keep all digits as text; larger ones are not values that a person would type.
_EXACT = 10**15


def canonical(raw: object) -> Fields:
    """`{"type": …, …fields}` of a model's action, not validated; raises InvalidAction when its type is unknown."""
    kind, given = named(storable_json(raw))
    fields = ((name, value) for name, value in _renamed(kind, given).items() if name in kind.fields and value is not None)
    repaired = {name: _repaired(kind.fields[name], value) for name, value in fields}
    kept = {name: value for name, value in repaired.items() if kind.fields[name] is not Value.TRUE or value is not False}
    # Callers prefer a selector to a point or a time.
    if "selector" in kept and frozenset({"selector"}) in kind.forms:
        kept = {name: value for name, value in kept.items() if name == "selector" or name in kind.optional}
    elif kept.get("url") == "":
        del kept["url"]
    return {"type": kind.type, **kept}


def named(raw: object) -> tuple[Kind, Fields]:
    """The kind of a model's action and its fields as written; raises InvalidAction when it has no known type."""
    if not isinstance(raw, dict):
        raise InvalidAction("action: must be an object with a type.")
    call = raw
    if isinstance(raw.get("function"), dict):
        call = raw["function"]
    elif isinstance(raw.get("action"), dict):
        call = {**{key: raw[key] for key in ("selector",) if key in raw}, **raw["action"]}
    for key in _NAME_KEYS:
        if kind := kind_of(call.get(key)):
            return kind, {**_IN_HISTORY.get(folded(call[key]), {}), **_arguments(call, key)}
    if len(call) == 1:
        name, fields = next(iter(call.items()))
        if (kind := kind_of(name)) and isinstance(fields, dict):
            return kind, {**_IN_HISTORY.get(folded(name), {}), **fields}
    raise InvalidAction("type: no known action; use one of the catalogue.")


def _arguments(call: Fields, name_key: str) -> Fields:
    rest = {key: value for key, value in call.items() if key != name_key and key not in _ARGUMENT_KEYS}
    given = next((call[key] for key in _ARGUMENT_KEYS if key in call), None)
    if isinstance(given, str):
        try:
            given = storable_json(json.loads(given or "{}"))
        except (ValueError, RecursionError):
            raise InvalidAction("arguments: not JSON; send an object.") from None
    return {**rest, **(given if isinstance(given, dict) else {})}


def _renamed(kind: Kind, given: Fields) -> Fields:
    aliases = _FIELD_ALIASES.get(kind.type, {})
    fields = {aliases[name]: value for name, value in given.items() if name in aliases}
    alias = next((alias for alias in _SELECTOR_ALIASES if given.get(alias)), None)
    if alias and "selector" in kind.fields:
        strategy = _SELECTOR_ALIASES[alias]
        fields["selector"] = {"type": strategy, "value": given[alias]} if strategy else given[alias]
    fields |= {name: value for name, value in given.items() if value is not None and name in kind.fields}
    return _scrolled(given, fields) if kind.type == "ScrollAction" else fields


def _scrolled(given: Fields, fields: Fields) -> Fields:
    """The side may be a direction or a value. An amount is dropped, since the contract has none."""
    direction = given.get("direction", fields.get("value"))
    side = direction.strip().casefold() if isinstance(direction, str) else ""
    rest = {name: value for name, value in fields.items() if name != "value"}
    if side in _SIDES:
        return rest | {side: True}
    return rest if isinstance(fields.get("value"), int | float) else fields


def _repaired(kind_of_value: Value, value: Any) -> Any:
    match kind_of_value:
        case Value.SELECTOR:
            return repair_selector(value)
        case Value.PLAYWRIGHT:
            return value if isinstance(value, str) else for_playwright(repair_selector(value))
        case Value.TRUE if isinstance(value, str):
            return {"true": True, "false": False, "": False}.get(value.strip().casefold(), value)
        case Value.TRUE:
            return bool(value) if value in (0, 1) else value
        case Value.KEYS:
            return _keys(value)
        case Value.PIXELS | Value.MILLISECONDS | Value.SECONDS:
            return _number(value, whole=kind_of_value is not Value.SECONDS)
    return _text(value, is_url=kind_of_value is Value.URL)


def _text(value: object, *, is_url: bool) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _EXACT:
        return str(value)
    if not is_url or not isinstance(value, str):
        return value
    url = value.strip().replace(" ", "%20")
    return f"http://{url}" if _HOST_WITH_PORT.match(url) else url


def _number(value: object, *, whole: bool) -> object:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return value
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    return round(value) if whole or value.is_integer() else value


def _keys(value: object) -> object:
    """Key names in Playwright's spelling; a list is a chord if its first key is a modifier."""
    if isinstance(value, list) and value and all(isinstance(key, str) for key in value):
        held = KEY_ALIASES.get(value[0].casefold()) in {"Control", "Shift", "Alt", "Meta"}
        value = "+".join(value) if held or len(value) == 1 else value
    if not isinstance(value, str) or value == "+":
        return value
    return "+".join(KEY_ALIASES.get(part.strip().casefold(), part.strip() or part) for part in value.split("+"))
