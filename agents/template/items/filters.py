"""The controls of a page that narrow or order a list: selects, chips, checkboxes, bounds."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from agents.page import BUTTONS, CHECKED, PICKER, TICKED, Element, Page, likeness, words
from agents.template.budget import in_time
from agents.template.forms.filling import by_name, fills_for
from agents.template.items.matching import press_best
from agents.template.moves import Move, fill, press
from agents.template.prompt import ADDING, CHANGING, POSITIVE, Criterion, Operator, meanings_of, names_of
from agents.template.prompt.values import holds_all, only_exclude, without_exclusions

_CHOICES = BUTTONS | TICKED | {"option"}
# Words of options that choose nothing.
_NOTHING = frozenset({"all", "any", "none", "select", "choose", "clear", "reset", "default", "everything"})
_NARROWS = frozenset({"search", "filter", "apply", "go", "view", "all", "confirm"})
_MAKING = ADDING | CHANGING
_LONGEST_CHIP = 6
APPLY = ("apply", "apply filters", "apply changes", "filter results", "show results", "filter", "update results")
_MOST_BESIDE = 5  # elements from a field to the button of its form
_OF_NAME = 0.6
_TELLING = 3  # a shorter part of a value is in many labels


def controls(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    # Fields of a form that is no search narrow nothing.
    sent = {element.form for element in page.elements if element.submits and element.label and not _NARROWS & meanings_of(element.label)}
    # Inputs labelled like a criterion's field: a bound, a place, a date.
    inputs = (element for element in page.usable({"textbox", "spinbutton", "slider", "combobox"}) if element.tag == "input")
    typed = [element for element in inputs if element.type not in {"search", "email", "password"} and element.form not in sent]
    chosen = choices(page, criteria)
    # What a choice sets is not typed too, and an excluded value needs no text beside a stated one.
    left = [group for group in by_name(criteria) if group not in chosen]
    is_stated = bool(without_exclusions(criteria))
    texts = [criterion for group in left if not (is_stated and only_exclude(group)) for criterion in group]
    boxes = [box for box in page.usable(TICKED - {"radio"}) if box.form not in sent]
    ticks = fills_for(page, [criterion for group in left for criterion in group], boxes)
    return (*chosen.values(), *ticks, *fills_for(page, texts, typed))


def choices(page: Page, criteria: Sequence[Criterion]) -> dict[tuple[Criterion, ...], Move]:
    moves, unfolding = dict[tuple[Criterion, ...], Move](), dict[tuple[Criterion, ...], Move]()
    for group in by_name(criteria):
        if (move := _chosen(page, group) or _chip(page, group, _sets(page))) is not None:
            moves[group] = move
        elif not unfolding and (move := _unfolded(page, group)) is not None:
            unfolding[group] = move
    return moves | unfolding  # an unfolded list covers the page: one at a time, after all visible controls


def applied(page: Page, moves: Sequence[Move]) -> tuple[Move, ...]:
    fills = [action for move in moves for action in move.alternatives[:1] if move.fills]
    places = [element.place for action in fills if (element := page.element(action.fields["selector"]))]
    # A search button behind the fields, before the list, applies them.
    beside = page.elements[max(places) : max(places) + _MOST_BESIDE] if places else ()
    names = (*APPLY, "search") if any(action.type == "TypeAction" for action in fills) else APPLY
    return (
        (press_best(page, page.elements, names, 0.9) or press_best(page, beside, ("search",), 0.9))
        if any(not move.opens for move in moves)
        else ()
    )


def other_chip(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """The first chip after "All" without an excluded value."""
    everything = next((element for element in page.usable(BUTTONS) if meanings_of(_plain(element)) == {"all"}), None)
    excluded = {word for criterion in criteria for value in criterion.values for word in words(value)}
    row = _row(page, everything) if everything and criteria and only_exclude(criteria) else ()
    other = next((chip for chip in row if not chip.selected and not excluded & set(words(chip.label))), None)
    return (replace(press(page, other), once=True),) if other else ()


def loose(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """Any other control labelled with a value: it may lead to a list of such items, or elsewhere."""
    return tuple(move for group in by_name(criteria) if (move := _chip(page, group, page.elements)) is not None)


def _sets(page: Page) -> list[Element]:
    """The chips, tabs and boxes that certainly narrow a list: boxes to tick, and chips in a row after "All"."""
    ticked = [element for element in page.elements if element.role in _CHOICES - BUTTONS]
    everything = [
        element for element in page.elements if element.usable and element.role in BUTTONS and meanings_of(_plain(element)) == {"all"}
    ]
    return [*ticked, *(element for at in everything for element in _row(page, at))]


def _row(page: Page, at: Element) -> Iterator[Element]:
    beside = page.elements[at.place + 1 : at.place + 1 + 12]
    return takewhile(lambda one: (one.tag, one.role) == (at.tag, at.role) and len(words(one.label)) <= _LONGEST_CHIP, beside)


def _chosen(page: Page, group: Sequence[Criterion]) -> Move | None:
    selects = [(select, _fitting(select, group)) for select in in_time(page.usable({"listbox"}), each=1) if select.tag == "select"]
    # A word in the markup of all selects, such as the kind of thing in the list, distinguishes none.
    marked = [frozenset(words(select.hints)) for select, _ in selects]
    shared = frozenset.intersection(*marked) if len(marked) > 1 else frozenset[str]()
    able = [(_called(select, group[0].field, shared), -select.place, select, option) for select, option in selects if option]
    merit, _, select, option = max(able, key=lambda hit: hit[:2], default=(0.0, 0, None, ""))
    exact = any(criterion.operator in {Operator.EQUALS, Operator.ONE_OF} for criterion in group)
    if select is None or (not exact and merit < 0.45):
        return None
    return replace(fill(page, select, option), shown=select.value == option)


def _fitting(select: Element, group: Sequence[Criterion]) -> str:
    """The option that fits by its text, else by its value: texts are often reworded, values rarely."""
    offered = [option for option in select.options if not _NOTHING & set(words(option))]
    sent = [(option, sent) for option, sent in zip(select.options, select.sent_as, strict=False) if not _NOTHING & set(words(sent))]
    fitting = [option for option in offered if holds_all(group, option)]
    fitting = fitting or [option for option, value in sent if holds_all(group, value)]
    return select.value if select.value in fitting else next(iter(fitting), "")


def _called(element: Element, field: str, shared: frozenset[str] = frozenset()) -> float:
    # Of a button only its visible label: the markup of each chip may contain the field's name.
    marked = (element.hints,) if element.tag == "select" else ()
    texts = (element.label, element.text, element.name, element.placeholder, *element.options[:1], *marked)
    names = names_of(field) if element.tag == "select" else ((field, 1.0),)
    distinct = [(name, weight) for name, weight in names if not shared.issuperset(words(name))]
    return max((likeness(name, text) * weight for name, weight in distinct for text in texts), default=0.0)


def _chip(page: Page, group: Sequence[Criterion], among: Sequence[Element]) -> Move | None:
    chips = [chip for chip in in_time(among) if chip.usable and chip.role in _CHOICES and 0 < len(words(chip.label)) <= _LONGEST_CHIP]
    if only_exclude(group):
        chip = _beside(chips, group)
    elif any(criterion.operator in POSITIVE for criterion in group):
        chip = _exact(chips, group)
    else:  # a bound is met by many numbers on a page: options, radio buttons and rows of that name only
        named = (chip for chip in chips if likeness(group[0].field, chip.group) >= _OF_NAME)
        chip = _exact([*(chip for chip in chips if chip.role in {"option", "radio"}), *named], group)
    return replace(press(page, chip), shown=chip.value == CHECKED) if chip else None


def _exact(chips: Sequence[Element], group: Sequence[Criterion]) -> Element | None:
    if any(criterion.operator is Operator.CONTAINS and len(criterion.value) < _TELLING for criterion in group):
        return None
    named = [chip for chip in chips if not _NOTHING & set(words(chip.label))]
    fitting = [chip for chip in named if holds_all(group, _plain(chip))]
    values = [words(value) for criterion in group for value in criterion.values]
    return min(fitting, key=lambda chip: (words(_plain(chip)) not in values, len(chip.label), chip.place), default=None)


def _plain(chip: Element) -> str:
    """A chip's label without the count behind it: "Drama (12)"."""
    return chip.label.partition("(")[0].strip()


def _beside(chips: Sequence[Element], group: Sequence[Criterion]) -> Element | None:
    excluded = [words(value) for criterion in group for value in criterion.values]
    at = next((chip for chip in chips if words(_plain(chip)) in excluded), None)
    if at is None:
        return None
    near = [chip for chip in chips if (chip.tag, chip.role) == (at.tag, at.role) and abs(chip.place - at.place) <= _LONGEST_CHIP]
    others = [chip for chip in near if not _NOTHING & set(words(chip.label)) and holds_all(group, _plain(chip))]
    return min(others, key=lambda chip: abs(chip.place - at.place), default=None)


def _unfolded(page: Page, group: Sequence[Criterion]) -> Move | None:
    usable = page.usable({PICKER, "combobox", "listbox", "button"})
    unfolding = (element for element in in_time(usable, each=4) if element.tag not in {"input", "select"})
    scored = [(_called(element, group[0].field), -element.place, element) for element in unfolding]
    best = max(scored, key=lambda hit: hit[:2], default=None)
    is_other = best is not None and not _MAKING.isdisjoint(words(best[2].label))  # "Post a job" makes a job and filters nothing
    return replace(press(page, best[2]), opens=True) if best is not None and best[0] >= 0.75 and not is_other else None
