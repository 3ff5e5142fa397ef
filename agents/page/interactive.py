"""From lxml's nodes to Elements: what can be operated, and the state that it is in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import cast

from lxml import etree

from agents.page.elements import CHECKED, FIELDS, OPTIONS, PICKER, TICKED, Element, role_of
from agents.page.fieldsets import group_of, neighbour
from agents.page.markup import Surroundings, hides, is_plain, lies_over, opens_dialog
from agents.page.naming import Naming
from agents.page.wording import Node, one_line, text_of

# A page of several MB may hold tens of thousands of links; reading them all would cost more time than any of them is worth.
MOST_ELEMENTS = 2500

_TAGS = ("input", "textarea", "select", "button", "a", "summary")
_MARKED_ROLES = OPTIONS | TICKED | {"button", "link", "tab", "textbox", "searchbox", "combobox", "spinbutton", "slider"}
# By the attributes first: conditions on all nodes take libxml2 ten times as long.
_marked = etree.XPath("//@role/.. | //@onclick/.. | //@contenteditable/..")
# What scripts make to be pressed says so by its looks only: a hand over it, a day of a calendar by its title.
_handed = etree.XPath(
    "//@class[contains(., 'cursor-pointer')]/.. | //li/@class[contains(., 'hover:')]/.. | //@style[contains(., 'cursor')]/.. "
    "| //td/@title/.. | //div/@aria-selected/.."
)
_HANDED = re.compile(r"(?<![\w:-])cursor-pointer(?![\w-])|(?<![\w-])hover:")
_HAND = re.compile(r"cursor\s*:\s*pointer")
_PRESSABLE = frozenset({"li", "div", "span", "p", "tr", "td"})
_LONGEST_PRESSED = 80
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_forms = etree.XPath("//form")
_ON = frozenset({"true", "page", "step", "location", "date", "time"})
_ON_STATES = frozenset({"active", "on", "checked"})
_OPEN_STATES = {"open": True, "closed": False}


@dataclass
class Reader:
    """Reads the elements of one parsed page; keeps what many elements share."""

    root: Node
    dialogs: list[Node] = field(default_factory=list)
    _around: dict[Node, Surroundings] = field(default_factory=dict)
    _overlays: int = 0

    @cached_property
    def nodes(self) -> list[Node]:
        """The interactive nodes in document order, at most MOST_ELEMENTS."""
        marked = {node for node in cast("list[Node]", _marked(self.root)) if node.tag not in _TAGS and _operable(node)}
        marked |= {node for node in cast("list[Node]", _handed(self.root)) if node.tag in _PRESSABLE and self._is_pressed(node)}
        found = (node for node in self.root.iter() if node in marked or node.tag in _TAGS) if marked else self.root.iter(*_TAGS)
        return list(islice(found, MOST_ELEMENTS))

    def _is_pressed(self, node: Node) -> bool:
        """Whether something that is no control is made to be pressed, and holds and lies in nothing that is one."""
        if _is_option(node):
            return True
        if not (_HANDED.search(node.get("class", "")) or _HAND.search(node.get("style", ""))):
            return False
        inside = next(node.iter(*_TAGS, "label"), None) is not None
        within = any(outer.tag in _TAGS or outer.tag == "label" or outer.get("role") in _MARKED_ROLES for outer in node.iterancestors())
        return not inside and not within and 0 < len(text_of(node, _LONGEST_PRESSED + 1)) <= _LONGEST_PRESSED

    @cached_property
    def forms(self) -> dict[Node, int]:
        return {node: count for count, node in enumerate(cast("list[Node]", _forms(self.root)))}

    @cached_property
    def naming(self) -> Naming:
        return Naming(self.root)

    def elements(self) -> tuple[Element, ...]:
        return tuple(self._element(place, node) for place, node in enumerate(self.nodes))

    def described(self, element: Element) -> str:
        """What is said about a field besides its name."""
        return self.naming.described(self.nodes[element.place])

    def dialog_name(self, layer: int) -> str:
        """The heading or name of a dialog."""
        node = self.dialogs[layer - 1]
        heading = next(iter(node.iter("h1", "h2", "h3", "h4")), None)
        return self.naming.label(node, "", "", None) or text_of(node if heading is None else heading)

    def places_in(self, id_: str) -> frozenset[int]:
        """The places of the elements inside of the node with an id; none where there is no such node."""
        node = self.naming.by_id(id_)
        inside = set() if node is None else set(node.iter())
        return frozenset(place for place, one in enumerate(self.nodes) if one in inside)

    def _element(self, place: int, node: Node) -> Element:
        # Asked for two dozen names: a dictionary answers three times as fast as the node.
        tag, get = str(node.tag), dict(node.items()).get
        type_ = _type_of(node, tag)
        around = self.around(node)
        opens, fixed = _opens(node), get("readonly") is not None
        own = "option" if node.tag in {"td", "div"} and _is_option(node) else get("role", "").strip().lower()
        role = "textbox" if _is_editable(node) else role_of(tag, type_, own, opens, fixed=fixed)
        text = "" if tag in {"input", "select"} else text_of(node)
        return Element(
            place=place,
            tag=tag,
            role=role,
            type=type_,
            name=get("name", ""),
            id=get("id", ""),
            href=get("href", "") if tag == "a" else "",
            label=self.naming.label(node, role, text, around.label),
            text=text,
            placeholder=get("placeholder", ""),
            value=text if role == PICKER else _value_of(node, tag, role),
            hints=one_line(" ".join(get(key, "") for key in ("id", "autocomplete", "data-testid"))),
            form=around.form,
            hidden=around.hidden or type_ == "hidden",
            disabled=around.disabled or get("disabled") is not None or get("aria-disabled") == "true" or (fixed and role != PICKER),
            layer=around.layer,
            overlay=around.overlay,
            footer=around.footer,
            options=tuple(text for text, _ in _options(node)) if tag == "select" else (),
            sent_as=tuple(value for _, value in _options(node)) if tag == "select" else (),
            longest=_longest(get("maxlength", "")),
            beside=neighbour(node) if role in FIELDS or role == PICKER else "",
            group=group_of(node, role),
            least=get("min") or get("aria-valuemin") or "",
            most=get("max") or get("aria-valuemax") or "",
            required=get("required") is not None or get("aria-required") == "true",
            invalid=get("aria-invalid") == "true",
            selected=_is_selected(node),
            expanded=_is_expanded(node, opens),
            opens=opens,
            controls=get("aria-controls") or get("aria-owns") or "",
        )

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

    def _overlay(self, node: Node) -> int:
        self._overlays += lies_over(node)
        return self._overlays if lies_over(node) else 0

    def _inside(self, node: Node, outer: Surroundings) -> Surroundings:
        if is_plain(node):
            return outer
        hidden = outer.hidden or hides(node)
        layer = outer.layer
        if opens_dialog(node) and not hidden:
            self.dialogs.append(node)
            layer = len(self.dialogs)
        form = self.forms.get(node, outer.form) if node.tag == "form" else outer.form
        label = node if node.tag == "label" else outer.label
        disabled = outer.disabled or (node.tag == "fieldset" and node.get("disabled") is not None)
        inside = Surroundings(
            hidden, layer, form, label, disabled, outer.overlay or self._overlay(node), outer.footer or node.tag == "footer"
        )
        return outer if inside == outer else inside


def _is_option(node: Node) -> bool:
    """Whether it is one of several to choose from, though it has no role: a day of a calendar, an entry of an open list."""
    if node.get("role"):
        return False
    return _DAY.fullmatch(node.get("title", "")) is not None if node.tag == "td" else node.get("aria-selected") is not None


def _operable(node: Node) -> bool:
    return node.get("onclick") is not None or _is_editable(node) or node.get("role", "").strip().lower() in _MARKED_ROLES


def _is_editable(node: Node) -> bool:
    return node.get("contenteditable") in {"", "true", "plaintext-only"}


def _type_of(node: Node, tag: str) -> str:
    said = node.get("type", "").strip().lower()
    if said or tag not in {"input", "button"}:
        return said
    return "text" if tag == "input" else "submit"


def _value_of(node: Node, tag: str, role: str) -> str:
    if tag == "textarea":
        return (node.text or "").strip()
    if tag == "select":
        return next((text_of(option) for option in node.iter("option") if option.get("selected") is not None), "")
    if role in TICKED:
        on = node.get("checked") is not None or node.get("aria-checked") == "true" or node.get("data-state") == "checked"
        return CHECKED if on else ""
    if "true" in {node.get("aria-checked"), node.get("aria-pressed"), node.get("aria-selected")}:
        return CHECKED
    return node.get("value") or node.get("aria-valuenow") or ""


def _options(node: Node) -> Iterator[tuple[str, str]]:
    """What each option of a select shows, and what it is sent as."""
    for option in islice(node.iter("option"), 200):
        text = text_of(option) or option.get("label", "")
        if text:
            yield text, option.get("value", text)


def _opens(node: Node) -> str:
    """What a press opens: "menu", "listbox", "dialog", "tree", "grid"; "" for nothing that is known."""
    said = node.get("aria-haspopup", "").lower()
    return "menu" if said == "true" else "" if said == "false" else said


def _is_selected(node: Node) -> bool:
    marked = node.get("aria-selected") or node.get("aria-current") or node.get("aria-pressed") or node.get("aria-checked")
    if node.tag == "td" and "selected" in node.get("class", ""):
        return True
    return marked in _ON if marked else node.get("data-state") in _ON_STATES


def _is_expanded(node: Node, opens: str) -> bool | None:
    said = node.get("aria-expanded")
    if said is None and node.tag == "summary":
        parent = node.getparent()
        return parent is not None and parent.get("open") is not None
    return said == "true" if said is not None else _OPEN_STATES.get(node.get("data-state", "")) if opens else None


def _longest(said: str) -> int | None:
    """A maxlength; what browsers ignore (nothing, words, signs, absurd lengths) says none."""
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 9 else None
