"""What can be filled on a page: fields, and choices of which one is pressed, each as one slot with the names that it goes by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from agents.page import Element
from agents.page.elements import BUTTONS, CHECKED, FIELDS, PICKER, TICKED
from agents.page.matching import forms, likeness, words
from agents.template.budget import in_time

_CHOICE_ROLES = frozenset({"radio", "checkbox", "button", "tab", "option"})
_NEVER = frozenset({"hidden", "file", "submit", "image", "reset", "color"})
# What only the markup knows counts a little less than what people read; a row of buttons is less surely a choice than a field is a field.
_MARKED, _BESIDE = 0.85, 0.95
_NARROWING = frozenset({"search", "filter", "sort", "order", "find", "query"})
_EVERY = re.compile(r"(?:all|any|every)\b|.*\b(?:all|newest|oldest|first|recent)\b", re.I)
_WHICH, _OTHER_ONE = frozenset({"first", "last", "sur", "surname", "middle", "user", "username", "given", "card"}), 0.65
# A row of buttons with one of these is the foot of a form.
_ENDS = frozenset({"cancel", "submit", "save", "dismiss", "nevermind", "discard", "confirm", "back", "close"})


@dataclass(frozen=True)
class Slot:
    """Something to fill. `choices`: the elements of which one is pressed, none for a field; `options`: what a choice or select offers."""

    element: Element
    choices: tuple[Element, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def place(self) -> int:
        return self.element.place

    @cached_property
    def called(self) -> dict[str, float]:
        """The names that it goes by, each with its weight: the largest, where several texts are the same."""
        own = self.element
        named = [(own.group, 1.0), (own.name, _MARKED)]
        if not self.choices:
            named = [(own.group, _MARKED), (own.hints, _MARKED), (own.name, _MARKED), (own.beside, _BESIDE)]
            named += [(own.placeholder, 1.0), (own.label, 1.0)]
        return {text: weight for text, weight in sorted(named, key=lambda pair: pair[1]) if text}

    @cached_property
    def forms(self) -> frozenset[str]:
        return frozenset().union(*map(forms, self.called))

    @property
    def opens(self) -> bool:
        return not self.choices and self.element.role == PICKER

    @property
    def ticks(self) -> bool:
        return not self.choices and self.element.role in TICKED - {"radio"}

    @property
    def value(self) -> str:
        """What it holds: a text, the option that is chosen, CHECKED for what is on; "" for nothing."""
        if self.choices:
            return next((option for one, option in zip(self.choices, self.options, strict=True) if one.value == CHECKED), "")
        return self.element.text if self.opens else self.element.value

    def likeness(self, name: str) -> float:
        """How well it answers to a name, from 0 to 1; less where a text says which one of several: a first name is not the name."""
        if self.forms.isdisjoint(forms(name)):
            return 0.0
        which = set(words(name))
        alike = ((likeness(name, text) * weight, set(words(text)) & _WHICH) for text, weight in self.called.items())
        return max((merit if says <= which else merit * _OTHER_ONE for merit, says in alike), default=0.0)


def slots(elements: Sequence[Element]) -> list[Slot]:
    sets: dict[tuple[int | None, str, str], list[Element]] = {}
    for element in in_time(elements):
        if element.usable and element.role in _CHOICE_ROLES and (name := _set(element)):
            sets.setdefault((element.form, element.role, name), []).append(element)
    rows = [row for row in sets.values() if 2 <= len(row) <= 60]
    grouped = {one.place for row in rows for one in row if one.role == "radio"}
    fields = [Slot(one, options=one.options) for one in in_time(elements) if _is_field(one) and one.place not in grouped]
    return sorted([*fields, *(Slot(row[0], tuple(row), _options(row)) for row in rows)], key=lambda slot: slot.place)


def _set(element: Element) -> str:
    """What the elements of one choice have in common; "" for what is no part of one."""
    if element.role == "radio":
        return element.name or element.group or "radio"
    ends = element.submits or (element.role == "button" and bool(_ENDS & set(words(element.label))))
    return "" if ends else element.group


def _options(row: Sequence[Element]) -> tuple[str, ...]:
    said = [one.label or one.text or (one.value if one.value != CHECKED else "") for one in row]
    silent = len({text for text in said if any(sign.isalnum() for sign in text)}) < len(row)
    return tuple(str(count) for count in range(1, len(row) + 1)) if silent and 3 <= len(row) <= 10 else tuple(said)


def _is_field(element: Element) -> bool:
    """Whether it is to be filled: not one outside of forms that looks for, filters or sorts what the page lists."""
    if not element.usable or element.role not in (FIELDS | {"switch", PICKER}) - BUTTONS or element.type in _NEVER:
        return False
    if element.role == "searchbox" or element.form is not None:
        return element.role != "searchbox"
    said = set(words(" ".join((element.label, element.placeholder, element.name, element.hints))))
    return not (said & _NARROWING or any(_EVERY.match(option) for option in element.options[:1]))
