"""What stands around a field: the text before it, and the set that a choice belongs to."""

from __future__ import annotations

from itertools import islice

from agents.page.wording import Node, one_line, text_of

LABELLERS = frozenset({"label", "span", "p", "div", "strong", "b", "legend", "dt", "th", "td", "h2", "h3", "h4", "h5", "h6"})
_FURTHEST_LABEL = 3
LONGEST_LABEL = 60
_CHOICES = frozenset({"button", "radio", "checkbox", "option", "tab", "switch"})
_SETS = frozenset({"radiogroup", "group", "listbox"})
_FURTHEST_SET = 5
# A button and a decoy; a block of more is a card.
_MOST_IN_WRAPPER = 2
_LONGEST_GROUP = 40
_OPERATED = ("input", "select", "textarea", "button", "a")
_FIELDS = ("input", "select", "textarea")


def neighbour(node: Node) -> str:
    """The text just before a field: in much markup the label stands beside its field without naming it."""
    return _before(node, _FURTHEST_LABEL, LONGEST_LABEL)


def group_of(node: Node, role: str) -> str:
    """What the set is called that a choice is one of: by a legend or ARIA, else by the text just before a row of choices; "" for none."""
    if role not in _CHOICES:
        return ""
    return _named_set(node) or _row(node)


def _named_set(node: Node) -> str:
    for outer in islice(node.iterancestors(), _FURTHEST_SET):
        if outer.tag == "form":
            return ""
        if outer.tag == "fieldset":
            return next((text_of(legend, _LONGEST_GROUP) for legend in outer.iter("legend")), "")
        if outer.get("role") in _SETS and (said := one_line(outer.get("aria-label", ""), _LONGEST_GROUP)):
            return said
    return ""


def _row(node: Node) -> str:
    """The text before the block in which choices stand side by side, each by itself or in a wrapper of its own."""
    inner: Node = node
    for _ in range(3):
        outer = inner.getparent()
        is_wrapper = inner is node or node.tag != "button" or len(inner) <= _MOST_IN_WRAPPER
        if outer is None or not is_wrapper or outer.tag in {"form", "body", "nav", "header", "footer"}:
            return ""
        if _repeats(outer, inner):
            said = _before(inner, 1, _LONGEST_GROUP, skip=inner.tag) or _before(outer, 1, _LONGEST_GROUP)
            return said if len(said) < _LONGEST_GROUP else ""
        inner = outer
    return ""


def _repeats(outer: Node, inner: Node) -> bool:
    return sum(child.tag == inner.tag for child in islice(outer, 12)) > 1


def _before(node: Node, furthest: int, longest: int, skip: object = None) -> str:
    """The text of what stands before a node or before the blocks around it; nothing where that is another field's block."""
    at: Node | None = node
    for _ in range(furthest):
        if at is None:
            break
        before = next(
            (one for one in islice(at.itersiblings(preceding=True), 12) if (skip is None or one.tag != skip) and text_of(one, 8)), None
        )
        if before is not None:
            return "" if before.tag not in LABELLERS or holds_fields(before) else text_of(before, longest)
        if skip is None and at.getprevious() is not None and any(True for _ in at.itersiblings(*_FIELDS, preceding=True)):
            return ""
        at = at.getparent()
    return ""


def holds_fields(node: Node) -> bool:
    """Whether it holds something to operate: then it is a neighbour with a meaning of its own, no label."""
    return next(node.iter(*_OPERATED), None) is not None
