"""Selectors of the validators' contract: made and checked."""

import re
from typing import Any

from lxml import etree

from agents.common.text import storable

# {"type": ATTRIBUTE, "attribute": A, "value": V}, {"type": TEXT, "value": V, "case_sensitive": True}, {"type": XPATH, "value": "//…"}
Selector = dict[str, Any]

ATTRIBUTE, TEXT, XPATH = "attributeValueSelector", "tagContainsSelector", "xpathSelector"
_KEYS = {ATTRIBUTE: {"type", "attribute", "value"}, TEXT: {"type", "value", "case_sensitive"}, XPATH: {"type", "value"}}
# Long enough for any selector; a longer one is a faulty reply.
MAX_VALUE = 2_000

IDENTIFIER = re.compile(r"(?:--|-?[A-Za-z_\u0080-\U0010ffff])[\w\u0080-\U0010ffff-]*", re.ASCII)
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# Callers put the value into single quotes of a CSS string, where these characters end it or change its meaning.
UNQUOTABLE = re.compile(r"['\\\n\r\f]")
_XPATH_START = re.compile(r"\(?//")
_XPATH_LITERAL = re.compile(r"\"[^\"]*\"|'[^']*'")
_XPATH_CALL = re.compile(r"(?<![\w-])([A-Za-z_][\w-]*+)\s*+\(")
# Ends in a text, comment or attribute, perhaps with conditions: Playwright acts on elements only.
_XPATH_NO_ELEMENT = re.compile(
    r"/\s*+(?:@[\w*-]++|(?:text|comment)\(\s*+\)|attribute\s*+::\s*+[\w*-]++)"
    r"\s*+(?:\[[^\]]*+\]\s*+)*+\)*+(?:\[\d+\])?$"
)
# Browsers support XPath 1.0: its node tests, functions and operators.
_XPATH_NAMES = frozenset(
    """and or div mod node text comment processing-instruction last position count id local-name namespace-uri name string concat
starts-with contains substring-before substring-after substring string-length normalize-space translate boolean not true false
lang number sum floor ceiling round""".split()  # noqa: SIM905 (words read best as words)
)


class InvalidAction(ValueError):
    """Callers would refuse the action. The message names the field and the remedy."""


def attribute(name: str, value: str) -> Selector:
    """By the exact value, or by any selector of Playwright: `attribute("custom", "button:has-text('Log in')")`."""
    return checked({"type": ATTRIBUTE, "attribute": name, "value": value})


def xpath(expression: str) -> Selector:
    return checked({"type": XPATH, "value": expression})


def quoted(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    return "concat(" + ', "\'", '.join(f"'{part}'" for part in text.split("'")) + ")"


def by_attribute(name: str, value: str) -> Selector:
    """By any value of an attribute: by CSS where possible, else by an equivalent XPath."""
    try:
        return attribute(name, value)
    except InvalidAction:
        if not _ATTRIBUTE_NAME.fullmatch(name):
            raise InvalidAction(f"selector.attribute: {name!r} is not an attribute's name; send id, name, href … or custom.") from None
    if name == "class":
        tests = [f"contains(concat(' ', normalize-space(@class), ' '), {quoted(f' {part} ')})" for part in value.split()]
        return xpath(f"//*[{' and '.join(tests)}]")
    return xpath(f"//{'a' if name == 'href' else '*'}[@{name.lower()}={quoted(value)}]")


def checked(raw: object, field: str = "selector") -> Selector:
    if not isinstance(raw, dict):
        raise InvalidAction(f"{field}: must be an object with type and value.")
    keys = _KEYS.get(raw["type"]) if isinstance(raw.get("type"), str) else None
    if keys is None:
        raise InvalidAction(f"{field}.type: must be one of {', '.join(_KEYS)}.")
    if raw.keys() != keys:
        raise InvalidAction(f"{field}: a {raw['type']} has exactly the keys {', '.join(sorted(keys))}.")
    value = raw["value"]
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_VALUE or value != storable(value):
        raise InvalidAction(f"{field}.value: must be a text of 1 to {MAX_VALUE} characters, without NUL and lone surrogates.")
    if raw["type"] == XPATH:
        check_xpath(value, field)
    elif raw["type"] == ATTRIBUTE:
        _check_attribute(raw["attribute"], value, field)
    elif raw["case_sensitive"] is not True:
        raise InvalidAction(f"{field}.case_sensitive: must be true; callers never match anything with false.")
    return dict(raw)


def check_xpath(expression: str, field: str) -> None:
    """Raises InvalidAction unless it is XPath 1.0 for elements and begins so that callers do not change it."""
    if not _XPATH_START.match(expression):
        raise InvalidAction(f"{field}.value: an XPath must begin with // or (//.")
    try:
        etree.XPath(expression, regexp=False)
    except (etree.XPathError, ValueError) as error:
        raise InvalidAction(f"{field}.value: not an XPath ({error}).") from error
    bare = _XPATH_LITERAL.sub("''", expression)
    if unknown := sorted(set(_XPATH_CALL.findall(bare)) - _XPATH_NAMES):
        raise InvalidAction(f"{field}.value: browsers have no {', '.join(unknown)}() in XPath; use contains() or translate().")
    if "$" in bare or re.search(r"(?<!:):(?!:)", bare):
        raise InvalidAction(f"{field}.value: an XPath can have no variables and prefixes here; test local-name() instead.")
    if _XPATH_NO_ELEMENT.search(bare):
        raise InvalidAction(f"{field}.value: an XPath must select an element, not its text or attribute.")


def _check_attribute(name: object, value: str, field: str) -> None:
    if not isinstance(name, str) or not _ATTRIBUTE_NAME.fullmatch(name):
        raise InvalidAction(f"{field}.attribute: must be an attribute's name, or custom.")
    if name == "custom":
        if value.startswith(("//", "(//", "xpath=", "..")):
            raise InvalidAction(f"{field}: send an XPath as {XPATH}.")
    elif name in {"id", "class"}:
        if not all(map(IDENTIFIER.fullmatch, [value] if name == "id" else value.split())):
            raise InvalidAction(f"{field}.value: by {name} it must be a CSS identifier; send an {XPATH} instead.")
    elif UNQUOTABLE.search(value):
        raise InvalidAction(f"{field}.value: quotes, backslashes and line ends break a selector by {name}; send an {XPATH}.")


def in_words(selector: Selector) -> str:
    value = selector["value"]
    if selector["type"] == TEXT:
        return f'the text "{value}"'
    if selector["type"] == ATTRIBUTE and selector["attribute"] != "custom":
        return f'the element with {selector["attribute"]} "{value}"'
    return str(value)


def for_playwright(selector: Selector) -> str:
    value: str = selector["value"]
    if selector["type"] != ATTRIBUTE:
        return f"xpath={value}" if selector["type"] == XPATH else f"text={value!r}"
    classes = "".join(f".{part}" for part in value.split())
    forms = {"custom": value, "id": f"#{value}", "class": classes, "href": f"a[href='{value}']"}
    return forms.get(selector["attribute"], f"[{selector['attribute']}='{value}']")
