"""From HTML to a Page that recipes query."""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import islice
from typing import cast

from lxml import etree

from agents.contract.limits import MAX_DEPTH
from agents.contract.origins import carried_names, carries, query_names
from agents.contract.selectors import Selector, quoted, xpath
from agents.page.bounding import bounded
from agents.page.element_selectors import DRAWN_LINK, Steady
from agents.page.elements import BUTTONS, GOOD_ENOUGH, OPTIONS, TEXT_FIELDS, Element, score
from agents.page.interactive import MOST_ELEMENTS, Reader
from agents.page.matching import words
from agents.page.nodes import LONGEST_TEXT, Node, one_line
from agents.page.outline import LONGEST_PIECE, MOST_NODES, PRESSED, Outline, outline
from agents.page.records import Record, Records
from agents.page.sections import Section, Sections

_MOST_HEADINGS = 20
_TOO_DEEP = f"Page: it nests more than {MAX_DEPTH} elements inside of each other; what comes before was read."
_TOO_MANY = f"Page: the first {MOST_ELEMENTS:,} of its links, buttons and fields were read."
_TOO_LARGE = f"Page: the first {MOST_NODES:,} of its parts were read."
_NO_CARDS = frozenset({"html", "body", "main", "form", "table", "ul", "ol", "nav", "header", "footer"})
_FURTHEST_CARD, _LONGEST_CARD, _MOST_IN_CARD = 6, 400, 300
_SHOWN_ELSEWHERE = frozenset({"h1", "h2", "h3", "button", "a", "option"})
_HEADINGS = frozenset({"h1", "h2", "h3"})
# Their contents are text to a browser that runs scripts, or stand in a document of their own.
_NO_ELEMENTS = ("template", "noscript", "noembed", "noframes", "iframe", "xmp")
_drawn_links = etree.XPath("//a[ancestor::svg][not(ancestor::foreignobject)]")
# How many identical texts are examined.
_MOST_SHOWING = 3
_LONGEST_ERROR, _MOST_ERRORS = 200, 10
# Texts that by themselves are error messages.
_WRONG = re.compile(
    r"\b(?:invalid|incorrect|wrong) (?:user|pass|e-?mail|log|cred|input|value|name|code|date)|\b(?:is|are) (?:required|invalid|incorrect)\b"
    r"|\brequired field|\bfailed to\b|\bplease try again\b|\balready (?:exists|taken|in use|registered)\b|\bdo(?:es)? ?n[o']t match\b"
    r"|\bdo(?:es)? not (?:match|exist)\b|\bsomething went wrong\b"
    r"|\bpage (?:could )?not (?:be )?found\b|\bcan(?:not|'t) be (?:empty|blank)\b",
    re.I,
)
# Texts that are so where their markup is that of an error, too.
_MAYBE_WRONG = re.compile(
    r"\b(?:error|invalid|incorrect|wrong|required|must|please|failed|cannot|can't|not|too (?:short|long)|at least|already)\b", re.I
)
# One of these is in each text that the two match: to search for them takes a tenth of the time.
_IN_WRONG = (
    *("error", "invalid", "incorrect", "wrong", "required", "must"),
    *("please", "failed", "not", "n't", "too ", "at least", "already"),
)
_ERROR_MARKS = re.compile(r"error|danger|destructive|invalid|(?:text|border|bg)-red|text-rose|alert", re.I)
_NO_ERROR = re.compile(r"\b(?:success|thank|saved|added|welcome)\b", re.I)

# A whole text, of at most 40 characters; all texts are read at once, each in a line.
_LOADING = re.compile(r"^(?=.{1,40}$)(?:loading|please wait|fetching|one moment)\b[\w ,]*(?:…|\.{2,3})?$", re.I | re.M)
_SKELETON = re.compile(r"(?:^|\s)(?:animate-pulse|(?:[\w-]+-)?skeleton(?:-[\w-]+)?)(?=\s|$)", re.I)

