"""From HTML to a Page that recipes query, a page in few words, and what has changed on it since the step before."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import cast
from urllib.parse import urlsplit

from lxml import etree

from agents.contract.limits import MAX_DEPTH
from agents.contract.selectors import ATTRIBUTE, Selector
from agents.page import signs
from agents.page.bounding import bounded
from agents.page.element_selectors import DRAWN_LINK, Steady
from agents.page.elements import FIELDS, GOOD_ENOUGH, Element, score
from agents.page.interactive import Reader
from agents.page.nodes import LONGEST_TEXT, Node, Texts, one_line
from agents.page.outline import Outline, outline
from agents.page.records import Record, Records

_MOST_HEADINGS = 20
_TOO_DEEP = f"Page: it nests more than {MAX_DEPTH} elements inside of each other; what comes before was read."
_EMPTY = "<html><body></body></html>"
_NO_CARDS = frozenset({"html", "body", "main", "form", "table", "ul", "ol", "nav", "header", "footer"})
_FURTHEST_CARD = 6
_LONGEST_CARD = 400
_MOST_IN_CARD = 300
_SHOWN_ELSEWHERE = frozenset({"h1", "h2", "h3", "button", "a", "option"})
_HEADINGS = frozenset({"h1", "h2", "h3"})
# Their contents are text to a browser that runs scripts, or stand in a document of their own.
_NO_ELEMENTS = ("template", "noscript", "noembed", "noframes", "iframe", "xmp")
_drawn_links = etree.XPath("//a[ancestor::svg][not(ancestor::foreignobject)]")
# Of an excerpt and of a comparison.
_MOST_OPTIONS = 20
_MOST_TEXTS = 40
_COMPARED = 20_000


@dataclass(frozen=True)
class Page:
    """`url` is where the page was seen, "" when not known. `cuts`: a sentence for each part that was left out for its size."""

    url: str
    elements: tuple[Element, ...]
    _reader: Reader = field(repr=False, compare=False)
    _steady: Steady = field(repr=False, compare=False)
    cuts: tuple[str, ...] = ()

    @property
    def blank(self) -> bool:
        """Whether nothing on the page can be operated: not loaded yet, or about:blank."""
        return not self.elements

    @property
    def _texts(self) -> Texts:
        return self._reader.naming.texts

    @cached_property
    def title(self) -> str:
        return next((self._texts.of(node) for node in self._reader.root.iter("title")), "")

    @cached_property
    def headings(self) -> tuple[str, ...]:
        found = (self._outline.text(at, LONGEST_TEXT) for at in self._outline.inside(0, _HEADINGS))
        return tuple(islice((text for text in found if text), _MOST_HEADINGS))

    @cached_property
    def records(self) -> tuple[Record, ...]:
        return self._records.listed()

    @cached_property
    def subject(self) -> Record | None:
        """What a detail page is about, None for other pages."""
        is_start = re.fullmatch(r"https?://[^/]+/?(?:[?#].*)?", self.url)
        return None if is_start else self._records.subject()

    @cached_property
    def errors(self) -> tuple[str, ...]:
        invalid = (self._reader.nodes[one.place] for one in self.elements if one.invalid and not one.hidden)
        return signs.errors(self._outline, map(self._reader.naming.described, invalid))

    @cached_property
    def logged_in(self) -> bool | None:
        return signs.logged_in(self.elements)

    @cached_property
    def search_box(self) -> Element | None:
        return signs.search_box(self.elements)

    @cached_property
    def pagination(self) -> signs.Pagination:
        return signs.pagination(self.elements)

    @cached_property
    def dialogs(self) -> tuple[str, ...]:
        """The headings or names of the open dialogs, in document order; the last one lies on top."""
        layers = sorted({element.layer for element in self.elements if element.layer and element.usable})
        return tuple(self._reader.dialog_name(layer) for layer in layers)

    @cached_property
    def _headings_before(self) -> dict[int, str]:
        """By each element's place, in one walk through the page."""
        places = {node: place for place, node in enumerate(self._reader.nodes)}
        headings, found = list[tuple[Node, str]](), dict[int, str]()
        for node in self._reader.root.iter():
            if node in places:
                around = set(node.iterancestors(*_HEADINGS))
                found[places[node]] = next((text for heading, text in reversed(headings) if heading not in around), "")
            if node.tag in _HEADINGS:
                headings.append((node, self._texts.of(node)))
        return found

    @cached_property
    def _outline(self) -> Outline:
        return outline(self._reader.root)

    @cached_property
    def _records(self) -> Records:
        return Records(self._outline, self._reader.nodes, self.elements)

    def usable(self, roles: Collection[str]) -> list[Element]:
        return [element for element in self.elements if element.role in roles and element.usable]

    def find(self, wanted: Collection[str], roles: Collection[str], least: float = GOOD_ENOUGH) -> Element | None:
        """The one element of these roles that best answers to any of the wanted names; None where none has the score `least`."""
        scored = ((score(element, name), element) for element in self.usable(roles) for name in wanted)
        best = max(scored, key=lambda hit: (hit[0], -hit[1].place), default=None)
        return best[1] if best and best[0] >= least else None

    def selector(self, element: Element) -> Selector:
        return self._steady.first(element)

    def selectors(self, element: Element) -> tuple[Selector, ...]:
        return self._steady.selectors(element)

    def beside(self, element: Element, name: str) -> tuple[Selector, ...]:
        return self._steady.beside(element, name)

    def element(self, selector: Selector) -> Element | None:
        """The element that one of its `selectors` picks; None for a selector that picks none, or several."""
        return next((one for one in self.elements if self._steady.is_picked(one, selector)), None)

    def card(self, element: Element) -> str:
        """The text of the block around an element that leads nowhere else: a list's entry, a product's card."""
        block = self._reader.nodes[element.place]
        for _ in range(_FURTHEST_CARD):
            outer = block.getparent()
            if outer is None or outer.tag in _NO_CARDS or next(islice(outer.iter(), _MOST_IN_CARD, None), None) is not None:
                break
            if len({link.get("href") for link in islice(outer.iter("a"), 4)}) > 1:
                break
            block = outer
        return self._texts.of(block, _LONGEST_CARD)

    def texts(self, limit: int) -> Iterator[str]:
        """Lines of visible text outside of headings, buttons, links and fields, until about `limit` characters are out."""
        for text, owner in zip(self._outline.pieces, self._outline.owners, strict=True):
            if limit <= 0:
                return
            if self._outline.tags[owner] not in _SHOWN_ELSEWHERE:
                limit -= len(text)
                yield text

    def heading_before(self, element: Element) -> str:
        """The text of the last heading before an element: what the part of the page is called that it stands in; "" for none."""
        return self._headings_before[element.place]

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


