"""What a person would call an element, and the choice that a radio button or checkbox belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from lxml import etree

from agents.page.elements import FIELDS, PICKER, TICKED
from agents.page.markup import Node, one_line, text_of, text_or_nothing

MOST_LABELS = 2500
_LABELLERS = frozenset({"label", "span", "p", "div", "strong", "b", "legend", "dt", "th", "td", "h2", "h3", "h4"})
_FURTHEST_LABEL = 3
_FURTHEST_GROUP = 5
_LONGEST_NEIGHBOUR = 60
_GROUP_ROLES = frozenset({"radiogroup", "group"})
_labels = etree.XPath("//label")
_identified = etree.XPath("//*[@id]")


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
        if role in FIELDS or role == PICKER:
            yield _neighbour(node)
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

    def group(self, node: Node) -> str:
        """What a radio button or checkbox is a choice of, e.g. "Size": a legend, a named group, or the text above the choices."""
        at = node.getparent()
        for _ in range(_FURTHEST_GROUP):
            if at is None or at.tag in {"form", "body", "main"}:
                return ""
            said = self._named_group(at) or (_heading(at) if _choices(at) > 1 else "")
            if said:
                return said
            at = at.getparent()
        return ""

    def _named_group(self, node: Node) -> str:
        if node.tag == "fieldset":
            return next((text_of(child) for child in node if child.tag == "legend"), "")
        if node.get("role") in _GROUP_ROLES:
            return self._of_ids(node.get("aria-labelledby")) or node.get("aria-label", "")
        return ""


def _choices(node: Node) -> int:
    """How many choices a block holds, as far as that matters: none, one, or more."""
    found = (one for one in node.iter("input", "button") if one.get("type") in {"radio", "checkbox"} or one.get("role") in TICKED)
    return sum(1 for _, _ in zip(found, range(2), strict=False))


def _heading(block: Node) -> str:
    """The text that a block of choices begins with, or that stands just before it."""
    first = next(iter(block), None)
    for one in (first, block.getprevious()):
        if one is not None and one.tag in _LABELLERS and not _choices(one) and (text := text_of(one, _LONGEST_NEIGHBOUR)):
            return text
    return ""


def _following(node: Node) -> str:
    """The text just after a checkbox or radio button, where its name stands that names no field."""
    at: Node | None = node
    for _ in range(2):
        if at is None:
            return ""
        if tail := one_line(at.tail or "", _LONGEST_NEIGHBOUR):
            return tail
        after = at.getnext()
        if after is not None:
            return text_of(after, _LONGEST_NEIGHBOUR) if after.tag in _LABELLERS and not _choices(after) else ""
        at = at.getparent()
    return ""


def _picture_text(node: Node) -> str:
    return next((image.get("alt", "") for image in node.iter("img") if image.get("alt")), "")


def _neighbour(node: Node) -> str:
    """The text just before a field: in much markup the label stands beside its field without naming it."""
    at: Node | None = node
    for _ in range(_FURTHEST_LABEL):
        before = at.getprevious() if at is not None else None
        if before is not None and (text := text_of(before, _LONGEST_NEIGHBOUR)):
            return text if before.tag in _LABELLERS else ""
        at = at.getparent() if at is not None else None
    return ""
