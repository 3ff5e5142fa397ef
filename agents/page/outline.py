"""What of a page can be seen, as a tree of numbers: one pass over the nodes, everything after it works on these."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import cast

from agents.page.nodes import Node, hides, one_line

# Beyond this a page is no longer a list that somebody reads.
MOST_NODES, LONGEST_PIECE = 10_000, 400
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
PRESSED = frozenset({"a", "button", "summary"})
# Their texts are not the page's.
_SILENT = frozenset({"script", "style", "noscript", "template", "head", "select", "textarea", "datalist", "iframe", "object"})
_ROLE_TAGS = {
    "row": "tr", "cell": "td", "gridcell": "td", "columnheader": "th", "rowheader": "th", "listitem": "li", "heading": "h3",
    "link": "a", "button": "button", "navigation": "nav", "banner": "header", "contentinfo": "footer", "article": "article",
    "menu": "menu", "menubar": "menu", "tablist": "menu", "listbox": "menu", "radiogroup": "menu", "toolbar": "menu",
    "tab": "button", "menuitem": "button", "option": "button", "main": "main", "img": "img", "table": "table", "list": "ul",
}  # fmt: skip

# Parts that lie side by side: the place of each, and the place after its last.
Spans = list[tuple[int, int]]


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
    _counted: dict[frozenset[str], list[int]] = field(default_factory=dict)
    _within: dict[frozenset[str], list[bool]] = field(default_factory=dict)

    @cached_property
    def children(self) -> list[list[int]]:
        found = [list[int]() for _ in self.nodes]
        for at, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(at)
        return found

    def held(self, at: int, tags: frozenset[str]) -> int:
        """How many nodes of the tags there are in a node, itself included."""
        if tags not in self._counted:
            self._counted[tags] = [0, *accumulate(map(tags.__contains__, self.tags))]
        counted = self._counted[tags]
        return counted[self.ends[at]] - counted[at]

    def spans(self, places: Iterable[int]) -> Spans:
        pairs: Spans = []
        for place in sorted(places):
            if not pairs or place >= pairs[-1][1]:
                pairs.append((place, self.ends[place]))
        return pairs

    def covered(self, places: Iterable[int]) -> list[bool]:
        found = [False] * len(self.tags)
        for start, end in self.spans(places):
            found[start:end] = [True] * (end - start)
        return found

    def is_within(self, at: int, tags: frozenset[str]) -> bool:
        if tags not in self._within:
            self._within[tags] = self.covered(place for place, tag in enumerate(self.tags) if tag in tags)
        return self._within[tags][at]

    def besides(self, at: int, others: Spans) -> Iterator[tuple[range, range]]:
        """What of a node is in none of some parts of the page: its stretches, each as places and as places of texts."""
        start, first = at, self.firsts[at]
        for low, high in others:
            yield range(start, low), range(first, self.firsts[low])
            start, first = high, self.lasts[low]
        yield range(start, self.ends[at]), range(first, self.lasts[at])

    def text(self, at: int, limit: int) -> str:
        return " ".join(self.pieces[self.firsts[at] : self.lasts[at]][:limit])[:limit]

    def up(self, at: int, outer: int) -> Iterator[int]:
        """A node and those around it, inside of node `outer`; -1 for all."""
        while at > outer:
            yield at
            at = self.parents[at]

    def path(self, outer: int, at: int) -> tuple[str, ...]:
        return tuple(self.tags[place] for place in self.up(at, outer))

    def inside(self, at: int, tags: frozenset[str]) -> list[int]:
        return [place for place in range(at, self.ends[at]) if self.tags[place] in tags]

    def slice_of(self, at: int, sorted_places: list[int]) -> slice:
        return slice(bisect_left(sorted_places, at), bisect_left(sorted_places, self.ends[at]))


def outline(root: Node) -> Outline:
    """Of the first MOST_NODES nodes."""
    made, parent = Outline(), -1
    nodes, tags, parents, ends, firsts, lasts = made.nodes, made.tags, made.parents, made.ends, made.firsts, made.lasts
    pieces, owners = made.pieces, made.owners
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
            if (text := node.text) and (piece := one_line(text, LONGEST_PIECE)):
                pieces.append(piece)
                owners.append(at)
            lasts.append(len(pieces))
            if len(node) and tag != "svg":
                parent = at
                stack.append(at)
                stack.extend(reversed(node))
                continue
        if parent >= 0 and (text := node.tail) and (piece := one_line(text, LONGEST_PIECE)):
            pieces.append(piece)
            owners.append(parent)
    return made