_OUT = frozenset({"log out", "logout", "sign out", "signout", "log off"})
_IN = frozenset({"log in", "login", "sign in", "signin", "sign up", "signup", "register", "create account"})
_OWN = frozenset({"profile", "my account", "my profile", "account menu", "user menu"})
_OUT_ROUTE = re.compile(r"/(?:logout|signout|sign-out|log-out)(?:[/?]|$)", re.I)
_IN_ROUTE = re.compile(r"/(?:login|signin|sign-in|log-in|register|signup|sign-up)(?:[/?]|$)", re.I)
_NEXT = frozenset({"next", "next page", "older", "›", "»", "→", ">", "go to next page", "next ›", "next »", "next →"})
_PREVIOUS = frozenset(
    {"previous", "prev", "previous page", "newer", "‹", "«", "←", "<", "go to previous page", "‹ previous", "« previous", "← previous"}
)
# As in: 1-15 of 49, beside two arrows.
_PART = re.compile(r"^\d+ ?[-–] ?\d+ (?:of|/) \d+$")
_NUMBERED = re.compile(r"(?:(?:go to )?page )?(\d{1,3})", re.I)
_PRESSED = BUTTONS | OPTIONS
_NOT_FOR_TEXT = frozenset({"password", "email", "date", "number", "time", "tel", "url", "datetime-local"})
_SEARCHES = frozenset({"search", "query", "q", "find", "keyword", "discover", "lookup"})
_ENTERED = frozenset({"name", "title", "email", "phone", "comment", "message", "reply"})
_GOES = _SEARCHES | {"go", "ok", "submit", "show", "filter", "apply", "clear", "reset"}


@dataclass(frozen=True, slots=True)
class Pagination:
    """How a list goes on: what leads to other pages of it, and which page it is `now`, None where that is not marked."""

    next: Element | None
    previous: Element | None
    numbered: Mapping[int, Element]
    now: int | None


