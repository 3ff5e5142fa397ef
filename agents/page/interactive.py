"""From lxml's nodes to Elements: what can be operated, what a person would call it, and the state that it is in."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from lxml import etree

from agents.page.elements import CHECKED, FIELDS, OPTIONS, PICKER, TICKED, Element, role_of
from agents.page.nodes import LONGEST_TEXT, NEVER_SHOWN, Node, around, hides, one_line
from agents.page.signs import covers, finished, shown_by

# A page of several MB may hold tens of thousands of links; reading them all would cost more time than any of them is worth.
MOST_ELEMENTS = 1_500
# Of one select, and of all selects of a page.
_MOST_OF_SELECT, MOST_OPTIONS = 200, 5_000
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
_OPEN_STATES = {"open": True, "closed": False}
# Attributes and tags that may hide or open something.
_TELLING = frozenset({"hidden", "aria-hidden", "style", "class", "aria-modal", "role"})
_SPECIAL = NEVER_SHOWN | {"fieldset", "form", "label", "footer"}
# Small layers that something on the page has opened: menus, popovers.
_OVER = frozenset({"menu", "listbox", "tooltip"})
_OVER_CLASS = re.compile(r"(?<!\w)pop(?:over|per|up)(?![a-z])", re.I)

# Of a page, and of nodes that name one element together.
MOST_LABELS, _MOST_IDS = 2500, 8
_INVITES = re.compile(r"(?:all|any|every|select|choose|sort(?:ed)? by|pick|filter)\b.*\w", re.I)
_identified = etree.XPath("//@id")

_LABELLERS = frozenset({"label", "span", "p", "div", "strong", "b", "legend", "dt", "th", "td", "h2", "h3", "h4", "h5", "h6"})
_FURTHEST_LABEL, _LONGEST_LABEL = 3, 60
_CHOICES = frozenset({"button", "radio", "checkbox", "option", "tab", "switch"})
_SETS, _FURTHEST_SET = frozenset({"radiogroup", "group", "listbox"}), 5
# Siblings before a label's place among which another field may stand.
_FURTHEST_FIELD = 200
# A button and a decoy; a block of more is a card.
_MOST_IN_WRAPPER, _LONGEST_GROUP = 2, 40
_FIELDS = ("input", "select", "textarea")
# Characters kept of a node's text: more than is read of any.
_KEPT = 400
# What a field or script holds is no text that a person reads as its neighbour's name.
_NO_TEXT = frozenset({"select", "textarea", "script", "style"})


@dataclass
class Naming:
    root: Node
    _texts: dict[Node, str] = field(default_factory=dict)

    def text_of(self, node: Node, limit: int = LONGEST_TEXT) -> str:
        """Its text in one line, without those of fields in it. Each node is read once: names are searched for in many nested blocks."""
        if node not in self._texts:
            parts, left = [node.text or ""], _KEPT
            for child in node:
                if left <= 0:
                    break
                parts += ("" if child.tag in _NO_TEXT else self.text_of(child, _KEPT), child.tail or "")
                left -= len(parts[-1]) + len(parts[-2])
            self._texts[node] = one_line(" ".join(parts), _KEPT)
        return self._texts[node][:limit].rstrip()

    @cached_property
    def _labels_for(self) -> dict[str, str]:
        found = reversed(list(islice(self.root.iter("label"), MOST_LABELS)))
        return {name: self.text_of(node) for node in found if (name := node.get("for"))}

    @cached_property
    def _by_id(self) -> dict[str, Node]:
        return {str(id_): id_.getparent() for id_ in reversed(_identified(self.root))}

    @cached_property
    def _legends(self) -> dict[Node, str]:
        found = dict[Node, str]()
        for legend in self.root.iter("legend"):
            for fieldset in legend.iterancestors("fieldset"):
                if fieldset in found:
                    break
                found[fieldset] = self.text_of(legend, _LONGEST_GROUP)
        return found

    @cached_property
    def _operated(self) -> set[Node]:
        """What has a meaning of its own, so that its text names no neighbour."""
        return around(self.root.iter(*_FIELDS, "button", "a"))

    def label(self, node: Node, role: str, text: str, around: Node | None) -> str:
        """`text` is the element's own, `around` the label element that it stands in."""
        return next((line for name in self._names(node, role, text, around) if name and (line := one_line(name))), "")

    def _names(self, node: Node, role: str, text: str, around: Node | None) -> Iterator[str | None]:
        yield self._of_ids(node.get("aria-labelledby"))
        yield node.get("aria-label")
        yield self._labels_for.get(node.get("id") or " ")
        yield "" if around is None else self.text_of(around)
        if role in TICKED:
            yield self._following(node)
        if role != PICKER:
            yield node.get("placeholder")
            yield node.get("title")
            yield node.get("alt")
            yield text or next((image.get("alt") for image in node.iter("img") if image.get("alt")), "")
        if node.tag == "select":
            # A first option that names what is chosen, such as "All genres" or "Sort by: newest".
            first = self.text_of(next(iter(node.iter("option")), node))
            yield first if _INVITES.match(first) else ""
        if role in FIELDS or role == PICKER:
            yield self.neighbour(node)
        yield text or node.get("title")
        if role not in FIELDS or role in TICKED:
            yield node.get("value")

    def by_aria(self, node: Node) -> str:
        return one_line(self._of_ids(node.get("aria-labelledby")) or node.get("aria-label", ""))

    def _of_ids(self, ids: str | None) -> str:
        nodes = (self._by_id.get(id_) for id_ in (ids or "").split()[:_MOST_IDS])
        return " ".join(text for node in nodes if node is not None and (text := self.text_of(node)))

    def described(self, node: Node) -> str:
        return self._of_ids(" ".join((node.get("aria-errormessage", ""), node.get("aria-describedby", ""))))

    def _following(self, node: Node) -> str:
        for at in islice((node, *node.iterancestors()), 2):
            if tail := one_line(at.tail or "", _LONGEST_LABEL):
                return tail
            if (after := at.getnext()) is not None:
                return self._name_in(after, _LONGEST_LABEL)
        return ""

    def neighbour(self, node: Node) -> str:
        """In much markup the label stands beside its field without naming it."""
        return self._before(node, _FURTHEST_LABEL, _LONGEST_LABEL)

    def group_of(self, node: Node, role: str) -> str:
        """By a legend or ARIA, else by the text just before a row of choices; "" for none."""
        return self._named_set(node) or self._row(node) if role in _CHOICES else ""

    def _named_set(self, node: Node) -> str:
        for outer in islice(node.iterancestors(), _FURTHEST_SET):
            if outer.tag in {"form", "fieldset"}:
                return self._legends.get(outer, "")
            if outer.get("role") in _SETS and (name := one_line(outer.get("aria-label", ""), _LONGEST_GROUP)):
                return name
        return ""

    def _row(self, node: Node) -> str:
        inner = node
        for outer in islice(node.iterancestors(), 3):
            is_wrapper = inner is node or node.tag != "button" or len(inner) <= _MOST_IN_WRAPPER
            if not is_wrapper or outer.tag in {"form", "body", "nav", "header", "footer"}:
                return ""
            if sum(child.tag == inner.tag for child in islice(outer, 12)) > 1:
                name = self._before(inner, 1, _LONGEST_GROUP, skip=inner.tag) or self._before(outer, 1, _LONGEST_GROUP)
                return name if len(name) < _LONGEST_GROUP else ""
            inner = outer
        return ""

    def _before(self, node: Node, furthest: int, longest: int, skip: object = None) -> str:
        """The text of what stands before a node or before the blocks around it; nothing where that is another field's block."""
        for at in islice((node, *node.iterancestors()), furthest):
            for before in islice(at.itersiblings(preceding=True), 12):
                if (skip is None or before.tag != skip) and self.text_of(before, 8):
                    return self._name_in(before, longest)
            if skip is None and any(one.tag in _FIELDS for one in islice(at.itersiblings(preceding=True), _FURTHEST_FIELD)):
                return ""
        return ""

    def _name_in(self, node: Node, longest: int) -> str:
        return self.text_of(node, longest) if node.tag in _LABELLERS and node not in self._operated else ""


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
    """`has_more`: the page has elements beyond those that are read; known once they are."""

    root: Node
    dialogs: list[Node] = field(default_factory=list)
    has_more: bool = False
    _around: dict[Node, Surroundings] = field(default_factory=dict)
    _overlays: int = 0
    _options_left: int = MOST_OPTIONS
    # Whether each node is a control or lies in one.
    _in_control: dict[Node, bool] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> list[Node]:
        marked = {node for node in _owners(_marked, self.root) if node.tag not in _TAGS and _is_operated(node)}
        handed = islice((node for node in _owners(_handed, self.root) if node.tag in _PRESSABLE), _MOST_HANDED)
        marked |= {node for node in handed if self._is_pressed(node)}
        found = (node for node in self.root.iter() if node in marked or node.tag in _TAGS) if marked else self.root.iter(*_TAGS)
        taken = list(islice(found, MOST_ELEMENTS + 1))
        self.has_more = len(taken) > MOST_ELEMENTS
        return taken[:MOST_ELEMENTS]

    def _is_pressed(self, node: Node) -> bool:
        """Made to be pressed, though it is no control, nor holds or lies in one."""
        if _is_option(node):
            return True
        is_handed = _HANDED.search(node.get("class", "")) or _HAND.search(node.get("style", ""))
        if not is_handed or node in self._around_controls or self._is_in_control(node):
            return False
        return 0 < len(self.naming.text_of(node, _LONGEST_PRESSED + 1)) <= _LONGEST_PRESSED

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
        return finished(self.nodes, [self._element(place, node) for place, node in enumerate(self.nodes)], self._covering())

    def _covering(self) -> set[int]:
        return {layer for layer, node in enumerate(self.dialogs, 1) if covers(node)}

    def dialog_name(self, layer: int) -> str:
        node = self.dialogs[layer - 1]
        heading = next(iter(node.iter("h1", "h2", "h3", "h4")), None)
        return self.naming.label(node, "", "", None) or self.naming.text_of(node if heading is None else heading)

    def _element(self, place: int, node: Node) -> Element:
        # Two dozen names are looked up: a dictionary is three times as fast as the node.
        tag, get, text_of = str(node.tag), dict(node.items()).get, self.naming.text_of
        type_ = get("type", "").strip().lower() or {"input": "text", "button": "submit"}.get(tag, "")
        inherited = self.surroundings(node)
        haspopup = get("aria-haspopup", "").lower()
        opens, fixed = {"true": "menu", "false": ""}.get(haspopup, haspopup), get("readonly") is not None
        own = "option" if tag in {"td", "div"} and _is_option(node) else get("role", "").strip().lower()
        role = "textbox" if _is_editable(node) else role_of(tag, type_, own, opens, fixed=fixed)
        text = "" if tag in {"input", "select"} else text_of(node)
        options = self._options(node) if tag == "select" else []
        longest = get("maxlength", "")
        return Element(
            place=place,
            tag=tag,
            role=role,
            type=type_,
            name=get("name", ""),
            id=get("id", ""),
            href=get("href", "") if tag == "a" else "",
            text=text,
            placeholder=get("placeholder", ""),
            value=text if role == PICKER else _value_of(node, role, text_of),
            hints=one_line(" ".join(get(key, "") for key in ("id", "autocomplete", "data-testid"))),
            form=inherited.form,
            hidden=inherited.hidden or type_ == "hidden",
            disabled=inherited.disabled or get("disabled") is not None or get("aria-disabled") == "true" or (fixed and role != PICKER),
            readonly=fixed,
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
            expanded=_is_expanded(node, opens),
            opens=opens,
            **shown_by(node, get, role, self.naming.label(node, role, text, inherited.label), text),
        )

    def _options(self, select: Node) -> list[tuple[str, str]]:
        read = list(islice(select.iter("option"), min(_MOST_OF_SELECT, self._options_left)))
        self._options_left -= len(read)
        options = ((self.naming.text_of(option) or option.get("label", ""), option) for option in read)
        return [(text, option.get("value", text)) for text, option in options if text]

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
    # A layer with these is the page itself.
    return covers(node) and next(iter(node.iter("main", "nav", "header", "footer")), None) is None


