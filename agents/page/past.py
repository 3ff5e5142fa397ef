"""Actions on a page as texts that stay true after it has changed, and their effects, by a signature of the page before."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any
from zlib import crc32

from agents.common.text import shorten
from agents.contract.action_history import NOTHING_CHANGED
from agents.contract.actions import Action
from agents.contract.origins import query_parts, split_http
from agents.contract.selectors import ATTRIBUTE, TEXT, Selector
from agents.page.elements import FIELDS, TICKED, Element
from agents.page.nodes import one_line
from agents.page.reading import Page

NOTHING = NOTHING_CHANGED
# Of a page with more, new parts are not reported. A signature of so many has up to 15 kB; those of the tasks' sites have some 3.
MOST_CONTROLS, MOST_TEXTS, MOST_ITEMS = 500, 300, 200
_TEXT_CHARS = 8_000
# Numbers of fewer digits, which are as good for telling a few hundred names apart.
_SHORT = 1_000_000
_MOST_NAMED, _LONGEST_NAME, _LONGEST_TEXT, _LONGEST_EFFECT = 4, 40, 80, 300
# States that do not show an action's effect.
_PASSING = frozenset({"focused", "required", "invalid"})
_LITERAL = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_VERBS = {
    "TypeAction": "type{text} into",
    "SelectDropDownOptionAction": "select{text} in",
    "SelectAction": "select{text} in",
    "SubmitAction": "press Enter in",
    "DoubleClickAction": "double-click",
    "HoverAction": "hover over",
    "WaitAction": "wait for",
}


def action_in_words(action: Action, page: Page | None) -> str:
    """E.g. `click checkbox "Select" in item "Quarterly report"`. An element that the page does not show is named by its selector."""
    selector, text = action.fields.get("selector"), action.fields.get("text", action.fields.get("value"))
    if selector is None:
        return shorten(action.in_words(), 2 * _LONGEST_TEXT)
    element = page.element(selector) if page else None
    target = _target(element, page) if element and page else _selected(selector)
    verb = _VERBS.get(action.type, action.tool.removeprefix("browser."))
    return f"{verb.format(text=f' {_quoted(text, _LONGEST_TEXT)}' if isinstance(text, str) else '')} {target}"


def _target(element: Element, page: Page) -> str:
    kind, name = page.part_of(element)
    # A link outside of any part may be a list's only item, whose name is somewhere in its label.
    return f"{_named(element)} in {kind} {_quoted(name, 60)}" if name else _named(element, _LONGEST_TEXT)


def _named(element: Element, longest: int = _LONGEST_NAME) -> str:
    name = _name(element, longest)
    return f"{element.role} {_quoted(name, longest)}" if name else f"a {element.role} without a name"


def _name(element: Element, longest: int = _LONGEST_NAME) -> str:
    return one_line(element.label or element.text or element.placeholder or element.name or element.hints, longest)


def _selected(selector: Selector) -> str:
    value = selector["value"]
    if selector["type"] == TEXT:
        return _quoted(value)
    if selector["type"] == ATTRIBUTE and selector["attribute"] != "custom":
        return f"the element with {selector['attribute']} {_quoted(value, _LONGEST_TEXT)}"
    literals = [text for pair in _LITERAL.findall(value) if any(map(str.isalpha, text := pair[0] or pair[1]))]
    return f"an element of {_quoted(literals[0])}" if len(literals) == 1 else "an element"


@dataclass
class View:
    """A page as it is compared. Links don't count, as a page has hundreds and they lead elsewhere."""

    page: Page

    @cached_property
    def signature(self) -> dict[str, Any]:
        """To be kept with a step, as JSON. Names, values and texts are numbers in it, so it holds no secret of the page."""
        states = {str(_number(key)): state for key, element in self._alone if (state := _state(element)) != [0, ""]}
        return {
            "url": self.page.url,
            "dialog": self._dialog,
            "errors": [_number(text) for text in self.page.errors],
            "controls": sorted(set(map(_number, self._names))) if self._is_small else None,
            "states": states if self._is_small else None,
            "alone": sorted(_number(key) % _SHORT for key, _ in self._alone) if self._is_small else None,
            "checked": self._checked,
            "said": sorted(set(map(_number, self._texts))) if len(self._texts) <= MOST_TEXTS else None,
            "items": len(self.page.records),
            "named": sorted({_number(record.name) for record in islice(self.page.records, MOST_ITEMS)}),
            "whole": self._whole,
        }

    def effect(self, before: Mapping[str, Any]) -> str:
        """What has changed since the page had that signature: `button "Archive" is enabled`, `URL /cart`, NOTHING; "" where that is not
        known. Only what the two pages show is reported."""
        if before["url"] == self.page.url and before["whole"] == self._whole:
            return NOTHING
        changes = [*self._moves(before), *self._errors(before)]
        if before["url"] == self.page.url:
            is_same_layer = before["dialog"] == self._dialog
            changes += [*self._states(before, is_counted=is_same_layer)]
            # What a dialog hid is not new when it closes, and not gone when it opens.
            changes += [*self._new_controls(before), *self._items(before)] if is_same_layer else ()
            changes += self._new_texts(before)
        return shorten(", ".join(changes), _LONGEST_EFFECT) or "something changed"

    @cached_property
    def _controls(self) -> list[Element]:
        return [element for element in self.page.elements if not element.hidden and element.role != "link"]

    @property
    def _is_small(self) -> bool:
        return len(self._controls) <= MOST_CONTROLS

    @cached_property
    def _names(self) -> list[str]:
        """Of the controls, in their order."""
        return list(map(_named, self._controls))

    @cached_property
    def _alone(self) -> list[tuple[str, Element]]:
        """The controls that no other has the name of, each with its name and its item's."""
        items = self.page.items
        keyed = [
            (f"{name} {items[element.place].name if element.place in items else ''}", element)
            for name, element in zip(self._names, self._controls, strict=True)
        ]
        often = Counter(key for key, _ in keyed)
        return [(key, element) for key, element in keyed if often[key] == 1]

    @cached_property
    def _texts(self) -> list[str]:
        return [*self.page.headings, *self.page.texts(_TEXT_CHARS)]

    @cached_property
    def _whole(self) -> int:
        links = (
            f"{element.label}{element.href}{element.current}{element.pressed}"
            for element in self.page.elements
            if element.role == "link" and not element.hidden
        )
        controls = (f"{name}{_state(element)}" for name, element in zip(self._names, self._controls, strict=True))
        return _number("\n".join([*links, *controls, *self._texts]))

    @property
    def _dialog(self) -> str | None:
        return self.page.dialogs[-1] if self.page.dialogs else None

    @property
    def _checked(self) -> int:
        return sum(element.checked is True for element in self._controls)

    def _moves(self, before: Mapping[str, Any]) -> Iterator[str]:
        if before["url"] != self.page.url:
            yield f"URL {_address(self.page.url, before['url'])}"
        if self._dialog is None and before["dialog"] is not None:
            yield "the dialog closed"
        elif self._dialog != before["dialog"]:
            yield f"dialog {_quoted(self._dialog)} opened" if self._dialog else "a dialog opened"

    def _errors(self, before: Mapping[str, Any]) -> list[str]:
        numbers_before = set(before["errors"])
        return [f"the page says {_quoted(text, _LONGEST_TEXT)}" for text in self.page.errors if _number(text) not in numbers_before][:2]

    def _states(self, before: Mapping[str, Any], *, is_counted: bool) -> list[str]:
        """Fields that hold something else, and controls in another state; else how many are checked, where that has changed."""
        changed, alone_before = list[str](), set(before.get("alone") or ())
        # Of another page of a list, an item with the same name is another one.
        names = {_number(record.name) for record in islice(self.page.records, MOST_ITEMS)}
        has_other_items = 2 * len(names.intersection(before["named"])) < len(names)
        for key, element in self._alone if self._is_small and before["states"] is not None else ():
            was, now = before["states"].get(str(_number(key)), [0, ""]), _state(element)
            is_of_another = has_other_items and element.place in self.page.items
            if was == now or is_of_another or _number(key) % _SHORT not in alone_before:
                continue
            if was[0] != now[0]:
                changed.append(f"field {_quoted(_name(element))} {_held(element)}")
            old, new = set(was[1].split(", ")) - {""}, set(now[1].split(", ")) - {""}
            if new - old:
                changed.append(f"{_target(element, self.page)} is {' and '.join(sorted(new - old))}")
            elif old - new:
                changed.append(f"{_target(element, self.page)} is no longer {' and '.join(sorted(old - new))}")
        is_counted = is_counted and len(changed) != 1
        checked = [f"{self._checked} checked"] if is_counted and self._checked != before["checked"] else []
        return changed[:_MOST_NAMED] + checked

    def _new_controls(self, before: Mapping[str, Any]) -> Iterator[str]:
        if not self._is_small or before["controls"] is None:
            return
        numbers_before = set(before["controls"])
        new = [element for element in self._controls if _name(element) and _number(_named(element)) not in numbers_before]
        for kind, some in (
            ("field", [element for element in new if element.role in FIELDS]),
            ("button", [element for element in new if element.role not in FIELDS]),
        ):
            names = list(dict.fromkeys(map(_name, some)))
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            if names:
                yield f"new {kind}{'s' if len(names) > 1 else ''} {', '.join(names[:_MOST_NAMED])}{more}"

    def _items(self, before: Mapping[str, Any]) -> Iterator[str]:
        records, names_before = self.page.records, set(before["named"])
        if len(records) != before["items"]:
            yield f"{len(records)} items, {before['items']} before"
        new = [record.name for record in records[:MOST_ITEMS] if record.name and _number(record.name) not in names_before]
        if before["items"] <= MOST_ITEMS and 0 < len(new) <= 2:
            yield f"new item {' and '.join(map(_quoted, new))}"

    def _new_texts(self, before: Mapping[str, Any]) -> Iterator[str]:
        """The first and the last: what a page reports stands above or below all else."""
        numbers_before = set(before["said"] or ())
        if before["said"] is None or len(self._texts) > MOST_TEXTS:
            return
        has_closed = before["dialog"] is not None and self._dialog is None
        if has_closed and 2 * len(numbers_before.intersection(map(_number, self._texts))) < len(set(self._texts)):
            return  # the page behind a dialog was hidden, so its texts are not new
        names = {record.name for record in self.page.records} | set(self.page.errors)
        new = [text for text in self._texts if _number(text) not in numbers_before and any(map(str.isalpha, text)) and text not in names]
        yield from (f"new text {_quoted(text, _LONGEST_TEXT)}" for text in dict.fromkeys([*new[:1], *new[-1:]]))


def _state(element: Element) -> list[Any]:
    """The value as a number, and the states as a text."""
    value = element.value if element.role in FIELDS - TICKED else ""
    return [_number(value) if value else 0, ", ".join(state for state in element.states if state not in _PASSING)]


def _held(field: Element) -> str:
    if field.type == "password":
        return "is filled in" if field.value else "is empty"
    return f"holds {_quoted(field.value)}" if field.value else "is empty"


def _number(text: str) -> int:
    return crc32(text.encode("utf-8", "replace"))


def _quoted(text: str | None, longest: int = _LONGEST_NAME) -> str:
    return f'"{shorten(one_line(text or "", longest + 1), longest)}"'


def _address(url: str, before: str) -> str:
    """A path with its query on the same site, without what the address before had in its query too."""
    there, here = split_http(url), split_http(before)
    if there is None or here is None or there.netloc != here.netloc:
        return shorten(url, _LONGEST_TEXT)
    parts_before = query_parts(here.query)
    query = "&".join(part for part in query_parts(there.query) if part not in parts_before)
    return shorten(there._replace(scheme="", netloc="", query=query).geturl() or "/", _LONGEST_TEXT)
