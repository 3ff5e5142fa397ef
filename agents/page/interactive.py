"""From an outline to Elements: what can be operated, its label, and its state."""

import re
from collections.abc import Set
from dataclasses import dataclass, field
from functools import cached_property
from heapq import merge
from itertools import islice
from typing import Any

from agents.page.elements import BUTTONS, CHECKED, FIELDS, PICKER, Element, role_of
from agents.page.naming import Naming, placeholder_of
from agents.page.nodes import LONGEST_TEXT, Attributes, Node, one_line
from agents.page.outline import HEADINGS, Around, Outline, is_editable, is_option
from agents.page.signs import finished, shown_by, takes_off

# A page of several MB may hold tens of thousands of links; reading them all would cost more time than any of them is worth.
MOST_ELEMENTS = 1_500
# Of one select, and of all selects of a page.
_MOST_OF_SELECT, MOST_OPTIONS = 200, 5_000
_LONGEST_PRESSED, _MOST_IN_ROW = 80, 400
# What calendars and clocks put into the fields that open them.
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}:\d\d(?: ?[ap]m)?", re.I)
_OPEN_STATES = {"open": True, "closed": False}
_DEFAULT_TYPES = {"input": "text", "button": "submit"}
_POPUPS = {"true": "menu", "false": ""}
_NO_TEXT = frozenset({"input", "select", "textarea"})
_TICKED_TYPES = frozenset({"checkbox", "radio"})
# Classes of Tailwind, Bootstrap 4 and 5 for inputs that are visible only as their labels.
_DRAWN_OVER = frozenset({"sr-only", "visually-hidden", "opacity-0", "btn-check", "custom-control-input"})
# A link or button with a text and no attribute besides these is labelled by its text, and has only the states of its class.
_BARE_TAGS, _BARE = frozenset({"a", "button"}), frozenset({"class", "href", "style", "type", "target", "rel"})


