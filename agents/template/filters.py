"""The controls of a page that narrow or order a list: selects, chips, checkboxes, bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agents.page import Element, Page
from agents.page.elements import BUTTONS, CHECKED, PICKER
from agents.page.matching import likeness, words
from agents.template.criteria import Criterion, Operator
from agents.template.fields import fills_for
from agents.template.judging import holds, names_alike
from agents.template.meanings import names_of
from agents.template.moves import Move, fill, press
from agents.template.thesaurus import meant

_CHOICES = BUTTONS | {"checkbox", "radio", "switch", "option"}
_TICKED = frozenset({"checkbox", "radio", "switch", "option"})
_MOST_CHIPS = 12
_TYPED = frozenset({"textbox", "spinbutton", "slider", "combobox"})
_POSITIVE = frozenset({Operator.EQUALS, Operator.ONE_OF, Operator.CONTAINS})
# What an option says that chooses nothing.
_NOTHING = frozenset({"all", "any", "none", "select", "choose", "clear", "reset", "default", "everything"})
_LONGEST_CHIP = 6
_NAMED = 0.45


def controls(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """The moves that set the page's controls so that they meet the criteria; those that do already are `shown`."""
    return (*choices(page, criteria), *_bounds(page, criteria))


def choices(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """The same for what is chosen rather than typed."""
    groups = _by_field(criteria)
    offered = [(group, _chosen(page, group) or _chip(page, group, _sets(page))) for group in groups]
    made = [move for _, move in offered if move is not None]
    # What unfolds covers the page: one at a time, after all that is there already.
    folded = next((move for group, there in offered if there is None and (move := _unfolded(page, group)) is not None), None)
    return (*made, folded) if folded else tuple(made)


def loose(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """Whatever else is called like a value: it may lead to a list of such items, or somewhere else."""
    return tuple(move for group in _by_field(criteria) if (move := _chip(page, group, page.elements)) is not None)


def _by_field(criteria: Sequence[Criterion]) -> list[tuple[Criterion, ...]]:
    fields = dict.fromkeys(one.field for one in criteria)
    return [tuple(one for one in criteria if one.field == field) for field in fields]


def _sets(page: Page) -> tuple[Element, ...]:
    """The chips, tabs and boxes that surely narrow a list: they stand beside one that stands for all, or are to be ticked."""
    ticked = tuple(one for one in page.elements if one.role in _TICKED)
    everything = [one for one in page.elements if one.usable and one.role in BUTTONS and meant(_plain(one)) == {"all"}]
    return (*ticked, *(one for at in everything for one in _row(page, at)))


def _row(page: Page, at: Element) -> Iterator[Element]:
    """The buttons after one, as far as they stand side by side."""
    for one in page.elements[at.place + 1 : at.place + 1 + _MOST_CHIPS]:
        if one.tag != at.tag or one.role != at.role or len(words(one.label)) > _LONGEST_CHIP:
            return
        yield one


def _chosen(page: Page, group: Sequence[Criterion]) -> Move | None:
    """An option of a select: of one that is called like the field, else of any that has exactly the value."""
    selects = [(select, _fitting(select, group)) for select in page.usable({"listbox"}) if select.tag == "select"]
    able = [(select, option) for select, option in selects if option]
    best = max(able, key=lambda pair: (_called(pair[0], group[0].field), -pair[0].place), default=None)
    if best is None:
        return None
    exact = any(one.operator in {Operator.EQUALS, Operator.ONE_OF} for one in group)
    if not exact and _called(best[0], group[0].field) < _NAMED:
        return None
    return replace(fill(page, best[0], best[1]), shown=best[0].value == best[1])


def _fitting(select: Element, group: Sequence[Criterion]) -> str:
    offered = [option for option in select.options if not _NOTHING & set(words(option))]
    fitting = [option for option in offered if all(holds(one, option) for one in group)] or _by_what_is_sent(select, group)
    return select.value if select.value in fitting else next(iter(fitting), "")


def _by_what_is_sent(select: Element, group: Sequence[Criterion]) -> list[str]:
    """The options whose values fit: texts are reworded, values hardly ever."""
    pairs = zip(select.options, select.sent_as, strict=False)
    return [option for option, sent in pairs if not _NOTHING & set(words(sent)) and all(holds(one, sent) for one in group)]


def _called(element: Element, field: str) -> float:
    """How far a control is called like a field, by its label, its name or the option that chooses nothing ("All genres")."""
    # Of a button only what people read: the markup of each chip of a field may name the field.
    marked = (element.hints,) if element.tag == "select" else ()
    texts = (element.label, element.text, element.name, element.placeholder, *element.options[:1], *marked)
    names = names_of(field) if element.tag == "select" else ((field, 1.0),)
    return max(max(*(likeness(name, text) * weight for name, weight in names), 0.8 * names_alike(field, text)) for text in texts)


def _chip(page: Page, group: Sequence[Criterion], among: Sequence[Element]) -> Move | None:
    """A chip, checkbox, tab or link that is called like a value, or beside one that is excluded."""
    chips = [one for one in among if one.usable and one.role in _CHOICES and 0 < len(words(one.label)) <= _LONGEST_CHIP]
    if any(one.operator in _POSITIVE for one in group):
        found = _exact(chips, group)
    elif any(not one.operator.negative for one in group):
        # A bound is met by many a number on a page: only what is surely a choice counts.
        found = _exact([one for one in chips if one.role in {"option", "radio"}], group)
    else:
        found = _beside(chips, group) if all(one.operator.negative for one in group) else None
    return replace(press(page, found), shown=found.value == CHECKED) if found else None


def _exact(chips: Sequence[Element], group: Sequence[Criterion]) -> Element | None:
    named = [chip for chip in chips if not _NOTHING & set(words(chip.label))]
    fitting = [chip for chip in named if all(holds(one, _plain(chip)) for one in group)]
    values = [words(value) for one in group for value in one.values]
    return min(fitting, key=lambda chip: (words(_plain(chip)) not in values, len(chip.label), chip.place), default=None)


def _plain(chip: Element) -> str:
    """What a chip says without the count behind it: "Drama (12)"."""
    return chip.label.partition("(")[0].strip()


def _beside(chips: Sequence[Element], group: Sequence[Criterion]) -> Element | None:
    """The nearest chip of the same kind beside the excluded one."""
    excluded = [chip for chip in chips if any(words(_plain(chip)) == words(value) for one in group for value in one.values)]
    if not excluded:
        return None
    at = excluded[0]
    alike = [
        chip
        for chip in chips
        if (chip.tag, chip.role) == (at.tag, at.role)
        and abs(chip.place - at.place) <= _LONGEST_CHIP
        and not _NOTHING & set(words(chip.label))
        and all(holds(one, _plain(chip)) for one in group)
    ]
    return min(alike, key=lambda chip: abs(chip.place - at.place), default=None)


def _unfolded(page: Page, group: Sequence[Criterion]) -> Move | None:
    """A button that unfolds the field's choices, where none of them is there to be pressed."""
    foldable = [one for one in page.usable({PICKER, "combobox", "listbox", "button"}) if one.tag not in {"input", "select"}]
    best = max(foldable, key=lambda one: (_called(one, group[0].field), -one.place), default=None)
    return press(page, best) if best is not None and _called(best, group[0].field) >= 0.75 else None


def _bounds(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """Fields to type into that are called like a criterion's field: a bound, a place, a date."""
    typed = [one for one in page.usable(_TYPED) if one.tag == "input" and one.type not in {"search", "email", "password"}]
    return tuple(_bounding(page, criteria, typed))


def _bounding(page: Page, criteria: Sequence[Criterion], typed: Sequence[Element]) -> Iterator[Move]:
    yield from fills_for(page, criteria, typed)
