"""Lists that open over the page when a box is pressed: choosing from one that is open."""

from __future__ import annotations

from collections.abc import Sequence

from agents.page import Page
from agents.page.matching import words
from agents.template.criteria import Criterion
from agents.template.fitting import option_for
from agents.template.moves import Move, press


def chosen_from_list(page: Page, criteria: Sequence[Criterion]) -> tuple[Move, ...]:
    """Press the option of an open list that meets the criteria of a field; nothing where no list is open or none of it is meant."""
    options = [one for one in page.usable({"option"}) if one.label or one.text]
    if not options:
        return ()
    said = [one.label or one.text for one in options]
    units: dict[str, list[Criterion]] = {}
    for criterion in criteria:
        units.setdefault(" ".join(words(criterion.field)), []).append(criterion)
    # What names an option tells which field the list is of; what only excludes some would fit any list.
    ordered = sorted(units.values(), key=lambda unit: all(one.operator.negative for one in unit))
    for unit in ordered:
        value = option_for(said, unit)
        if value is not None:
            return (press(page, options[said.index(value)]),)
    return ()