def _is_option(node: Node) -> bool:
    """One of several to choose from that has no role: a day of a calendar, an entry of an open list."""
    if node.get("role"):
        return False
    return _DAY.fullmatch(node.get("title", "")) is not None if node.tag == "td" else node.get("aria-selected") is not None


def _is_operated(node: Node) -> bool:
    return node.get("onclick") is not None or _is_editable(node) or node.get("role", "").strip().lower() in _MARKED_ROLES


def _is_editable(node: Node) -> bool:
    return node.get("contenteditable") in {"", "true", "plaintext-only"}


def _value_of(node: Node, role: str, text_of: Callable[[Node], str]) -> str:
    if node.tag == "textarea":
        return (node.text or "").strip()
    if node.tag == "select":
        return next((text_of(option) for option in node.iter("option") if option.get("selected") is not None), "")
    is_on = "true" in {node.get("aria-checked"), node.get("aria-pressed"), node.get("aria-selected")}
    if role in TICKED:
        is_on = node.get("checked") is not None or node.get("aria-checked") == "true" or node.get("data-state") == "checked"
        return CHECKED if is_on else ""
    return CHECKED if is_on else node.get("value") or node.get("aria-valuenow") or ""


def _is_expanded(node: Node, opens: str) -> bool | None:
    expanded = node.get("aria-expanded")
    if expanded is None and node.tag == "summary":
        parent = node.getparent()
        return parent is not None and parent.get("open") is not None
    return expanded == "true" if expanded is not None else _OPEN_STATES.get(node.get("data-state", "")) if opens else None