@dataclass
class Reader:
    """`places` are the elements' nodes in the outline, `_rows` those of them that are pressed as a whole and have more in them."""

    outline: Outline
    has_more: bool = False
    _options_left: int = MOST_OPTIONS
    _rows: set[int] = field(default_factory=set)

    @cached_property
    def naming(self) -> Naming:
        return Naming(self.outline)

    @cached_property
    def places(self) -> list[int]:
        outline = self.outline
        handed = [at for at in outline.handed if self._is_pressed(at)]
        places = list(merge(outline.controls, handed)) if handed else outline.controls
        self.has_more = len(places) > MOST_ELEMENTS
        return places[:MOST_ELEMENTS]

    @cached_property
    def nodes(self) -> list[Node]:
        """What is pressed or filled in: of a check box or radio button that can't be seen, its label."""
        return [self.outline.nodes[self._labels.get(at, at)] for at in self.places]

    @cached_property
    def _labels(self) -> dict[int, int]:
        """By the places of check boxes and radio buttons that can't be seen: the places of their labels, which can."""
        outline = self.outline
        ticked = (at for at in self.places if outline.attributes[at].get("type") in _TICKED_TYPES and self._is_unseen(at))
        pairs = ((at, self.naming.label_of(at)) for at in ticked)
        return {at: label for at, label in pairs if label >= 0 and not outline.around[label].hidden}

    def _is_unseen(self, at: int) -> bool:
        """Hidden itself, or only there for screen readers, as a style sheet draws another one."""
        outline = self.outline
        if outline.around[at].hidden:
            return not outline.around[outline.parents[at]].hidden
        return not _DRAWN_OVER.isdisjoint(outline.attributes[at].get("class", "").split())

    def _is_pressed(self, at: int) -> bool:
        """Made to be pressed, though it is no control: a short text, or a row or card with more in it than its own controls."""
        outline = self.outline
        pieces = outline.lasts[at] - outline.firsts[at]
        if not pieces or outline.around[at].hidden:
            return False
        outer = outline.around[outline.parents[at]].hand
        if outer >= 0 and outline.lasts[outer] - outline.firsts[outer] == pieces:
            return False
        inside = [place for place in outline.controls[outline.slice_of(at, outline.controls)] if outline.tags[place]]
        if not inside and not outline.holds(at, outline.labels):
            if len(outline.text(at, _LONGEST_PRESSED + 1)) <= _LONGEST_PRESSED:
                if outline.held(at, HEADINGS):
                    self._rows.add(at)
                return True
        elif outline.attributes[at].get("tabindex") == "0" or outer >= 0:
            return False
        in_controls = sum(outline.lasts[place] - outline.firsts[place] for place in inside)
        if outline.ends[at] - at > _MOST_IN_ROW or in_controls + 1 >= pieces or outline.holds(at, outline.labels):
            return False
        self._rows.add(at)
        return True

    def elements(self) -> tuple[Element, ...]:
        places = self.places
        parents = [self.outline.parents[at] for at in places]
        return finished(parents, [self._element(place, at) for place, at in enumerate(places)], self._covering())

    def _covering(self) -> set[int]:
        outline = self.outline
        return {layer for layer, at in enumerate(outline.dialogs, 1) if _covers(outline, at)}

    def dialog_name(self, layer: int) -> str:
        at, outline = self.outline.dialogs[layer - 1], self.outline
        heading = next(iter(outline.inside(at, HEADINGS)), at)
        return self.naming.by_aria(at) or outline.text(heading, LONGEST_TEXT)

    def _element(self, place: int, at: int) -> Element:
        outline = self.outline
        node, attributes, around = outline.nodes[at], outline.attributes[at], outline.around[at]
        get, tag = attributes.get, str(node.tag)
        type_ = get("type", "").strip().lower() or _DEFAULT_TYPES.get(tag, "")
        text = "" if tag in _NO_TEXT else outline.text(at, LONGEST_TEXT)
        if tag in _BARE_TAGS and _BARE.issuperset(attributes) and len(text) > 2 and text.isascii() and around.label < 0:
            return Element.made(self._bare(place, at, tag, type_, text))
        placed = {"place": place, "tag": tag, "type": type_, "text": text, "href": get("href", "") if tag == "a" else ""}
        if is_labelled := at in self._labels:
            placed |= {"tag": "label"}
        placed |= {"hidden": type_ == "hidden" or (around.hidden and not is_labelled), "form": around.form, "layer": around.layer}
        placed |= {"overlay": around.overlay, "footer": around.footer}
        haspopup = get("aria-haspopup", "").lower()
        opens, is_row = _POPUPS.get(haspopup, haspopup), at in self._rows
        role = self._role(tag, type_, attributes, around, opens)
        label = self._row_name(at) if is_row else self.naming.label(at, role, text)
        class_states, named = self._class_states(at, role), self._named(at, role)
        state = {"opens": "item" if is_row else opens, "expanded": _is_expanded(node, attributes, opens)} | _marked(attributes)
        is_fixed = "readonly" in attributes and role != PICKER
        is_off = "disabled" in attributes or "disabled" in class_states or get("aria-disabled") == "true" or is_fixed
        state["disabled"] = around.disabled or is_off
        state |= {"value": _value_of(node, role, attributes, text)} | shown_by(node, attributes, class_states, role, label, text)
        return Element.made(placed | named | state | (self._chosen_from(node) if tag == "select" else {}))

    def _bare(self, place: int, at: int, tag: str, type_: str, text: str) -> dict[str, Any]:
        role, attributes, around = "link" if tag == "a" else "button", self.outline.attributes[at], self.outline.around[at]
        class_states = self._class_states(at, role)
        is_on = "selected" in class_states
        return {
            "place": place,
            "tag": tag,
            "type": type_,
            "text": text,
            "href": attributes.get("href", "") if tag == "a" else "",
            "hidden": type_ == "hidden" or around.hidden,
            "form": around.form,
            "layer": around.layer,
            "overlay": around.overlay,
            "footer": around.footer,
            "role": role,
            "label": text,
            "group": "" if tag == "a" else self.naming.group_of(at, role),
            "disabled": around.disabled or "disabled" in class_states,
            "selected": is_on,
            "current": is_on and role == "link",
            "starred": takes_off(text) or None,
            "focused": "focused" in class_states,
        }

    def _named(self, at: int, role: str) -> dict[str, Any]:
        get = self.outline.attributes[at].get
        return {
            "role": role,
            "name": get("name", ""),
            "id": get("id", ""),
            "placeholder": placeholder_of(get),
            "hints": one_line(" ".join((get("id", ""), get("autocomplete", ""), get("data-testid", ""), *self._title(at, role)))),
            "beside": self.naming.neighbour(at) if role in FIELDS or role == PICKER else "",
            "group": self.naming.group_of(at, role),
        }

    def _title(self, at: int, role: str) -> tuple[str, ...]:
        """What a pointer over a link or button shows besides its text."""
        title = self.outline.attributes[at].get("title", "")
        return (title,) if title and role in BUTTONS else ()

    @cached_property
    def _has_selected(self) -> bool:
        return any("selected" in classes.states for classes in self.outline.classes_by_value.values())

    def _class_states(self, at: int, role: str) -> Set[str]:
        """The states that its class names have; a link is selected where the entry of a list around it is."""
        outline = self.outline
        states = outline.classes(at).states
        if role != "link" or not self._has_selected:
            return states
        near = islice(outline.up(outline.parents[at], -1), 2)
        is_on = any("selected" in outline.classes(outer).states and outline.nodes[outer].tag == "li" for outer in near)
        return states | {"selected"} if is_on else states

    def _role(self, tag: str, type_: str, attributes: Attributes, around: Around, opens: str) -> str:
        if is_editable(attributes):
            return "textbox"
        fixed = "readonly" in attributes
        # Nothing can be typed into it, and nothing is in it: a press opens what it is chosen from.
        is_empty = attributes.get("placeholder") and not attributes.get("value")
        if fixed and tag == "input" and (around.hand >= 0 or is_empty or _is_date(attributes)):
            return PICKER
        own = "option" if is_option(tag, attributes) else attributes.get("role", "").strip().lower()
        return role_of(tag, type_, own, opens, fixed=fixed)

    def _row_name(self, at: int) -> str:
        """A row is opened by its heading, else its first text outside of controls."""
        outline = self.outline
        if heading := next(iter(outline.inside(at, HEADINGS)), 0):
            return outline.text(heading, _LONGEST_PRESSED)
        free = (place for place in range(outline.firsts[at], outline.lasts[at]) if not outline.around[outline.owners[place]].control)
        return next((outline.pieces[place][:_LONGEST_PRESSED] for place in free), "")

    def _chosen_from(self, select: Node) -> dict[str, Any]:
        read = list(islice(select.iter("option"), min(_MOST_OF_SELECT, self._options_left)))
        self._options_left -= len(read)
        options = [(text, option.get("value", text)) for option in read if (text := _option_text(option))]
        return {"options": tuple(text for text, _ in options), "sent_as": tuple(value for _, value in options)}


