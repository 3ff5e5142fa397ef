"""The items that a page shows, as the page has them side by side, and what a detail page is about."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from agents.page.elements import BUTTONS, PICKER, Element
from agents.page.item import LONGEST_NAME, Item, attributes_in, cells, is_bare_rating, label_name
from agents.page.outline import HEADINGS, Outline
from agents.page.repeats import CELLS, NO_ITEM, WRITTEN, Group, Repeats

# Of a longer list the first items are read.
MOST_RECORDS = 1_000
MOST_GROUPS = 200

# What only changes a number makes no item.
_STEPS = frozenset({"minus", "plus", "-", "−", "+", "Decrease", "Increase"})
# A list has more entries than a page has parts like these.
_MOST_SECTIONS = 6
# One attribute may stand there by chance.
_LEAST_ATTRIBUTES = 2
_LESSER_HEADINGS = frozenset({"h2", "h3", "h4", "h5"})
_LANDMARKS, _EDGES = frozenset({"nav", "footer", "menu"}), frozenset({"nav", "footer"})
_FORMS, _ROWS = frozenset({"form"}), frozenset({"tr"})
_COLUMN_HEADS = frozenset({"th"})
# What orders or narrows a list.
_SORTS = re.compile(r"\bsort\b|\blow to high\b|\bnewest\b|^all \w+s$", re.I)


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
        values = self.__dict__
        if name == "elements":
            value = values["_records"].usable_in(values["_at"])
        elif name in _READ:
            item = values.get("_item") or values.setdefault("_item", Item(values["_records"].outline, values["_at"], *values["_facts"]))
            value = getattr(item, name)()
        else:
            raise AttributeError(name)
        values[name] = value
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
        items = islice((item for group in self._groups for item in self._of_group(group)), MOST_RECORDS)
        ordered = sorted(items, key=itemgetter(0))
        self._blocks = [at for at, _ in ordered]
        return tuple(_Listed(self, at, facts, place) for place, (at, facts) in enumerate(ordered))

    def by_element(self, records: Sequence[Record]) -> dict[int, Record]:
        """The item around each element, whether or not it can be used now."""
        by_place, places, ends = dict[int, Record](), self.places, self.outline.ends
        for at, record in zip(self._blocks, records, strict=True):
            by_place |= dict.fromkeys(range(bisect_left(places, at), bisect_left(places, ends[at])), record)
        return by_place

    def subject(self) -> Record | None:
        return self._about(self._groups)

    @cached_property
    def _groups(self) -> list[Group]:
        buttons = (pair for pair in zip(self.places, self.elements, strict=True) if pair[1].role in BUTTONS and not pair[1].hidden)
        pressed = [at for at, element in buttons if element.label not in _STEPS]
        repeats = Repeats(self.outline, pressed)
        groups = [group for group in repeats.groups()[:MOST_GROUPS] if not self._are_sections(group)]
        alone = [] if self._about(groups) else list(self._alone(groups, repeats))
        return sorted((*groups, *alone), key=lambda group: group.items[0]) if alone else groups

    def _are_sections(self, group: Group) -> bool:
        """Parts of a page, with a heading or without, each with buttons of its own: items of a list have the same ones, or lead on."""
        if not 0 < sum(self.outline.held(at, HEADINGS) > 0 for at in group.items) < len(group.items) <= _MOST_SECTIONS:
            return False
        held = [self.usable_in(at) for at in group.items]
        own = [labels for some in held if (labels := {element.label for element in some if element.tag == "button"})]
        leading = sum(any(element.href or element.tag != "button" for element in some) for some in held)
        return leading < 2 and len(own) > 1 and sum(map(len, own)) == len(set().union(*own)) > len(own)

    def _alone(self, groups: Sequence[Group], repeats: Repeats) -> Iterator[Group]:
        """The blocks around headings that have no other, where they have attributes, as items have."""
        firsts = sorted(group.items[0] for group in groups)
        for heading in self._free(_LESSER_HEADINGS, groups)[:MOST_RECORDS]:
            block = repeats.block_of(heading)
            if block is None or self.outline.around[block].layer or self.outline.held(block, WRITTEN) > 1:
                continue
            if NO_ITEM.search(self.outline.text(heading, LONGEST_NAME)) or firsts[self.outline.slice_of(block, firsts)]:
                continue
            if self._item(block, ()).attributes():
                yield Group((block,), strong=True)

    def _about(self, groups: Sequence[Group]) -> Record | None:
        heads = self._free(frozenset({"h1"}), groups) or self._free(frozenset({"h2"}), groups)
        if len(heads) != 1 or NO_ITEM.search(name := self.outline.text(heads[0], LONGEST_NAME)):
            return None
        lists = (element for element in self.elements if element.role in {"listbox", PICKER} and element.usable)
        if any(_SORTS.search(text) for element in lists for text in (element.label, *element.options[:1])):
            return None
        block, strong = self._block(heads[0]), [place for group in groups for place in group.items if group.strong]
        item = self._item(block, strong)
        if len(attributes := item.attributes()) < _LEAST_ATTRIBUTES:
            return None
        in_others = self.outline.covered(strong)
        inside, usable = self._usable
        elements = (pair for pair in zip(inside, usable, strict=True) if block <= pair[0] < self.outline.ends[block])
        return Record(name, attributes, item.text(), tuple(element for place, element in elements if not in_others[place]))

    def _free(self, tags: frozenset[str], groups: Sequence[Group]) -> list[int]:
        outline = self.outline
        places = [at for at in outline.of_tags(tags) if outline.firsts[at] < outline.lasts[at]]
        listed = outline.covered(place for group in groups for place in group.items) if places else []
        return [at for at in places if not listed[at] and not outline.is_within(at, _LANDMARKS)]

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
        return [at for at in self.outline.of_tags(_FORMS) if self.outline.held(at, WRITTEN)]

    @cached_property
    def _usable(self) -> tuple[list[int], list[Element]]:
        usable = [element for element in self.elements if element.usable]
        return [self.places[element.place] for element in usable], usable

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
        """One cell over all columns holds more of the row before it, or a remark; a row of heads only is no item."""
        own = [self.outline.tags[cell] for cell in cells(self.outline, at)]
        return len(own) > 1 and "td" in own if len(heads) > 1 else bool(heads) or self.outline.held(at, CELLS) > 0

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
