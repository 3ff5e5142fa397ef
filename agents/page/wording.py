"""Texts of nodes in one line."""

from __future__ import annotations

from lxml import etree

Node = etree._Element  # noqa: SLF001 (lxml gives its element type no public name)

LONGEST_TEXT = 160


def text_of(node: Node, limit: int = LONGEST_TEXT) -> str:
    """The text inside a node in one line, at most `limit` characters."""
    parts: list[str] = []
    left = limit * 4
    for part in node.itertext():
        parts.append(part[:left])
        left -= len(part)
        if left <= 0:
            break
    return one_line(" ".join(parts), limit)


def text_or_nothing(node: Node | None) -> str:
    return "" if node is None else text_of(node)


def one_line(text: str, limit: int = LONGEST_TEXT) -> str:
    """The text with every run of white space as one blank, at most `limit` characters."""
    return " ".join(text[: limit * 8].split())[:limit].rstrip()
