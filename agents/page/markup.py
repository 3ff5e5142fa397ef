"""What an element inherits from the markup around it, and whether it can be seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agents.page.wording import Node

_SHOWN_AGAIN = re.compile(r":(flex|block|grid|inline|inline-flex|inline-block|table|contents)\b")
# What only screen readers are told is as little to be pressed as what is not there.
_NO_DISPLAY = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?<![\w-])(?:width|height)\s*:\s*0(?:px)?\s*;(?=.*overflow\s*:\s*hidden)", re.I
)
# As a library calls a layer of its own that is closed: "x-popover-hidden".
_HIDDEN_LAYER = re.compile(r"(?:pop(?:over|per|up)|dropdown|tooltip|modal|menu|drawer)-hidden(?![\w-])", re.I)
_NEVER_SHOWN = frozenset({"template", "noscript", "dialog"})
_TELLING = frozenset({"hidden", "aria-hidden", "style", "class", "aria-modal", "role"})
_SPECIAL = _NEVER_SHOWN | {"fieldset", "form", "label", "footer"}
_OVER = frozenset({"menu", "listbox", "tooltip"})
_OVER_CLASS = re.compile(r"(?<!\w)pop(?:over|per|up)(?![a-z])", re.I)
# A layer with these is the page itself.
_PAGE_PARTS = ("main", "nav", "header", "footer")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an element inherits from the elements around it."""

    hidden: bool = False
    layer: int = 0
    form: int | None = None
    label: Node | None = None
    disabled: bool = False
    overlay: int = 0
    footer: bool = False


def is_plain(node: Node) -> bool:
    """Whether it surely neither hides nor opens anything: most nodes don't."""
    for key, value in node.items():
        if key in _TELLING and (key != "class" or "hidden" in value or "fixed" in value or "pop" in value):
            return False
    return node.tag not in _SPECIAL


def hides(node: Node) -> bool:
    """Whether a node and what is inside of it can't be seen, as far as its own markup tells."""
    if node.tag in _NEVER_SHOWN and (node.tag != "dialog" or node.get("open") is None):
        return True
    for key, value in node.items():  # noqa: SIM110 (a generator for each of thousands of nodes costs more than all else here)
        if key in _HIDING and (key != "class" or "hidden" in value) and _HIDING[key](value):
            return True
    return False


def _is_hiding_class(classes: str) -> bool:
    if "hidden" not in classes:
        return False
    return _HIDDEN_LAYER.search(classes) is not None or ("hidden" in classes.split() and not _SHOWN_AGAIN.search(classes))


_HIDING: Mapping[str, Callable[[str], bool]] = {
    "hidden": lambda _: True,
    "aria-hidden": lambda value: value == "true",
    "style": lambda value: _NO_DISPLAY.search(value) is not None,
    "class": _is_hiding_class,
}


def opens_dialog(node: Node) -> bool:
    """Whether it is a dialog that lies over the page."""
    if node.tag == "dialog" or node.get("aria-modal") == "true":
        return True
    if node.get("role") in {"dialog", "alertdialog"}:
        return node.get("aria-modal") != "false"
    classes = node.get("class", "")
    covers = "fixed" in classes and {"fixed", "inset-0"} <= set(classes.split())
    return covers and next(iter(node.iter(*_PAGE_PARTS)), None) is None


def lies_over(node: Node) -> bool:
    """Whether it is a small layer that something on the page has opened: a menu, a popover."""
    return node.tag != "button" and (node.get("role") in _OVER or _OVER_CLASS.search(node.get("class", "")) is not None)
