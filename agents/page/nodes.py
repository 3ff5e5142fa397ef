"""Texts in one line, and what a node's class names and style mean: whether it is visible, what it covers, its state."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

from agents.page import screens

Node = etree._Element  # noqa: SLF001 (lxml gives its element type no public name)
Attributes = Mapping[str, str]

LONGEST_TEXT = 160


def one_line(text: str, limit: int = LONGEST_TEXT) -> str:
    return " ".join(text[: limit * 8].split())[:limit].rstrip()


# What only screen readers read cannot be pressed.
_NO_DISPLAY = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?<![\w-])(?:width|height)\s*:\s*0(?:px)?\s*;(?=.*overflow\s*:\s*hidden)", re.I
)
# As a library calls a layer of its own that is closed: "x-popover-hidden".
_HIDDEN_LAYER = re.compile(r"(?:pop(?:over|per|up)|dropdown|tooltip|modal|menu|drawer)-hidden(?![\w-])", re.I)
# Small layers that something on the page has opened: menus, popovers.
_POPS = re.compile(r"(?<!\w)pop(?:over|per|up)(?![a-z])", re.I)
_HAND = re.compile(r"cursor\s*:\s*pointer")
NEVER_SHOWN = frozenset({"template", "noscript", "dialog"})
_FOLDS = frozenset({"dropdown-menu", "collapse", "accordion-collapse"})
_STATES = {
    "checked": "checked", "selected": "selected", "active": "selected", "current": "selected", "disabled": "disabled",
    "focus": "focused", "focused": "focused",
}  # fmt: skip
# Each value with a meaning contains one of these, in lower case.
_TELLING = re.compile(
    "|".join(
        (
            *"hidden -none visible hide- show-for inset-0 pop cursor-pointer hover: collapse dropdown-menu".split(),  # noqa: SIM905 (words read best as words)
            *_STATES,
        )
    )
)
_LAST_WORD = re.compile(r"([A-Za-z]+)$")
# A colour rather than a state: "text-current".
_COLOURS = ("text-", "bg-", "border-", "fill-", "stroke-", "ring-", "outline-", "from-", "to-")


class Classes(NamedTuple):
    """What class names mean. `hand`: it has the cursor of what can be pressed; `hover`: it changes below the cursor, `folds`: a button
    before it opens and closes it."""

    hides: bool = False
    covers: bool = False
    pops: bool = False
    hand: bool = False
    hover: bool = False
    folds: bool = False
    states: frozenset[str] = frozenset()


PLAIN = Classes()


def classes(value: str) -> Classes:
    if not _TELLING.search(value.lower()):
        return PLAIN
    tokens = value.split()
    states = (_state(token) for token in tokens if ":" not in token)
    read = Classes(
        screens.hides(tokens) or "invisible" in tokens or _HIDDEN_LAYER.search(value) is not None,
        "fixed" in tokens and "inset-0" in tokens,
        _POPS.search(value) is not None,
        "cursor-pointer" in tokens,
        any(token.startswith("hover:") for token in tokens),
        not _FOLDS.isdisjoint(tokens) and "show" not in tokens,
        frozenset(state for state in states if state),
    )
    return PLAIN if read == PLAIN else read


def _state(token: str) -> str:
    match = _LAST_WORD.search(token)
    return _STATES.get(match[1].lower(), "") if match and not token.startswith(_COLOURS) else ""


def hides(tag: str, attributes: Attributes, by_class: Classes) -> bool:
    if by_class.hides or "hidden" in attributes or "inert" in attributes or attributes.get("aria-hidden") == "true":
        return True
    if tag in NEVER_SHOWN and (tag != "dialog" or "open" not in attributes):
        return True
    return "style" in attributes and _NO_DISPLAY.search(attributes["style"]) is not None


def has_hand(attributes: Attributes, by_class: Classes) -> bool:
    return by_class.hand or _HAND.search(attributes.get("style", "")) is not None
