"""What of a page can be seen, as a tree of numbers: one pass over the nodes, everything after it works on these."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, islice
from typing import Any, NamedTuple

from agents.page.elements import OPTIONS, TICKED
from agents.page.nodes import PLAIN, Attributes, Classes, Node, classes, has_hand, hides

# Limits of what is read of a page.
MOST_NODES, LONGEST_PIECE = 20_000, 400
_MOST_READ = 8 * LONGEST_PIECE
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
PRESSED = frozenset({"a", "button", "summary"})
# Their texts are not the page's.
_SILENT = frozenset({"script", "style", "noscript", "template", "title", "datalist", "iframe", "object"})
# What they hold is no text of the page.
_LEAVES = frozenset({"select", "textarea"})
FIELD_TAGS = ("input", "select", "textarea")
CONTROL_TAGS = frozenset({*FIELD_TAGS, "button", "a", "summary"})
_CONTROL_ROLES = OPTIONS | TICKED | {"button", "link", "tab", "textbox", "searchbox", "combobox", "spinbutton", "slider"}
# What scripts make clickable is recognized by its appearance only: a hand cursor, or the title of a calendar's day.
_PRESSABLE = frozenset({"li", "div", "span", "p", "tr", "td", "th", "article"})
_VEIL = re.compile(r"\b(?:bg-opacity-\d|bg-(?:black|gray-\d+|slate-\d+|white)/\d|backdrop-)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# Attributes and tags that may hide, open, name or operate something.
_TELLING = frozenset(
    """hidden aria-hidden inert style aria-modal role onclick contenteditable tabindex title aria-selected id for
    aria-disabled""".split()  # noqa: SIM905 (words read best as words)
)
_SPECIAL = CONTROL_TAGS | {"fieldset", "form", "label", "footer", "dialog", "details"}
_UNMARKED = frozenset({"class", "id", "style", "href", "src", "alt", "type"})
_SET_TAGS, _SETS = frozenset({"form", "fieldset"}), frozenset({"radiogroup", "group", "listbox"})
_OVER = frozenset({"menu", "listbox", "tooltip"})
_ROLE_TAGS = {
    "row": "tr", "cell": "td", "gridcell": "td", "columnheader": "th", "rowheader": "th", "listitem": "li", "heading": "h3",
    "link": "a", "button": "button", "navigation": "nav", "banner": "header", "contentinfo": "footer", "article": "article",
    "menu": "menu", "menubar": "menu", "tablist": "menu", "listbox": "menu", "radiogroup": "menu", "toolbar": "menu",
    "tab": "button", "menuitem": "button", "option": "button", "main": "main", "img": "img", "table": "table", "list": "ul",
}  # fmt: skip

# Parts that lie side by side: the place of each, and the place after its last.
Spans = list[tuple[int, int]]


class Around(NamedTuple):
    """What is around a node, itself included: whether that hides or disables it, the numbers of the dialog (`layer`), menu or
    popover (`overlay`) and form, the places of a label and of what has a hand over it, and whether it is in a `control`. `folded`: it
    is a closed <details>; `group`: the place of the form or set of choices."""

    hidden: bool = False
    layer: int = 0
    overlay: int = 0
    form: int | None = None
    label: int = -1
    control: bool = False
    hand: int = -1
    disabled: bool = False
    footer: bool = False
    folded: bool = False
    group: int = -1


_OUTSIDE, _NO_ATTRIBUTES = Around(), dict[str, str]()


class Pieces(dict[str, str]):
    """Texts with their spaces folded, by the text: a list has many of the same."""

    def __missing__(self, text: str) -> str:
        piece = self[text] = " ".join(text[:_MOST_READ].split())[:LONGEST_PIECE].rstrip()
        return piece


@dataclass
class Outline:
    """The nodes of a page in document order, as lists of one entry a node.

    `tags` are what a visible node is: its tag, or the one that its role stands for; "" for a hidden one. Inside node `at` are the
    places `at + 1` up to `ends[at]`, exclusive. `pieces` are the page's visible texts, spaces folded, `owners` the node that each
    stands in directly; those inside node `at` are `firsts[at]` up to `lasts[at]`, exclusive. For a hidden node they are among
    `unseen`, which are the hidden texts. `controls` are the places of what can be operated, `handed` of what only appears so.
    """

    nodes: list[Node] = field(default_factory=list)
    attributes: list[Attributes] = field(default_factory=list)
    around: list[Around] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    lasts: list[int] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    controls: list[int] = field(default_factory=list)
    handed: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    dialogs: list[int] = field(default_factory=list)
    by_id: dict[str, int] = field(default_factory=dict)
    is_cut: bool = False
    _forms: int = 0
    _overlays: int = 0
    classes_by_value: dict[str, Classes] = field(default_factory=dict)
    _operable: dict[Around, Around] = field(default_factory=dict)
    _unpressed: list[int] = field(default_factory=list)
    _loose: list[int] = field(default_factory=list)
    _children: dict[int, list[int]] = field(default_factory=dict)
    _counted: dict[frozenset[str], list[int]] = field(default_factory=dict)
    _within: dict[frozenset[str], list[bool]] = field(default_factory=dict)
    _of_tags: dict[frozenset[str], list[int]] = field(default_factory=dict)

    def children(self, at: int) -> list[int]:
        """The visible ones."""
        if (children := self._children.get(at)) is None:
            children, place, end = [], at + 1, self.ends[at]
            while place < end:
                if self.tags[place]:
                    children.append(place)
                place = self.ends[place]
            self._children[at] = children
        return children

    def held(self, at: int, tags: frozenset[str]) -> int:
        """How many nodes of the tags there are in a node, itself included."""
        counted = self.counted(tags)
        return counted[self.ends[at]] - counted[at]

    def counted(self, tags: frozenset[str]) -> list[int]:
        """How many nodes of the tags there are before each place."""
        if tags not in self._counted:
            self._counted[tags] = [0, *accumulate(map(tags.__contains__, self.tags))]
        return self._counted[tags]

    def of_tags(self, tags: frozenset[str]) -> list[int]:
        if tags not in self._of_tags:
            self._of_tags[tags] = [at for at, tag in enumerate(self.tags) if tag in tags]
        return self._of_tags[tags]

    @cached_property
    def marked(self) -> list[int]:
        """The places of nodes with attributes besides those for style, links and images."""
        return [at for at, attributes in enumerate(self.attributes) if attributes and not _UNMARKED.issuperset(attributes)]

    def context(
        self, at: int, node: Node, tag: str, attributes: Attributes, by_class: Classes, outer: Around, *, is_telling: bool
    ) -> Around:
        if not is_telling and tag in CONTROL_TAGS:
            # Most links, buttons and fields: nothing about them but that they can be operated.
            self.controls.append(at)
            return self._operable.get(outer) or self._operable.setdefault(outer, outer._replace(control=True))
        hidden, layer, overlay, form, label, control, hand, disabled, footer, folded, group = outer
        role = attributes.get("role", "").strip().lower()
        hidden = hidden or hides(tag, attributes, by_class) or (folded and tag != "summary") or (by_class.folds and _is_folded(node))
        if not hidden and _opens_dialog(node, tag, role, attributes, by_class):
            self.dialogs.append(at)
            layer = len(self.dialogs)
        if not overlay and tag != "button" and (role in _OVER or by_class.pops):
            self._overlays += 1
            overlay = self._overlays
        if tag == "form":
            form, self._forms = self._forms, self._forms + 1
        elif tag == "label":
            label = at
            self.labels.append(at)
        if "id" in attributes:
            self.by_id.setdefault(attributes["id"], at)
        control, hand = self._operated(at, tag, role, attributes, by_class, (control, hand))
        disabled = disabled or (tag == "fieldset" and "disabled" in attributes)
        footer, folded = footer or tag == "footer", tag == "details" and "open" not in attributes
        if tag in _SET_TAGS or role in _SETS:
            group = at
        return Around(hidden, layer, overlay, form, label, control, hand, disabled, footer, folded, group)

    def _operated(
        self, at: int, tag: str, role: str, attributes: Attributes, by_class: Classes, outer: tuple[bool, int]
    ) -> tuple[bool, int]:
        """Whether a control is around or at a node, and the place of what has a hand over it there."""
        control, hand = outer
        has_role = tag in CONTROL_TAGS or role in _CONTROL_ROLES or "onclick" in attributes
        if has_role or is_editable(attributes) or is_option(tag, attributes):
            self.controls.append(at)
            return True, hand
        if control or tag not in _PRESSABLE:
            return outer
        if has_hand(attributes, by_class) or (by_class.hover and tag == "li") or attributes.get("tabindex") == "0":
            self.handed.append(at)
            return control, at
        return outer

    def unpressed(self, at: int) -> int:
        """How many of a node's texts stand in no button."""
        if not self._unpressed:
            self._unpressed = [0, *accumulate(self.tags[owner] != "button" for owner in self.owners)]
        return self._unpressed[self.lasts[at]] - self._unpressed[self.firsts[at]]

    def loose(self, at: int) -> int:
        """How many of a node's texts stand in no link and no button, at any depth."""
        if not self._loose:
            pressed = self.within(PRESSED)
            self._loose = [0, *accumulate(not pressed[owner] for owner in self.owners)]
        return self._loose[self.lasts[at]] - self._loose[self.firsts[at]]

    def spans(self, places: Iterable[int]) -> Spans:
        pairs: Spans = []
        for place in sorted(places):
            if not pairs or place >= pairs[-1][1]:
                pairs.append((place, self.ends[place]))
        return pairs

    def covered(self, places: Iterable[int]) -> list[bool]:
        covered = [False] * len(self.tags)
        for start, end in self.spans(places):
            covered[start:end] = [True] * (end - start)
        return covered

    def within(self, tags: frozenset[str]) -> list[bool]:
        """For each node, whether it is one of the tags or lies in one."""
        if tags not in self._within:
            self._within[tags] = self.covered(self.of_tags(tags))
        return self._within[tags]

    def is_within(self, at: int, tags: frozenset[str]) -> bool:
        return self.within(tags)[at]

    def besides(self, at: int, others: Spans) -> Iterator[tuple[range, range]]:
        """What of a node is in none of some parts of the page: its stretches, each as places and as places of texts."""
        start, first = at, self.firsts[at]
        for low, high in others:
            yield range(start, low), range(first, self.firsts[low])
            start, first = high, self.lasts[low]
        yield range(start, self.ends[at]), range(first, self.lasts[at])

    def text(self, at: int, limit: int) -> str:
        texts = self.unseen if self.around[at].hidden else self.pieces
        return " ".join(texts[self.firsts[at] : self.lasts[at]][:limit])[:limit].rstrip()

    def classes(self, at: int) -> Classes:
        return self.classes_by_value.get(self.attributes[at].get("class", ""), PLAIN)

    def holds(self, at: int, sorted_places: list[int]) -> bool:
        """Whether one of the places is the node's own or lies in it."""
        first = bisect_left(sorted_places, at)
        return first < len(sorted_places) and sorted_places[first] < self.ends[at]

    def up(self, at: int, outer: int) -> Iterator[int]:
        """A node and those around it, inside of node `outer`; -1 for all."""
        while at > outer:
            yield at
            at = self.parents[at]

    def path(self, outer: int, at: int) -> tuple[str, ...]:
        return tuple(self.tags[place] for place in self.up(at, outer))

    def inside(self, at: int, tags: frozenset[str]) -> list[int]:
        counted = self.counted(tags)
        return self.of_tags(tags)[counted[at] : counted[self.ends[at]]]

    def slice_of(self, at: int, sorted_places: Sequence[int]) -> slice:
        return slice(bisect_left(sorted_places, at), bisect_left(sorted_places, self.ends[at]))


