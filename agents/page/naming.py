"""What a person would call an element: its name, the text before it, the set that a choice belongs to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from lxml import etree

from agents.page.elements import FIELDS, PICKER, TICKED
from agents.page.nodes import Node, Texts, around, one_line

# Of a page, and of nodes that name one element together.
MOST_LABELS, _MOST_IDS = 2500, 8
_INVITES = re.compile(r"(?:all|any|every|select|choose|sort(?:ed)? by|pick|filter)\b.*\w", re.I)
_identified = etree.XPath("//@id")

_LABELLERS = frozenset({"label", "span", "p", "div", "strong", "b", "legend", "dt", "th", "td", "h2", "h3", "h4", "h5", "h6"})
_FURTHEST_LABEL, _LONGEST_LABEL = 3, 60
_CHOICES = frozenset({"button", "radio", "checkbox", "option", "tab", "switch"})
_SETS, _FURTHEST_SET = frozenset({"radiogroup", "group", "listbox"}), 5
# Siblings before a label's place among which another field may stand.
_FURTHEST_FIELD = 200
# A button and a decoy; a block of more is a card.
_MOST_IN_WRAPPER, _LONGEST_GROUP = 2, 40
_FIELDS = ("input", "select", "textarea")
_OPERATED = (*_FIELDS, "button", "a")


@dataclass
class Naming:
    root: Node
    texts: Texts = field(default_factory=Texts)

    @cached_property
    def _labels_for(self) -> dict[str, str]:
        found = reversed(list(islice(self.root.iter("label"), MOST_LABELS)))
        return {name: self.texts.of(node) for node in found if (name := node.get("for"))}

    @cached_property
    def _by_id(self) -> dict[str, Node]:
        return {str(id_): id_.getparent() for id_ in reversed(_identified(self.root))}

    @cached_property
    def _legends(self) -> dict[Node, str]:
        pairs = ((fieldset, legend) for legend in self.root.iter("legend") for fieldset in legend.iterancestors("fieldset"))
        return {fieldset: self.texts.of(legend, _LONGEST_GROUP) for fieldset, legend in reversed(list(pairs))}

    @cached_property
    def _operated(self) -> set[Node]:
        """What has a meaning of its own, so that its text names no neighbour."""
        return around(self.root.iter(*_OPERATED))

    def label(self, node: Node, role: str, text: str, around: Node | None) -> str:
        """`text` is the element's own, `around` the label element that it stands in."""
        return next((line for name in self._names(node, role, text, around) if name and (line := one_line(name))), "")

    def _names(self, node: Node, role: str, text: str, around: Node | None) -> Iterator[str | None]:
        yield self._of_ids(node.get("aria-labelledby"))
        yield node.get("aria-label")
        yield self._labels_for.get(node.get("id") or " ")
        yield "" if around is None else self.texts.of(around)
        if role in TICKED:
            yield self._following(node)
        if role != PICKER:
            yield node.get("placeholder")
            yield node.get("title")
            yield node.get("alt")
            yield text or next((image.get("alt") for image in node.iter("img") if image.get("alt")), "")
        if node.tag == "select":
            # A first option that names what is chosen, such as "All genres" or "Sort by: newest".
            first = self.texts.of(next(iter(node.iter("option")), node))
            yield first if _INVITES.match(first) else ""
        if role in FIELDS or role == PICKER:
            yield self.neighbour(node)
        yield text or node.get("title")
        if role not in FIELDS or role in TICKED:
            yield node.get("value")

    def _of_ids(self, ids: str | None) -> str:
        nodes = (self._by_id.get(id_) for id_ in (ids or "").split()[:_MOST_IDS])
        return " ".join(text for node in nodes if node is not None and (text := self.texts.of(node)))

    def described(self, node: Node) -> str:
        return self._of_ids(" ".join((node.get("aria-errormessage", ""), node.get("aria-describedby", ""))))

    def _following(self, node: Node) -> str:
        for at in islice((node, *node.iterancestors()), 2):
            if tail := one_line(at.tail or "", _LONGEST_LABEL):
                return tail
            if (after := at.getnext()) is not None:
                return self._name_in(after, _LONGEST_LABEL)
        return ""

    def neighbour(self, node: Node) -> str:
        """In much markup the label stands beside its field without naming it."""
        return self._before(node, _FURTHEST_LABEL, _LONGEST_LABEL)

    def group_of(self, node: Node, role: str) -> str:
        """By a legend or ARIA, else by the text just before a row of choices; "" for none."""
        return self._named_set(node) or self._row(node) if role in _CHOICES else ""

    def _named_set(self, node: Node) -> str:
        for outer in islice(node.iterancestors(), _FURTHEST_SET):
            if outer.tag == "form":
                return ""
            if outer.tag == "fieldset":
                return self._legends.get(outer, "")
            if outer.get("role") in _SETS and (name := one_line(outer.get("aria-label", ""), _LONGEST_GROUP)):
                return name
        return ""

    def _row(self, node: Node) -> str:
        inner = node
        for outer in islice(node.iterancestors(), 3):
            is_wrapper = inner is node or node.tag != "button" or len(inner) <= _MOST_IN_WRAPPER
            if not is_wrapper or outer.tag in {"form", "body", "nav", "header", "footer"}:
                return ""
            if sum(child.tag == inner.tag for child in islice(outer, 12)) > 1:
                name = self._before(inner, 1, _LONGEST_GROUP, skip=inner.tag) or self._before(outer, 1, _LONGEST_GROUP)
                return name if len(name) < _LONGEST_GROUP else ""
            inner = outer
        return ""

    def _before(self, node: Node, furthest: int, longest: int, skip: object = None) -> str:
        """The text of what stands before a node or before the blocks around it; nothing where that is another field's block."""
        for at in islice((node, *node.iterancestors()), furthest):
            for before in islice(at.itersiblings(preceding=True), 12):
                if (skip is None or before.tag != skip) and self.texts.of(before, 8):
                    return self._name_in(before, longest)
            if skip is None and any(one.tag in _FIELDS for one in islice(at.itersiblings(preceding=True), _FURTHEST_FIELD)):
                return ""
        return ""

    def _name_in(self, node: Node, longest: int) -> str:
        return self.texts.of(node, longest) if node.tag in _LABELLERS and node not in self._operated else ""
