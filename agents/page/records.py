"""The items that a page shows, with their attributes: cards, list entries, table rows, and what a detail page is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from agents.page.attributes import is_label, label_name, of_data, said
from agents.page.elements import Element
from agents.page.outline import Outline
from agents.page.repeats import HEADINGS, LANDMARKS, PRESSED, Group, Repeats
from agents.page.wording import Node

_LONGEST_TEXT = 2_000
_LONGEST_NAME = 160
# A list of more is not looked through item by item.
MOST_RECORDS = 1_000
_STRONG = frozenset({"strong", "b", "dt", "summary"})
_IMAGES = frozenset({"img"})
_NAMING = frozenset({"name", "title", "subject", "product", "item", "client", "task", "film", "movie", "book"})
_TELLING = ("aria-label", "title", "datetime", "content")


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
    def groups(self) -> list[Group]:
        return Repeats(self.outline).groups()

    def listed(self) -> tuple[Record, ...]:
        """The items of all lists, in document order."""
        found = (pair for group in self.groups for pair in self._of_group(group))
        places = sorted(found, key=lambda pair: pair[0])[:MOST_RECORDS]
        return tuple(
            Record(record.name, record.attributes, record.text, record.elements, place) for place, (_, record) in enumerate(places)
        )

    def subject(self) -> Record | None:
        """What the page is about, where one heading stands above attributes that belong to no list."""
        at = self._headline()
        if at is None:
            return None
        block = self._block(at)
        skipped = sorted((place, self.outline.ends[place]) for group in self.groups for place in group.items if group.strong)
        reader = _Item(self.outline, block, frozenset(), {}, _gaps(block, self.outline, skipped))
        attributes = reader.attributes()
        if not attributes:
            return None
        own = tuple(one for one in self._elements_of(block) if not any(low <= self._seats[one.place] < high for low, high in skipped))
        return Record(self.outline.text(at, _LONGEST_NAME), attributes, reader.text(), own)

    def _headline(self) -> int | None:
        for tag in ("h1", "h2"):
            heads = [at for at, said in enumerate(self.outline.tags) if said == tag and self._is_free(at)]
            if heads:
                return heads[0] if len(heads) == 1 else None
        return None

    def _is_free(self, at: int) -> bool:
        """Whether a place says something, outside of landmarks and of lists."""
        outline = self.outline
        if outline.firsts[at] == outline.lasts[at]:
            return False
        above = at
        while above >= 0:
            if outline.tags[above] in {"nav", "footer", "menu"}:
                return False
            above = outline.parents[above]
        return not any(place <= at < outline.ends[place] for group in self.groups for place in group.items)

    def _block(self, at: int) -> int:
        """The largest block around a heading that leaves out the page's landmarks."""
        outline, block = self.outline, at
        while outline.parents[block] >= 0:
            outer = outline.parents[block]
            if outline.tags[outer] in {"body", "html"} or outline.inside(outer, LANDMARKS - {"header", "menu"}):
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
        for at in group.items:
            if self.outline.tags[at] == "tr" and not heads and not self.outline.inside(at, frozenset({"td"})):
                continue
            item = _Item(self.outline, at, labels, heads, [(self.outline.firsts[at], self.outline.lasts[at])])
            yield at, Record(item.name(), item.attributes(), item.text(), self._elements_of(at))

    def _labels(self, group: Group) -> frozenset[str]:
        """Texts without figures that most items of the group say beside another text: they name what differs."""
        if len(group.items) < 3:
            return frozenset()
        counted = Counter(text for at in group.items for text in set(self.outline.texts(at)) if len(text) <= 30)
        most = 0.8 * len(group.items)
        return frozenset(text for text, count in counted.items() if count >= most and not said(text) and not any(map(str.isdigit, text)))

    def _column_heads(self, at: int) -> dict[int, str]:
        """The heads of the table around a row, by the number of their column."""
        outline, table = self.outline, at
        while table >= 0 and outline.tags[table] != "table":
            table = outline.parents[table]
        if table < 0 or outline.tags[at] != "tr":
            return {}
        rows = outline.inside(table, frozenset({"tr"}))
        first = next((row for row in rows if len(outline.inside(row, frozenset({"th"}))) > 1), None)
        cells = _cells(outline, first) if first is not None else []
        return {column: label_name(outline.text(cell, 40)) for column, cell in enumerate(cells) if outline.text(cell, 40)}


def _cells(outline: Outline, row: int) -> list[int]:
    return [child for child in outline.children[row] if outline.tags[child] in {"td", "th"}]


