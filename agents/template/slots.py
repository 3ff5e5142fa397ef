"""What can be filled on a page: fields, and choices of which one is pressed, each as one slot with the names that it goes by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.page import Element
from agents.page.elements import BUTTONS, CHECKED, FIELDS, PICKER, TICKED
from agents.page.matching import likeness, words

_CHOICE_ROLES = frozenset({"radio", "checkbox", "button", "tab", "option"})
_NEVER = frozenset({"hidden", "file", "submit", "image", "reset", "color"})
# What only the markup knows counts a little less than what people read; a row of buttons is less surely a choice than a field is a field.
_MARKED, _BESIDE = 0.85, 0.95
_MOST_CHOICES = 60
_NARROWING = frozenset({"search", "filter", "sort", "order", "find", "query"})
_EVERY = re.compile(r"(?:all|any|every)\b|.*\b(?:all|newest|oldest|first|recent)\b", re.I)
_WHICH, _OTHER_ONE = frozenset({"first", "last", "sur", "surname", "middle", "user", "username", "given", "card"}), 0.65
# A row of buttons with one of these is the foot of a form.
_ENDS = frozenset({"cancel", "submit", "save", "dismiss", "nevermind", "discard", "confirm", "back", "close"})
_LEAST_STARS, _MOST_STARS = 3, 10


@dataclass(frozen=True, slots=True)
class Slot:
    """Something to fill. `choices`: the elements of which one is pressed, none for a field; `options`: what a choice or select offers."""

    element: Element
    choices: tuple[Element, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def place(self) -> int:
        return self.element.place

    @property
    def called(self) -> tuple[tuple[str, float], ...]:
        """The names that it goes by, each with its weight."""
        own = self.element
        if self.choices:
            return ((own.group, 1.0), (own.name, _MARKED))
        return (
            (own.label, 1.0), (own.placeholder, 1.0), (own.beside, _BESIDE), (own.name, _MARKED), (own.hints, _MARKED),
            (own.group, _MARKED),
        )  # fmt: skip

    @property
    def opens(self) -> bool:
        """Whether it is pressed to show its options: a list that is no select."""
        return not self.choices and self.element.role == PICKER

    @property
    def ticks(self) -> bool:
        """Whether it is on or off."""
        return not self.choices and self.element.role in TICKED - {"radio"}

    @property
    def value(self) -> str:
        """What it holds: a text, the option that is chosen, CHECKED for what is on; "" for nothing."""
        if self.choices:
            return next((option for one, option in zip(self.choices, self.options, strict=True) if one.value == CHECKED), "")
        return self.element.text if self.opens else self.element.value

    def likeness(self, name: str) -> float:
        """How well it answers to a name, from 0 to 1."""
        return max(likeness(name, text) * weight * _narrowed(name, text) for text, weight in self.called)


def _narrowed(name: str, text: str) -> float:
    """Less than 1 where a text says which one of several, and the name says another or none: a first name is not the name."""
    return 1.0 if set(words(text)) & _WHICH <= set(words(name)) else _OTHER_ONE


def slots(elements: Sequence[Element]) -> list[Slot]:
    """The slots among some elements of a page, in the page's order."""
    sets: dict[tuple[int | None, str, str], list[Element]] = {}
    for element in elements:
        if element.usable and element.role in _CHOICE_ROLES and (key := _set(element)):
            sets.setdefault((element.form, *key), []).append(element)
    rows = [row for row in sets.values() if 2 <= len(row) <= _MOST_CHOICES]
    grouped = {one.place for row in rows for one in row if one.role == "radio"}
    fields = [Slot(one, options=one.options) for one in elements if _is_field(one) and one.place not in grouped]
    return sorted([*fields, *(_choice(row) for row in rows)], key=lambda slot: slot.place)


def _set(element: Element) -> tuple[str, str] | None:
    """What the elements of one choice have in common."""
    if element.role == "radio":
        return ("radio", element.name or element.group)
    ends = element.role == "button" and bool(_ENDS & set(words(element.label)))
    return (element.role, element.group) if element.group and not element.submits and not ends else None


def _choice(row: Sequence[Element]) -> Slot:
    return Slot(row[0], tuple(row), tuple(_options(row)))


def _options(row: Sequence[Element]) -> Iterable[str]:
    """What the choices say; a row of stars says nothing and is counted."""
    said = [one.label or one.text or (one.value if one.value != CHECKED else "") for one in row]
    silent = len({text for text in said if any(sign.isalnum() for sign in text)}) < len(row)
    return (str(count) for count in range(1, len(row) + 1)) if silent and _LEAST_STARS <= len(row) <= _MOST_STARS else said


def _is_field(element: Element) -> bool:
    return (
        element.usable
        and not _narrows(element)
        and element.role in FIELDS | {"switch", PICKER}
        and element.type not in _NEVER
        and element.role not in BUTTONS
    )


def _narrows(element: Element) -> bool:
    """Whether a field outside of forms looks for, filters or sorts what the page lists."""
    if element.form is not None and element.role != "searchbox":
        return False
    said = set(words(" ".join((element.label, element.placeholder, element.name, element.hints))))
    return element.role == "searchbox" or bool(said & _NARROWING) or any(_EVERY.match(option) for option in element.options[:1])
