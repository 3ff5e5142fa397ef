"""From lxml's nodes to Elements: labels, surroundings, visibility."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import cast

from lxml import etree

from agents.page.elements import CHECKED, FIELDS, Element, role_of
from agents.page.fieldsets import group_of, neighbour
from agents.page.wording import Node, one_line, text_of, text_or_nothing

# A page of several MB may hold tens of thousands of links; reading them all would cost more time than any of them is worth.
MOST_ELEMENTS = 2500

_TAGS = ("input", "textarea", "select", "button", "a", "summary")
_ROLES = frozenset({"button", "link", "tab", "menuitem", "checkbox", "radio", "textbox", "searchbox", "combobox", "switch", "option"})
_marked = etree.XPath("//*[@role or @onclick or @contenteditable]")
_labels = etree.XPath("//label")
_identified = etree.XPath("//*[@id]")
_forms = etree.XPath("//form")

_SHOWN_AGAIN = re.compile(r":(flex|block|grid|inline|inline-flex|inline-block|table|contents)\b")
_NO_DISPLAY = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an element inherits from the elements around it."""

    hidden: bool = False
    dialog: bool = False
    form: int | None = None
    label: Node | None = None


@dataclass
class Reader:
    """Reads the elements of one parsed page; keeps what many elements share."""

    root: Node
    _around: dict[Node, Surroundings] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> list[Node]:
        """The interactive nodes in document order, at most MOST_ELEMENTS."""
        marked = {node for node in cast("list[Node]", _marked(self.root)) if node.tag not in _TAGS and _operable(node)}
        found = (node for node in self.root.iter() if node in marked or node.tag in _TAGS) if marked else self.root.iter(*_TAGS)
        return list(islice(found, MOST_ELEMENTS))

    @cached_property
    def forms(self) -> dict[Node, int]:
        return {node: count for count, node in enumerate(cast("list[Node]", _forms(self.root)))}

    @cached_property
    def _labels_for(self) -> dict[str, str]:
        found = cast("list[Node]", _labels(self.root))[:MOST_ELEMENTS]
        return {str(node.get("for")): text_of(node) for node in reversed(found) if node.get("for")}

    @cached_property
    def _by_id(self) -> dict[str, Node]:
        return {str(node.get("id")): node for node in reversed(cast("list[Node]", _identified(self.root)))}

    def elements(self) -> tuple[Element, ...]:
        return tuple(self._element(place, node) for place, node in enumerate(self.nodes))

    def _element(self, place: int, node: Node) -> Element:
        tag = str(node.tag)
        type_ = _type_of(node, tag)
        around = self.around(node)
        role = role_of(tag, type_, node.get("role", "").strip().lower())
        text = "" if tag in {"input", "select"} else text_of(node)
        return Element(
            place=place,
            tag=tag,
            role=role,
            type=type_,
            name=node.get("name", ""),
            id=node.get("id", ""),
            href=node.get("href", "") if tag == "a" else "",
            label=self._label(node, role, text, around),
            text=text,
            placeholder=node.get("placeholder", ""),
            value=_value_of(node, tag),
            hints=one_line(" ".join(node.get(key, "") for key in ("id", "autocomplete", "data-testid"))),
            form=around.form,
            hidden=around.hidden or type_ == "hidden",
            disabled=node.get("disabled") is not None or node.get("aria-disabled") == "true",
            dialog=around.dialog,
            options=tuple(_options(node)) if tag == "select" else (),
            longest=_longest(node.get("maxlength", "")),
            beside=neighbour(node) if role in FIELDS else "",
            group=group_of(node, role),
            least=node.get("min", "") or node.get("aria-valuemin", ""),
            most=node.get("max", "") or node.get("aria-valuemax", ""),
            required=node.get("required") is not None or node.get("aria-required") == "true",
            invalid=node.get("aria-invalid") == "true",
        )

    def _label(self, node: Node, role: str, text: str, around: Surroundings) -> str:
        """The first that says something: ARIA, label elements, placeholder, title, alt, text or value, a neighbour's text."""
        sources = (
            self._labelled_by(node),
            node.get("aria-label", ""),
            self._labels_for.get(node.get("id", "") or " ", ""),
            text_or_nothing(around.label),
            node.get("placeholder", ""),
            node.get("title", ""),
            node.get("alt", ""),
            text or _picture_text(node),
            node.get("value", "") if role not in FIELDS else "",
        )
        said = next((line for line in map(one_line, sources) if line), "")
        return said if said or role not in FIELDS else neighbour(node)

    def _labelled_by(self, node: Node) -> str:
        targets = (self._by_id.get(key) for key in node.get("aria-labelledby", "").split())
        return " ".join(text_of(target) for target in targets if target is not None)

    def around(self, node: Node) -> Surroundings:
        """Surroundings of a node, its own attributes included; each ancestor is looked at once a page."""
        chain: list[Node] = []
        at: Node | None = node
        while at is not None and at not in self._around:
            chain.append(at)
            at = at.getparent()
        known = self._around[at] if at is not None else Surroundings()
        for step in reversed(chain):
            known = self._around[step] = self._inside(step, known)
        return known

    def _inside(self, node: Node, outer: Surroundings) -> Surroundings:
        hidden = outer.hidden or hides(node)
        dialog = outer.dialog or _is_modal(node)
        form = self.forms.get(node, outer.form) if node.tag == "form" else outer.form
        label = node if node.tag == "label" else outer.label
        if (hidden, dialog, form, label) == (outer.hidden, outer.dialog, outer.form, outer.label):
            return outer
        return Surroundings(hidden, dialog, form, label)


def _operable(node: Node) -> bool:
    editable = node.get("contenteditable") in {"", "true"}
    return node.get("onclick") is not None or editable or node.get("role", "").strip().lower() in _ROLES


def _type_of(node: Node, tag: str) -> str:
    said = node.get("type", "").strip().lower()
    if said or tag not in {"input", "button"}:
        return said
    return "text" if tag == "input" else "submit"


def _value_of(node: Node, tag: str) -> str:
    if tag == "textarea":
        return (node.text or "").strip()
    if tag == "select":
        return next((text_of(option) for option in node.iter("option") if option.get("selected") is not None), "")
    if node.get("type", "").lower() in {"checkbox", "radio"}:
        return CHECKED if node.get("checked") is not None else ""
    if "true" in {node.get("aria-checked"), node.get("aria-pressed"), node.get("aria-selected")}:
        return CHECKED
    return node.get("value", "")


def _options(node: Node) -> Iterator[str]:
    for option in islice(node.iter("option"), 200):
        text = text_of(option) or option.get("label", "")
        if text:
            yield text


def _picture_text(node: Node) -> str:
    return next((image.get("alt", "") for image in node.iter("img") if image.get("alt")), "")


def hides(node: Node) -> bool:
    if node.get("hidden") is not None or node.get("aria-hidden") == "true" or node.tag in {"template", "noscript"}:
        return True
    style = node.get("style")
    if style and _NO_DISPLAY.search(style):
        return True
    classes = node.get("class", "")
    return "hidden" in classes and "hidden" in classes.split() and not _SHOWN_AGAIN.search(classes)


def _is_modal(node: Node) -> bool:
    return node.get("aria-modal") == "true" or (node.tag == "dialog" and node.get("open") is not None)


def _longest(said: str) -> int | None:
    """A maxlength; what browsers ignore (nothing, words, signs, absurd lengths) says none."""
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 9 else None