def read(html: str, url: str) -> Page:
    """Never raises, whatever the page is: broken, empty, deep, with a foreign encoding declaration. What it costs is bounded."""
    within, cuts = bounded(html)
    # The parser gets bytes whose encoding we know, so that a declaration in the page can't contradict.
    raw = within.encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(raw, parser) if raw.strip() else None
    except etree.XMLSyntaxError:
        root = None
    last = parser.error_log.last_error
    if last is not None and last.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        cuts = (*cuts, _TOO_DEEP)
    if root is None:
        root = etree.fromstring(_EMPTY, etree.HTMLParser())
    _as_browsers_do(root)
    reader = Reader(root)
    return Page(url, reader.elements(), reader, Steady(root, reader.nodes), cuts)


def _as_browsers_do(root: Node) -> None:
    """Remove what is no element for a browser's selectors, and tell a drawing's links from the page's, as an XPath does."""
    for node in list(root.iter(*_NO_ELEMENTS)):
        del node[:]
    for node in cast("list[Node]", _drawn_links(root)):
        node.tag = DRAWN_LINK


def excerpt(page: Page, limit: int) -> str:
    """The page in at most `limit` characters, cut at a line's end: title, headings, a line for each usable element, texts."""
    kept, left = list[str](), limit
    for line in _lines(page, limit):
        if len(line) > left:
            break
        kept.append(line)
        left -= len(line) + 1
    return "\n".join(kept)


def _lines(page: Page, limit: int) -> Iterator[str]:
    if page.title:
        yield f"Title: {page.title}"
    yield from (f"# {heading}" for heading in page.headings)
    for element in page.elements:
        if element.usable:
            selector = page.selector(element)
            way = selector["attribute"] if selector["type"] == ATTRIBUTE else "xpath"
            line = f'{element.role} "{one_line(element.label, 80)}" [{way}={selector["value"]}]'
            if element.role in FIELDS and element.value:
                line += f' value "{one_line(element.value, 60)}"'
            if element.options:
                line += " options " + " | ".join(one_line(option, 40) for option in element.options[:_MOST_OPTIONS])
            yield line
    yield from (f"Text: {text}" for text in islice(page.texts(limit), 400))


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference of two readings. `moved`: another path or query. `appeared` and `gone`: texts, names of elements included.

    `errors` are new ones, `opened` is the name of the dialog that lies on top now and did not before, `closed`: one that lay there is gone.
    """

    moved: bool
    appeared: tuple[str, ...]
    gone: tuple[str, ...]
    errors: tuple[str, ...]
    opened: str | None
    closed: bool


def changes(before: Page, after: Page) -> Changes:
    old, new = (
        Counter([*page.texts(_COMPARED), *page.headings, *(one.label for one in page.elements if not one.hidden and one.label)])
        for page in (before, after)
    )
    was, top = (page.dialogs[-1] if page.dialogs else None for page in (before, after))
    return Changes(
        moved=_where(before.url) != _where(after.url),
        appeared=tuple(new - old)[:_MOST_TEXTS],
        gone=tuple(old - new)[:_MOST_TEXTS],
        errors=tuple(text for text in after.errors if text not in before.errors),
        opened=top if top != was else None,
        closed=was is not None and top is None,
    )


def _where(url: str) -> tuple[str, str]:
    parts = urlsplit(url) if "[" not in url else None
    return (parts.path.rstrip("/"), parts.query) if parts else (url, "")
