"""Blocks side by side that are alike in structure, whatever their names: a page's items."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from agents.page.outline import HEADINGS, PRESSED, Outline

_LANDMARKS = frozenset({"nav", "header", "footer", "menu"})
_HEADS = HEADINGS | {"img", "picture"}
_NEVER = (
    _LANDMARKS
    | HEADINGS
    | frozenset(
        "html body main section fieldset form label option thead tbody th td table button".split()  # noqa: SIM905 (words read best as words)
    )
)
# Some items have them and some not.
_INLINE = frozenset({"span", "div", "b", "strong", "em", "i", "small", "sup", "svg", "path", "circle", "br", "time"})
_STRONG, _LARGE, _LINKS = frozenset({"strong", "b"}), frozenset({"h1", "h2"}), frozenset({"a"})
_ITEM_TAGS = frozenset({"li", "tr", "article"})
# Headings of lists, forms and greetings: what stands under them is no single item.
NO_ITEM = re.compile(
    r"^(?:search|results?|browse|welcome|(?:add|edit|create|manage) |(?:hello|hi),|(?:log|sign) ?(?:in|up)$|register$|all \w+s$)"
    r"|^(?:my|your|our) \w+s$|^new (?:event|task|film|movie|book|item|product|post)$"
    r"|\bresults? (?:for|of)\b|\(\d+ items?\)|\border (?:confirmation|summary|review)\b"
    r"|\b(?:cart|basket|wish ?list|watch ?list|reading list|favou?rites|checkout|orders|bookings|dashboard|inbox|profile|settings)\b",
    re.I,
)
# A block beyond this is a part of the page.
_MOST_NODES, _MOST_HEADINGS = 400, 2
_LEAST_ALIKE = 0.5
# An item in whose inside items take up more than this share of the texts is the frame around a list.
_FRAME = 0.5
# A block of so many links or buttons without a text besides them is a menu.
_MENU = 3
WRITTEN, CELLS = frozenset({"input", "textarea", "select"}), frozenset({"td"})
_TELLING = _HEADS | _ITEM_TAGS


@dataclass(frozen=True, slots=True)
class Group:
    """Items side by side, by their places in the outline. `strong`: each is more than a link with a text."""

    items: tuple[int, ...]
    strong: bool


@dataclass
class Repeats:
    """`pressed`: the places of the page's links, buttons and what is pressed as a whole."""

    outline: Outline
    pressed: list[int]

    def __post_init__(self) -> None:
        outline = self.outline
        self._headings, self._heads = outline.counted(HEADINGS), outline.counted(_HEADS)
        self._in_landmark = outline.within(_LANDMARKS)

    def groups(self) -> list[Group]:
        """In document order; no item lies in another. Lists of bare links count where there is nothing better."""
        candidates = list(self._candidates())
        strong = self._apart([group for group in candidates if group.strong])
        return [*strong, *self._further(strong)] if strong else self._apart(candidates)

    def _further(self, groups: list[Group]) -> Iterator[Group]:
        """Items that stand alone in their list, of the same kind as those of another."""
        outline, kinds = self.outline, {self._kind(group.items[0]) for group in groups} - {None}
        items = sorted(place for group in groups for place in group.items)
        end = 0
        for at in (place for nodes, _ in outline.besides(0, outline.spans(items)) for place in nodes) if kinds else ():
            is_free = at >= end and self._kind(at) in kinds and not outline.holds(at, items)
            if is_free and self._is_substantial(at) and self._is_rich(at):
                end = outline.ends[at]
                yield Group((at,), strong=True)

    def _kind(self, at: int) -> tuple[str, str] | None:
        """Its tag and class, where these distinguish it from other blocks."""
        tag, class_value = self.outline.tags[at], self.outline.attributes[at].get("class", "")
        is_telling = bool(tag and class_value) or tag in _ITEM_TAGS
        return (tag, class_value) if is_telling and (tag != "tr" or self.outline.held(at, CELLS)) else None

    def block_of(self, heading: int) -> int | None:
        """The largest block in which a heading stands alone, where it is no larger than an item and has something to press."""
        outline, at = self.outline, heading
        while (outer := outline.parents[at]) >= 0:
            if outline.tags[outer] in _NEVER - {"form"} or outline.held(outer, HEADINGS) > 1:
                break
            at = outer
        is_item = outline.ends[at] - at <= _MOST_NODES and outline.holds(at, self.pressed) and not outline.is_within(at, _LANDMARKS)
        return at if is_item and at != heading else None

    def _apart(self, groups: list[Group]) -> list[Group]:
        strong = sorted(place for group in groups if group.strong for place in group.items)
        kept, taken = list[Group](), bytearray(len(self.outline.tags))
        for group in sorted(groups, key=lambda group: (not group.strong, group.items[0])):
            items = tuple(item for item in group.items if not self._frames(item, strong))
            lost = len(group.items) - len(items)
            if len(items) < 2 or lost > len(items) or taken[items[0]]:
                continue
            kept.append(Group(items, group.strong))
            for place in items:
                end = self.outline.ends[place]
                taken[place:end] = bytes((1,)) * (end - place)
        return sorted(kept, key=lambda group: group.items[0])

    def _candidates(self) -> Iterator[Group]:
        outline, pressed, in_landmark = self.outline, self._pressed_before, self._in_landmark
        for at, end in enumerate(outline.ends):
            if end - at < 4 or pressed[end] == pressed[at] or not outline.tags[at] or in_landmark[at]:
                continue
            likely = self._likely(outline.children(at))
            items = [item for item in map(self._unwrapped, likely) if self._is_substantial(item)] if len(likely) > 1 else []
            if len(items) < 2:
                continue
            shapes = {item: frozenset(outline.tags[item : outline.ends[item]]) - _INLINE for item in items}
            usual = Counter(shapes.values()).most_common(1)[0][0]
            near = {shape for shape in set(shapes.values()) if len(shape & usual) >= _LEAST_ALIKE * (len(shape | usual) or 1)}
            alike = tuple(item for item in items if outline.tags[item] in _ITEM_TAGS or shapes[item] in near)
            strong = sum(map(self._is_rich, alike)) * 2 > len(alike)
            if len(alike) >= (2 if strong else 3):
                yield Group(alike, strong)

    def _likely(self, siblings: list[int]) -> list[int]:
        """Those that may hold an item: with a text, and a heading, a picture, a list's entry or something to press, not only a heading."""
        outline, pressed, counted, likely = self.outline, self._pressed_before, self.outline.counted(_TELLING), list[int]()
        firsts, lasts, ends, tags = outline.firsts, outline.lasts, outline.ends, outline.tags
        for at in siblings if len(siblings) > 1 else ():
            if firsts[at] < lasts[at]:
                start, end = at + (tags[at] in HEADINGS), ends[at]
                if counted[end] > counted[start] or pressed[end] > pressed[start]:
                    likely.append(at)
        return likely

    @cached_property
    def _pressed_before(self) -> list[int]:
        """How many links, buttons and such there are before each place."""
        marks = [0] * (len(self.outline.tags) + 1)
        for at in self.pressed:
            marks[at + 1] = 1
        return list(accumulate(marks))

    def _unwrapped(self, at: int) -> int:
        outline = self.outline
        while outline.ends[at] > at + 1 and outline.tags[at] not in _ITEM_TAGS and len(outline.children(at)) == 1:
            (child,) = outline.children(at)
            same = (outline.firsts[child], outline.lasts[child]) == (outline.firsts[at], outline.lasts[at])
            if not same or outline.tags[at] in PRESSED or outline.tags[child] in HEADINGS or outline.tags[child] in PRESSED:
                break
            at = child
        return at

    def _is_substantial(self, at: int) -> bool:
        outline, end = self.outline, self.outline.ends[at]
        texts, tag = outline.lasts[at] - outline.firsts[at], outline.tags[at]
        if not texts or end - at > _MOST_NODES or self._in_landmark[at] or not self._may_be_item(at):
            return False
        headed, is_item = self._heads[end] > self._heads[at], tag in _ITEM_TAGS
        if not (headed or (texts >= 2 and is_item) or self._is_pressed(at)):
            return False
        if not (is_item and headed) and outline.held(at, WRITTEN) > 1:
            return False
        return headed or tag == "a" or not self._is_bare(at)

    def _may_be_item(self, at: int) -> bool:
        """A part of the page is none, unless it has a small heading only; nor is a button, unless it is a card to be pressed."""
        outline, tag = self.outline, self.outline.tags[at]
        if tag == "section":
            return outline.held(at, HEADINGS) == 1 and not outline.held(at, _LARGE)
        return tag not in _NEVER or (tag == "button" and outline.held(at, HEADINGS) == 1)

    def _is_pressed(self, at: int) -> bool:
        """Whether it has a link or button, or is one."""
        pressed = self._pressed_before
        return pressed[self.outline.ends[at]] > pressed[at]

    def _is_bare(self, at: int) -> bool:
        """A menu, or a button alone in its wrapper: nearly all of its text can be pressed."""
        pressed, loose = self.outline.held(at, PRESSED), self.outline.loose(at)
        return loose <= 1 if pressed >= _MENU else loose == 0 and not self.outline.held(at, _LINKS)

    def _is_rich(self, at: int) -> bool:
        """Whether it is an item: a heading or picture with several texts, or something marked as an item that has text."""
        outline = self.outline
        pieces, is_item, end = outline.unpressed(at), outline.tags[at] in _ITEM_TAGS, outline.ends[at]
        if self._heads[end] > self._heads[at]:
            return pieces >= 2 or self._headings[end] > self._headings[at]
        if pieces >= 3 or (pieces == 2 and (is_item or outline.held(at, _STRONG) > 0)):
            return True
        return is_item and outline.loose(at) > 0 and self._is_pressed(at)

    def _frames(self, item: int, strong: list[int]) -> bool:
        """A part of the page around a list: it has the page's heading or many, or items inside have most of its texts."""
        outline = self.outline
        if self._headings[outline.ends[item]] > self._headings[item]:
            headings = outline.inside(item, HEADINGS)
            if len(headings) > _MOST_HEADINGS or any(outline.tags[place] == "h1" for place in headings):
                return True
            if NO_ITEM.search(outline.text(headings[0], 80)):
                return True
        inner = [place for place in strong[outline.slice_of(item, strong)] if place != item] if strong else []
        held = sum(outline.lasts[place] - outline.firsts[place] for place in inner)
        return len(inner) > 1 and held > _FRAME * (outline.lasts[item] - outline.firsts[item])
