"""Which part of a page each control belongs to: an open dialog, an item, a form, a named section, the navigation, or the page itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from agents.page.elements import Element
from agents.page.outline import HEADINGS, Outline
from agents.page.records import Record

_PARTS = {
    "form": "form", "nav": "navigation", "header": "header", "footer": "footer", "aside": "section", "section": "section",
    "fieldset": "section", "details": "section", "dialog": "dialog",
}  # fmt: skip
_ROLES = {"dialog": "dialog", "alertdialog": "dialog", "form": "form", "search": "form", "region": "section", "tabpanel": "section"}
_LANDMARKS = frozenset({"navigation", "header", "footer"})
_NAMING = HEADINGS | {"legend", "summary"}
_LONGEST_NAME = 60
# How far a heading's own block may lie above it, with what it stands over beside it.
_FURTHEST_HEADING = 3


class Section(NamedTuple):
    """`kind`: dialog, item, form, navigation, header, footer, section, or page for what belongs to nothing smaller. `number` counts
    the page's sections from 0 in the order in which they begin, so that two of one name stay apart. `form`: the name of the form around
    a section, None where there is none."""

    kind: str
    name: str
    number: int
    form: str | None = None


@dataclass
class Sections:
    """`items`: by the places of their elements; `named`: a node's own name by ARIA."""

    outline: Outline
    places: Sequence[int]
    elements: Sequence[Element]
    items: Mapping[int, Record]
    dialogs: Mapping[int, str]
    named: Callable[[int], str]

    def of_elements(self) -> dict[int, Section]:
        """The section of each element that can be seen and lies behind no dialog, by the element's place."""
        by_place, made = dict[int, Section](), dict[tuple[str, str, int], Section]()
        for element, at in zip(self.elements, self.places, strict=True):
            if not (element.hidden or element.covered):
                key = self.key(element, at)
                if key not in made:
                    made[key] = Section(key[0], key[1], len(made), self._form_around(key[2]) if key[0] == "section" else None)
                by_place[element.place] = made[key]
        return by_place

    def _form_around(self, at: int) -> str | None:
        """Of what begins at a node."""
        part = self._parts[at]
        while part >= 0 and self._kind(part) != "form":
            outer = self.outline.parents[part]
            part = self._parts[outer] if outer >= 0 else -1
        return self._name(part) if part >= 0 else None

    def key(self, element: Element, at: int) -> tuple[str, str, int]:
        """Kind and name of the section of an element, and where it begins."""
        if item := self.items.get(element.place):
            return "item", item.name, item.place
        part, head = self._parts[at], self._heads[at]
        # The nearest of the two counts: a heading inside of the form, or the form around it.
        if head > part or part < 0:
            kind = "section" if part < 0 or self._kind(part) in _LANDMARKS | {"section"} else self._kind(part)
            return (kind, self._text(head), head) if head >= 0 else ("page", "", -1)
        return self._kind(part), self._name(part), part

    def _kind(self, at: int) -> str:
        role = self.outline.attributes[at].get("role", "")
        return "dialog" if at in self.dialogs else _ROLES.get(role) or _PARTS.get(self.outline.tags[at], "section")

    def _name(self, at: int) -> str:
        outline = self.outline
        if at in self.dialogs:
            return self.dialogs[at]
        if own := self.named(at):
            return own
        if (kind := self._kind(at)) in _LANDMARKS:
            return ""
        inner = next(iter(outline.inside(at, HEADINGS if kind == "form" else _NAMING)), -1)
        return self._text(inner) or (self._text(self._heads[at]) if kind == "form" else "")

    def _text(self, at: int) -> str:
        return self.outline.text(at, _LONGEST_NAME) if at >= 0 else ""

    @cached_property
    def _parts(self) -> list[int]:
        """For each node the innermost part around it, itself included; -1 for none."""
        outline, parts = self.outline, list[int]()
        for at, (tag, parent, attributes) in enumerate(zip(outline.tags, outline.parents, outline.attributes, strict=True)):
            is_part = tag in _PARTS or at in self.dialogs or ("role" in attributes and attributes["role"] in _ROLES)
            parts.append(at if is_part else parts[parent] if parent >= 0 else -1)
        return parts

    @cached_property
    def _heads(self) -> list[int]:
        """For each node the last heading before it whose block it stands in; -1 for none."""
        outline, heads = self.outline, [-1] * len(self.outline.tags)
        for at in outline.inside(0, HEADINGS):
            block = at
            for _ in range(_FURTHEST_HEADING):
                block = outline.parents[block]
                if block < 0 or outline.ends[block] > outline.ends[at]:
                    break
            end = outline.ends[max(block, 0)]
            heads[at:end] = [at] * (end - at)
        return heads
