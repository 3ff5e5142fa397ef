"""The items that a page shows, with their attributes: cards, list entries, table rows, and what a detail page is about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from agents.page.attributes import label_name, said
from agents.page.elements import PICKER, Element
from agents.page.item import LONGEST_NAME, Item, cells, is_bare_rating
from agents.page.outline import Outline, Spans
from agents.page.repeats import LANDMARKS, NO_ITEM, Group, Repeats
from agents.page.wording import Node

# A list of more is not looked through item by item.
MOST_RECORDS = 1_000
MOST_GROUPS = 200
# One attribute may stand there by chance.
_LEAST_ATTRIBUTES = 2
# A button's text says what it does.
_QUIET = frozenset({"button", "label"})
_WRITTEN = frozenset({"input", "textarea", "select"})
_ASIDE = frozenset({"nav", "footer", "menu"})
_EDGES = LANDMARKS - {"header", "menu"}
_LONE = frozenset({"h2", "h3", "h4", "h5"})
_SORTS = re.compile(r"\bsort\b|\blow to high\b|\bnewest\b|^all \w+s$", re.I)


@dataclass(frozen=True, slots=True)
class Record:
    """One item of a list, table or grid as the page shows it, or the one item that a detail page is about.

    `name`: its heading or strongest text. `attributes`: by lower-case name, values as shown: {"year": "1994", "rating": "4.5",
    "price": "$19.99"}. `text`: all its text, spaces folded. `elements`: its usable links, buttons and fields in page order.
    `place` counts the page's records from 0; it is -1 for the subject of a detail page.
    """

    name: str
    attributes: Mapping[str, str]
    text: str
    elements: tuple[Element, ...] = ()
    place: int = -1


@dataclass
class Records:
    """Reads the records of one page. `nodes` are the nodes of `elements`, place by place."""

    outline: Outline
    nodes: Sequence[Node]
    elements: Sequence[Element]

    @cached_property
    def repeats(self) -> Repeats:
        return Repeats(self.outline)

    @cached_property
    def groups(self) -> list[Group]:
        """The page's lists, those of one item included, as a search may have a single result."""
        found = self.repeats.groups()[:MOST_GROUPS]
        alone = [] if self._about(found) else list(self._alone(found))
        return sorted((*found, *alone), key=lambda group: group.items[0]) if alone else found

    def _alone(self, found: Sequence[Group]) -> Iterator[Group]:
        """The blocks around headings that have no other, where they look like items of their own."""
        listed = self._spans(found)
        for heading in (at for at, tag in enumerate(self.outline.tags) if tag in _LONE and self._is_free(at, listed)):
            block = self.repeats.block_of(heading)
            if (
                block is None
                or NO_ITEM.search(self.outline.text(heading, LONGEST_NAME))
                or any(block <= group.items[0] < self.outline.ends[block] for group in found)
            ):
                continue
            if self._item(block, ()).attributes():
                yield Group((block,), strong=True)

    def _spans(self, groups: Sequence[Group]) -> Spans:
        return self.outline.spans(place for group in groups for place in group.items)

    def listed(self) -> tuple[Record, ...]:
        """The items of all lists, in document order."""
        found = islice((pair for group in self.groups for pair in self._of_group(group)), MOST_RECORDS)
        places = enumerate(record for _, record in sorted(found, key=lambda pair: pair[0]))
        return tuple(replace(record, place=place) for place, record in places)

    def subject(self) -> Record | None:
        """What the page is about, where one heading stands above attributes that belong to no list."""
        return self._about(self.groups)

    def _about(self, groups: Sequence[Group]) -> Record | None:
        at = self._headline(self._spans(groups))
        if at is None or NO_ITEM.search(self.outline.text(at, LONGEST_NAME)) or any(map(_sorts, self.elements)):
            return None
        block = self._block(at)
        strong = [place for group in groups for place in group.items if group.strong]
        item = self._item(block, strong)
        attributes = item.attributes()
        if len(attributes) < _LEAST_ATTRIBUTES:
            return None
        others = self.outline.spans(strong)
        own = tuple(one for one in self._elements_of(block) if not others.holds(self._seats[one.place]))
        return Record(self.outline.text(at, LONGEST_NAME), attributes, item.text(), own)

    def _item(self, block: int, others: Sequence[int]) -> Item:
        """A block as an item, without other items, and without the forms that are to be filled in: they are about their fields."""
        skipped = self.outline.spans(place for place in (*others, *self._filled_in) if block < place < self.outline.ends[block])
        return Item(self.outline, block, quiet=_QUIET, skipped=skipped)

    @cached_property
    def _filled_in(self) -> list[int]:
        outline, counted = self.outline, self.outline.count(_WRITTEN)
        return [at for at, tag in enumerate(outline.tags) if tag == "form" and counted[outline.ends[at]] > counted[at]]

    def _headline(self, listed: Spans) -> int | None:
        for tag in ("h1", "h2"):
            heads = [at for at, said in enumerate(self.outline.tags) if said == tag and self._is_free(at, listed)]
            if heads:
                return heads[0] if len(heads) == 1 else None
        return None

    def _is_free(self, at: int, listed: Spans) -> bool:
        """Whether a place says something, outside of landmarks and of lists."""
        return self.outline.firsts[at] < self.outline.lasts[at] and not self._aside[at] and not listed.holds(at)

    @cached_property
    def _aside(self) -> list[bool]:
        return self.outline.within(_ASIDE)

    def _block(self, at: int) -> int:
        """The largest block around a heading that leaves out the page's landmarks."""
        outline, block, counted = self.outline, at, self.outline.count(_EDGES)
        while outline.parents[block] >= 0:
            outer = outline.parents[block]
            if outline.tags[outer] in {"body", "html"} or counted[outline.ends[outer]] > counted[outer]:
                break
            block = outer
        return block

    @cached_property
    def _seats(self) -> dict[int, int]:
        """The outline's place of each element that can be seen."""
        places = self.outline.places
        return {element.place: places[node] for element, node in zip(self.elements, self.nodes, strict=True) if node in places}

    @cached_property
    def _usable(self) -> tuple[list[int], list[Element]]:
        usable = [element for element in self.elements if element.usable and element.place in self._seats]
        return [self._seats[element.place] for element in usable], usable

    def _elements_of(self, at: int) -> tuple[Element, ...]:
        seats, usable = self._usable
        return tuple(usable[self.outline.holds(at, seats)])

    def _of_group(self, group: Group) -> Iterator[tuple[int, Record]]:
        heads = self._column_heads(group.items[0])
        labels = self._labels(group)
        rated = self._rated(group)
        for at in group.items:
            if self.outline.tags[at] == "tr" and not heads and not self.outline.inside(at, frozenset({"td"})):
                continue
            item = Item(self.outline, at, labels, heads, rated, _QUIET)
            yield at, Record(item.name(), item.attributes(), item.text(), self._elements_of(at))

    def _labels(self, group: Group) -> frozenset[str]:
        """Texts without figures that most items of the group say beside another text: they name what differs."""
        if len(group.items) < 3:
            return frozenset()
        counted = Counter(text for at in group.items for text in set(self.outline.texts(at)) if len(text) <= 30)
        most = 0.8 * len(group.items)
        return frozenset(text for text, count in counted.items() if count >= most and not said(text) and not any(map(str.isdigit, text)))

    def _rated(self, group: Group) -> frozenset[tuple[str, ...]]:
        """Where in the group's items a bare rating stands: a whole number in the same place is one, too."""
        return frozenset(
            self.outline.path(item, self.outline.owners[place])
            for item in group.items
            for place in range(self.outline.firsts[item], self.outline.lasts[item])
            if is_bare_rating(self.outline.pieces[place])
        )

    def _column_heads(self, at: int) -> dict[int, str]:
        """The heads of the table around a row, by the number of their column."""
        outline, table = self.outline, at
        while table >= 0 and outline.tags[table] != "table":
            table = outline.parents[table]
        if table < 0 or outline.tags[at] != "tr":
            return {}
        rows = outline.inside(table, frozenset({"tr"}))
        first = next((row for row in rows if len(outline.inside(row, frozenset({"th"}))) > 1), None)
        named = cells(outline, first) if first is not None else []
        return {column: label_name(outline.text(cell, 40)) for column, cell in enumerate(named) if outline.text(cell, 40)}


def _sorts(element: Element) -> bool:
    """Whether it orders or narrows a list."""
    said = (element.label, *element.options[:1]) if element.role in {"listbox", PICKER} and element.usable else ()
    return any(_SORTS.search(text) for text in said)
