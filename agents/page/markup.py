"""From lxml's nodes: texts, surroundings, visibility."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from lxml import etree

Node = etree._Element  # noqa: SLF001 (lxml gives its element type no public name)

LONGEST_TEXT = 160
# A name is said within the first few nodes.
_MOST_NODES = 300
_SHOWN_AGAIN = re.compile(r":(flex|block|grid|inline|inline-flex|inline-block|table|contents)\b")
_NO_DISPLAY = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_NEVER_SHOWN = frozenset({"template", "noscript"})
# A layer with these is the page itself.
_PAGE_PARTS = ("main", "nav", "header", "footer")
# What a field or script holds is no text that a person reads as its neighbour's name.
_NO_TEXT = ("select", "textarea", "script", "style")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an element inherits from the elements around it."""

    hidden: bool = False
    layer: int = 0
    form: int | None = None
    label: Node | None = None


def text_of(node: Node, limit: int = LONGEST_TEXT) -> str:
    """The text inside a node in one line, at most `limit` characters."""
    if len(node) == 0:
        return one_line(node.text or "", limit)
    parts: list[str] = []
    left = limit * 4
    for part in _said(node):
        parts.append(part[:left])
        left -= len(part)
        if left <= 0:
            break
    return one_line(" ".join(parts), limit)


def _said(node: Node) -> Iterable[str]:
    silent = next(iter(node.iter(*_NO_TEXT)), None)
    if silent is None or silent is node:
        return node.itertext()
    nodes = list(islice(node.iter(), _MOST_NODES))
    inside = {part for one in nodes if one.tag in _NO_TEXT for part in islice(one.iter(), _MOST_NODES)}
    texts = [text for one in nodes for text in (None if one in inside else one.text, None if one is node else one.tail)]
    return [text for text in texts if text]


def text_or_nothing(node: Node | None) -> str:
    return "" if node is None else text_of(node)


def one_line(text: str, limit: int = LONGEST_TEXT) -> str:
    """The text with every run of white space as one blank, at most `limit` characters."""
    return " ".join(text[: limit * 8].split())[:limit].rstrip()


def hides(node: Node) -> bool:
    """Whether a node and what is inside of it can't be seen, as far as its own markup tells."""
    get = node.get
    if get("hidden") is not None or get("aria-hidden") == "true" or node.tag in _NEVER_SHOWN:
        return True
    style = get("style")
    if style and _NO_DISPLAY.search(style):
        return True
    if node.tag == "dialog" and get("open") is None:
        return True
    classes = get("class", "")
    return "hidden" in classes and "hidden" in classes.split() and not _SHOWN_AGAIN.search(classes)


def opens_dialog(node: Node) -> bool:
    """Whether it is a dialog that lies over the page."""
    if node.tag == "dialog" or node.get("aria-modal") == "true":
        return True
    if node.get("role") in {"dialog", "alertdialog"}:
        return node.get("aria-modal") != "false"
    classes = node.get("class", "")
    covers = "fixed" in classes and {"fixed", "inset-0"} <= set(classes.split())
    return covers and next(iter(node.iter(*_PAGE_PARTS)), None) is None
