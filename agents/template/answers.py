"""Which slot answers to which criteria: by meaning, each at most once, the surest pairs first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agents.page import Page
from agents.page.matching import words
from agents.template.criteria import Criterion, Operator
from agents.template.fitting import agrees, value_for
from agents.template.meanings import names_of
from agents.template.measures import date_in, minutes_in, number_in
from agents.template.slots import Slot

# Below this a field shares a word with what is wanted and no more.
_LEAST = 0.5
_LOW, _HIGH = frozenset({"min", "minimum", "from", "least"}), frozenset({"max", "maximum", "to", "most"})
_SIDES = {Operator.GREATER: _LOW, Operator.GREATER_EQUAL: _LOW, Operator.LESS: _HIGH, Operator.LESS_EQUAL: _HIGH}
# What a type says of a field's meaning, besides its names.
_SPEAKING = 0.15
_LONG = frozenset({"message", "comment", "content", "body", "description", "review", "bio", "note", "detail", "reason", "text"})
_DATES, _TIMES, _NUMBERS = frozenset({"date", "datetime-local", "month", "week"}), frozenset({"time"}), frozenset({"number", "range"})
# A row of buttons is a choice only under its very name: most rows are none.
_BUTTON_ROW, _OWN_NAME = 0.8, 0.85
_YES = re.compile(r"\s*(?:true|yes|on|enabled?|checked|1|false|no|off|disabled?|unchecked|0)\s*", re.I)


@dataclass(frozen=True, slots=True)
class Answer:
    """A slot, what it is to meet, the value that does, and how surely the slot is meant (0 to about 1)."""

    slot: Slot
    criteria: tuple[Criterion, ...]
    value: str
    merit: float

    @property
    def shown(self) -> bool:
        """Whether the page says that it is filled so already: a text as it would be written, a choice so that it meets what is wanted."""
        held = self.slot.value
        if self.slot.options or self.slot.opens:
            return bool(held) and bool(self.criteria) and all(agrees(one, held) for one in self.criteria)
        return bool(held) and held == self.value


def answers(criteria: Sequence[Criterion], offered: Sequence[Slot], page: Page | None) -> tuple[Answer, ...]:
    """An answer for all the criteria of one name that has a slot, in the page's order."""
    pairs = [
        (merit, -count, slot, unit)
        for count, (unit, fields) in enumerate(_units(criteria, offered))
        for slot in fields
        if (merit := _merit(unit, slot)) >= _LEAST
    ]
    taken: dict[int, Answer] = {}
    served: set[int] = set()
    for merit, count, slot, unit in sorted(pairs, key=lambda pair: (-pair[0], -pair[1], pair[2].place)):
        if slot.place in taken or count in served:
            continue
        value = _ticked(unit) if slot.ticks else value_for(slot, unit, page)
        if value is not None:
            taken[slot.place] = Answer(slot, unit, value, merit)
            served.add(count)
    return tuple(taken[place] for place in sorted(taken))


def _units(criteria: Iterable[Criterion], offered: Sequence[Slot]) -> Iterator[tuple[tuple[Criterion, ...], Sequence[Slot]]]:
    """The criteria of one name together, with the slots that they may have; a bound by itself where there is one for that side."""
    named: dict[str, list[Criterion]] = {}
    for criterion in criteria:
        sided = _of_its_side(criterion, offered)
        if sided:
            yield (criterion,), sided
        else:
            named.setdefault(" ".join(words(criterion.field)), []).append(criterion)
    yield from ((tuple(unit), offered) for unit in named.values())


def _of_its_side(criterion: Criterion, offered: Sequence[Slot]) -> list[Slot]:
    """The slots for the lower or the upper bound of what the criterion is about."""
    side = _SIDES.get(criterion.operator, frozenset())
    about = set(words(criterion.field))
    return [slot for slot in offered if side & (said := set(words(slot.element.label))) and about & said]


def _merit(unit: Sequence[Criterion], slot: Slot) -> float:
    """How surely a slot is for some criteria: by its names, and by what its type says; 0 where they can't be."""
    first = unit[0]
    if not _may_hold(unit, slot):
        return 0.0
    named = max(slot.likeness(name) * weight for name, weight in names_of(first.field))
    if slot.choices and slot.choices[0].role != "radio":
        named *= _BUTTON_ROW if named >= _OWN_NAME else 0.0
    spoken = _speaks(unit, slot)
    # A type alone tells where nothing else does: the only field for long texts, the only one for addresses.
    return named + _SPEAKING * spoken if named >= 0.3 or spoken <= 0 else 0.4 * spoken


def _may_hold(unit: Sequence[Criterion], slot: Slot) -> bool:
    kind, field = slot.element.type, words(unit[0].field)
    if kind == "password":
        return bool({"password", "pw", "pass", "passwort"} & set(field))
    if slot.ticks:
        return all(_YES.fullmatch(value) for one in unit for value in one.values)
    if slot.element.role == "searchbox":
        return bool({"query", "search", "keyword"} & set(field))
    stated = [value for one in unit if not one.operator.negative for value in one.values]
    reads = {**dict.fromkeys(_DATES, date_in), **dict.fromkeys(_NUMBERS, number_in)}.get(kind)
    return reads is None or all(reads(value) is not None for value in stated)


def _speaks(unit: Sequence[Criterion], slot: Slot) -> float:
    """1 where the type is made for the criteria's values or name, -1 where it is made for others, else 0."""
    kind, named = slot.element.type, set(words(unit[0].field))
    values = [value for one in unit for value in one.values]
    for types, meant in (
        ({"email"}, "email" in named or any("@" in value for value in values)),
        ({"tel"}, bool({"phone", "telephone", "mobile"} & named)),
        ({"url"}, bool({"url", "website", "link"} & named) or any("://" in value for value in values)),
        (_DATES, all(date_in(value) for value in values)),
        (_TIMES, all(minutes_in(value.rpartition(" ")[2]) is not None for value in values)),
    ):
        if kind in types:
            return 1.0 if meant else -1.0
    if slot.element.tag == "textarea":
        return 1.0 if _LONG & named else -0.5
    return 0.0


def _ticked(unit: Sequence[Criterion]) -> str:
    """ "on" or "off", for what is switched."""
    said = unit[0].value.strip().lower() in {"true", "yes", "on", "enable", "enabled", "checked", "1"}
    return "on" if said != unit[0].operator.negative else "off"
