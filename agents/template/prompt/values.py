"""Values that meet criteria."""

import re
import string
from collections.abc import Iterable, Iterator, Sequence

from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.measures import PURE_NUMBER, between, comparable, date_in, minutes_in, moved, number_in
from agents.template.prompt.operators import ABOVE, BELOW, EXACT

# Unlike each other, so that one of them is unlike anything that a criterion excludes.
_OTHERS = ("Other", "Quick", "Bamdyz")
_LISTED = re.compile(r"\s*(?:[,;/|·•]|\s-\s|\band\b|&)\s*")
# Where words together are excluded, other signs may stand between them.
_JOINERS = (" ", "", "-", "\u00b7")


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
    one, other = comparable(said, criterion.value)
    if one is None or other is None:
        return False
    is_within = one > other if criterion.operator in ABOVE else one < other
    return is_within or (one == other and criterion.operator in {Operator.GREATER_EQUAL, Operator.LESS_EQUAL})


def holds(criterion: Criterion, said: str) -> bool:
    """The same for what a page says: a list does where one entry does, a number, date or time in whatever form it is said."""
    if criterion.operator not in EXACT:
        return meets(criterion, said)
    return any(_equal(value, said) for value in criterion.values) is not criterion.operator.negative


def _equal(value: str, said: str) -> bool:
    wanted, have = _folded(value), _folded(said)
    if wanted == have or wanted in map(_folded, _LISTED.split(said)):
        return True
    if PURE_NUMBER.fullmatch(wanted):
        return number_in(wanted) == number_in(have)
    measured = ((date_in(value), date_in(said)), (minutes_in(value), minutes_in(said)))
    return any(one is not None and one == other for one, other in measured)


def _folded(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .:!\"'“”‘’")


def example(criterion: Criterion) -> str:
    return chosen((criterion,))


def chosen(criteria: Sequence[Criterion], options: Iterable[str] = (), longest: int | None = None) -> str:
    """A value that meets all criteria of a field, else most of them: one of any options, or made up of at most `longest` characters."""
    negative = all(one.operator.negative for one in criteria)
    if offered := [option for option in options if option.strip()]:
        fitting = [option for option in offered if all(meets(one, option) for one in criteria)]
        wanted = [value.lower() for one in criteria if not one.operator.negative for value in one.values]
        loose = [option for option in offered if any(value in option.lower() for value in wanted)]
        # The last where anything but some is wanted: the first often says that nothing is chosen yet.
        return (fitting or loose or [criteria[0].value])[-1 if negative else 0]
    best = next((value for value in _short(criteria, longest) if all(meets(one, value) for one in criteria)), "")
    best = best or max(_short(criteria, longest), key=lambda value: sum(meets(one, value) for one in criteria), default="")
    return best or ("" if negative else criteria[0].value)


def _short(criteria: Sequence[Criterion], longest: int | None) -> Iterator[str]:
    return (value for value in _candidates(criteria) if longest is None or len(value) <= longest)


def _candidates(criteria: Sequence[Criterion]) -> Iterator[str]:
    yield from (value for one in criteria if one.operator in {Operator.EQUALS, Operator.ONE_OF} for value in one.values)
    yield from _holding([value for one in criteria if one.operator is Operator.CONTAINS for value in one.values])
    excluded = [value for one in criteria if one.operator.negative for value in one.values]
    yield from _within(criteria, len(excluded))
    yield from (made for value in excluded[:3] for by in (1, -1) if (made := moved(value, by)))
    if any("@" in value for value in excluded):
        yield from ("other@example.com", "quick@example.org")
    yield from (*_OTHERS, *(sign * 3 for sign in string.ascii_letters + string.digits))


def _holding(parts: Sequence[str]) -> Iterator[str]:
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


def _within(criteria: Sequence[Criterion], excluded: int) -> Iterator[str]:
    """Values from the tightest bounds inwards, one more than are excluded; where both bounds are known also what lies between them."""
    measured = [(one.operator, one.value, number) for one in criteria if (number := comparable(one.value, one.value)[0]) is not None]
    low = max((one for one in measured if one[0] in ABOVE), key=lambda one: one[2], default=None)
    high = min((one for one in measured if one[0] in BELOW), key=lambda one: one[2], default=None)
    for bound, direction in ((low, 1), (high, -1)):
        if bound is not None:
            yield bound[1]
            yield from (made for step in range(1, excluded + 3) if (made := moved(bound[1], direction * step)))
    if low is not None and high is not None:
        yield from between(low[1], high[1], excluded + 1)


ADDRESS = re.compile(r"[\w+-]+(?:\.[\w+-]+)*@[a-z\d-]+(?:\.[a-z\d-]+)+", re.I)
_ADDRESS_FORMS = (
    "{}",
    "jordan{}",
    "{}example.com",
    "jordan{}.example.com",
    "jordan@{}",
    "jordan{}@example.com",
    "{}@example.com",
    "jordan@{}.example.com",
)


def address(value: str, criteria: Sequence[Criterion]) -> str:
    """The value as a mail address that meets what is wanted; as it is where none does, or where it is a caller's placeholder."""
    if value.startswith("<"):
        return value
    made = (form.format(value) for form in _ADDRESS_FORMS)
    return next((one for one in made if ADDRESS.fullmatch(one) and all(meets(each, one) for each in criteria)), value)