def _opens_dialog(node: Node, tag: str, role: str, attributes: Attributes, by_class: Classes) -> bool:
    if tag == "dialog" or attributes.get("aria-modal") == "true":
        return True
    if role in {"dialog", "alertdialog"}:
        return attributes.get("aria-modal") != "false"
    # A layer with these is the page itself; a veil lets the page behind it shine through, and what is on it may have a header.
    parts = ("main", "nav") if by_class.covers and _VEIL.search(attributes.get("class", "")) else ("main", "nav", "header", "footer")
    return by_class.covers and next(iter(node.iter(*parts)), None) is None


def _is_folded(menu: Node) -> bool:
    """Whether the button before a menu, which a style sheet hides, has the state closed."""
    outer = menu.getparent()
    near = (menu.getprevious(), outer.getprevious() if outer is not None and len(outer) == 1 else None)
    before = next((node for node in near if node is not None), None)
    return before is not None and any(node.get("aria-expanded") == "false" for node in islice(before.iter(), 3))


def is_option(tag: str, attributes: Attributes) -> bool:
    """One of several to choose from that has no role: a day of a calendar, an entry of an open list."""
    if tag == "td":
        return "title" in attributes and "role" not in attributes and _DAY.fullmatch(attributes["title"]) is not None
    return tag == "div" and "aria-selected" in attributes and "role" not in attributes


