"""What foreign selectors surely mean, in the contract's three forms."""

from __future__ import annotations

import re

from agents.selectors import InvalidAction, Selector, by_attribute, custom, text_in, xpath

_XPATH_MARK = re.compile(r"\A\s*xpath\s*=\s*(?=[/(.])", re.IGNORECASE)
_CSS_MARK = re.compile(r"\A\s*css\s*=\s*", re.IGNORECASE)
# Only where these stand for an attribute or a way of selecting, never for a value.
_WAYS = {
    "xpath": "xpath",
    "xpathselector": "xpath",
    "css": "css",
    "cssselector": "css",
    "custom": "css",
    "text": "text",
    "innertext": "text",
    "textcontent": "text",
    "tagcontains": "text",
    "tagcontainsselector": "text",
}
_AS_ATTRIBUTE = frozenset({"attribute", "attributevalue", "attributevalueselector"})
# Types that models invent, and the attribute that each can only mean.
_ATTRIBUTE_TYPES = frozenset({"id", "name", "class", "placeholder", "href", "aria-label", "data-testid", "title", "role"})


def repair_selector(raw: object) -> Selector:
    """A selector in any shape that models write, as the contract's; raises InvalidAction where its meaning is not certain."""
    if isinstance(raw, str):
        return from_text(raw)
    if not isinstance(raw, dict):
        raise InvalidAction("selector: must be an object with type and value.")
    way, value = _way_and_value(raw)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = repr(value)
    if not isinstance(value, str):
        raise InvalidAction("selector.value: must be a text.")
    return _by_way(way, value)


def from_text(text: str) -> Selector:
    """A bare string: an XPath where it begins like one, else what Playwright makes of it."""
    if _XPATH_MARK.match(text) or text.strip().startswith(("//", "(//", ".//")):
        return _xpath(text)
    return custom(_CSS_MARK.sub("", text, count=1).strip() if _CSS_MARK.match(text) else text.strip())


def _way_and_value(raw: dict[str, object]) -> tuple[str, object]:
    named = raw.get("type")
    if not isinstance(named, str):
        return _untyped(raw)
    if named.strip().casefold() in _AS_ATTRIBUTE:
        return _attribute_way(raw.get("attribute")), raw.get("value")
    return _attribute_way(named, only_known=True), raw.get("value")


def _untyped(raw: dict[str, object]) -> tuple[str, object]:
    if "attribute" in raw:
        return _attribute_way(raw["attribute"]), raw.get("value")
    if len(raw) != 1:
        raise InvalidAction("selector.type: must be attributeValueSelector, tagContainsSelector or xpathSelector.")
    name, value = next(iter(raw.items()))
    return _attribute_way(name, only_known=True), value


def _attribute_way(name: object, *, only_known: bool = False) -> str:
    folded = name.strip().removeprefix("@") if isinstance(name, str) else ""
    way = _WAYS.get(folded.casefold())
    if way:
        return way
    if not folded or (only_known and folded not in _ATTRIBUTE_TYPES):
        raise InvalidAction("selector.type: must be attributeValueSelector, tagContainsSelector or xpathSelector.")
    return "@class" if folded == "className" else f"@{folded}"


def _by_way(way: str, value: str) -> Selector:
    if way == "xpath":
        return _xpath(value)
    if way == "css":
        return from_text(value)
    if way == "text":
        return text_in(" ".join(value.split()))
    return by_attribute(way[1:], _bare(way, value))


def _bare(way: str, value: str) -> str:
    """The value without the mark of CSS that callers strip too."""
    if way == "@id":
        return value.strip().lstrip("#")
    return " ".join(part.lstrip(".") for part in value.split()) if way == "@class" else value


def _xpath(text: str) -> Selector:
    expression = _XPATH_MARK.sub("", text, count=1).strip().removeprefix(".")
    if expression.startswith("/html"):
        expression = f"/{expression}"
    elif re.match(r"[A-Za-z*]", expression):
        expression = f"//{expression}"
    return xpath(expression)
