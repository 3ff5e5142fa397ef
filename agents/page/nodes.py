"""Texts in one line, what is around nodes, and whether a node can be seen."""

import re
from collections.abc import Iterable

from lxml import etree

Node = etree._Element  # noqa: SLF001 (lxml gives its element type no public name)

LONGEST_TEXT = 160


def one_line(text: str, limit: int = LONGEST_TEXT) -> str:
    return " ".join(text[: limit * 8].split())[:limit].rstrip()


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
