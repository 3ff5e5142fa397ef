"""The steadiest selector of an element.

Ids, classes and texts differ by seed; structure, input types, names and addresses hardly do. So, in this order, the first that
matches the element and nothing else on the page:

1. a password, e-mail, search or telephone field by its type: a page has one of them, whatever it is called;
2. a link by its address: addresses are routes, and routes are not restyled;
3. the name attribute: form handling hangs on it;
4. a form's only submitting button by its place in the structure;
5. data-testid, aria-label, placeholder, title: written for people or tests, so that they change less than ids;
6. the id, where it is a CSS identifier and not made by a machine;
7. a button or link by its whole text, or by its place among those of the same text; a link by its place among
   those of the same address;
8. the element's place: among the fields of its form, or among its kind on the page. Always there, and worth nothing after a change.

All are unique on the page: what presses Enter or chooses an option wants exactly one match, and for the rest the first match is
then the element itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import cast

from lxml import etree

from agents.page.elements import Element
from agents.page.wording import Node
from agents.selectors import ATTRIBUTE, UNQUOTABLE, InvalidAction, Selector, attribute, quoted, xpath

_TELLING_TYPES = frozenset({"password", "email", "search", "tel"})
_FOR_PEOPLE = ("data-testid", "aria-label", "placeholder", "title")
_FIELD_TAGS = frozenset({"input", "textarea", "select"})
# What a link in an SVG drawing is called here: CSS takes it for a link, XPath does not.
DRAWN_LINK = "svg-a"
_PRESSED_TAGS = frozenset({"button", "a", "li"})
# Where the name of an item stands, and how far above its buttons the block may be that holds both.
_NAMING_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6", "p", "span", "a", "strong", "td", "div")
_FURTHEST_NAME = 6
_PLAIN_TAG = re.compile(r"[a-z][a-z0-9]*")
_XPATH_SPACE = re.compile(r"[ \t\r\n]+")

# Machine-made ids: three digits in a row, a digit as the last part (":r1:", "q-58"), eight hexadecimal characters with a digit.
_GENERATED = re.compile(r"\d{3}|[-_:]r?\d+:?$|(?=[0-9a-f]*\d)[0-9a-f]{8}|^(radix|headlessui|mui|react|ember|ng|__)[-_:]", re.I)
_IDENTIFIER = re.compile(r"-?[A-Za-z_][A-Za-z0-9_-]*")


@dataclass
class Steady:
    """Finds selectors on one parsed page; counts each kind of candidate once, when it is first wanted."""

    root: Node
    nodes: list[Node]
    _counts: dict[str, Counter[str]] = field(default_factory=dict)
    _found: dict[str, dict[Node, int]] = field(default_factory=dict)
    _said: dict[str, dict[str, list[Node]]] = field(default_factory=dict)

    def selectors(self, element: Element) -> Iterator[Selector]:
        """All selectors that match the element alone, the steadiest first; there is always one."""
        for candidate in self._candidates(element):
            try:
                yield candidate if isinstance(candidate, dict) else xpath(candidate)
            except InvalidAction:
                continue

    def beside(self, element: Element, name: str) -> Iterator[Selector]:
        """Selectors of a button by what it says and by a name that stands in the same block: what a list's order can't change."""
        node = self.nodes[element.place]
        said, label = _whole_text(node), node.get("aria-label", "")
        if not (said or label) or not name:
            return
        test = f"normalize-space()={quoted(said)}" if said else f"@aria-label={quoted(label)}"
        for block in islice(node.iterancestors(), _FURTHEST_NAME):
            tag = next((str(one.tag) for one in block.iter(*_NAMING_TAGS) if _whole_text(one) == name), None)
            if tag is None:
                continue
            path = f"//{tag}[normalize-space()={quoted(name)}]/ancestor::*[.//{element.tag}[{test}]][1]//{element.tag}[{test}]"
            try:
                places = self._places(path)
                if node in places:
                    yield xpath(path if len(places) == 1 else f"({path})[{places[node]}]")
            except InvalidAction:
                return
            return

    def picked(self, selector: Selector) -> list[Node]:
        """The nodes that a selector by attribute or XPath matches, in document order; none where it picks no nodes."""
        path = selector["value"]
        if selector["type"] == ATTRIBUTE:
            tag = "a" if selector["attribute"] == "href" else "*"
            path = f"//{tag}[@{selector['attribute']}={quoted(selector['value'])}]"
        found = etree.XPath(path)(self.root)
        return cast("list[Node]", found) if isinstance(found, list) else []

    def _candidates(self, element: Element) -> Iterator[Selector | str]:
        node = self.nodes[element.place]
        yield from self._by_type(element, node)
        yield from self._by_address(element)
        yield from self._by_attribute("name", element.name)
        yield from self._by_form(element, node)
        for name in _FOR_PEOPLE:
            yield from self._by_attribute(name, node.get(name, ""))
        if _IDENTIFIER.fullmatch(element.id) and not _GENERATED.search(element.id):
            yield from self._by_attribute("id", element.id)
        yield from self._by_text(element, node)
        yield from self._by_place(element, node)

    def _by_type(self, element: Element, node: Node) -> Iterator[str]:
        telling = element.tag == "input" and element.type in _TELLING_TYPES and element.type == node.get("type")
        if telling and self._count("//input/@type")[element.type] == 1:
            yield f"//input[@type='{element.type}']"

    def _by_address(self, element: Element) -> Iterator[Selector | str]:
        if not element.href or self._count("//a/@href")[element.href] != 1:
            return
        # Callers read the seed off an address in a selector; one without it goes as an XPath, where they don't look.
        drawn = self._count(f"//{DRAWN_LINK}/@href")[element.href]
        if "seed=" in element.href and not UNQUOTABLE.search(element.href) and not drawn:
            yield attribute("href", element.href)
        yield f"//a[@href={quoted(element.href)}]"

    def _by_attribute(self, name: str, value: str) -> Iterator[Selector]:
        if value.strip() and not UNQUOTABLE.search(value) and self._count(f"//@{name}")[value] == 1:
            try:
                yield attribute(name, value)
            except InvalidAction:
                return

    def _by_form(self, element: Element, node: Node) -> Iterator[str]:
        if element.type != "submit" or element.form is None:
            return
        form = self._forms[element.form]
        for path, typed in ((f"//{element.tag}[@type='submit']", True), (f"//{element.tag}", False)):
            # The same nodes as //form//…, which libxml2 takes a hundred times as long to collect.
            if self._places(f"{path}[ancestor::form]") == {node: 1}:
                yield f"//form{path}"
            same = [other for other in form.iter(element.tag) if not typed or other.get("type") == "submit"]
            if same == [node]:
                yield f"(//form)[{element.form + 1}]{path}"

    def _by_text(self, element: Element, node: Node) -> Iterator[str]:
        if element.tag not in _PRESSED_TAGS and element.role != "option":
            return
        if text := _whole_text(node):
            alike = self._texts(element.tag)[text]
            path = f"//{element.tag}[normalize-space()={quoted(text)}]"
            yield path if len(alike) == 1 else f"({path})[{alike.index(node) + 1}]"
        elif said := node.get("aria-label", ""):
            path = f"//{element.tag}[@aria-label={quoted(said)}]"
            yield f"({path})[{self._places(path)[node]}]"

    def _by_place(self, element: Element, node: Node) -> Iterator[str]:
        if element.href:
            to = f"//a[@href={quoted(element.href)}]"
            yield f"({to})[{self._places(to)[node]}]"
        path = f"//{element.tag}" if _PLAIN_TAG.fullmatch(element.tag) else "//*"
        if element.form is not None and element.tag in _FIELD_TAGS:
            place = list(self._forms[element.form].iter(element.tag)).index(node) + 1
            yield f"(//form)[{element.form + 1}]/descendant::{element.tag}[{place}]"
        yield f"({path})[{self._places(path)[node]}]"

    def _count(self, path: str) -> Counter[str]:
        if path not in self._counts:
            values = etree.XPath(path, smart_strings=False)(self.root)
            self._counts[path] = Counter(cast("list[str]", values))
        return self._counts[path]

    def _texts(self, tag: str) -> dict[str, list[Node]]:
        """The nodes of a tag by their texts, in the page's order."""
        if tag not in self._said:
            by_text: dict[str, list[Node]] = {}
            for node in self._places(f"//{tag}"):
                by_text.setdefault(_whole_text(node), []).append(node)
            self._said[tag] = by_text
        return self._said[tag]

    def _places(self, path: str) -> dict[Node, int]:
        """The nodes of a path, each with its place from 1."""
        if path not in self._found:
            self._found[path] = {node: count for count, node in enumerate(cast("list[Node]", etree.XPath(path)(self.root)), 1)}
        return self._found[path]

    @cached_property
    def _forms(self) -> list[Node]:
        return cast("list[Node]", etree.XPath("//form")(self.root))


def _whole_text(node: Node) -> str:
    """The text as XPath's normalize-space() sees it; "" for one too long to be a name."""
    text = "".join(islice(node.itertext(), 50))
    return " ".join(part for part in _XPATH_SPACE.split(text) if part) if len(text) < 400 else ""
