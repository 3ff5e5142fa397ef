"""The assignment of criteria to slots, the moves that fill slots, and those that choose from an open list."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from agents.page import CHECKED, Element, Page, words
from agents.template.budget import in_time
from agents.template.forms.slots import Slot, value_for
from agents.template.moves import Move, fill, press
from agents.template.prompt import POSITIVE, Criterion, Operator, holds_all, names_of, without_exclusions
from agents.template.prompt.measures import PURE_NUMBER, date_in, minutes_in, number_in

_LOW, _HIGH = frozenset({"min", "minimum", "from", "least"}), frozenset({"max", "maximum", "to", "most"})
_SIDES = {Operator.GREATER: _LOW, Operator.GREATER_EQUAL: _LOW, Operator.LESS: _HIGH, Operator.LESS_EQUAL: _HIGH}
LONG = frozenset({"message", "comment", "content", "body", "description", "review", "bio", "note", "detail", "reason", "text"})
_DATES, _NUMBERS = frozenset({"date", "datetime-local", "month", "week"}), frozenset({"number", "range"})
_YES = re.compile(r"\s*(?:true|yes|on|enabled?|checked|1|false|no|off|disabled?|unchecked|0)\s*", re.I)
_FITS, _MISFITS = 0.07, 0.15  # what an input type adds or takes; less than what a field's own name is better than its synonyms
_NAME = re.compile(r"[A-Z][\w'’-]+(?: [A-Z][\w'’-]+){1,2}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A slot, its criteria, a value that meets them, and how well the slot matches the criteria's field (0 to about 1)."""

    slot: Slot
    criteria: tuple[Criterion, ...]
    value: str
    merit: float

    @property
    def shown(self) -> bool:
        """Whether it is filled already: a text with the same value or one that is requested, a choice that meets the criteria."""
        current = self.slot.value
        is_met = bool(current) and bool(self.criteria) and holds_all(self.criteria, current)
        if self.slot.options or self.slot.opens:
            return is_met
        return bool(current) and (current == self.value or (is_met and any(one.operator in POSITIVE for one in self.criteria)))


def by_name(criteria: Iterable[Criterion]) -> list[tuple[Criterion, ...]]:
    units: dict[str, list[Criterion]] = defaultdict(list)
    for criterion in criteria:
        units[criterion.name].append(criterion)
    return [tuple(unit) for unit in units.values()]


def answers(criteria: Sequence[Criterion], offered: Sequence[Slot], page: Page | None) -> tuple[Answer, ...]:
    """An answer for the criteria of each field that has a slot, in page order: each slot once, the best pairs first."""
    pairs = [
        (-merit, count, slot.element.place, slot, unit)
        for count, (unit, fields) in enumerate(_units(criteria, offered))
        for slot in in_time(fields)
        if (merit := unit.merit(slot)) >= 0.5  # below, a slot shares only a word with the field
    ]
    taken: dict[int, Answer] = {}
    served: set[int] = set()
    for merit, count, place, slot, unit in sorted(pairs, key=lambda pair: pair[:3]):
        if place in taken or count in served:
            continue
        value = _ticked(unit.criteria[0]) if slot.ticks else value_for(slot, unit.criteria, page)
        if value is not None:
            taken[place] = Answer(slot, unit.criteria, value, -merit)
            served.add(count)
    return tuple(taken[place] for place in sorted(taken))


def _units(criteria: Iterable[Criterion], offered: Sequence[Slot]) -> "Iterator[tuple[_Unit, Sequence[Slot]]]":
    """The criteria by field, each with its possible slots. A lower or upper bound is separate where it has a slot of its own."""
    unsided: list[Criterion] = []
    for criterion in criteria:
        side, about = _SIDES.get(criterion.operator), frozenset(words(criterion.field))
        labels = ((slot, words(slot.element.label)) for slot in in_time(offered)) if side else ()
        sided = [slot for slot, own in labels if side and not side.isdisjoint(own) and not about.isdisjoint(own)]
        if sided:
            yield _unit((criterion,)), sided
        else:
            unsided.append(criterion)
    yield from ((_unit(unit), offered) for unit in by_name(unsided))