def _gaps(block: int, outline: Outline, skipped: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches of pieces in a block that lie in none of the skipped ranges of places."""
    gaps, start = [], outline.firsts[block]
    for low, high in skipped:
        if block <= low and high <= outline.ends[block] and outline.firsts[low] >= start:
            gaps.append((start, outline.firsts[low]))
            start = outline.lasts[low]
    return [*gaps, (start, outline.lasts[block])]


@dataclass
class _Item:
    """One item: its node, the labels and column heads of its group, the stretches of the page's texts that are its own."""

    outline: Outline
    at: int
    labels: frozenset[str]
    heads: Mapping[int, str]
    stretches: list[tuple[int, int]]
    _found: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        return " ".join(self.outline.pieces[place] for place in self._places())[:_LONGEST_TEXT]

    def _places(self) -> Iterator[int]:
        for low, high in self.stretches:
            yield from range(low, high)

    def name(self) -> str:
        return " ".join(next((text for text in self._names() if text), "").split())[:_LONGEST_NAME]

    def _names(self) -> Iterator[str]:
        outline = self.outline
        yield from (outline.text(place, _LONGEST_NAME) for place in outline.inside(self.at, HEADINGS))
        if self.heads:
            cells = _cells(outline, self.at)
            naming = next((column for column, head in self.heads.items() if _NAMING & set(head.split())), None)
            if naming is not None and naming < len(cells):
                yield outline.text(cells[naming], _LONGEST_NAME)
        yield from (outline.text(place, _LONGEST_NAME) for place in outline.inside(self.at, _STRONG) if not self._tells(place))
        yield from (outline.nodes[place].get("alt", "") for place in outline.inside(self.at, _IMAGES))
        yield from (outline.pieces[place] for place in self._places() if self._is_own(place))
        yield self.text()

    def _tells(self, at: int) -> bool:
        text = self.outline.text(at, 80)
        return not text or is_label(text) or bool(said(text))

    def _is_own(self, place: int) -> bool:
        text = self.outline.pieces[place]
        return text not in self.labels and not is_label(text) and not said(text) and any(map(str.isalpha, text))

    def attributes(self) -> dict[str, str]:
        """The labelled ones first: a shape never overrides what a label says."""
        for name, value in (*self._columns(), *self._labelled(), *self._marked(), *self._shaped()):
            if name and value and name not in self._found:
                self._found[name] = value
        return self._found

    def _columns(self) -> Iterator[tuple[str, str]]:
        for column, cell in enumerate(_cells(self.outline, self.at) if self.heads else ()):
            if column in self.heads:
                yield self.heads[column], self.outline.text(cell, _LONGEST_NAME)

    def _labelled(self) -> Iterator[tuple[str, str]]:
        """A label and the text after it, where both stand in one small block."""
        places = list(self._places())
        for place, after in pairwise(places):
            text, value = self.outline.pieces[place], self.outline.pieces[after]
            known = is_label(text)
            if (known or text in self.labels) and not is_label(value) and value not in self.labels and self._paired(place, after, known):
                yield label_name(text), value

    def _paired(self, label: int, value: int, known: bool) -> bool:
        outline = self.outline
        one, other = outline.owners[label], outline.owners[value]
        if self._in_pressed(one):
            return False
        above = one
        for _ in range(3 if known else 2):
            if above <= other < outline.ends[above]:
                size = outline.lasts[above] - outline.firsts[above]
                return size == 2 or (known and (size <= 6 or outline.tags[above] == "dl"))
            above = outline.parents[above]
            if above < self.at:
                return False
        return False

    def _in_pressed(self, at: int) -> bool:
        while at > self.at:
            if self.outline.tags[at] in PRESSED:
                return True
            at = self.outline.parents[at]
        return False

    def _marked(self) -> Iterator[tuple[str, str]]:
        """What the markup says of the item: data-…, itemprop, labels for the blind, moments of time."""
        for place in range(self.at, self.outline.ends[self.at]):
            for key, value in self.outline.nodes[place].items():
                if key.startswith("data-"):
                    yield from of_data(key, value)
                elif key == "itemprop":
                    yield from of_data(value, self.outline.text(place, 80))
                elif key in _TELLING and self.outline.tags[place] not in PRESSED:
                    yield from said(value[:80])

    def _shaped(self) -> Iterator[tuple[str, str]]:
        for place in self._places():
            yield from said(self.outline.pieces[place])
