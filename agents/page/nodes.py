"""Texts of nodes in one line, and whether a node can be seen."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lxml import etree

Node = etree._Element  # noqa: SLF001 (lxml gives its element type no public name)

# In characters; more are kept of a node's text than is read of any.
LONGEST_TEXT, _KEPT = 160, 400
# What a field or script holds is no text that a person reads as its neighbour's name.
_NO_TEXT = frozenset({"select", "textarea", "script", "style"})


def one_line(text: str, limit: int = LONGEST_TEXT) -> str:
    return " ".join(text[: limit * 8].split())[:limit].rstrip()


@dataclass
class Texts:
    """Pages nest blocks, and names are searched for in many of them: each node is read once."""

    _kept: dict[Node, str] = field(default_factory=dict)

    def of(self, node: Node, limit: int = LONGEST_TEXT) -> str:
        """The text inside a node in one line, without those of fields in it, at most `limit` characters."""
        if node not in self._kept:
            parts, left = [node.text or ""], _KEPT
            for child in node:
                if left <= 0:
                    break
                parts += ("" if child.tag in _NO_TEXT else self.of(child, _KEPT), child.tail or "")
                left -= len(parts[-1]) + len(parts[-2])
            self._kept[node] = one_line(" ".join(parts), _KEPT)
        return self._kept[node][:limit].rstrip()


def around(nodes: Iterable[Node]) -> set[Node]:
    """The nodes and all that hold one of them. Each is passed once."""
    found = set[Node]()
    for node in nodes:
        for outer in (node, *node.iterancestors()):
            if outer in found:
                break
            found.add(outer)
    return found


_SHOWN_AGAIN = re.compile(r":(flex|block|grid|inline|inline-flex|inline-block|table|contents)\b")
# What only screen readers see can be pressed as little as what is not there.
_NO_DISPLAY = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?<![\w-])(?:width|height)\s*:\s*0(?:px)?\s*;(?=.*overflow\s*:\s*hidden)", re.I
)
# As a library calls a layer of its own that is closed: "x-popover-hidden".
_HIDDEN_LAYER = re.compile(r"(?:pop(?:over|per|up)|dropdown|tooltip|modal|menu|drawer)-hidden(?![\w-])", re.I)
NEVER_SHOWN = frozenset({"template", "noscript", "dialog"})


def hides(node: Node) -> bool:
    if node.tag in NEVER_SHOWN and (node.tag != "dialog" or node.get("open") is None):
        return True
    for key, value in node.items():
        if key == "class":
            is_off = "hidden" in value and "hidden" in value.split() and not _SHOWN_AGAIN.search(value)
            if is_off or ("hidden" in value and _HIDDEN_LAYER.search(value)):
                return True
        elif key == "hidden" or (key == "aria-hidden" and value == "true") or (key == "style" and _NO_DISPLAY.search(value)):
            return True
    return False