class _Unit:
    """Criteria of one field, with what is computed once for all slots and forms."""

    def __init__(self, criteria: tuple[Criterion, ...]) -> None:
        self.criteria = criteria
        self._words = frozenset(words(criteria[0].field))
        values = [value for criterion in criteria for value in criterion.values]
        stated = [value for criterion in without_exclusions(criteria) for value in criterion.values]
        self._is_switch = all(_YES.fullmatch(value) for value in values)
        self._is_dated = all(date_in(value) for value in stated)  # by the stated values, not by excluded ones
        self._is_numeric = all(number_in(value) is not None for value in stated)
        # Whether an input type fits the criteria's field or values.
        self._made_for = {
            "email": "email" in self._words or any("@" in value for value in values),
            "tel": bool({"phone", "telephone", "mobile"} & self._words),
            "url": bool({"url", "website", "link"} & self._words) or any("://" in value for value in values),
            "time": all(minutes_in(value.rpartition(" ")[2]) is not None for value in values),
            **dict.fromkeys(_DATES, all(date_in(value) for value in values)),
        }

    def merit(self, slot: Slot) -> float:
        if not self._may_be_in(slot):
            return 0.0
        named = self._named(slot)
        if slot.choices and slot.choices[0].role != "radio":
            named *= 0.8 if named >= 0.85 else 0.0  # a row of buttons is a choice only if its name is the field's: most rows are none
        by_type = 0.0
        if (is_made_for := self._made_for.get(slot.element.type)) is not None:
            by_type = 1.0 if is_made_for else -1.0
        elif slot.element.tag == "textarea":
            by_type = 1.0 if LONG & self._words else -0.5
        if named < 0.3 and by_type > 0:
            return 0.4 * by_type  # without a matching name the type decides, as for the only text area or the only e-mail field
        return named + (_FITS if by_type > 0 else _MISFITS) * by_type

    def _named(self, slot: Slot) -> float:
        field = self.criteria[0].field
        if not slot.called:
            # The slot has no name, but its value may be a person's name, or one of its options may be a requested value.
            is_named = "name" in self._words and _NAME.fullmatch(slot.value)
            return 1.0 if is_named or self._is_offered(slot) else 0.0
        return max(slot.likeness(name) * weight for name, weight in names_of(field))

    def _is_offered(self, slot: Slot) -> bool:
        stated = [one for one in self.criteria if one.operator in POSITIVE and not PURE_NUMBER.fullmatch(one.value)]
        return bool(stated) and any(holds_all(stated, option) for option in slot.options)

    def _may_be_in(self, slot: Slot) -> bool:
        kind = slot.element.type
        if kind == "password":
            return bool({"password", "pw", "pass", "passwort"} & self._words)
        if slot.ticks:
            return self._is_switch
        if any("phone" in words(text) for text, *_ in slot.called) and not slot.options:  # a list beside it is for the country
            return self._made_for["tel"]
        if slot.element.role == "searchbox":
            return bool({"query", "search", "keyword"} & self._words)
        return self._is_dated if kind in _DATES else self._is_numeric or kind not in _NUMBERS


_unit = lru_cache(maxsize=256)(_Unit)


def _ticked(criterion: Criterion) -> str:
    is_on = criterion.value.strip().lower() in {"true", "yes", "on", "enable", "enabled", "checked", "1"}
    return "on" if is_on != criterion.operator.negative else "off"


def fills_for(page: Page, criteria: Sequence[Criterion], fields: Iterable[Element]) -> tuple[Move, ...]:
    return filled(page, answers(criteria, [Slot(element) for element in fields], page))


def filled(page: Page, given: Iterable[Answer]) -> tuple[Move, ...]:
    """A move for each answer. Slots that open a list come last: the list covers the page."""
    return tuple(_move(page, answer) for answer in sorted(given, key=lambda answer: (answer.slot.opens, answer.slot.element.place)))


def _move(page: Page, answer: Answer) -> Move:
    slot = answer.slot
    if slot.choices:
        return replace(press(page, slot.choices[slot.options.index(answer.value)]), shown=answer.shown, once=True)
    if slot.ticks:
        return replace(press(page, slot.element), shown=(slot.value == CHECKED) == (answer.value == "on"), once=True)
    if slot.opens:
        return replace(press(page, slot.element), shown=answer.shown)
    return replace(fill(page, slot.element, answer.value), shown=answer.shown)


def demanded(
    offered: Sequence[Slot], given: Sequence[Answer], names: Sequence[str], page: Page, *, all_empty: bool = False
) -> Iterator[Answer]:
    """Answers for slots without criteria: required ones, those with one of the names, or all empty ones but rows of buttons, which may
    lead elsewhere."""
    used = {place for answer in given for place in (answer.slot.element.place, *(choice.place for choice in answer.slot.choices))}
    places = {slot.element.place for name in names if (slot := _best(name, offered))}
    # The only text area is for the message, whatever its label.
    long = [slot.element.place for slot in offered if slot.element.tag == "textarea"]
    places |= set(long) if len(long) == 1 and {"comment", "message"} & set(names) else set()
    for slot in offered:
        empty, is_any = not slot.value or slot.element.invalid, all_empty and slot.element.role != "button"
        if slot.element.place in used or not empty or not (is_any or slot.required or slot.element.place in places):
            continue
        value = "on" if slot.ticks and slot.required else None if slot.ticks or slot.opens else value_for(slot, (), page)
        if value is not None:
            yield Answer(slot, (), value, 0.0)


def _best(name: str, offered: Sequence[Slot]) -> Slot | None:
    best = max(offered, key=lambda slot: (slot.likeness(name), -slot.element.place), default=None)
    return best if best and best.likeness(name) >= 0.6 else None
