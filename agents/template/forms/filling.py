"""Which slot answers to which criteria, the moves that fill slots, and those that choose from a list that lies open over the page."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from agents.page import Element, Page
from agents.page.elements import CHECKED
from agents.page.matching import words
from agents.template.budget import in_time
from agents.template.forms.calendar import day_chosen
from agents.template.forms.slots import Slot, option_for, value_for
from agents.template.moves import Move, fill, press
from agents.template.prompt import Criterion, Operator, holds
from agents.template.prompt.measures import PURE_NUMBER, date_in, minutes_in, number_in
from agents.template.prompt.synonyms import forms_of, names_of

_LOW, _HIGH = frozenset({"min", "minimum", "from", "least"}), frozenset({"max", "maximum", "to", "most"})
_SIDES = {Operator.GREATER: _LOW, Operator.GREATER_EQUAL: _LOW, Operator.LESS: _HIGH, Operator.LESS_EQUAL: _HIGH}
_LONG = frozenset({"message", "comment", "content", "body", "description", "review", "bio", "note", "detail", "reason", "text"})
_DATES, _NUMBERS = frozenset({"date", "datetime-local", "month", "week"}), frozenset({"number", "range"})
_YES = re.compile(r"\s*(?:true|yes|on|enabled?|checked|1|false|no|off|disabled?|unchecked|0)\s*", re.I)
_NAME = re.compile(r"[A-Z][\w'’-]+(?: [A-Z][\w'’-]+){1,2}")
# A date with its year: "Sat 28 Nov" could be of any.
_MOST_OF_NUMBER = 3
_DATED = re.compile(r"\b\d{4}\b")


@dataclass(frozen=True, slots=True)
class Answer:
    """A slot, what it is to meet, the value that does, and how surely the slot is meant (0 to about 1)."""

    slot: Slot
    criteria: tuple[Criterion, ...]
    value: str
    merit: float

    @property
    def shown(self) -> bool:
        """Whether the page says that it is filled already: a text as it would be written, a choice so that it meets what is wanted."""
        held = self.slot.value
        if self.slot.options or self.slot.opens:
            return bool(held) and bool(self.criteria) and all(holds(one, held) for one in self.criteria)
        return bool(held) and held == self.value


def by_name(criteria: Iterable[Criterion]) -> list[tuple[Criterion, ...]]:
    units: dict[str, list[Criterion]] = defaultdict(list)
    for criterion in criteria:
        units[" ".join(words(criterion.field))].append(criterion)
    return [tuple(unit) for unit in units.values()]


def answers(criteria: Sequence[Criterion], offered: Sequence[Slot], page: Page | None) -> tuple[Answer, ...]:
    """An answer for all the criteria of one name that has a slot, in the page's order: each slot once, the surest pairs first."""
    pairs = [
        (-merit, count, slot.element.place, slot, unit)
        for count, (unit, fields) in enumerate(_units(criteria, offered))
        for slot in in_time(fields)
        if (merit := unit.merit(slot)) >= 0.5  # below, a field shares a word with what is wanted and no more
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
    """The criteria of one name together, with the slots that they may have; a bound by itself where there is one for that side."""
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
    """Criteria of one name. What is read of them is read once, however many slots and forms they are held against."""

    def __init__(self, criteria: tuple[Criterion, ...]) -> None:
        self.criteria = criteria
        self._words = frozenset(words(criteria[0].field))
        values = [value for one in criteria for value in one.values]
        stated = [value for one in criteria if not one.operator.negative for value in one.values]
        self._is_switch = all(_YES.fullmatch(value) for value in values)
        # Whether all that the criteria state, and not only exclude, is a date or a number.
        self._is_dated = all(date_in(value) for value in stated)
        self._is_numeric = all(number_in(value) is not None for value in stated)
        # Whether a type of field is made for the criteria's name or values.
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
            # A row of buttons is a choice only under its very name: most rows are none.
            named *= 0.8 if named >= 0.85 else 0.0
        spoken = 0.0
        if (is_made_for := self._made_for.get(slot.element.type)) is not None:
            spoken = 1.0 if is_made_for else -1.0
        elif slot.element.tag == "textarea":
            spoken = 1.0 if _LONG & self._words else -0.5
        # A type alone decides where nothing else does: the only field for long texts, the only one for addresses.
        return named + 0.15 * spoken if named >= 0.3 or spoken <= 0 else 0.4 * spoken

    def _named(self, slot: Slot) -> float:
        field = self.criteria[0].field
        if not slot.called:
            # Nothing says what it is for; what it holds may.
            return 1.0 if "name" in self._words and _NAME.fullmatch(slot.value) else 0.0
        if slot.forms.isdisjoint(forms_of(field)):
            return 0.0
        best = 0.0
        for name, weight in names_of(field):
            # The names come by their weights: none of the rest can be more like it.
            if weight <= best:
                break
            best = max(best, slot.likeness(name) * weight)
        return best

    def _may_be_in(self, slot: Slot) -> bool:
        kind = slot.element.type
        if kind == "password":
            return bool({"password", "pw", "pass", "passwort"} & self._words)
        if slot.ticks:
            return self._is_switch
        if slot.element.role == "searchbox":
            return bool({"query", "search", "keyword"} & self._words)
        return self._is_dated if kind in _DATES else self._is_numeric or kind not in _NUMBERS


_unit = lru_cache(maxsize=256)(_Unit)


def _ticked(criterion: Criterion) -> str:
    said = criterion.value.strip().lower() in {"true", "yes", "on", "enable", "enabled", "checked", "1"}
    return "on" if said != criterion.operator.negative else "off"


def fills_for(page: Page, criteria: Sequence[Criterion], fields: Iterable[Element]) -> tuple[Move, ...]:
    return filled(page, answers(criteria, [Slot(one) for one in fields], page))


def filled(page: Page, given: Iterable[Answer]) -> tuple[Move, ...]:
    """A move for each answer. What opens a list comes last: the list covers the page."""
    return tuple(_move(page, one) for one in sorted(given, key=lambda one: (one.slot.opens, one.slot.element.place)))


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
    """Answers for what the prompt says nothing of: required slots, those that answer to one of the names, or all that are empty."""
    used = {place for answer in given for place in (answer.slot.element.place, *(one.place for one in answer.slot.choices))}
    wanted = {slot.element.place for name in names if (slot := _best(name, offered))}
    # Whatever it is called, the only field for long texts is for what is written.
    long = [slot.element.place for slot in offered if slot.element.tag == "textarea"]
    wanted |= set(long) if len(long) == 1 and {"comment", "message"} & set(names) else set()
    for slot in offered:
        empty = not slot.value or slot.element.invalid
        if slot.element.place in used or not empty or not (all_empty or slot.element.required or slot.element.place in wanted):
            continue
        value = "on" if slot.ticks and slot.element.required else None if slot.ticks or slot.opens else value_for(slot, (), page)
        if value is not None:
            yield Answer(slot, (), value, 0.0)


def _best(name: str, offered: Sequence[Slot]) -> Slot | None:
    best = max(offered, key=lambda slot: (slot.likeness(name), -slot.element.place), default=None)
    return best if best and best.likeness(name) >= 0.6 else None


def chosen_from_list(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    if day := day_chosen(page, criteria):
        return day
    # What names an option shows which field the list is of; what only excludes some would fit any list.
    ordered = sorted(by_name(criteria), key=lambda unit: all(one.operator.negative for one in unit))
    by_overlay: dict[int, list[Element]] = defaultdict(list)
    for shown in in_time(page.usable({"option", "button"})):
        if (shown.role == "option" or shown.overlay) and (shown.label or shown.text):
            by_overlay[shown.overlay].append(shown)
    # What was opened last lies on top, and comes last in most markup.
    for _, options in in_time(sorted(by_overlay.items(), reverse=True)):
        found = next((one for unit in ordered if (one := _option(options, unit)) is not None), None)
        if found is not None:
            return (press(page, found),)
    return ()


def _option(options: Sequence[Element], unit: Sequence[Criterion]) -> Element | None:
    said = [one.label or one.text for one in options]
    days = sum(date_in(one) is not None for one in said)
    is_dated = all(date_in(value) is not None for one in unit for value in one.values)
    if 2 * days > len(said):
        is_of = is_dated
    else:
        # Of plain buttons, what is excluded is one.
        excluded = {" ".join(words(value)) for one in unit for value in one.values if one.operator.negative}
        plain = all(one.role != "option" for one in options) and all(one.operator.negative for one in unit)
        is_of = not plain or any(" ".join(words(one)) in excluded for one in said)
    if not is_of:
        return None
    if all(PURE_NUMBER.fullmatch(value.strip()) for one in unit for value in one.values):
        # Longer texts have numbers of other things.
        said = [one if len(words(one)) <= _MOST_OF_NUMBER else "" for one in said]
    value = option_for([one for one in said if not days or not is_dated or _DATED.search(one)], unit)
    found = options[said.index(value)] if value is not None else None
    return None if found is None or found.selected else found
