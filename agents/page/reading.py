"""From HTML to a Page that recipes can ask."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import cast

from lxml import etree

from agents.page import signs
from agents.page.elements import Element
from agents.page.interactive import Reader
from agents.page.matching import GOOD_ENOUGH, score
from agents.page.outline import Outline, outline
from agents.page.records import Record, Records
from agents.page.signs import Choice, Dialog, Pagination
from agents.page.steady import DRAWN_LINK, Steady
from agents.page.wording import LONGEST_TEXT, Node, text_of
from agents.selectors import Selector

_MOST_HEADINGS = 20
# More than callers send; a page beyond this is cut, and its front part is read.
LONGEST_HTML = 16_000_000
_EMPTY = "<html><body></body></html>"
_NO_CARDS = frozenset({"html", "body", "main", "form", "table", "ul", "ol", "nav", "header", "footer"})
_FURTHEST_CARD = 6
_LONGEST_CARD = 400
_TOLD_ELSEWHERE = frozenset({"h1", "h2", "h3", "button", "a", "option"})
_HEADINGS = frozenset({"h1", "h2", "h3"})
# Their contents are text to a browser that runs scripts, or stand in a document of their own.
_NO_ELEMENTS = ("template", "noscript", "noembed", "noframes", "iframe", "xmp")
_headings_before = etree.XPath("preceding::h1 | preceding::h2 | preceding::h3")
_drawn_links = etree.XPath("//a[ancestor::svg][not(ancestor::foreignobject)]")


@dataclass(frozen=True)
class Page:
    """A page as read: what can be operated on it, and how to select it.

    `elements` are in document order. `url` is where the page was seen, "" when not known.
    """

    url: str
    elements: tuple[Element, ...]
    _reader: Reader = field(repr=False, compare=False)

    @property
    def blank(self) -> bool:
        """Whether nothing on the page can be operated: not loaded yet, or about:blank."""
        return not self.elements

    @cached_property
    def title(self) -> str:
        return next((text_of(node) for node in self._reader.root.iter("title")), "")

    @cached_property
    def headings(self) -> tuple[str, ...]:
        found = (self._outline.text(at, LONGEST_TEXT) for at in self._outline.inside(0, _HEADINGS))
        return tuple(islice((text for text in found if text), _MOST_HEADINGS))

    @cached_property
    def dialog(self) -> bool:
        """Whether an open modal dialog keeps clicks from the rest of the page."""
        return any(element.dialog and element.usable for element in self.elements)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The items of the page's lists, tables and grids, in document order."""
        return self._records.listed()

    @cached_property
    def subject(self) -> Record | None:
        """What a detail page is about; None where the page has no such thing."""
        is_start = re.fullmatch(r"https?://[^/]+/?(?:[?#].*)?", self.url)
        return None if is_start else self._records.subject()

    @cached_property
    def errors(self) -> tuple[str, ...]:
        """What the page says went wrong."""
        described = (self._reader.described(one) for one in self.elements if one.invalid and not one.hidden)
        return signs.errors(self._outline, described)

    @cached_property
    def logged_in(self) -> bool | None:
        """Whether somebody is logged in, by what the page offers; None where nothing tells."""
        return signs.logged_in(self.elements)

    @cached_property
    def search_box(self) -> Element | None:
        """The field to search the site or list in."""
        return signs.search_box(self.elements)

    @cached_property
    def pagination(self) -> Pagination:
        """How the page's list goes on."""
        return signs.pagination(self.elements)

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The groups of radio buttons and of checkboxes."""
        return signs.choices(self.elements)

    @cached_property
    def dialogs(self) -> tuple[Dialog, ...]:
        """The open dialogs, in document order; the last one lies on top."""
        layers = sorted({element.layer for element in self.elements if element.dialog and element.usable})
        return tuple(self._dialog(layer) for layer in layers)

    @property
    def dialog_on_top(self) -> Dialog | None:
        return self.dialogs[-1] if self.dialogs else None

    def _dialog(self, layer: int) -> Dialog:
        return Dialog(self._reader.dialog_name(layer), tuple(one for one in self.elements if one.layer == layer and one.usable))

    def options_of(self, picker: Element) -> tuple[Element, ...]:
        """What an open picker or menu offers to be pressed; nothing while it is closed."""
        return signs.options_of(picker, self.elements, self._reader.places_in(picker.controls))

    @cached_property
    def _outline(self) -> Outline:
        return outline(self._reader.root)

    @cached_property
    def _records(self) -> Records:
        return Records(self._outline, self._reader.nodes, self.elements)

    @cached_property
    def _steady(self) -> Steady:
        return Steady(self._reader.root, self._reader.nodes)

    def usable(self, roles: Collection[str]) -> list[Element]:
        """The elements of these roles that a click or key reaches."""
        return [element for element in self.elements if element.role in roles and element.usable]

    def ranked(self, wanted: str, roles: Collection[str], least: float = GOOD_ENOUGH) -> list[tuple[float, Element]]:
        """The elements of these roles that answer to a name with at least the score `least`, best first, earlier first."""
        scored = [(score(element, wanted), element) for element in self.usable(roles)]
        return sorted((hit for hit in scored if hit[0] >= least), key=lambda hit: (-hit[0], hit[1].place))

    def find(self, wanted: Collection[str], roles: Collection[str], least: float = GOOD_ENOUGH) -> Element | None:
        """The one element of these roles that best answers to any of the wanted names; None where none does well enough."""
        hits = [hit for name in wanted for hit in self.ranked(name, roles, least)[:1]]
        return max(hits, key=lambda hit: (hit[0], -hit[1].place))[1] if hits else None

    def selector(self, element: Element) -> Selector:
        """The steadiest selector that matches this element alone."""
        return next(self._steady.selectors(element))

    def selectors(self, element: Element) -> tuple[Selector, ...]:
        """All selectors that match this element alone, the steadiest first."""
        return tuple(self._steady.selectors(element))

    def beside(self, element: Element, name: str) -> tuple[Selector, ...]:
        """Selectors of a button in an item's block by the item's name; none where it doesn't stand there."""
        return tuple(self._steady.beside(element, name))

    def element(self, selector: Selector) -> Element | None:
        """The element that one of its `selectors` picks; None for a selector that picks none, or several."""
        picked = self._steady.picked(selector)
        return next((one for one, node in zip(self.elements, self._reader.nodes, strict=True) if [node] == picked), None)

    def card(self, element: Element) -> str:
        """The text of the block around an element that leads nowhere else: a list's entry, a product's card."""
        block = self._reader.nodes[element.place]
        for _ in range(_FURTHEST_CARD):
            outer = block.getparent()
            if outer is None or outer.tag in _NO_CARDS or _addresses(outer) > 1:
                break
            block = outer
        return text_of(block, _LONGEST_CARD)

    def texts(self, limit: int) -> Iterator[str]:
        """Lines of visible text outside of headings, buttons, links and fields, until about `limit` characters are out."""
        for text, owner in zip(self._outline.pieces, self._outline.owners, strict=True):
            if limit <= 0:
                return
            if self._outline.tags[owner] not in _TOLD_ELSEWHERE:
                limit -= len(text)
                yield text

    def heading_before(self, element: Element) -> str:
        """The text of the last heading before an element: what the part of the page is called that it stands in; "" for none."""
        found = cast("list[Node]", _headings_before(self._reader.nodes[element.place]))
        return text_of(found[-1]) if found else ""

    def blocks(self, elements: Sequence[Element]) -> Iterator[list[Element]]:
        """The elements inside of the smallest block around some elements, then inside of the next larger one with more in it, and so on."""
        nodes = self._reader.nodes
        first, last = elements[0].place, elements[-1].place
        block: Node | None = nodes[first]
        while block is not None:
            start, end = first, last + 1
            while start > 0 and _stands_in(nodes[start - 1], block):
                start -= 1
            while end < len(nodes) and _stands_in(nodes[end], block):
                end += 1
            if _stands_in(nodes[last], block) and (start, end - 1) != (first, last):
                first, last = start, end - 1
                yield list(self.elements[start:end])
            block = block.getparent()


