"""Values that meet criteria."""

import re
import string
from collections.abc import Iterable, Iterator, Sequence

from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.measures import PURE_NUMBER, between, comparable, date_in, minutes_in, moved, number_in
from agents.template.prompt.operators import ABOVE, BELOW, EXACT

_OTHERS = ("Other", "Quick", "Bamdyz")  # different from each other, so that an excluded value rules out at most one of them
_LISTED = re.compile(r"\s*(?:[,;/|·•]|\s-\s|\band\b|&)\s*")
_JOINERS = (" ", "", "-", "\u00b7")  # if words in sequence are excluded, other signs may be between them


def meets(criterion: Criterion, text: str) -> bool:
    """Whether a value meets a criterion; texts are compared without regard to case, numbers, dates and times by their value."""
    have, values = text.strip().lower(), [value.strip().lower() for value in criterion.values]
    match criterion.operator:
        case Operator.EQUALS | Operator.ONE_OF:
            return have in values
        case Operator.NOT_EQUALS | Operator.NOT_ONE_OF:
            return have not in values
        case Operator.CONTAINS:
            return all(value in have for value in values)
        case Operator.NOT_CONTAINS:
            return all(value not in have for value in values)
    own, other = comparable(text, criterion.value)
    if own is None or other is None:
        return False
    is_within = own > other if criterion.operator in ABOVE else own < other
    return is_within or (own == other and criterion.operator in {Operator.GREATER_EQUAL, Operator.LESS_EQUAL})


def holds(criterion: Criterion, text: str) -> bool:
    """The same for a text on a page: a list meets it if one entry does, a number, date or time in any format."""
    if criterion.operator not in EXACT:
        return meets(criterion, text)
    return any(_equal(value, text) for value in criterion.values) is not criterion.operator.negative


def meets_all(criteria: Iterable[Criterion], text: str) -> bool:
    return all(meets(criterion, text) for criterion in criteria)


def holds_all(criteria: Iterable[Criterion], text: str) -> bool:
    return all(holds(criterion, text) for criterion in criteria)


def only_exclude(criteria: Iterable[Criterion]) -> bool:
    return all(criterion.operator.negative for criterion in criteria)


def without_exclusions(criteria: Iterable[Criterion]) -> list[Criterion]:
    return [criterion for criterion in criteria if not criterion.operator.negative]


def _equal(value: str, text: str) -> bool:
    folded, have = _folded(value), _folded(text)
    if folded == have or folded in map(_folded, _LISTED.split(text)):
        return True
    if PURE_NUMBER.fullmatch(folded):
        return number_in(folded) == number_in(have)
    measured = ((date_in(value), date_in(text)), (minutes_in(value), minutes_in(text)))
    return any(own is not None and own == other for own, other in measured)


def _folded(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .:!\"'“”‘’")


def example(criterion: Criterion) -> str:
    return chosen((criterion,))


def chosen(criteria: Sequence[Criterion], options: Iterable[str] = (), longest: int | None = None) -> str:
    """A value that meets all criteria of a field, else most of them: one of the options, else invented, of at most `longest` characters."""
    negative = only_exclude(criteria)
    if offered := [option for option in options if option.strip()]:
        fitting = [option for option in offered if meets_all(criteria, option)]
        stated = [value.lower() for criterion in without_exclusions(criteria) for value in criterion.values]
        loose = [option for option in offered if any(value in option.lower() for value in stated)]
        # The last one if values are only excluded: the first often stands for no choice.
        return (fitting or loose or [criteria[0].value])[-1 if negative else 0]
    best = next((value for value in _short(criteria, longest) if meets_all(criteria, value)), "")
    best = best or max(_short(criteria, longest), key=lambda value: sum(meets(criterion, value) for criterion in criteria), default="")
    return best or ("" if negative else criteria[0].value)


def _short(criteria: Sequence[Criterion], longest: int | None) -> Iterator[str]:
    return (value for value in _candidates(criteria) if longest is None or len(value) <= longest)


def _candidates(criteria: Sequence[Criterion]) -> Iterator[str]:
    yield from (value for criterion in criteria if criterion.operator in {Operator.EQUALS, Operator.ONE_OF} for value in criterion.values)
    yield from _holding([value for criterion in criteria if criterion.operator is Operator.CONTAINS for value in criterion.values])
    excluded = [value for criterion in criteria if criterion.operator.negative for value in criterion.values]
    yield from _within(criteria, len(excluded))
    yield from (other for value in excluded[:3] for by in (1, -1) if (other := moved(value, by)))
    if any("@" in value for value in excluded):
        yield from ("other@example.com", "quick@example.org")
    yield from (*_OTHERS, *(sign * 3 for sign in string.ascii_letters + string.digits))


def _holding(parts: Sequence[str]) -> Iterator[str]:
    low = [part.lower() for part in parts]
    # Without those that are contained in another part.
    needed = [part for at, part in enumerate(parts) if not any(low[at] in o and (low[at] != o or i < at) for i, o in enumerate(low))]
    if not needed:
        return
    together = [joiner.join(needed) for joiner in _JOINERS]
    yield from together
    others = (*_OTHERS, *string.ascii_letters, *string.digits)
    yield from (f"{text}{joiner}{other}" for other in others for text in together[:2] for joiner in _JOINERS)


def _within(criteria: Sequence[Criterion], excluded: int) -> Iterator[str]:
    """Values from the tightest bounds inwards, one more than are excluded; with both bounds, also values between them."""
    numbers = ((criterion, comparable(criterion.value, criterion.value)[0]) for criterion in criteria)
    measured = [(criterion.operator, criterion.value, number) for criterion, number in numbers if number is not None]
    low = max((bound for bound in measured if bound[0] in ABOVE), key=lambda bound: bound[2], default=None)
    high = min((bound for bound in measured if bound[0] in BELOW), key=lambda bound: bound[2], default=None)
    for bound, direction in ((low, 1), (high, -1)):
        if bound is not None:
            yield bound[1]
            yield from (value for step in range(1, excluded + 3) if (value := moved(bound[1], direction * step)))
    if low is not None and high is not None:
        yield from between(low[1], high[1], excluded + 1)


ADDRESS = re.compile(r"[\w+-]+(?:\.[\w+-]+)*@[a-z\d-]+(?:\.[a-z\d-]+)+", re.I)
_ADDRESS_FORMS = (
    "{}", "jordan{}", "{}example.com", "jordan{}.example.com",
    "jordan@{}", "jordan{}@example.com", "{}@example.com", "jordan@{}.example.com",
)  # fmt: skip


def address(value: str, criteria: Sequence[Criterion]) -> str:
    """The value as an e-mail address that meets the criteria; unchanged if none does, or if it is a caller's placeholder."""
    if value.startswith("<"):
        return value
    candidates = (form.format(value) for form in _ADDRESS_FORMS)
    return next((candidate for candidate in candidates if ADDRESS.fullmatch(candidate) and meets_all(criteria, candidate)), value)
