"""The steadiest selector of an element, unique on the page.

Ids, classes and texts may change between visits; structure, input types, names and addresses rarely do. Hence this order:

1. a password, e-mail, search or telephone field by its type: a page has one of them, whatever its name;
2. a link by its address: routes are not restyled;
3. the name attribute: form handling depends on it;
4. a form's only submitting button by its place in the structure;
5. data-testid, aria-label, placeholder, title: written for people or tests;
6. the id, where it is a CSS identifier and not made by a machine;
7. a button or link by its text, a link by its address, with its place among those of the same;
8. the place among the fields of its form, or among its kind on the page: always there, and worth nothing after a change.

Actions that press Enter or choose an option require exactly one match; for the rest the first match is then the element itself.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from lxml import etree

from agents.contract.origins import carries
from agents.contract.selectors import ATTRIBUTE, UNQUOTABLE, XPATH, InvalidAction, Selector, attribute, quoted, xpath
from agents.page.elements import Element
from agents.page.nodes import Node

_TELLING_TYPES = frozenset({"password", "email", "search", "tel"})
_FOR_PEOPLE = ("data-testid", "aria-label", "placeholder", "title")
# Those of any tag are found by the attribute: to visit all nodes takes ten times as long.
_owners_of = {name: etree.XPath(f"//@{name}") for name in ("name", "id", *_FOR_PEOPLE)}
# The tag given here to a link in an SVG drawing: a link to CSS, but not to XPath.
DRAWN_LINK = "svg-a"
_FIELD_TAGS, _PRESSED_TAGS = frozenset({"input", "textarea", "select"}), frozenset({"button", "a", "li", "label"})
# Where the name of an item stands; how far above its buttons the block may be that holds both, and how many of its nodes are read.
_NAMING_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6", "p", "span", "a", "strong", "td", "div")
_FURTHEST_NAME, _MOST_IN_BLOCK = 6, 400
# A longer text is no name, in characters.
_LONGEST_NAME = 400
# A text in more blocks is no item's name. Each search for a name beside buttons costs a pass over its blocks.
_MOST_BLOCKS, _MOST_NAMES = 4, 100
_PLAIN_TAG = re.compile(r"[a-z][a-z0-9]*")
_XPATH_SPACE = re.compile(r"[ \t\r\n]+")
# Machine-made ids: three digits in a row, a digit as the last part (":r1:", "q-58"), eight hexadecimal characters with a digit.
_GENERATED = re.compile(r"\d{3}|[-_:]r?\d+:?$|(?=[0-9a-f]*\d)[0-9a-f]{8}|^(radix|headlessui|mui|react|ember|ng|__)[-_:]", re.I)
_IDENTIFIER = re.compile(r"-?[A-Za-z_][A-Za-z0-9_-]*")


class Numbered(NamedTuple):
    nodes: defaultdict[str, list[Node]]  # by their value
    places: dict[Node, int]  # among those of the same value, from 1


@dataclass
class Steady:
    """Selectors of one page's elements. `nodes` are theirs, place by place; a tag "*" stands for any. `carried`: the names in the query
    of its URL that an address has to have."""

    root: Node
    nodes: list[Node]
    carried: frozenset[str] = frozenset()
    _selectors: dict[int, tuple[Selector, ...]] = field(default_factory=dict)
    _made_beside: dict[str, int] = field(default_factory=dict)  # elements' places, by the selector
    _numbered: dict[tuple[str, str | None], Numbered] = field(default_factory=dict)
    _by_tag: dict[tuple[Node | None, str], dict[Node, int]] = field(default_factory=dict)
    _submitting: dict[tuple[Node | None, str, bool], Node | None] = field(default_factory=dict)
    _beside: dict[tuple[str, ...], dict[Node, int]] = field(default_factory=dict)
    _texts: dict[Node, str] = field(default_factory=dict)

    def selectors(self, element: Element) -> tuple[Selector, ...]:
        if element.place not in self._selectors:
            self._selectors[element.place] = tuple(self.valid(element))
        return self._selectors[element.place]

    def resolved(self) -> frozenset[int]:
        """The places of the elements whose selectors were made."""
        return frozenset(self._selectors)

    def valid(self, element: Element) -> Iterator[Selector]:
        for candidate in self._candidates(element):
            try:
                yield xpath(candidate) if isinstance(candidate, str) else attribute(*candidate)
            except InvalidAction:
                continue

    def beside(self, element: Element, name: str) -> tuple[Selector, ...]:
        """A selector of a button by its text and by a name that stands in the same block: what a list's order can't change."""
        node = self.nodes[element.place]
        text, label = self._text_of(node), node.get("aria-label", "")
        blocks = islice(node.iterancestors(), _FURTHEST_NAME if name and (text or label) else 0)
        near = (inner for block in blocks for inner in islice(block.iter(*_NAMING_TAGS), _MOST_IN_BLOCK))
        tag = next((str(inner.tag) for inner in near if self._text_of(inner) == name), None)
        places = self._in_named_blocks(tag, name, element.tag, text, label) if tag else {}
        if node not in places:
            return ()
        test = f"normalize-space()={quoted(text)}" if text else f"@aria-label={quoted(label)}"
        path = f"//{tag}[normalize-space()={quoted(name)}]/ancestor::*[.//{element.tag}[{test}]][1]//{element.tag}[{test}]"
        try:
            selector = xpath(path if len(places) == 1 else f"({path})[{places[node]}]")
        except InvalidAction:
            return ()
        self._made_beside[selector["value"]] = element.place
        return (selector,)

    def is_picked(self, element: Element, selector: Selector) -> bool:
        """Whether a selector is one of ours that picks the element alone. It is compared, not run: an XPath may take for ever."""
        kind, value = selector["type"], selector["value"]
        if kind == ATTRIBUTE:
            tag = "a" if selector["attribute"] == "href" else "*"
            return self._having(tag, selector["attribute"]).nodes[value] == [self.nodes[element.place]]
        if kind != XPATH or element.tag not in value:
            return False
        return self._made_beside.get(value) == element.place or selector in self.selectors(element)

    def _candidates(self, element: Element) -> Iterator[str | tuple[str, str]]:
        """XPaths, or attributes with their values; not all can be expressed as a selector."""
        node, type_ = self.nodes[element.place], element.type
        is_telling = element.tag == "input" and type_ in _TELLING_TYPES and type_ == node.get("type")
        if is_telling and len(self._having("input", "type").nodes[type_]) == 1:
            yield f"//input[@type='{type_}']"
        if element.href and len(self._having("a", "href").nodes[element.href]) == 1:
            # Callers check the query of an address in a selector, but not in an XPath: one that lost its page's goes as an XPath.
            drawn = self._having(DRAWN_LINK, "href").nodes[element.href]
            if "?" in element.href and carries(element.href, self.carried) and not UNQUOTABLE.search(element.href) and not drawn:
                yield "href", element.href
            yield f"//a[@href={quoted(element.href)}]"
        yield from self._with_attribute("name", node.get("name", ""))
        yield from self._in_form(element, node)
        for name in _FOR_PEOPLE:
            yield from self._with_attribute(name, node.get(name, ""))
        if _IDENTIFIER.fullmatch(own := node.get("id", "")) and not _GENERATED.search(own):
            yield from self._with_attribute("id", own)
        yield from self._with_text(element, node)
        yield from self._at_place(element, node)

    def _with_attribute(self, name: str, value: str) -> Iterator[tuple[str, str]]:
        if value.strip() and not UNQUOTABLE.search(value) and len(self._having("*", name).nodes[value]) == 1:
            yield name, value

    def _in_form(self, element: Element, node: Node) -> Iterator[str]:
        if element.type != "submit" or element.form is None:
            return
        for condition, typed in (("[@type='submit']", True), ("", False)):
            for form, path in ((None, "//form"), (self._forms[element.form], f"(//form)[{element.form + 1}]")):
                if self._only_in_form(element.tag, form, typed=typed) is node:
                    yield f"{path}//{element.tag}{condition}"

    def _with_text(self, element: Element, node: Node) -> Iterator[str]:
        if element.tag not in _PRESSED_TAGS and element.role != "option":
            return
        if text := self._text_of(node):
            same = self._having(element.tag)
            path = f"//{element.tag}[normalize-space()={quoted(text)}]"
            yield path if len(same.nodes[text]) == 1 else f"({path})[{same.places[node]}]"
        elif label := node.get("aria-label", ""):
            place = self._having(element.tag, "aria-label").places[node]
            yield f"(//{element.tag}[@aria-label={quoted(label)}])[{place}]"

    def _at_place(self, element: Element, node: Node) -> Iterator[str]:
        if element.href:
            yield f"(//a[@href={quoted(element.href)}])[{self._having('a', 'href').places[node]}]"
        if element.form is not None and element.tag in _FIELD_TAGS:
            place = self._of_tag(element.tag, self._forms[element.form])[node]
            yield f"(//form)[{element.form + 1}]/descendant::{element.tag}[{place}]"
        tag = element.tag if _PLAIN_TAG.fullmatch(element.tag) else "*"
        yield f"(//{tag})[{self._of_tag(tag)[node]}]"

    @cached_property
    def _forms(self) -> list[Node]:
        return list(self.root.iter("form"))

    def _having(self, tag: str, name: str | None = None) -> Numbered:
        """`//tag[@name=…]` by the attribute's value; without a name `//tag[normalize-space()=…]` by the text."""
        if (tag, name) not in self._numbered:
            numbered = self._numbered[tag, name] = Numbered(defaultdict(list), {})
            owners = _owners_of.get(name or "") if tag == "*" else None
            for node in self.root.iter(tag) if owners is None else (value.getparent() for value in owners(self.root)):
                value = self._text_of(node) if name is None else node.get(name)
                if value is not None:
                    numbered.nodes[value].append(node)
                    numbered.places[node] = len(numbered.nodes[value])
        return self._numbered[tag, name]

    def _of_tag(self, tag: str, within: Node | None = None) -> dict[Node, int]:
        if (within, tag) not in self._by_tag:
            nodes = (self.root if within is None else within).iter(tag)
            self._by_tag[within, tag] = {node: place for place, node in enumerate(nodes, 1)}
        return self._by_tag[within, tag]

    def _only_in_form(self, tag: str, form: Node | None, *, typed: bool) -> Node | None:
        """None where a form, or all forms together, have several. `typed`: only those with type submit."""
        key = (form, tag, typed)
        if key not in self._submitting:
            forms = self._forms if form is None else [form]
            nodes = (node for searched in forms for node in searched.iter(tag) if not typed or node.get("type") == "submit")
            first = next(nodes, None)
            self._submitting[key] = None if any(node is not first for node in nodes) else first
        return self._submitting[key]

    def _text_of(self, node: Node) -> str:
        """The text as XPath's normalize-space() gives it; "" for one too long to be a name."""
        if node not in self._texts:
            text = "".join(islice(node.itertext(), 50)) if len(node) else node.text or ""
            self._texts[node] = _XPATH_SPACE.sub(" ", text).strip(" ") if not text[_LONGEST_NAME:] else ""
        return self._texts[node]

    def _in_named_blocks(self, name_tag: str, name: str, tag: str, text: str, label: str) -> dict[Node, int]:
        """The buttons of a text, or else a label, in the smallest block around a name that holds such a button, each with its place."""
        key = (name_tag, name, tag, text, label)
        if key not in self._beside:
            if len(self._beside) >= _MOST_NAMES:
                return {}
            buttons = self._having(tag).nodes[text] if text else self._having(tag, "aria-label").nodes[label]
            named, candidates = self._having(name_tag).nodes[name], set(buttons)
            inside: set[Node] = set()
            for node in named if candidates and len(named) <= _MOST_BLOCKS else ():
                inside |= next(
                    (held for outer in node.iterancestors() if (held := candidates.intersection(outer.iterdescendants(tag)))), set()
                )
            self._beside[key] = {button: place for place, button in enumerate((button for button in buttons if button in inside), 1)}
        return self._beside[key]
