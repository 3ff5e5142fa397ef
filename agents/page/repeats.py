"""Which nodes of a page are the items of its lists, tables and grids: siblings of like structure, whatever they are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from agents.page.outline import Outline

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
PRESSED = frozenset({"a", "button", "summary"})
LANDMARKS = frozenset({"nav", "header", "footer", "menu"})
_HEADS = HEADINGS | {"img", "picture"}
_NEVER = LANDMARKS | HEADINGS | {"html", "body", "main", "form", "label", "option", "thead", "tbody", "th", "td", "table", "button"}
# Some items have them and some not.
_INLINE = frozenset({"span", "div", "b", "strong", "em", "i", "small", "sup", "svg", "path", "circle", "br", "time"})
_ITEM_TAGS = frozenset({"li", "tr", "article"})
# Headings of lists, forms and greetings: what stands under them is no single item.
NO_ITEM = re.compile(
    r"^(?:search|results?|browse|welcome|(?:add|edit|create|manage) |(?:hello|hi),|(?:log|sign) ?(?:in|up)$|register$|all \w+s$)"
    r"|^(?:my|your|our) \w+s$|^new (?:event|task|film|movie|book|item|product|post)$"
    r"|\bresults? (?:for|of)\b|\(\d+ items?\)|\border (?:confirmation|summary|review)\b"
    r"|\b(?:cart|basket|wish ?list|watch ?list|reading list|favou?rites|checkout|orders|bookings|dashboard|inbox|profile|settings)\b",
    re.I,
)
# What an item holds at most: a block beyond this is a part of the page.
_MOST_NODES = 400
_LEAST_ALIKE = 0.5
# An item in whose inside items take up more than this share of the texts is the frame around a list.
_FRAME = 0.5
_MOST_HEADINGS = 2
# A block of so many links or buttons without a text besides them is a menu.
_MENU = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Items that stand side by side, by their places in the outline. `strong`: each is more than a link with a text."""

    items: tuple[int, ...]
    strong: bool