def _marked(attributes: Attributes) -> dict[str, Any]:
    """The bounds and marks that the attributes of a field have."""
    get, longest = attributes.get, attributes.get("maxlength", "")
    return {
        "readonly": "readonly" in attributes,
        # Browsers ignore a length that is empty, not a number or absurd.
        "longest": int(longest) if longest and longest.isascii() and longest.isdigit() and len(longest) <= 9 else None,
        "least": get("min") or get("aria-valuemin") or "",
        "most": get("max") or get("aria-valuemax") or "",
        "required": "required" in attributes or get("aria-required") == "true",
        "invalid": get("aria-invalid") == "true",
    }


def _is_date(attributes: Attributes) -> bool:
    return _DATE.fullmatch(attributes.get("value", "")) is not None


def _option_text(option: Node) -> str:
    return one_line(option.text or "" if not len(option) else " ".join(islice(option.itertext(), 10))) or option.get("label", "")


def _covers(outline: Outline, at: int) -> bool:
    """Whether what lies behind a dialog can't be operated while it is open."""
    is_modal = outline.tags[at] == "dialog" or outline.attributes[at].get("aria-modal") == "true"
    return is_modal or outline.classes(at).covers


def _value_of(node: Node, role: str, attributes: Attributes, text: str) -> str:
    """Of what is on or off as `shown_by` has it."""
    if role == PICKER:
        return text or attributes.get("value", "")
    if node.tag == "textarea":
        return (node.text or "").strip()
    if node.tag == "select":
        return next((_option_text(option) for option in node.iter("option") if option.get("selected") is not None), "")
    is_on = "true" in {attributes.get("aria-checked"), attributes.get("aria-pressed"), attributes.get("aria-selected")}
    return CHECKED if is_on else attributes.get("value") or attributes.get("aria-valuenow") or ""


def _is_expanded(node: Node, attributes: Attributes, opens: str) -> bool | None:
    if "aria-expanded" in attributes:
        return attributes["aria-expanded"] == "true"
    if node.tag == "summary":
        parent = node.getparent()
        return parent is not None and parent.get("open") is not None
    return _OPEN_STATES.get(attributes.get("data-state", "")) if opens else None
