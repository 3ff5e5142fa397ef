"""Values that meet criteria."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from agents.template.criteria import Criterion, Operator
from agents.template.measures import between, comparable, moved

# Unlike each other, so that one of them is unlike anything that a criterion excludes.
_OTHERS = ("Other", "Quick", "Bamdyz")
_OTHER_ADDRESSES = ("other@example.com", "quick@example.org")
# Where words together are excluded, other signs may stand between them.
_JOINERS = (" ", "", "-", "\u00b7")
_POSITIVE = frozenset({Operator.EQUALS, Operator.ONE_OF})
_ABOVE = frozenset({Operator.GREATER, Operator.GREATER_EQUAL})
_BELOW = frozenset({Operator.LESS, Operator.LESS_EQUAL})


def meets(criterion: Criterion, said: str) -> bool:
    """Whether a value meets a criterion; words are compared without regard to case, numbers, dates and times by what they mean."""
    have, wanted = said.strip().lower(), [value.strip().lower() for value in criterion.values]
    match criterion.operator:
        case Operator.EQUALS | Operator.ONE_OF:
            return have in wanted
        case Operator.NOT_EQUALS | Operator.NOT_ONE_OF:
            return have not in wanted
        case Operator.CONTAINS:
            return all(value in have for value in wanted)
        case Operator.NOT_CONTAINS:
            return all(value not in have for value in wanted)
    return _compares(criterion.operator, *comparable(said, criterion.value))


def _compares(operator: Operator, have: Decimal | None, wanted: Decimal | None) -> bool:
    if have is None or wanted is None:
        return False
    above = have > wanted if operator in _ABOVE else have < wanted
    return above or (have == wanted and operator in {Operator.GREATER_EQUAL, Operator.LESS_EQUAL})


def example(criterion: Criterion, options: Iterable[str] = ()) -> str:
    """A value that meets the criterion: the first fitting option where there are options, else one made up from its own value."""
    return chosen((criterion,), options)


def chosen(criteria: Sequence[Criterion], options: Iterable[str] = (), longest: int | None = None) -> str:
    """A value that meets all the criteria of a field, of which there is at least one.

    Where there are options it is one of them, else it is made up, with at most `longest` characters. Where nothing meets all, it
    is what meets the most of them.
    """
    offered = [option for option in options if option.strip()]
    return _option(criteria, offered) if offered else _made(criteria, longest)


def _option(criteria: Sequence[Criterion], offered: Sequence[str]) -> str:
    """The first that fits, the last where anything but some is wanted: the first often says that nothing is chosen yet."""
    negative = all(one.operator.negative for one in criteria)
    fitting = [option for option in offered if all(meets(one, option) for one in criteria)]
    wanted = [value.lower() for one in criteria if not one.operator.negative for value in one.values]
    loose = [option for option in offered if any(value in option.lower() for value in wanted)]
    return (fitting or loose or [criteria[0].value])[-1 if negative else 0]


def _made(criteria: Sequence[Criterion], longest: int | None) -> str:
    short = [value for value in _candidates(criteria) if longest is None or len(value) <= longest]
    best = next((value for value in short if all(meets(one, value) for one in criteria)), "")
    best = best or max(short, key=lambda value: sum(meets(one, value) for one in criteria), default="")
    return best or ("" if all(one.operator.negative for one in criteria) else criteria[0].value)


def _candidates(criteria: Sequence[Criterion]) -> Iterator[str]:
    """What may meet all, the plainest first: what is named, what holds the named parts, what lies within the bounds, anything else."""
    yield from (value for one in criteria if one.operator in _POSITIVE for value in one.values)
    yield from _holding([value for one in criteria if one.operator is Operator.CONTAINS for value in one.values])
    yield from _within(_bounds(criteria))
    excluded = [value for one in criteria if one.operator.negative for value in one.values]
    yield from (made for value in excluded[:3] for by in (1, -1) if (made := moved(value, by)))
    if any("@" in value for value in excluded):
        yield from _OTHER_ADDRESSES
    yield from (*_OTHERS, *(sign * 3 for sign in string.ascii_letters + string.digits))


def _holding(parts: Sequence[str]) -> Iterator[str]:
    """Texts that hold all the parts: those within others are left out, and something is put around where that alone is excluded."""
    low = [part.lower() for part in parts]
    needed = [
        part for at, part in enumerate(parts) if not any(low[at] in one and (low[at] != one or other < at) for other, one in enumerate(low))
    ]
    if not needed:
        return
    together = [joiner.join(needed) for joiner in _JOINERS]
    yield from together
    yield from (
        f"{text}{joiner}{other}"
        for other in (*_OTHERS, *string.ascii_letters, *string.digits)
        for text in together[:2]
        for joiner in _JOINERS
    )


@dataclass(frozen=True, slots=True)
class _Bounds:
    low: str | None
    high: str | None
    excluded: int


def _bounds(criteria: Sequence[Criterion]) -> _Bounds:
    """The tightest bounds, each as written, and how many values are excluded besides."""
    lows = [one.value for one in criteria if one.operator in _ABOVE and comparable(one.value, one.value)[0] is not None]
    highs = [one.value for one in criteria if one.operator in _BELOW and comparable(one.value, one.value)[0] is not None]
    key = lambda value: comparable(value, value)[0] or Decimal(0)  # noqa: E731 (it is passed twice)
    excluded = sum(len(one.values) for one in criteria if one.operator.negative)
    return _Bounds(max(lows, key=key, default=None), min(highs, key=key, default=None), excluded)


def _within(bounds: _Bounds) -> Iterator[str]:
    """Values from the bounds inwards, one more than are excluded; where both bounds are known also what lies between them."""
    for bound, direction in ((bounds.low, 1), (bounds.high, -1)):
        if bound is not None:
            yield bound
            yield from (made for step in range(1, bounds.excluded + 3) if (made := moved(bound, direction * step)))
    if bounds.low is not None and bounds.high is not None:
        yield from between(bounds.low, bounds.high, bounds.excluded + 1)
