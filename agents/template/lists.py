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
    pressed = [one for one in page.usable({"option", "button"}) if (one.role == "option" or one.overlay) and (one.label or one.text)]
    units: dict[str, list[Criterion]] = {}
    for criterion in criteria:
        units.setdefault(" ".join(words(criterion.field)), []).append(criterion)
    # What names an option tells which field the list is of; what only excludes some would fit any list.
    ordered = sorted(units.values(), key=lambda unit: all(one.operator.negative for one in unit))
    # What was opened last lies on top, and comes last in most markup.
    for overlay in sorted({one.overlay for one in pressed}, reverse=True):
        options = [one for one in pressed if one.overlay == overlay]
        found = next((one for unit in ordered if (one := _option(options, unit)) is not None), None)
        if found is not None:
            return (press(page, found),)
    return ()


def _option(options: Sequence[Element], unit: Sequence[Criterion]) -> Element | None:
    """The option of one list for the criteria of one field; None where it is chosen already, or the list is another's."""
    said = [one.label or one.text for one in options]
    days = sum(date_in(one) is not None for one in said)
    if not _is_of(unit, options, said, days):
        return None
    value = option_for([one for one in said if not days or not _is_dated(unit) or _DATED.search(one)], unit)
    found = options[said.index(value)] if value is not None else None
    return None if found is None or found.selected else found


def _is_of(unit: Sequence[Criterion], options: Sequence[Element], said: Sequence[str], days: int) -> bool:
    """Whether a list can be the one for some criteria: a calendar's days are for dates only; of plain buttons, what is excluded is one."""
    if 2 * days > len(said):
        return _is_dated(unit)
    if any(one.role == "option" for one in options) or not all(one.operator.negative for one in unit):
        return True
    return any(" ".join(words(value)) in {" ".join(words(one)) for one in said} for one in unit for value in one.values)


def _is_dated(unit: Sequence[Criterion]) -> bool:
    return all(date_in(value) is not None for one in unit for value in one.values)
