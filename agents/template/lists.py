"""Lists that open over the page when a box is pressed: choosing from one that is open."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.page import Element, Page
from agents.page.matching import words
from agents.template.criteria import Criterion
from agents.template.fitting import option_for
from agents.template.measures import date_in
from agents.template.moves import Move, press

# A date with its year: "Sat 28 Nov" could be of any.
_DATED = re.compile(r"\b\d{4}\b")


def chosen_from_list(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """Press the option of an open list that meets the criteria of a field; nothing where no list is open or none of it is meant."""
    pressed = [one for one in page.usable({"option", "button"}) if one.role == "option" or one.overlay]
    options = [one for one in pressed if one.label or one.text]
    if not options:
        return ()
    said = [one.label or one.text for one in options]
    units: dict[str, list[Criterion]] = {}
    for criterion in criteria:
        units.setdefault(" ".join(words(criterion.field)), []).append(criterion)
    days = sum(date_in(one) is not None for one in said)
    # What names an option tells which field the list is of; what only excludes some would fit any list.
    ordered = sorted(units.values(), key=lambda unit: all(one.operator.negative for one in unit))
    for unit in ordered:
        if not _is_of(unit, options, said, days):
            continue
        value = option_for([one for one in said if not days or not _is_dated(unit) or _DATED.search(one)], unit)
        if value is not None and not options[said.index(value)].selected:
            return (press(page, options[said.index(value)]),)
    return ()


def _is_of(unit: Sequence[Criterion], options: Sequence[Element], said: Sequence[str], days: int) -> bool:
    """Whether a list can be the one for some criteria: a calendar's days are for dates only; of plain buttons, what is excluded is one."""
    if 2 * days > len(said):
        return _is_dated(unit)
    if any(one.role == "option" for one in options) or not all(one.operator.negative for one in unit):
        return True
    return any(" ".join(words(value)) in {" ".join(words(one)) for one in said} for one in unit for value in one.values)


def _is_dated(unit: Sequence[Criterion]) -> bool:
    return all(date_in(value) is not None for one in unit for value in one.values)
