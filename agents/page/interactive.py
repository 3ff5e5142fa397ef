"""From lxml's nodes to Elements: what can be operated, and the state that it is in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from lxml import etree

from agents.page.elements import CHECKED, FIELDS, OPTIONS, PICKER, TICKED, Element, role_of
from agents.page.naming import Naming
from agents.page.nodes import NEVER_SHOWN, Node, Texts, around, hides, one_line

# A page of several MB may hold tens of thousands of links; reading them all would cost more time than any of them is worth.
MOST_ELEMENTS, _MOST_OPTIONS = 2500, 200
_TAGS = ("input", "textarea", "select", "button", "a", "summary")
_MARKED_ROLES = OPTIONS | TICKED | {"button", "link", "tab", "textbox", "searchbox", "combobox", "spinbutton", "slider"}
# By the attributes first: conditions on all nodes take libxml2 ten times as long, and a step to their parents compares each with all.
_marked = [etree.XPath(f"//@{name}") for name in ("role", "onclick", "contenteditable")]
# What scripts make to be pressed is known by its looks only: a hand over it, a day of a calendar by its title.
_handed = [
    *map(etree.XPath, ("//@class[contains(., 'cursor-pointer')]", "//@class[contains(., 'hover:')][parent::li]")),
    *map(etree.XPath, ("//@style[contains(., 'cursor')]", "//@title[parent::td]", "//@aria-selected[parent::div]")),
]
# Of those that only look so: four times as many as are read.
_MOST_HANDED = 10_000
_HANDED, _HAND = re.compile(r"(?<![\w:-])cursor-pointer(?![\w-])|(?<![\w-])hover:"), re.compile(r"cursor\s*:\s*pointer")
_PRESSABLE, _LONGEST_PRESSED = frozenset({"li", "div", "span", "p", "tr", "td"}), 80
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ON, _ON_STATES = frozenset({"true", "page", "step", "location", "date", "time"}), frozenset({"active", "on", "checked"})
_OPEN_STATES = {"open": True, "closed": False}
# Attributes and tags that may hide or open something.
_TELLING = frozenset({"hidden", "aria-hidden", "style", "class", "aria-modal", "role"})
_SPECIAL = NEVER_SHOWN | {"fieldset", "form", "label", "footer"}
# Small layers that something on the page has opened: menus, popovers.
_OVER = frozenset({"menu", "listbox", "tooltip"})
_OVER_CLASS = re.compile(r"(?<!\w)pop(?:over|per|up)(?![a-z])", re.I)
# A layer with these is the page itself.
_PAGE_PARTS = ("main", "nav", "header", "footer")


@dataclass(frozen=True, slots=True)
class Surroundings:
    hidden: bool = False
    layer: int = 0
    form: int | None = None
    label: Node | None = None
    disabled: bool = False
    overlay: int = 0
    footer: bool = False


@dataclass
class Reader:
    root: Node
    dialogs: list[Node] = field(default_factory=list)
    _around: dict[Node, Surroundings] = field(default_factory=dict)
    _overlays: int = 0
    # Whether each node is a control or lies in one.
    _in_control: dict[Node, bool] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> list[Node]:
        marked = {node for node in _owners(_marked, self.root) if node.tag not in _TAGS and _is_operated(node)}
        handed = islice((node for node in _owners(_handed, self.root) if node.tag in _PRESSABLE), _MOST_HANDED)
        marked |= {node for node in handed if self._is_pressed(node)}
        found = (node for node in self.root.iter() if node in marked or node.tag in _TAGS) if marked else self.root.iter(*_TAGS)
        return list(islice(found, MOST_ELEMENTS))

    def _is_pressed(self, node: Node) -> bool:
        """Made to be pressed, though it is no control, nor holds or lies in one."""
        if _is_option(node):
            return True
        is_handed = _HANDED.search(node.get("class", "")) or _HAND.search(node.get("style", ""))
        if not is_handed or node in self._around_controls or self._is_in_control(node):
            return False
        return 0 < len(self.naming.texts.of(node, _LONGEST_PRESSED + 1)) <= _LONGEST_PRESSED

    @cached_property
    def _around_controls(self) -> set[Node]:
        return around(self.root.iter(*_TAGS, "label"))

    def _is_in_control(self, node: Node) -> bool:
        outer = node.getparent()
        if outer is None:
            return False
        if outer not in self._in_control:
            is_control = outer.tag in _TAGS or outer.tag == "label" or outer.get("role") in _MARKED_ROLES
            self._in_control[outer] = is_control or self._is_in_control(outer)
        return self._in_control[outer]

    @cached_property
    def forms(self) -> dict[Node, int]:
        return {node: count for count, node in enumerate(self.root.iter("form"))}

    @cached_property
    def naming(self) -> Naming:
        return Naming(self.root)

    def elements(self) -> tuple[Element, ...]:
        return tuple(self._element(place, node) for place, node in enumerate(self.nodes))

    def dialog_name(self, layer: int) -> str:
        node = self.dialogs[layer - 1]
        heading = next(iter(node.iter("h1", "h2", "h3", "h4")), None)
        return self.naming.label(node, "", "", None) or self.naming.texts.of(node if heading is None else heading)

    def _element(self, place: int, node: Node) -> Element:
        # Two dozen names are looked up: a dictionary is three times as fast as the node.
        tag, get, texts = str(node.tag), dict(node.items()).get, self.naming.texts
        type_ = get("type", "").strip().lower() or {"input": "text", "button": "submit"}.get(tag, "")
        inherited = self.surroundings(node)
        haspopup = get("aria-haspopup", "").lower()
        opens, fixed = {"true": "menu", "false": ""}.get(haspopup, haspopup), get("readonly") is not None
        own = "option" if tag in {"td", "div"} and _is_option(node) else get("role", "").strip().lower()
        role = "textbox" if _is_editable(node) else role_of(tag, type_, own, opens, fixed=fixed)
        text = "" if tag in {"input", "select"} else texts.of(node)
        options = _options(node, texts) if tag == "select" else []
        longest = get("maxlength", "")
        return Element(
            place=place,
            tag=tag,
            role=role,
            type=type_,
            name=get("name", ""),
            id=get("id", ""),
            href=get("href", "") if tag == "a" else "",
            label=self.naming.label(node, role, text, inherited.label),
            text=text,
            placeholder=get("placeholder", ""),
            value=text if role == PICKER else _value_of(node, role, texts),
            hints=one_line(" ".join(get(key, "") for key in ("id", "autocomplete", "data-testid"))),
            form=inherited.form,
            hidden=inherited.hidden or type_ == "hidden",
            disabled=inherited.disabled or get("disabled") is not None or get("aria-disabled") == "true" or (fixed and role != PICKER),
            layer=inherited.layer,
            overlay=inherited.overlay,
            footer=inherited.footer,
            options=tuple(text for text, _ in options),
            sent_as=tuple(value for _, value in options),
            # Browsers ignore a length that is nothing, words, signs or absurd.
            longest=int(longest) if longest.isascii() and longest.isdigit() and len(longest) <= 9 else None,
            beside=self.naming.neighbour(node) if role in FIELDS or role == PICKER else "",
            group=self.naming.group_of(node, role),
            least=get("min") or get("aria-valuemin") or "",
            most=get("max") or get("aria-valuemax") or "",
            required=get("required") is not None or get("aria-required") == "true",
            invalid=get("aria-invalid") == "true",
            selected=_is_selected(node),
            expanded=_is_expanded(node, opens),
            opens=opens,
        )

    def surroundings(self, node: Node) -> Surroundings:
        """Its own attributes included; each ancestor is read once a page."""
        if node not in self._around:
            outer = node.getparent()
            self._around[node] = self._inside(node, Surroundings() if outer is None else self.surroundings(outer))
        return self._around[node]

    def _inside(self, node: Node, outer: Surroundings) -> Surroundings:
        if _is_plain(node):
            return outer
        hidden, layer, overlay = outer.hidden or hides(node), outer.layer, outer.overlay
        if _opens_dialog(node) and not hidden:
            self.dialogs.append(node)
            layer = len(self.dialogs)
        if not overlay and node.tag != "button" and (node.get("role") in _OVER or _OVER_CLASS.search(node.get("class", ""))):
            self._overlays += 1
            overlay = self._overlays
        form, label = self.forms[node] if node.tag == "form" else outer.form, node if node.tag == "label" else outer.label
        disabled = outer.disabled or (node.tag == "fieldset" and node.get("disabled") is not None)
        return Surroundings(hidden, layer, form, label, disabled, overlay, outer.footer or node.tag == "footer")


def _owners(paths: list[etree.XPath], root: Node) -> Iterator[Node]:
    return (found.getparent() for path in paths for found in path(root))


def _is_plain(node: Node) -> bool:
    """Most nodes surely neither hide nor open anything."""
    for key, value in node.items():
        if key in _TELLING and (key != "class" or "hidden" in value or "fixed" in value or "pop" in value):
            return False
    return node.tag not in _SPECIAL


def _opens_dialog(node: Node) -> bool:
    if node.tag == "dialog" or node.get("aria-modal") == "true":
        return True
    if node.get("role") in {"dialog", "alertdialog"}:
        return node.get("aria-modal") != "false"
    covers = {"fixed", "inset-0"} <= set(node.get("class", "").split())
    return covers and next(iter(node.iter(*_PAGE_PARTS)), None) is None


def _is_option(node: Node) -> bool:
    """One of several to choose from that has no role: a day of a calendar, an entry of an open list."""
    if node.get("role"):
        return False
    return _DAY.fullmatch(node.get("title", "")) is not None if node.tag == "td" else node.get("aria-selected") is not None


def _is_operated(node: Node) -> bool:
    return node.get("onclick") is not None or _is_editable(node) or node.get("role", "").strip().lower() in _MARKED_ROLES


def _is_editable(node: Node) -> bool:
    return node.get("contenteditable") in {"", "true", "plaintext-only"}


def _value_of(node: Node, role: str, texts: Texts) -> str:
    if node.tag == "textarea":
        return (node.text or "").strip()
    if node.tag == "select":
        return next((texts.of(option) for option in node.iter("option") if option.get("selected") is not None), "")
    is_on = "true" in {node.get("aria-checked"), node.get("aria-pressed"), node.get("aria-selected")}
    if role in TICKED:
        is_on = node.get("checked") is not None or node.get("aria-checked") == "true" or node.get("data-state") == "checked"
        return CHECKED if is_on else ""
    return CHECKED if is_on else node.get("value") or node.get("aria-valuenow") or ""


def _options(node: Node, texts: Texts) -> list[tuple[str, str]]:
    options = ((texts.of(option) or option.get("label", ""), option) for option in islice(node.iter("option"), _MOST_OPTIONS))
    return [(text, option.get("value", text)) for text, option in options if text]


def _is_selected(node: Node) -> bool:
    marked = node.get("aria-selected") or node.get("aria-current") or node.get("aria-pressed") or node.get("aria-checked")
    is_on = marked in _ON if marked else node.get("data-state") in _ON_STATES
    return is_on or (node.tag == "td" and "selected" in node.get("class", ""))


def _is_expanded(node: Node, opens: str) -> bool | None:
    expanded = node.get("aria-expanded")
    if expanded is None and node.tag == "summary":
        parent = node.getparent()
        return parent is not None and parent.get("open") is not None
    return expanded == "true" if expanded is not None else _OPEN_STATES.get(node.get("data-state", "")) if opens else None
