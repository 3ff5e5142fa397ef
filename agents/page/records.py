"""The items that a page shows: siblings of like structure, whatever they are called, and what a detail page is about."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, chain, islice
from operator import itemgetter
from typing import Any

from agents.page.elements import BUTTONS, PICKER, Element
from agents.page.item import LONGEST_NAME, Item, attributes_in, cells, is_bare_rating, label_name
from agents.page.outline import HEADINGS, PRESSED, Outline

# Of a longer list the first items are read.
MOST_RECORDS = 1_000
MOST_GROUPS = 200

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
# What only changes a number makes no item.
_STEPS = frozenset({"minus", "plus", "-", "−", "+", "Decrease", "Increase"})
_STRONG, _LARGE, _LINKS = frozenset({"strong", "b"}), frozenset({"h1", "h2"}), frozenset({"a"})
_ITEM_TAGS = frozenset({"li", "tr", "article"})
# Headings of lists, forms and greetings: what stands under them is no single item.
_NO_ITEM = re.compile(
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
# One attribute may stand there by chance.
_LEAST_ATTRIBUTES = 2
_WRITTEN, _LONE = frozenset({"input", "textarea", "select"}), frozenset({"h2", "h3", "h4", "h5"})
_ASIDE, _EDGES = frozenset({"nav", "footer", "menu"}), frozenset({"nav", "footer"})
_TELLING = _HEADS | _ITEM_TAGS
_FORMS, _ROWS = frozenset({"form"}), frozenset({"tr"})
_CELLS, _COLUMN_HEADS = frozenset({"td"}), frozenset({"th"})
# What orders or narrows a list.
_SORTS = re.compile(r"\bsort\b|\blow to high\b|\bnewest\b|^all \w+s$", re.I)


@dataclass(frozen=True, slots=True)
class Group:
    """Items side by side, by their places in the outline. `strong`: each is more than a link with a text."""

    items: tuple[int, ...]
    strong: bool


@dataclass
class _Repeats:
    """`pressed`: the places of the page's links, buttons and what is pressed as a whole."""

    outline: Outline
    pressed: list[int]

    def __post_init__(self) -> None:
        outline = self.outline
        self._headings, self._heads = outline.counted(HEADINGS), outline.counted(_HEADS)
        self._in_landmark = outline.within(_LANDMARKS)

    def groups(self) -> list[Group]:
        """In document order; no item lies in another. Lists of bare links count where there is nothing better."""
        found = list(self._candidates())
        strong = self._apart([group for group in found if group.strong])
        return [*strong, *self._further(strong)] if strong else self._apart(found)

    def _further(self, found: list[Group]) -> Iterator[Group]:
        """Items that stand alone in their list, but look like those of another."""
        outline, looks = self.outline, {self._look(group.items[0]) for group in found} - {None}
        items = sorted(place for group in found for place in group.items)
        end = 0
        for at in (one for nodes, _ in outline.besides(0, outline.spans(items)) for one in nodes) if looks else ():
            is_free = at >= end and self._look(at) in looks and not outline.holds(at, items)
            if is_free and self._is_substantial(at) and self._is_rich(at):
                end = outline.ends[at]
                yield Group((at,), strong=True)

    def _look(self, at: int) -> tuple[str, str] | None:
        """Its tag and class, where these tell it from other blocks."""
        tag, said = self.outline.tags[at], self.outline.attributes[at].get("class", "")
        is_telling = bool(tag and said) or tag in _ITEM_TAGS
        return (tag, said) if is_telling and (tag != "tr" or self.outline.held(at, _CELLS)) else None

    def block_of(self, heading: int) -> int | None:
        """The largest block in which a heading stands alone, where it is no larger than an item and has something to press."""
        outline, at = self.outline, heading
        while (outer := outline.parents[at]) >= 0:
            if outline.tags[outer] in _NEVER - {"form"} or outline.held(outer, HEADINGS) > 1:
                break
            at = outer
        is_item = outline.ends[at] - at <= _MOST_NODES and outline.holds(at, self.pressed) and not outline.is_within(at, _LANDMARKS)
        return at if is_item and at != heading else None

    def _apart(self, found: list[Group]) -> list[Group]:
        strong = sorted(place for group in found if group.strong for place in group.items)
        kept, taken = list[Group](), bytearray(len(self.outline.tags))
        for group in sorted(found, key=lambda one: (not one.strong, one.items[0])):
            items = tuple(item for item in group.items if not self._frames(item, strong))
            lost = len(group.items) - len(items)
            if len(items) < 2 or lost > len(items) or taken[items[0]]:
                continue
            kept.append(Group(items, group.strong))
            for place in items:
                end = self.outline.ends[place]
                taken[place:end] = bytes((1,)) * (end - place)
        return sorted(kept, key=lambda one: one.items[0])

    def _candidates(self) -> Iterator[Group]:
        outline, pressed, aside = self.outline, self._pressed_before, self._in_landmark
        for at, end in enumerate(outline.ends):
            if end - at < 4 or pressed[end] == pressed[at] or not outline.tags[at] or aside[at]:
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
        outline, pressed, telling, found = self.outline, self._pressed_before, self.outline.counted(_TELLING), list[int]()
        firsts, lasts, ends, tags = outline.firsts, outline.lasts, outline.ends, outline.tags
        for at in siblings if len(siblings) > 1 else ():
            if firsts[at] < lasts[at]:
                start, end = at + (tags[at] in HEADINGS), ends[at]
                if telling[end] > telling[start] or pressed[end] > pressed[start]:
                    found.append(at)
        return found

    @cached_property
    def _pressed_before(self) -> list[int]:
        """How many links, buttons and such there are before each place."""
        found = [0] * (len(self.outline.tags) + 1)
        for at in self.pressed:
            found[at + 1] = 1
        return list(accumulate(found))

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
        if not (is_item and headed) and outline.held(at, _WRITTEN) > 1:
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
            if _NO_ITEM.search(outline.text(headings[0], 80)):
                return True
        inner = [place for place in strong[outline.slice_of(item, strong)] if place != item] if strong else []
        held = sum(outline.lasts[place] - outline.firsts[place] for place in inner)
        return len(inner) > 1 and held > _FRAME * (outline.lasts[item] - outline.firsts[item])