def _stands_in(node: Node, block: Node) -> bool:
    return node is block or any(outer is block for outer in node.iterancestors())


def _addresses(block: Node) -> int:
    """How many different places the first links of a block lead to."""
    return len({link.get("href") for link in islice(block.iter("a"), 4)})


def read(html: str, url: str) -> Page:
    """Read a page, whatever it is: broken, empty, deep, with NUL characters or a foreign encoding declaration. Never raises."""
    root = _parsed(html)
    reader = Reader(root)
    return Page(url, reader.elements(), reader)


def _parsed(html: str) -> Node:
    # The parser gets bytes whose encoding we know, so that a declaration in the page can't contradict.
    raw = html[:LONGEST_HTML].replace("\0", "").encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(raw, parser) if raw.strip() else None
    except etree.XMLSyntaxError:
        root = None
    return _as_browsers_see(root) if root is not None else etree.fromstring(_EMPTY, etree.HTMLParser())


def _as_browsers_see(root: Node) -> Node:
    """Without what is no element for a browser's selectors, and with a drawing's links told from the page's, as an XPath does."""
    for node in list(root.iter(*_NO_ELEMENTS)):
        for child in list(node):
            node.remove(child)
    for node in cast("list[Node]", _drawn_links(root)):
        node.tag = DRAWN_LINK
    return root