@dataclass(frozen=True)
class Page:
    """`url` is where the page was seen, "" when not known. `cuts`: a sentence for each part that was left out for its size. `carried`: the
    names in its query that its links to other pages carry on."""

    url: str
    elements: tuple[Element, ...]
    _reader: Reader = field(repr=False, compare=False)
    _steady: Steady = field(repr=False, compare=False)
    cuts: tuple[str, ...] = ()
    carried: frozenset[str] = frozenset()

    @property
    def blank(self) -> bool:
        return not self.elements

    def keeps(self, href: str) -> bool:
        """Whether a link carries on what the page's other links do of the query."""
        return carries(href, self.carried)

    @cached_property
    def title(self) -> str:
        title = next(iter(self._steady.root.iter("title")), None)
        return one_line(title.text or "") if title is not None else ""

    @cached_property
    def headings(self) -> tuple[str, ...]:
        texts = (self._outline.text(at, LONGEST_TEXT) for at in self._headings)
        return tuple(islice((text for text in texts if text), _MOST_HEADINGS))

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
        """The page's error messages, each text once: beside invalid fields, then in document order."""
        outline, reader = self._outline, self._reader
        described = (
            reader.naming.described(reader.places[element.place]) for element in self.elements if element.invalid and not element.hidden
        )
        alerted = (at for at in outline.marked if outline.attributes[at].get("role") == "alert" and outline.tags[at])
        alerts = (outline.text(at, _LONGEST_ERROR) for at in alerted)
        pieces, together = zip(outline.pieces, outline.owners, strict=True), "\n".join(outline.pieces).casefold()
        signs = [sign for sign in _IN_WRONG if sign in together]
        short = (piece for piece in pieces if len(piece[0]) <= _LONGEST_ERROR) if signs else ()
        likely = (piece for piece in short if any(map(piece[0].casefold().__contains__, signs)))
        wrong = (text for text, at in likely if _WRONG.search(text) or (_MAYBE_WRONG.search(text) and _is_marked(outline, at)))
        texts = dict.fromkeys([*described, *(text for text in alerts if not _NO_ERROR.search(text)), *wrong])
        return tuple(text for text in texts if text)[:_MOST_ERRORS]

    @cached_property
    def logged_in(self) -> bool | None:
        """None where nothing shows it. A closed menu counts: what matters is that the page has a way out, not that it is to be seen."""
        if any(_is_one_of(element, _OUT) or _OUT_ROUTE.search(element.href) for element in self.elements):
            return True
        seen = self.usable(BUTTONS)
        if any(_is_one_of(element, _IN) or _IN_ROUTE.search(element.href) for element in seen):
            return False
        return True if any(_is_one_of(element, _OWN) for element in seen) else None

    @cached_property
    def search_box(self) -> Element | None:
        fields = [element for element in self.usable(TEXT_FIELDS) if element.type not in _NOT_FOR_TEXT]
        if meant := next((element for element in fields if element.role == "searchbox"), None):
            return meant
        for element in fields:
            if not _SEARCHES.isdisjoint(words(element.label) + words(element.placeholder) + words(element.name) + words(element.hints)):
                return element
        is_alone = len(fields) == 1 and fields[0].tag == "input" and not any(element.type == "password" for element in self.elements)
        return fields[0] if is_alone and not self._is_entered(fields[0]) else None

    def _is_entered(self, field: Element) -> bool:
        """No button of its form has the label of a search: "Subscribe"; or it has none, and is for a name or a text."""
        pressed = [words(element.label) for element in self.elements if element.role in BUTTONS and element.form == field.form is not None]
        if pressed:
            return all(label and _GOES.isdisjoint(label) for label in pressed)
        return not _ENTERED.isdisjoint(words(field.label) + words(field.placeholder))

    @cached_property
    def pagination(self) -> Pagination:
        pressed = [element for element in self.elements if not element.hidden and element.role in BUTTONS]
        numbers = {element: int(match[1]) for element in pressed if (match := _NUMBERED.fullmatch(element.label.strip()))}
        now = next((number for element, number in numbers.items() if element.selected), None)
        usable = [element for element in pressed if element.usable]
        following, previous = (
            next(
                (element for element in usable if names & _names_of(element) or (element.icon == icon and _PART.search(element.group))),
                None,
            )
            for names, icon in ((_NEXT, "chevron right"), (_PREVIOUS, "chevron left"))
        )
        is_list = len(numbers) > 1 or following or previous
        numbered = {number: element for element, number in reversed(numbers.items()) if element.usable and is_list}
        return Pagination(following, previous, dict(sorted(numbered.items())), now)

    @cached_property
    def dialogs(self) -> tuple[str, ...]:
        """The headings or names of the open dialogs, in document order; the last one lies on top."""
        layers = sorted({element.layer for element in self.elements if element.layer and not (element.hidden or element.disabled)})
        return tuple(self._reader.dialog_name(layer) for layer in layers)

    @cached_property
    def is_loading(self) -> bool:
        """Whether the page shows that its contents are still loading."""
        outline = self._outline
        if any(outline.attributes[at].get("aria-busy") == "true" and outline.tags[at] for at in outline.marked):
            return True
        drawn = {value for value in outline.classes_by_value if _SKELETON.search(value)}
        shown = (attributes for attributes, tag in zip(outline.attributes, outline.tags, strict=True) if tag) if drawn else ()
        return any(attributes.get("class") in drawn for attributes in shown) or _LOADING.search("\n".join(outline.pieces)) is not None

    @cached_property
    def offered(self) -> tuple[Element, ...]:
        """The usable elements: those of the dialog on top first, then those of open menus, then the page's."""
        usable = (element for element in self.elements if element.usable)
        return tuple(sorted(usable, key=lambda element: (-element.layer, not element.overlay, element.place)))

    @cached_property
    def items(self) -> Mapping[int, Record]:
        """By the place of each element that belongs to one."""
        return self._records.by_element(self.records)

    @cached_property
    def sections(self) -> Mapping[int, Section]:
        """The part of the page that each element belongs to, by the element's place; without hidden ones and those behind a dialog."""
        return self._sections.of_elements()

    def part_of(self, element: Element) -> tuple[str, str]:
        """Kind and name of the section of an element; "" and "" for one that is not usable."""
        return self._sections.key(element, self._reader.places[element.place])[:2] if element.usable else ("", "")

    @property
    def _outline(self) -> Outline:
        return self._reader.outline

    @cached_property
    def _headings(self) -> list[int]:
        return self._outline.inside(0, _HEADINGS)

    @cached_property
    def _sections(self) -> Sections:
        reader = self._reader
        dialogs = {at: reader.dialog_name(layer) for layer, at in enumerate(self._outline.dialogs, 1)}
        return Sections(self._outline, reader.places, self.elements, self.items, dialogs, reader.naming.by_aria)

    @cached_property
    def _records(self) -> Records:
        return Records(self._outline, self._reader.places, self.elements)

    def usable(self, roles: Collection[str]) -> list[Element]:
        return [element for element in self.elements if element.role in roles and element.usable]

    def find(self, wanted: Collection[str], roles: Collection[str], least: float = GOOD_ENOUGH) -> Element | None:
        """The one element of these roles whose name is most like one of the wanted names; None where none has the score `least`."""
        scored = ((score(element, name), element) for element in self.usable(roles) for name in wanted)
        best = max(scored, key=lambda hit: (hit[0], -hit[1].place), default=None)
        return best[1] if best and best[0] >= least else None

    def node(self, element: Element) -> Node:
        return self._reader.nodes[element.place]

    def selector(self, element: Element) -> Selector:
        return next(self._steady.valid(element))

    def selectors(self, element: Element) -> tuple[Selector, ...]:
        return self._steady.selectors(element)

    def showing(self, text: str) -> Selector | None:
        """Of the first visible text that is `text`, whatever its case, and stands in no link or button; None where there is none."""
        outline, wanted = self._outline, one_line(text, LONGEST_PIECE).casefold()
        pieces = (pair for pair in zip(outline.pieces, outline.owners, strict=True) if pair[0].casefold() == wanted)
        for piece, owner in islice((pair for pair in pieces if not outline.is_within(pair[1], PRESSED)), _MOST_SHOWING):
            node = outline.nodes[owner]
            expression = f"//{node.tag!s}[text()[normalize-space()={quoted(piece)}]]"
            try:
                alike = cast("list[Node]", self._steady.root.xpath(expression))
            except ValueError:  # for control characters, which no expression may hold
                continue
            if node in alike and len(piece) < LONGEST_PIECE:
                return xpath(f"({expression})[{alike.index(node) + 1}]")
        return None

    def beside(self, element: Element, name: str) -> tuple[Selector, ...]:
        return self._steady.beside(element, name)

    def element(self, selector: Selector) -> Element | None:
        """The element that one of its `selectors` picks; None for a selector that picks none, or several."""
        # What a plan uses has its selectors already; those of all others would have to be made.
        resolved = self._steady.resolved()
        ordered = sorted(self.elements, key=lambda element: element.place not in resolved)
        return next((element for element in ordered if self._steady.is_picked(element, selector)), None)

    def card(self, element: Element) -> str:
        """The text of the block around an element that leads nowhere else: a list's entry, a product's card."""
        outline, block = self._outline, self._reader.places[element.place]
        for outer in islice(outline.up(outline.parents[block], -1), _FURTHEST_CARD):
            is_large = outline.tags[outer] in _NO_CARDS or outline.ends[outer] - outer > _MOST_IN_CARD
            if is_large or len(self._links_in(outer)) > 1:
                break
            block = outer
        return outline.text(block, _LONGEST_CARD)

    def _links_in(self, at: int) -> set[str]:
        places = self._reader.places
        inside = self.elements[self._outline.slice_of(at, places)]
        return {element.href for element in inside if element.tag == "a"}

    def texts(self, limit: int, *, is_topmost: bool = False) -> Iterator[str]:
        """Lines of visible text outside of headings, buttons, links and fields, until about `limit` characters are out; `is_topmost`:
        without what lies behind an open dialog."""
        is_covered = is_topmost and any(element.covered for element in self.elements)
        top = max((element.layer for element in self.elements if element.usable), default=0) if is_covered else 0
        for text, owner in zip(self._outline.pieces, self._outline.owners, strict=True):
            if limit <= 0:
                return
            if self._outline.tags[owner] not in _SHOWN_ELSEWHERE and self._outline.around[owner].layer >= top:
                limit -= len(text)
                yield text

    def heading_before(self, element: Element) -> str:
        outline, at = self._outline, self._reader.places[element.place]
        before = (heading for heading in reversed(self._headings[: bisect_left(self._headings, at)]) if outline.ends[heading] <= at)
        return outline.text(next(before, 0), LONGEST_TEXT) if self._headings and self._headings[0] < at else ""

    def blocks(self, elements: Sequence[Element]) -> Iterator[list[Element]]:
        """The elements inside of the smallest block around some elements, then inside of the next larger one with more in it, and so on."""
        nodes = self._reader.nodes
        first, last = elements[0].place, elements[-1].place
        levels = {block: level for level, block in enumerate((nodes[first], *nodes[first].iterancestors()))}

        @cache
        def level_of(place: int) -> int:
            """Of the smallest of these blocks that an element stands in."""
            return next(levels[outer] for outer in (nodes[place], *nodes[place].iterancestors()) if outer in levels)

        for level in levels.values():
            start, end = first, last + 1
            while start > 0 and level_of(start - 1) <= level:
                start -= 1
            while end < len(nodes) and level_of(end) <= level:
                end += 1
            if level_of(last) <= level and (start, end - 1) != (first, last):
                first, last = start, end - 1
                yield list(self.elements[start:end])