def is_editable(attributes: Attributes) -> bool:
    return attributes.get("contenteditable") in {"", "true", "plaintext-only"}


def outline(root: Node) -> Outline:  # noqa: C901 (one loop without calls: thousands of nodes pass it in a few ms)
    """Of the first MOST_NODES nodes."""
    made, piece_of, unowned = Outline(), Pieces(), list[int]()
    nodes, attributes, arounds, tags, parents = made.nodes, made.attributes, made.around, made.tags, made.parents
    ends, firsts, lasts, pieces, owners, unseen = made.ends, made.firsts, made.lasts, made.pieces, made.owners, made.unseen
    classes_by_value = made.classes_by_value

    def trace(siblings: Iterable[Any], parent: int, around: Around) -> None:  # noqa: C901 (the same)
        texts, owned = (unseen, unowned) if around.hidden else (pieces, owners)
        for node in siblings:
            if (tag := node.tag) not in _SILENT:
                if (at := len(nodes)) >= MOST_NODES:
                    made.is_cut = True
                    return
                inner, shown, own_attributes, by_class, own, owning = around, tag, _NO_ATTRIBUTES, PLAIN, texts, owned
                is_telling = around.folded
                if items := node.items():
                    own_attributes = dict(items)
                    if value := own_attributes.get("class"):
                        by_class = classes_by_value.get(value) or classes_by_value.setdefault(value, classes(value))
                    is_telling = is_telling or by_class is not PLAIN or not _TELLING.isdisjoint(own_attributes)
                if is_telling or tag in _SPECIAL:
                    inner = made.context(at, node, tag, own_attributes, by_class, around, is_telling=is_telling)
                    shown = _ROLE_TAGS.get(own_attributes["role"].strip().lower(), tag) if "role" in own_attributes else tag
                    own, owning = (unseen, unowned) if inner.hidden else (texts, owned)
                nodes.append(node)
                attributes.append(own_attributes)
                arounds.append(inner)
                tags.append("" if inner.hidden else shown)
                parents.append(parent)
                firsts.append(len(own))
                is_open = tag not in _LEAVES
                if is_open and (text := node.text) and (piece := piece_of[text]):
                    own.append(piece)
                    owning.append(at)
                ends.append(at + 1)
                lasts.append(len(own))
                if is_open and len(node) and (tag != "svg" or next(node.iter(*FIELD_TAGS, "button"), None) is not None):
                    trace(node, at, inner)  # noqa: F821 (it is deleted after its last call)
                    ends[at], lasts[at] = len(nodes), len(own)
                    if made.is_cut:
                        return
            if (text := node.tail) and (piece := piece_of[text]):
                texts.append(piece)
                owned.append(parent)

    trace([root], -1, _OUTSIDE)
    del trace  # it refers to itself: all that was read would wait for a search for cycles
    return made