@dataclass(frozen=True)
class Record:
    """An item of a list, table or grid as the page shows it, or the one that a detail page is about, whose `place` is -1.

    `name`: its heading or strongest text. `attributes`: by lower-case name, values as shown: {"year": "1994", "price": "$19.99"}.
    `elements`: the usable ones in page order.
    """

    name: str
    attributes: Mapping[str, str]
    text: str
    elements: tuple[Element, ...] = field(default_factory=tuple)
    place: int = -1


class _Listed(Record):
    """Each part of it is read when it is first used: most steps use the names of some items only."""

    def __init__(self, records: "Records", at: int, facts: tuple[Any, ...], place: int) -> None:
        self.__dict__.update(_records=records, _at=at, _facts=facts, place=place)

    def __getattr__(self, name: str) -> Any:
        known = self.__dict__
        if name == "elements":
            value = known["_records"].usable_in(known["_at"])
        elif name in _READ:
            item = known.get("_item") or known.setdefault("_item", Item(known["_records"].outline, known["_at"], *known["_facts"]))
            value = getattr(item, name)()
        else:
            raise AttributeError(name)
        known[name] = value
        return value


_READ = ("name", "attributes", "text")


@dataclass
class Records:
    outline: Outline
    places: Sequence[int]
    elements: Sequence[Element]
    _heads: dict[int, dict[int, str]] = field(default_factory=dict)
    _blocks: list[int] = field(default_factory=list)

    def listed(self) -> tuple[Record, ...]:
        found = islice((item for group in self._groups for item in self._of_group(group)), MOST_RECORDS)
        ordered = sorted(found, key=itemgetter(0))
        self._blocks = [at for at, _ in ordered]
        return tuple(_Listed(self, at, facts, place) for place, (at, facts) in enumerate(ordered))

    def by_element(self, records: Sequence[Record]) -> dict[int, Record]:
        """The item around each element, whether or not it can be used now."""
        found, places, ends = dict[int, Record](), self.places, self.outline.ends
        for at, record in zip(self._blocks, records, strict=True):
            found |= dict.fromkeys(range(bisect_left(places, at), bisect_left(places, ends[at])), record)
        return found

    def subject(self) -> Record | None:
        return self._about(self._groups)

    @cached_property
    def _groups(self) -> list[Group]:
        buttons = (pair for pair in zip(self.places, self.elements, strict=True) if pair[1].role in BUTTONS and not pair[1].hidden)
        pressed = [at for at, one in buttons if one.label not in _STEPS]
        repeats = _Repeats(self.outline, pressed)
        found = repeats.groups()[:MOST_GROUPS]
        alone = [] if self._about(found) else list(self._alone(found, repeats))
        return sorted((*found, *alone), key=lambda group: group.items[0]) if alone else found

    def _alone(self, found: Sequence[Group], repeats: _Repeats) -> Iterator[Group]:
        """The blocks around headings that have no other, where they look like items of their own."""
        firsts = sorted(group.items[0] for group in found)
        for heading in self._free(_LONE, found)[:MOST_RECORDS]:
            block = repeats.block_of(heading)
            if block is None or self.outline.around[block].layer or self.outline.held(block, _WRITTEN) > 1:
                continue
            if _NO_ITEM.search(self.outline.text(heading, LONGEST_NAME)) or firsts[self.outline.slice_of(block, firsts)]:
                continue
            if self._item(block, ()).attributes():
                yield Group((block,), strong=True)

    def _about(self, groups: Sequence[Group]) -> Record | None:
        heads = self._free(frozenset({"h1"}), groups) or self._free(frozenset({"h2"}), groups)
        if len(heads) != 1 or _NO_ITEM.search(name := self.outline.text(heads[0], LONGEST_NAME)):
            return None
        lists = (one for one in self.elements if one.role in {"listbox", PICKER} and one.usable)
        if any(_SORTS.search(text) for one in lists for text in (one.label, *one.options[:1])):
            return None
        block, strong = self._block(heads[0]), [place for group in groups for place in group.items if group.strong]
        item = self._item(block, strong)
        if len(attributes := item.attributes()) < _LEAST_ATTRIBUTES:
            return None
        in_others = self.outline.covered(strong)
        inside, usable = self._usable
        elements = (pair for pair in zip(inside, usable, strict=True) if block <= pair[0] < self.outline.ends[block])
        return Record(name, attributes, item.text(), tuple(one for place, one in elements if not in_others[place]))

    def _free(self, tags: frozenset[str], groups: Sequence[Group]) -> list[int]:
        outline = self.outline
        found = [at for at in outline.of_tags(tags) if outline.firsts[at] < outline.lasts[at]]
        listed = outline.covered(place for group in groups for place in group.items) if found else []
        return [at for at in found if not listed[at] and not outline.is_within(at, _ASIDE)]

    def _block(self, at: int) -> int:
        outline = self.outline
        while (outer := outline.parents[at]) >= 0 and outline.tags[outer] not in {"body", "html"} and not outline.held(outer, _EDGES):
            at = outer
        return at

    def _item(self, block: int, others: Sequence[int]) -> Item:
        """A block as an item, without other items, and without the forms that are to be filled in: they are about their fields."""
        forms = self._filled_in[self.outline.slice_of(block, self._filled_in)]
        skipped = self.outline.spans(place for place in (*others, *forms) if block < place < self.outline.ends[block])
        return Item(self.outline, block, skipped=skipped)

    @cached_property
    def _filled_in(self) -> list[int]:
        return [at for at in self.outline.of_tags(_FORMS) if self.outline.held(at, _WRITTEN)]

    @cached_property
    def _usable(self) -> tuple[list[int], list[Element]]:
        usable = [one for one in self.elements if one.usable]
        return [self.places[one.place] for one in usable], usable

    def usable_in(self, at: int) -> tuple[Element, ...]:
        places, usable = self._usable
        return tuple(usable[self.outline.slice_of(at, places)])

    def _of_group(self, group: Group) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """The places of its items, each with what they all share."""
        facts = (self._labels(group), heads := self._column_heads(group.items[0]), self._rated(group))
        for at in group.items:
            if self.outline.tags[at] != "tr" or self._is_row(at, heads):
                yield at, facts

    def _is_row(self, at: int, heads: Mapping[int, str]) -> bool:
        """One cell over all columns holds more of the row before it, or a remark."""
        return len(cells(self.outline, at)) > 1 if len(heads) > 1 else bool(heads) or self.outline.held(at, _CELLS) > 0

    def _labels(self, group: Group) -> frozenset[str]:
        """Texts without figures that most items of the group have beside another text: they name what differs."""
        if len(group.items) < 3:
            return frozenset()
        outline = self.outline
        texts = (set(outline.pieces[outline.firsts[at] : outline.lasts[at]]) for at in group.items)
        counted, least = Counter(chain.from_iterable(texts)), 0.8 * len(group.items)
        usual = (text for text, count in counted.items() if count >= least and len(text) <= 30)
        return frozenset(text for text in usual if not attributes_in(text) and not any(map(str.isdigit, text)))

    def _rated(self, group: Group) -> frozenset[tuple[str, ...]]:
        """Where in the group's items a bare rating stands: a whole number in the same place is one, too."""
        outline = self.outline
        texts = ((item, outline.firsts[item], outline.lasts[item]) for item in group.items)
        short = ((item, at) for item, first, last in texts for at in range(first, last) if len(outline.pieces[at]) <= 4)
        pairs = ((item, at) for item, at in short if is_bare_rating(outline.pieces[at]))
        return frozenset(outline.path(item, outline.owners[place]) for item, place in pairs)

    def _column_heads(self, at: int) -> dict[int, str]:
        outline = self.outline
        table = next((place for place in outline.up(at, -1) if outline.tags[place] == "table"), None)
        if table is None or outline.tags[at] != "tr":
            return {}
        if table not in self._heads:
            first = next(iter(self._headed_rows[outline.slice_of(table, self._headed_rows)]), None)
            named = cells(outline, first) if first is not None else []
            self._heads[table] = {column: label_name(text) for column, cell in enumerate(named) if (text := outline.text(cell, 40))}
        return self._heads[table]

    @cached_property
    def _headed_rows(self) -> list[int]:
        return [at for at in self.outline.of_tags(_ROWS) if self.outline.held(at, _COLUMN_HEADS) > 1]