def _is_marked(outline: Outline, at: int) -> bool:
    around = (outline.attributes[place] for place in (at, outline.parents[at]) if place >= 0)
    return any(_ERROR_MARKS.search(f"{attributes.get('class', '')} {attributes.get('id', '')}") for attributes in around)


def _names_of(element: Element) -> set[str]:
    return {element.label.strip().lower(), element.text.strip().lower()}


def _is_one_of(element: Element, names: Collection[str]) -> bool:
    return element.role in _PRESSED and element.label.strip().lower() in names


def read(html: str, url: str) -> Page:
    """Never raises, whatever the page is: broken, empty, deep, with a foreign encoding declaration. What it costs is bounded."""
    within, cuts = bounded(html)
    # The parser gets bytes whose encoding we know, so that a declaration in the page can't contradict.
    raw = within.encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    root = None
    with suppress(etree.XMLSyntaxError):
        root = etree.fromstring(raw, parser) if raw.strip() else None
    last = parser.error_log.last_error
    if last is not None and last.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        cuts = (*cuts, _TOO_DEEP)
    if root is None:
        root = etree.fromstring("<html><body></body></html>", etree.HTMLParser())
    _as_browsers_do(root)
    reader = Reader(outline(root))
    elements = reader.elements()
    if reader.has_more:
        cuts = (*cuts, _TOO_MANY)
    elif reader.outline.is_cut:
        cuts = cuts or (_TOO_LARGE,)
    carried = carried_names(url, (element.href for element in elements if "?" in element.href))
    return Page(url, elements, reader, Steady(root, reader.nodes, carried or query_names(url)), cuts, carried)


def _as_browsers_do(root: Node) -> None:
    """Remove what is no element for a browser's selectors, and separate a drawing's links from the page's, as an XPath does."""
    for node in list(root.iter(*_NO_ELEMENTS)):
        del node[:]
    has_drawings = next(root.iter("svg"), None) is not None
    for node in cast("list[Node]", _drawn_links(root)) if has_drawings else ():
        node.tag = DRAWN_LINK
