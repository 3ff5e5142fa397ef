"""One item of a list: what it is called, and what its texts and its markup say about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from agents.page.attributes import BARE_RATING, is_label, label_name, of_data, said
from agents.page.outline import NOTHING, Outline, Spans
from agents.page.repeats import HEADINGS, PRESSED

LONGEST_TEXT = 2_000
LONGEST_NAME = 160
_STRONG = frozenset({"strong", "b", "dt", "summary"})
_IMAGES = frozenset({"img"})
_NAMING = frozenset({"name", "title", "subject", "product", "item", "client", "task", "film", "movie", "book"})
# A label's block holds it, its value, and maybe a pair or two more.
_MOST_PIECES = 6
_FURTHEST = 12
_TELLING = ("aria-label", "title", "datetime", "content")


def cells(outline: Outline, row: int) -> list[int]:
    return [child for child in outline.children[row] if outline.tags[child] in {"td", "th"}]


def is_bare_rating(text: str) -> bool:
    return len(text) <= 4 and bool(BARE_RATING.fullmatch(text))


@dataclass
class Item:
    """One item of an outline.

    `labels` are texts that name what stands beside them, `heads` the names of columns by number, `rated` the paths on which the
    list's ratings stand, `quiet` the tags whose texts say nothing of it, `skipped` the parts of it that are about something else.
    """

    outline: Outline
    at: int
    labels: frozenset[str] = frozenset()
    heads: Mapping[int, str] = field(default_factory=dict)
    rated: frozenset[tuple[str, ...]] = frozenset()
    quiet: frozenset[str] = frozenset()
    skipped: Spans = NOTHING

    def text(self) -> str:
        return " ".join(self.outline.pieces[place] for place in self._places)[:LONGEST_TEXT]

    @cached_property
    def _places(self) -> list[int]:
        """Its texts, by their places among those of the page."""
        return [place for _, texts in self.outline.besides(self.at, self.skipped) for place in texts]

    def name(self) -> str:
        return " ".join(next((text for text in self._names() if text), "").split())[:LONGEST_NAME]

    def _names(self) -> Iterator[str]:
        outline = self.outline
        yield from (outline.text(place, LONGEST_NAME) for place in self._headings)
        if self.heads:
            row = cells(outline, self.at)
            naming = next((column for column, head in self.heads.items() if _NAMING & set(head.split())), None)
            if naming is not None and naming < len(row):
                yield outline.text(row[naming], LONGEST_NAME)
        yield from (outline.text(place, LONGEST_NAME) for place in outline.inside(self.at, _STRONG) if not self._tells(place))
        yield from (outline.nodes[place].get("alt", "") for place in outline.inside(self.at, _IMAGES))
        yield from (outline.pieces[place] for place in self._places if self._is_own(place))
        yield self.text()

    def _tells(self, at: int) -> bool:
        text = self.outline.text(at, 80)
        return not text or is_label(text) or bool(said(text))

    def _is_own(self, place: int) -> bool:
        text = self.outline.pieces[place]
        return text not in self.labels and not is_label(text) and not said(text) and any(map(str.isalpha, text))

    def attributes(self) -> dict[str, str]:
        """The labelled ones first: a shape never overrides what a label says. Several genres are one value, with commas."""
        found: dict[str, str] = {}
        shaped = list(self._shaped())
        for name, value in (*self._columns(), *self._labelled(), *self._marked(), *shaped):
            if name and value:
                found.setdefault(name, value)
        genres = [value for name, value in shaped if name == "genre"]
        if found.get("genre") in genres:
            found["genre"] = ", ".join(dict.fromkeys(part.strip() for value in genres for part in value.split(",")))
        return found

    @cached_property
    def _headings(self) -> list[int]:
        return self.outline.inside(self.at, HEADINGS)

    def _headed(self) -> set[int]:
        """The texts that are headings: a title is no figure, whatever it looks like."""
        outline = self.outline
        return {place for head in self._headings for place in range(outline.firsts[head], outline.lasts[head])}

    def _columns(self) -> Iterator[tuple[str, str]]:
        for column, cell in enumerate(cells(self.outline, self.at) if self.heads else ()):
            if column in self.heads:
                yield self.heads[column], self.outline.text(cell, LONGEST_NAME)

    def _labelled(self) -> Iterator[tuple[str, str]]:
        """A label and the text after it, where both stand in one small block."""
        pieces = self.outline.pieces
        for place, after in pairwise(self._places):
            text, value = pieces[place], pieces[after]
            known = is_label(text)
            if (known or text in self.labels) and not is_label(value) and value not in self.labels:
                block = self._block_of(place, after, 3 if known else 2)
                if block is not None and (known or self.outline.lasts[block] - self.outline.firsts[block] == 2):
                    yield label_name(text), self._value(block, place, after)

    def _block_of(self, label: int, value: int, furthest: int) -> int | None:
        """The smallest block around a label and its value, where it holds little else and is not to be pressed or filled in."""
        outline = self.outline
        above, other = outline.owners[label], outline.owners[value]
        if outline.tags[above] == "label" or self._in_pressed(above):
            return None
        for _ in range(furthest):
            if above <= other < outline.ends[above]:
                is_small = outline.lasts[above] - outline.firsts[above] <= _MOST_PIECES or outline.tags[above] == "dl"
                return above if is_small else None
            above = outline.parents[above]
            if above < self.at:
                return None
        return None

    def _value(self, block: int, label: int, value: int) -> str:
        """What a label names: all that its block says after it, where the block is its own; else the next text."""
        outline = self.outline
        rest = outline.pieces[value : outline.lasts[block]]
        is_own = label == outline.firsts[block] and len(rest) < _MOST_PIECES and not any(map(is_label, rest))
        return " ".join(rest)[:LONGEST_NAME] if is_own else outline.pieces[value]

    def _in_pressed(self, at: int) -> bool:
        for _ in range(_FURTHEST):
            if at <= self.at:
                return False
            if self.outline.tags[at] in PRESSED:
                return True
            at = self.outline.parents[at]
        return False

    def _marked(self) -> Iterator[tuple[str, str]]:
        """What the markup says of the item: data-…, itemprop, labels for the blind, moments of time."""
        for place in (one for nodes, _ in self.outline.besides(self.at, self.skipped) for one in nodes):
            for key, value in self.outline.nodes[place].items():
                if key.startswith("data-"):
                    yield from of_data(key, value)
                elif key == "itemprop":
                    yield from of_data(value, self.outline.text(place, 80))
                elif key in _TELLING and self.outline.tags[place] not in PRESSED:
                    yield from said(value[:80])

    def _shaped(self) -> Iterator[tuple[str, str]]:
        outline, named = self.outline, self._headed()
        for place in self._places:
            text, owner = outline.pieces[place], outline.owners[place]
            if place in named or outline.tags[owner] in self.quiet:
                continue
            yield from said(text)
            if self.rated and len(text) <= 2 and text.isdigit() and outline.path(self.at, owner) in self.rated:
                yield "rating", text