@dataclass
class Repeats:
    """Finds the groups of one outline."""

    outline: Outline
    _transparent: dict[int, int] = field(default_factory=dict)

    def groups(self) -> list[Group]:
        """The page's lists in document order; no item lies in another. Lists of bare links count where there is nothing better."""
        found = list(self._candidates())
        return self._apart([group for group in found if group.strong]) or self._apart(found)

    def block_of(self, heading: int) -> int | None:
        """The largest block in which a heading stands alone, where it is no larger than an item and has something to press."""
        outline, counted, at = self.outline, self._headings, heading
        while outline.parents[at] >= 0:
            outer = outline.parents[at]
            if outline.tags[outer] in _NEVER - {"form"} or counted[outline.ends[outer]] - counted[outer] > 1:
                break
            at = outer
        is_item = outline.ends[at] - at <= _MOST_NODES and self._pressed[outline.ends[at]] > self._pressed[at] and not self._outside[at]
        return at if is_item and at != heading else None

    @cached_property
    def _headings(self) -> list[int]:
        return self.outline.count(HEADINGS)

    def _apart(self, found: list[Group]) -> list[Group]:
        strong = sorted(place for group in found if group.strong for place in group.items)
        kept: list[Group] = []
        taken: list[tuple[int, int]] = []
        for group in sorted(found, key=lambda one: (not one.strong, one.items[0])):
            items = tuple(item for item in group.items if not self._frames(item, strong))
            lost = len(group.items) - len(items)
            if len(items) < 2 or lost > len(items) or any(start <= items[0] < end for start, end in taken):
                continue
            kept.append(Group(items, group.strong))
            taken += [(place, self.outline.ends[place]) for place in items]
        return sorted(kept, key=lambda one: one.items[0])

    @cached_property
    def _heads(self) -> list[int]:
        return self.outline.count(_HEADS)

    @cached_property
    def _pressed(self) -> list[int]:
        return self.outline.count(PRESSED)

    @cached_property
    def _outside(self) -> list[bool]:
        """Whether each place is in a landmark that holds no items."""
        return self.outline.within(LANDMARKS)

    def _free(self, at: int) -> int:
        """How many texts a node says outside of links and buttons."""
        outline = self.outline
        return sum(not self._in_pressed[owner] for owner in outline.owners[outline.firsts[at] : outline.lasts[at]])

    @cached_property
    def _in_pressed(self) -> list[bool]:
        return self.outline.within(PRESSED)

    def _candidates(self) -> Iterator[Group]:
        for at, children in enumerate(self.outline.children):
            if len(children) >= 2 and not self._outside[at] and self._pressed[self.outline.ends[at]] > self._pressed[at]:
                yield from self._among(children)

    def _among(self, children: list[int]) -> Iterator[Group]:
        items = [item for item in map(self._unwrapped, children) if self._substantial(item)]
        if len(items) < 2:
            return
        shapes = {item: self._shape(item) for item in items}
        usual = Counter(shapes.values()).most_common(1)[0][0]
        alike = tuple(item for item in items if self.outline.tags[item] in _ITEM_TAGS or _likeness(shapes[item], usual) >= _LEAST_ALIKE)
        if len(alike) >= 2:
            strong = sum(self._is_rich(item) for item in alike) * 2 > len(alike)
            if strong or len(alike) >= 3:
                yield Group(alike, strong)

    def _unwrapped(self, at: int) -> int:
        """The innermost node that holds all of the node's inside: wrappers that add nothing are looked through."""
        outline = self.outline
        while outline.tags[at] not in _ITEM_TAGS and len(outline.children[at]) == 1:
            (child,) = outline.children[at]
            same = (outline.firsts[child], outline.lasts[child]) == (outline.firsts[at], outline.lasts[at])
            if not same or outline.tags[at] in PRESSED or outline.tags[child] in HEADINGS or outline.tags[child] in PRESSED:
                break
            at = child
        return at

    def _substantial(self, at: int) -> bool:
        outline = self.outline
        size = outline.ends[at] - at
        if outline.tags[at] in _NEVER or self._outside[at] or size > _MOST_NODES:
            return False
        pieces = outline.lasts[at] - outline.firsts[at]
        pressed = self._pressed[outline.ends[at]] - self._pressed[at]
        headed = self._heads[outline.ends[at]] > self._heads[at]
        if pressed >= _MENU and not headed and self._free(at) <= 1:
            return False
        return (pieces >= 1 and (pressed >= 1 or headed)) or (pieces >= 2 and outline.tags[at] in _ITEM_TAGS)

    def _is_rich(self, at: int) -> bool:
        """Whether it is an item by itself: it has a heading or a picture, or is marked as an item, and says more than one thing."""
        outline = self.outline
        pieces = outline.lasts[at] - outline.firsts[at]
        if self._heads[outline.ends[at]] > self._heads[at]:
            return pieces >= 2 or bool(outline.inside(at, HEADINGS))
        return pieces >= 3 or (pieces == 2 and outline.tags[at] in _ITEM_TAGS)

    def _shape(self, at: int) -> frozenset[str]:
        return frozenset(self.outline.tags[at : self.outline.ends[at]]) - _INLINE

    def _frames(self, item: int, strong: list[int]) -> bool:
        """Whether it is a part of the page around a list: it has the page's heading or many, or items inside say most of what it says."""
        outline = self.outline
        headings = outline.inside(item, HEADINGS)
        if len(headings) > _MOST_HEADINGS or any(outline.tags[place] == "h1" for place in headings):
            return True
        if headings and NO_ITEM.search(outline.text(headings[0], 80)):
            return True
        inner = [place for place in strong[outline.holds(item, strong)] if place != item]
        held = sum(outline.lasts[place] - outline.firsts[place] for place in inner)
        return len(inner) > 1 and held > _FRAME * (outline.lasts[item] - outline.firsts[item])


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)
