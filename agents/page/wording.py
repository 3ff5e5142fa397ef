"""Texts of nodes in one line."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from lxml import etree

Node = etree._Element  # noqa: SLF001 (lxml gives its element type no public name)

LONGEST_TEXT = 160
# A name is said within the first few nodes.
_MOST_NODES = 300
# What a field or script holds is no text that a person reads as its neighbour's name.
_NO_TEXT = ("select", "textarea", "script", "style")


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
