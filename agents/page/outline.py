"""What of a page can be seen, as a tree that is cheap to ask: one pass over the nodes, everything after it works on numbers."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from agents.page.markup import hides
from agents.page.wording import Node

# Beyond this a page is no longer a list that somebody reads.
MOST_NODES = 40_000
LONGEST_PIECE = 400

# Their texts are not what the page says.
_SILENT = frozenset({"script", "style", "noscript", "template", "head", "select", "textarea", "datalist", "iframe", "object"})
_ROLE_TAGS = {
    "row": "tr", "cell": "td", "gridcell": "td", "columnheader": "th", "rowheader": "th", "listitem": "li", "heading": "h3",
    "link": "a", "button": "button", "navigation": "nav", "banner": "header", "contentinfo": "footer", "article": "article",
    "menu": "menu", "menubar": "menu", "tablist": "menu", "listbox": "menu", "radiogroup": "menu", "toolbar": "menu",
    "tab": "button", "menuitem": "button", "option": "button", "main": "main", "img": "img", "table": "table", "list": "ul",
}  # fmt: skip


@dataclass
class Outline:
    """The visible nodes of a page in document order, as lists of one entry a node.

    `tags` are what a node is: its tag, or the one that its role stands for. Inside node `at` are the places `at + 1` up to
    `ends[at]`, exclusive. `pieces` are the page's texts, spaces folded, `owners` the node that each stands in directly; those
    inside node `at` are `firsts[at]` up to `lasts[at]`, exclusive.
    """

    nodes: list[Node] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    lasts: list[int] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)

    @cached_property
    def places(self) -> dict[Node, int]:
        return {node: at for at, node in enumerate(self.nodes)}

    @cached_property
    def children(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.nodes]
        for at, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(at)
        return found

    def count(self, tags: frozenset[str]) -> list[int]:
        """How many nodes of these tags stand before each place: what is inside a node is the difference of two of them."""
        return [0, *accumulate(tag in tags for tag in self.tags)]

    def texts(self, at: int) -> list[str]:
        return self.pieces[self.firsts[at] : self.lasts[at]]

    def text(self, at: int, limit: int) -> str:
        """All that a node says, at most `limit` characters."""
        return " ".join(self.texts(at)[:limit])[:limit]

    def path(self, outer: int, at: int) -> tuple[str, ...]:
        """What lies between a node and one inside of it, from within."""
        tags = []
        while at > outer:
            tags.append(self.tags[at])
            at = self.parents[at]
        return tuple(tags)

    def inside(self, at: int, tags: frozenset[str]) -> list[int]:
        return [place for place in range(at, self.ends[at]) if self.tags[place] in tags]

    def holds(self, at: int, sorted_places: list[int]) -> slice:
        """Which of the sorted places are the node or inside of it."""
        return slice(bisect_left(sorted_places, at), bisect_left(sorted_places, self.ends[at]))


def outline(root: Node) -> Outline:
    """The outline of a page; its first MOST_NODES nodes where there are more."""
    made = Outline()
    # A node, or the place of one whose inside is over, with its parent's place.
    stack: list[tuple[Node | None, int]] = [(root, -1)]
    while stack:
        node, place = stack.pop()
        if node is None:
            _close(made, place)
            continue
        entered = len(made.nodes) < MOST_NODES and _enter(made, node, place)
        if entered:
            at = len(made.nodes) - 1
            stack.append((None, at))
            if len(node):
                stack += [(child, at) for child in reversed(node)]
        elif place >= 0:
            _say(made, node.tail, place)
    return made


def _enter(made: Outline, node: Node, parent: int) -> bool:
    tag = node.tag
    if not isinstance(tag, str) or tag in _SILENT or hides(node):
        return False
    role = node.get("role")
    at = len(made.nodes)
    made.nodes.append(node)
    made.tags.append(_ROLE_TAGS.get(role.strip().lower(), tag) if role else tag)
    made.parents.append(parent)
    made.ends.append(at + 1)
    made.firsts.append(len(made.pieces))
    made.lasts.append(0)
    _say(made, node.text, at)
    return True


def _close(made: Outline, at: int) -> None:
    made.ends[at] = len(made.nodes)
    made.lasts[at] = len(made.pieces)
    if made.parents[at] >= 0:
        _say(made, made.nodes[at].tail, made.parents[at])


def _say(made: Outline, text: str | None, owner: int) -> None:
    if text and (said := " ".join(text[: LONGEST_PIECE * 4].split())):
        made.pieces.append(said[:LONGEST_PIECE])
        made.owners.append(owner)
