"""The controls of a page that narrow or order a list: selects, chips, checkboxes, bounds."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from agents.page import Element, Page
from agents.page.elements import BUTTONS, CHECKED, PICKER, TICKED
from agents.page.matching import likeness, words
from agents.template.budget import in_time
from agents.template.forms.filling import by_name, fills_for
from agents.template.moves import Move, fill, press
from agents.template.prompt import Criterion, Operator, holds
from agents.template.prompt.operators import POSITIVE
from agents.template.prompt.synonyms import meant, names_of
from agents.template.prompt.task_rows import ADDING, CHANGING

_CHOICES = BUTTONS | TICKED | {"option"}
# What an option says that chooses nothing.
_NOTHING = frozenset({"all", "any", "none", "select", "choose", "clear", "reset", "default", "everything"})
_NARROWS = frozenset({"search", "filter", "apply", "go", "view", "all", "confirm"})
_MAKING = ADDING | CHANGING
_LONGEST_CHIP = 6


def controls(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    # What a form sends that is no search narrows nothing.
    sent = {one.form for one in page.elements if one.submits and one.label and not _NARROWS & meant(one.label)}
    # Fields to type into that are called like a criterion's field: a bound, a place, a date.
    typed = [
        one
        for one in page.usable({"textbox", "spinbutton", "slider", "combobox"})
        if one.tag == "input" and one.type not in {"search", "email", "password"} and one.form not in sent
    ]
    return (*choices(page, criteria), *fills_for(page, criteria, typed))


def choices(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    made, unfolding = list[Move](), list[Move]()
    for group in by_name(criteria):
        if (move := _chosen(page, group) or _chip(page, group, _sets(page))) is not None:
            made.append(move)
        elif not unfolding and (move := _unfolded(page, group)) is not None:
            unfolding.append(move)
    # What unfolds covers the page: one at a time, after all that is there already.
    return (*made, *unfolding)


def other_chip(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """Of a row of chips after "All" the first that says nothing of what is excluded."""
    everything = next((one for one in page.usable(BUTTONS) if meant(_plain(one)) == {"all"}), None)
    excluded = {word for one in criteria for value in one.values for word in words(value)}
    row = _row(page, everything) if everything and all(one.operator.negative for one in criteria) else ()
    found = next((one for one in row if not one.selected and not excluded & set(words(one.label))), None)
    return (replace(press(page, found), once=True),) if found else ()


def loose(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """Whatever else is called like a value: it may lead to a list of such items, or somewhere else."""
    return tuple(move for group in by_name(criteria) if (move := _chip(page, group, page.elements)) is not None)


def _sets(page: Page) -> list[Element]:
    """The chips, tabs and boxes that surely narrow a list: those to be ticked, and those side by side after one that stands for all."""
    ticked = [one for one in page.elements if one.role in _CHOICES - BUTTONS]
    everything = [one for one in page.elements if one.usable and one.role in BUTTONS and meant(_plain(one)) == {"all"}]
    return [*ticked, *(one for at in everything for one in _row(page, at))]


def _row(page: Page, at: Element) -> Iterator[Element]:
    beside = page.elements[at.place + 1 : at.place + 1 + 12]
    return takewhile(lambda one: (one.tag, one.role) == (at.tag, at.role) and len(words(one.label)) <= _LONGEST_CHIP, beside)


def _chosen(page: Page, group: Sequence[Criterion]) -> Move | None:
    selects = [(select, _fitting(select, group)) for select in in_time(page.usable({"listbox"}), each=1) if select.tag == "select"]
    able = [(_called(select, group[0].field), -select.place, select, option) for select, option in selects if option]
    merit, _, select, option = max(able, key=lambda hit: hit[:2], default=(0.0, 0, None, ""))
    exact = any(one.operator in {Operator.EQUALS, Operator.ONE_OF} for one in group)
    if select is None or (not exact and merit < 0.45):
        return None
    return replace(fill(page, select, option), shown=select.value == option)


def _fitting(select: Element, group: Sequence[Criterion]) -> str:
    """The option that fits by its text, else by its value: texts are reworded, values hardly ever."""
    offered = [option for option in select.options if not _NOTHING & set(words(option))]
    sent = [(option, sent) for option, sent in zip(select.options, select.sent_as, strict=False) if not _NOTHING & set(words(sent))]
    fitting = [option for option in offered if all(holds(one, option) for one in group)]
    fitting = fitting or [option for option, value in sent if all(holds(one, value) for one in group)]
    return select.value if select.value in fitting else next(iter(fitting), "")


def _called(element: Element, field: str) -> float:
    # Of a button only what people read: the markup of each chip of a field may name the field.
    marked = (element.hints,) if element.tag == "select" else ()
    texts = (element.label, element.text, element.name, element.placeholder, *element.options[:1], *marked)
    names = names_of(field) if element.tag == "select" else ((field, 1.0),)
    return max(likeness(name, text) * weight for name, weight in names for text in texts)


def _chip(page: Page, group: Sequence[Criterion], among: Sequence[Element]) -> Move | None:
    chips = [one for one in in_time(among) if one.usable and one.role in _CHOICES and 0 < len(words(one.label)) <= _LONGEST_CHIP]
    if all(one.operator.negative for one in group):
        found = _beside(chips, group)
    elif any(one.operator in POSITIVE for one in group):
        found = _exact(chips, group)
    else:  # a bound is met by many a number on a page: only what is surely a choice counts
        found = _exact([one for one in chips if one.role in {"option", "radio"}], group)
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
    excluded = [words(value) for one in group for value in one.values]
    at = next((chip for chip in chips if words(_plain(chip)) in excluded), None)
    if at is None:
        return None
    near = [one for one in chips if (one.tag, one.role) == (at.tag, at.role) and abs(one.place - at.place) <= _LONGEST_CHIP]
    others = [one for one in near if not _NOTHING & set(words(one.label)) and all(holds(each, _plain(one)) for each in group)]
    return min(others, key=lambda chip: abs(chip.place - at.place), default=None)


def _unfolded(page: Page, group: Sequence[Criterion]) -> Move | None:
    usable = page.usable({PICKER, "combobox", "listbox", "button"})
    called = [(_called(one, group[0].field), -one.place, one) for one in in_time(usable, each=4) if one.tag not in {"input", "select"}]
    best = max(called, key=lambda hit: hit[:2], default=None)
    # "Post a job" makes a job, and shows none.
    is_other = best is not None and not _MAKING.isdisjoint(words(best[2].label))
    return press(page, best[2]) if best is not None and best[0] >= 0.75 and not is_other else None
