"""What a person would call an element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from lxml import etree

from agents.page.elements import FIELDS, PICKER, TICKED
from agents.page.fieldsets import LABELLERS, LONGEST_LABEL, holds_fields, neighbour
from agents.page.wording import Node, one_line, text_of, text_or_nothing

MOST_LABELS = 2500
_INVITES = re.compile(r"(?:all|any|every|select|choose|sort(?:ed)? by|pick|filter)\b.*\w", re.I)
_labels = etree.XPath("//label")
_identified = etree.XPath("//@id/..")


@dataclass
class Naming:
    """Names the elements of one parsed page; keeps what many of them share."""

    root: Node

    @cached_property
    def _labels_for(self) -> dict[str, str]:
        found = cast("list[Node]", _labels(self.root))[:MOST_LABELS]
        return {str(node.get("for")): text_of(node) for node in reversed(found) if node.get("for")}

    @cached_property
    def _by_id(self) -> dict[str, Node]:
        return {str(node.get("id")): node for node in reversed(cast("list[Node]", _identified(self.root)))}

    def label(self, node: Node, role: str, text: str, around: Node | None) -> str:
        """The first that says something: ARIA, label elements, placeholder, title, alt, text or value, a neighbour's text.

        `text` is the element's own, `around` the label element that it stands in.
        """
        return next((line for said in self._said(node, role, text, around) if said and (line := one_line(said))), "")

    def _said(self, node: Node, role: str, text: str, around: Node | None) -> Iterator[str | None]:
        yield self._of_ids(node.get("aria-labelledby"))
        yield node.get("aria-label")
        yield self._labels_for.get(node.get("id") or " ")
        yield text_or_nothing(around)
        if role in TICKED:
            yield _following(node)
        if role != PICKER:
            yield node.get("placeholder")
            yield node.get("title")
            yield node.get("alt")
            yield text or _picture_text(node)
        if node.tag == "select":
            yield _inviting(node)
        if role in FIELDS or role == PICKER:
            yield neighbour(node)
        yield text or node.get("title")
        if role not in FIELDS or role in TICKED:
            yield node.get("value")

    def _of_ids(self, ids: str | None) -> str:
        if not ids:
            return ""
        targets = (self._by_id.get(key) for key in ids.split())
        return " ".join(text_of(target) for target in targets if target is not None)

    def by_id(self, id_: str) -> Node | None:
        return self._by_id.get(id_) if id_ else None

    def described(self, node: Node) -> str:
        """What is said about a field besides its name: help, or what is wrong with it."""
        return self._of_ids(" ".join((node.get("aria-errormessage", ""), node.get("aria-describedby", ""))))


def _following(node: Node) -> str:
    """The text just after a checkbox or radio button, where its name stands that names no field."""
    at: Node | None = node
    for _ in range(2):
        if at is None:
            return ""
        if tail := one_line(at.tail or "", LONGEST_LABEL):
            return tail
        after = at.getnext()
        if after is not None:
            return text_of(after, LONGEST_LABEL) if after.tag in LABELLERS and not holds_fields(after) else ""
        at = at.getparent()
    return ""


def _inviting(node: Node) -> str:
    """A first option that names what is chosen, such as "All genres" or "Sort by: newest"."""
    first = text_of(next(iter(node.iter("option")), node))
    return first if _INVITES.match(first) else ""


def _picture_text(node: Node) -> str:
    return next((image.get("alt", "") for image in node.iter("img") if image.get("alt")), "")
