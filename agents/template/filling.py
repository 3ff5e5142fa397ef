"""The moves that fill slots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from agents.page import Page
from agents.page.elements import CHECKED
from agents.template.answers import Answer
from agents.template.fitting import value_for
from agents.template.moves import Move, fill, press
from agents.template.slots import Slot

_SAME_FIELD = 0.6
_WRITTEN = frozenset({"comment", "message"})


def filled(page: Page, given: Iterable[Answer]) -> tuple[Move, ...]:
    """A move for each answer. What opens a list comes last: the list covers the page."""
    ordered = sorted(given, key=lambda answer: (answer.slot.opens, answer.slot.place))
    return tuple(_move(page, answer) for answer in ordered)


def demanded(
    offered: Sequence[Slot], given: Sequence[Answer], names: Sequence[str], page: Page, *, all_empty: bool = False
) -> Iterator[Answer]:
    """Answers for what the prompt says nothing of: required slots, those that answer to one of the names, or all that are empty."""
    used = {place for answer in given for place in (answer.slot.place, *(one.place for one in answer.slot.choices))}
    wanted = {slot.place for name in names if (slot := _best(name, offered))}
    # Whatever it is called, the only field for long texts is for what is written.
    long = [slot.place for slot in offered if slot.element.tag == "textarea"]
    wanted |= set(long) if len(long) == 1 and _WRITTEN & set(names) else set()
    for slot in offered:
        empty = not slot.value or slot.element.invalid
        if slot.place in used or not empty or not (all_empty or slot.element.required or slot.place in wanted):
            continue
        value = "on" if slot.ticks and slot.element.required else None if slot.ticks or slot.opens else value_for(slot, (), page)
        if value is not None:
            yield Answer(slot, (), value, 0.0)


def _best(name: str, offered: Sequence[Slot]) -> Slot | None:
    best = max(offered, key=lambda slot: (slot.likeness(name), -slot.place), default=None)
    return best if best and best.likeness(name) >= _SAME_FIELD else None


def _move(page: Page, answer: Answer) -> Move:
    slot = answer.slot
    if slot.choices:
        at = next(at for at, option in enumerate(slot.options) if option == answer.value)
        return replace(press(page, slot.choices[at]), shown=answer.shown, once=True)
    if slot.ticks:
        return replace(press(page, slot.element), shown=(slot.value == CHECKED) == (answer.value == "on"), once=True)
    if slot.opens:
        return replace(press(page, slot.element), shown=answer.shown)
    return replace(fill(page, slot.element, answer.value), shown=answer.shown)
