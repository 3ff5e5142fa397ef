"""Which nodes of a page are the items of its lists, tables and grids: siblings of like structure, whatever they are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from agents.page.outline import Outline

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
PRESSED = frozenset({"a", "button", "input", "summary"})
LANDMARKS = frozenset({"nav", "header", "footer", "menu"})
_HEADS = HEADINGS | {"img", "picture"}
_NEVER = LANDMARKS | {"html", "body", "main", "form", "label", "option", "thead", "tbody", "th", "td", "table", "button"}
# Some items have them and some not.
_INLINE = frozenset({"span", "div", "b", "strong", "em", "i", "small", "sup", "svg", "path", "circle", "br", "time"})
_ITEM_TAGS = frozenset({"li", "tr", "article"})
# What an item holds at most: a block beyond this is a part of the page.
_MOST_NODES = 400
_LEAST_ALIKE = 0.5
# An item in whose inside items take up more than this share of the texts is the frame around a list.
_FRAME = 0.5


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
        """The page's lists in document order; no item lies in another."""
        found = list(self._candidates())
        kept: list[Group] = []
        taken: list[tuple[int, int]] = []
        strong = sorted(place for group in found if group.strong for place in group.items)
        for group in sorted(found, key=lambda one: (not one.strong, one.items[0])):
            if self._frames(group, strong) or any(start < group.items[0] < end or group.items[0] == start for start, end in taken):
                continue
            kept.append(group)
            taken += [(place, self.outline.ends[place]) for place in group.items]
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
        outside: list[bool] = []
        for at, parent in enumerate(self.outline.parents):
            outside.append(self.outline.tags[at] in LANDMARKS or (parent >= 0 and outside[parent]))
        return outside

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

    def _frames(self, group: Group, strong: list[int]) -> bool:
        """Whether the group's items are frames around lists: most of what they say is said by items inside of them."""
        framed = 0
        for item in group.items:
            inner = [place for place in strong[self.outline.holds(item, strong)] if place != item]
            held = sum(self.outline.lasts[place] - self.outline.firsts[place] for place in inner)
            framed += len(inner) > 1 and held > _FRAME * (self.outline.lasts[item] - self.outline.firsts[item])
        return framed * 2 > len(group.items)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)
