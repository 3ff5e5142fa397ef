"""Values that meet criteria."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agents.template.criteria import Criterion, Operator

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# Unlike each other, so that one of them is unlike anything that a criterion excludes.
_OTHERS = ("Other", "Quick", "Bamdyz")


def number_in(text: str) -> float | None:
    """The first number of a text, e.g. of "$1,299.50" or "120 minutes"; None where there is none."""
    found = _NUMBER.search(text[:200].replace(",", ""))
    return float(found[0][:40]) if found else None


def meets(criterion: Criterion, said: str) -> bool:
    """Whether a value meets a criterion; words are compared without regard to case, numbers as numbers."""
    have, wanted = said.strip().lower(), [value.strip().lower() for value in criterion.values]
    match criterion.operator:
        case Operator.EQUALS | Operator.ONE_OF:
            return have in wanted
        case Operator.NOT_EQUALS | Operator.NOT_ONE_OF:
            return have not in wanted
        case Operator.CONTAINS:
            return wanted[0] in have
        case Operator.NOT_CONTAINS:
            return wanted[0] not in have
    return _compares(criterion.operator, number_in(said), number_in(criterion.value))


def _compares(operator: Operator, have: float | None, wanted: float | None) -> bool:
    if have is None or wanted is None:
        return False
    above = have > wanted if operator in {Operator.GREATER, Operator.GREATER_EQUAL} else have < wanted
    return above or (have == wanted and operator in {Operator.GREATER_EQUAL, Operator.LESS_EQUAL})


def example(criterion: Criterion, options: Iterable[str] = ()) -> str:
    """A value that meets the criterion: the first fitting option where there are options, else one made up from its own value."""
    offered = [option for option in options if option.strip()]
    if offered:
        loose = [option for option in offered if criterion.value.lower() in option.lower()]
        fitting = [option for option in offered if meets(criterion, option)]
        return (fitting or ([] if criterion.operator.negative else loose) or [criterion.value])[-1 if criterion.operator.negative else 0]
    if criterion.operator in {Operator.EQUALS, Operator.ONE_OF, Operator.CONTAINS, Operator.GREATER_EQUAL, Operator.LESS_EQUAL}:
        return criterion.value
    if criterion.operator in {Operator.GREATER, Operator.LESS}:
        return _moved(criterion.value, 1 if criterion.operator is Operator.GREATER else -1)
    if _NUMBER.fullmatch(criterion.value):
        return _moved(criterion.value, 1)
    return next(value for value in (*_OTHERS, "") if meets(criterion, value) or not value)


def _moved(value: str, by: int) -> str:
    """The value with its first number moved."""
    return _NUMBER.sub(lambda found: f"{float(found[0][:40]) + by:g}", value.replace(",", ""), count=1)
