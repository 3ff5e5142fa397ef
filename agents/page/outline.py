"""What of a page can be seen, as a tree that is cheap to ask: one pass over the nodes, everything after it works on numbers."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import cast

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


@dataclass(frozen=True, slots=True)
class Spans:
    """Parts of an outline that lie side by side, by the place of each and the place after its last."""

    pairs: tuple[tuple[int, int], ...] = ()

    def holds(self, place: int) -> bool:
        """Whether a place lies in one of them."""
        at = bisect_right(self.pairs, (place, sys.maxsize)) - 1
        return at >= 0 and place < self.pairs[at][1]


NOTHING = Spans()


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
        return [0, *accumulate(map(tags.__contains__, self.tags))]

    def spans(self, places: Iterable[int]) -> Spans:
        """The parts of the page that begin at some places; one that lies in another is left out."""
        pairs: list[tuple[int, int]] = []
        for place in sorted(places):
            if not pairs or place >= pairs[-1][1]:
                pairs.append((place, self.ends[place]))
        return Spans(tuple(pairs))

    def besides(self, at: int, others: Spans) -> Iterator[tuple[range, range]]:
        """What of a node is in none of some parts of the page: its stretches, each as places and as places of texts."""
        start, first = at, self.firsts[at]
        for low, high in others.pairs:
            yield range(start, low), range(first, self.firsts[low])
            start, first = high, self.lasts[low]
        yield range(start, self.ends[at]), range(first, self.lasts[at])

    def within(self, tags: frozenset[str]) -> list[bool]:
        """Whether each place is a node of these tags or inside of one."""
        found = [False] * len(self.tags)
        for start, end in self.spans(at for at, tag in enumerate(self.tags) if tag in tags).pairs:
            found[start:end] = [True] * (end - start)
        return found

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
    nodes, tags, parents, ends, firsts, lasts, pieces, owners = (
        made.nodes, made.tags, made.parents, made.ends, made.firsts, made.lasts, made.pieces, made.owners,
    )  # fmt: skip
    parent = -1
    # A node, or the place of one whose inside is over. One long loop without calls: each of thousands of nodes passes it.
    stack: list[Node | int] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, int):
            ends[node], lasts[node], parent = len(nodes), len(pieces), parents[node]
            node = nodes[node]
        elif (tag := cast("str", node.tag)) not in _SILENT and len(nodes) < MOST_NODES and not hides(node):
            at = len(nodes)
            nodes.append(node)
            tags.append(_ROLE_TAGS.get(role.strip().lower(), tag) if (role := node.get("role")) else tag)
            parents.append(parent)
            ends.append(at + 1)
            firsts.append(len(pieces))
            if (text := node.text) and (said := _one_line(text)):
                pieces.append(said)
                owners.append(at)
            lasts.append(len(pieces))
            if len(node) and tag != "svg":
                parent = at
                stack.append(at)
                stack.extend(reversed(node))
                continue
        if parent >= 0 and (text := node.tail) and (said := _one_line(text)):
            pieces.append(said)
            owners.append(parent)
    return made


def _one_line(text: str) -> str:
    return " ".join(text[: LONGEST_PIECE * 4].split())[:LONGEST_PIECE]
