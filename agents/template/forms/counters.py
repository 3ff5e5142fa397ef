"""Counters: a number between a button that lowers it and one that raises it, such as guests of a booking."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from agents.page import PICKER, Element, Page, likeness, words
from agents.template.forms.filling import answers, by_name
from agents.template.forms.slots import slots
from agents.template.moves import Move, press
from agents.template.prompt import Criterion, meets_all, names_of

_UP = frozenset({"increase", "increment", "plus", "add", "more", "raise"})
_SIGNS_UP, _SIGNS_DOWN = frozenset({"+", "＋"}), frozenset({"-", "–", "−", "—"})
# Kinds of guests, which have a counter each below a field for all of them.
_OF_GUESTS = frozenset({"adult", "children", "child", "kid", "infant", "pet", "room", "guest"})
# A task has too few steps for more presses.
_MOST = 30
# Below this likeness a counter shares only a part of its name with the field.
_NAMED = 0.55


@dataclass(frozen=True, slots=True)
class Counter:
    name: str
    count: int
    less: Element
    more: Element


def counted(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """The presses that set the counters of the criteria to the nearest numbers that meet them; or the one that opens the counters."""
    shown, presses = list(_counters(page)), list[Move]()
    for unit in by_name(criteria):
        named = ((_likeness(unit[0].field, counter.name), counter) for counter in shown)
        merit, counter = max(named, key=lambda hit: hit[0], default=(0.0, None))
        if counter and merit >= _NAMED and not meets_all(unit, str(counter.count)):
            steps = steps_to(counter.count, unit)
            presses += [replace(press(page, counter.more if steps > 0 else counter.less), repeats=True)] * abs(steps)
    of_guests = [criterion for criterion in criteria if _OF_GUESTS & set(words(criterion.field))]
    return tuple(presses) or (() if shown or not of_guests else _opened(page, of_guests))


def steps_to(count: int, criteria: Sequence[Criterion], least: int = 0) -> int:
    """The difference from the count to the nearest other number that meets the criteria; negative if that is lower."""
    amounts = sorted((amount for amount in range(least, _MOST + 1) if amount != count), key=lambda amount: abs(amount - count))
    return next((amount for amount in amounts if meets_all(criteria, str(amount))), count + 1) - count


def _counters(page: Page) -> Iterator[Counter]:
    buttons = [element for element in page.elements if element.role == "button" and not (element.hidden or element.covered)]
    for less, more in pairwise(buttons):
        if less.text in _SIGNS_DOWN and more.text in _SIGNS_UP and more.group.isdecimal():
            item = page.items.get(more.place) or page.items.get(less.place)
            name = " ".join(word for word in words(more.label) if word not in _UP)
            yield Counter(f"{name} {item.name if item else less.group}", int(more.group), less, more)


def _likeness(field: str, name: str) -> float:
    return max(likeness(other, name) * weight for other, weight in names_of(field))


def _opened(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    if answers(criteria, slots(page.elements), page):
        return ()
    pickers = [element for element in page.usable({"button", PICKER}) if not element.href and not element.overlay]
    named = ((max(_likeness("guests", text) for text in (picker.label, picker.hints)), picker) for picker in pickers)
    merit, picker = max(named, key=lambda hit: (hit[0], -hit[1].place), default=(0.0, None))
    return (replace(press(page, picker), once=True, opens=True),) if picker and merit >= _NAMED else ()
