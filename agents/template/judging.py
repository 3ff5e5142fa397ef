"""Whether an item meets criteria, by what the page shows of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.page import Record
from agents.page.matching import likeness, words
from agents.template.criteria import Criterion, Operator
from agents.template.measures import comparable, date_in, number_in
from agents.template.values import meets

# What prompts and sites call the same attribute.
_SAME = (
    frozenset({"name", "title", "headline", "subject", "label", "query", "question"}),
    frozenset({"genre", "category", "cuisine", "section", "tag", "topic"}),
    frozenset({"cast", "starring", "actor", "star"}),
    frozenset({"duration", "length", "runtime", "minute"}),
    frozenset({"page", "page count", "length"}),
    frozenset({"author", "writer", "by"}),
    frozenset({"rating", "score", "star", "average"}),
    frozenset({"price", "cost", "amount", "total", "total amount", "rate", "fee", "consultation fee", "budget"}),
    frozenset({"year", "released", "release date", "published", "date"}),
    frozenset({"review", "rating count", "vote"}),
    frozenset({"location", "address", "city", "region", "country"}),
    frozenset({"from", "from email", "sender", "email"}),
    frozenset({"to", "to email", "recipient"}),
    frozenset({"description", "desc", "body", "content", "text", "synopsis", "about"}),
    frozenset({"speciality", "specialty", "specialization"}),
    frozenset({"role", "position", "job title", "title"}),
    frozenset({"guest", "people", "capacity", "person"}),
    frozenset({"date", "start date", "due date", "created", "day"}),
    frozenset({"updated", "last updated", "last", "last activity"}),
)
_NAMES = frozenset({"name", "title"})
_ALIKE = 0.6
_LISTED = re.compile(r"\s*(?:[,;/|·•]|\s-\s|\band\b|&)\s*")
_PURE_NUMBER = re.compile(r"[$€£]?-?\d[\d,]*(?:\.\d+)?\+?%?")
_COMPARING = frozenset({Operator.GREATER, Operator.GREATER_EQUAL, Operator.LESS, Operator.LESS_EQUAL})
_YEAR = re.compile(r"(?<![\d$.])(?:1[5-9]|20)\d\d(?![\d.])")
_SHAPES = {"year": _YEAR, "rating": re.compile(r"(?<![\d$.,])(?:\d|10)\.\d(?![\d.%])")}
# A longer text may be told in other words, or cut.
_LONGEST_SAID = 60
# A shorter piece of text is in anything.
_TELLING = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many criteria an item meets and fails by what is shown of it; `open` are those that what is shown doesn't tell.

    A negative criterion that isn't told counts as met: it excludes one value of many. `hinted` are the open ones whose value is
    somewhere in the item's text.
    """

    met: int
    failed: int
    open: int
    hinted: int = 0

    @property
    def fits(self) -> bool:
        return self.failed == 0

    @property
    def certain(self) -> bool:
        return self.failed == 0 and self.open == 0


def judge(criteria: Iterable[Criterion], record: Record, *, whole: bool = False) -> Verdict:
    """The verdict on an item by its attributes, else by its text. `whole`: all that the site tells of it is there."""
    told = tuple(criteria)
    results = [_result(one, record) for one in told]
    if whole:
        results = [_in_whole(one, record) if result is None else result for one, result in zip(told, results, strict=True)]
    hinted = sum(result is None and _hints(one, record) for one, result in zip(told, results, strict=True))
    return Verdict(results.count(True), results.count(False), results.count(None), hinted)


def _result(criterion: Criterion, record: Record) -> bool | None:
    told = [value for value in attributes(record, criterion.field) if _tells(criterion, value)]
    if not told:
        return _by_text(criterion, record)
    return (all if criterion.operator.negative else any)(holds(criterion, value) for value in told)


def _tells(criterion: Criterion, said: str) -> bool:
    """Whether a value is of the kind that the criterion is about: only numbers and dates can be compared."""
    return criterion.operator not in _COMPARING or comparable(said, criterion.value)[0] is not None


def _by_text(criterion: Criterion, record: Record) -> bool | None:
    """What the whole text tells of an attribute that it doesn't name: a value that is in it, or isn't."""
    by_shape = _by_shape(criterion, record)
    if criterion.operator in _COMPARING or by_shape is not None:
        return by_shape
    if criterion.operator.negative:
        return not any(_says(record.text, value) for value in criterion.values)
    if criterion.operator is Operator.CONTAINS:
        return True if all(len(value) >= _TELLING and _contains(record.text, value) for value in criterion.values) else None
    return True if any(_says(record.text, value) for value in criterion.values) else None


def _in_whole(criterion: Criterion, record: Record) -> bool | None:
    """Words that are nowhere in all that is told of an item aren't its; a number may only not be told."""
    untold = any(len(value) > _LONGEST_SAID or _PURE_NUMBER.fullmatch(value) for value in criterion.values)
    if criterion.operator in _COMPARING or untold:
        return None
    return any(_contains(record.text, value) for value in criterion.values)


def _by_shape(criterion: Criterion, record: Record) -> bool | None:
    """A year or a rating tells itself, whatever stands around it; of several, of which some hold, it isn't known which is meant."""
    shape = next((shape for name, shape in _SHAPES.items() if name in words(criterion.field)), None)
    found = set(shape.findall(record.text)) if shape else set()
    held = {holds(criterion, figure) for figure in found}
    return held.pop() if len(held) == 1 else None


def _hints(criterion: Criterion, record: Record) -> bool:
    return any(_contains(record.text, value) for value in criterion.values)


def _contains(text: str, value: str) -> bool:
    return value.lower() in text.lower()


def _says(text: str, value: str) -> bool:
    """Whether a text says a value as words of its own."""
    return bool(value.strip()) and re.search(rf"(?<!\w){re.escape(value.lower())}(?!\w)", text.lower()) is not None


def attributes(record: Record, field: str) -> tuple[str, ...]:
    """The item's values for a field of a prompt ("movie name", "release year"); none where none is told, several where it isn't sure."""
    wanted = " ".join(words(field))
    own = _known(record.attributes, wanted) or _known(record.attributes, wanted.rpartition(" ")[0])
    if record.name and set(wanted.split()[-1:]) & _NAMES:
        return (own,) if own and " " in wanted else (record.name,)
    if own:
        return (own,)
    groups = [group for group in _SAME if wanted in group or set(wanted.split()[-1:]) & group]
    called = [value for name, value in record.attributes.items() if any(" ".join(words(name)) in group for group in groups)]
    if called:
        return tuple(called[:1])
    best = max(record.attributes, key=lambda name: likeness(name, field), default="")
    return (record.attributes[best],) if best and likeness(best, field) >= _ALIKE else ()


def names_alike(field: str, text: str) -> float:
    """1.0 where a text has a word that sites use for the field of a prompt, else 0.0."""
    last = words(field)[-1:]
    wanted = {name for group in _SAME if set(last) & group for name in group}
    return 1.0 if wanted & set(words(text)) else 0.0


def _known(attributes: Mapping[str, str], wanted: str) -> str:
    for name, value in attributes.items():
        if " ".join(words(name)) == wanted:
            return value
    return ""


def holds(criterion: Criterion, said: str) -> bool:
    """Whether what a page says for an attribute meets a criterion: a list where one entry does, a number whatever stands around it."""
    match criterion.operator:
        case Operator.EQUALS | Operator.ONE_OF:
            return any(_equal(value, said) for value in criterion.values)
        case Operator.NOT_EQUALS | Operator.NOT_ONE_OF:
            return not any(_equal(value, said) for value in criterion.values)
        case _:
            return meets(criterion, said)


def _equal(value: str, said: str) -> bool:
    wanted, have = _folded(value), _folded(said)
    if wanted == have or wanted in {_folded(part) for part in _LISTED.split(said)}:
        return True
    if _PURE_NUMBER.fullmatch(wanted):
        return number_in(wanted) == number_in(have)
    days = date_in(value), date_in(said)
    return days[0] is not None and days[0] == days[1]


def _folded(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .:!\"'“”‘’")


def best(criteria: Sequence[Criterion], records: Sequence[Record]) -> list[tuple[Record, Verdict]]:
    """The items that fail no criterion: those that surely meet all first, then by how many they are seen to meet, then as on the page."""
    judged = [(record, judge(criteria, record)) for record in records]
    fitting = [pair for pair in judged if pair[1].fits]
    return sorted(fitting, key=lambda pair: (pair[1].open, -pair[1].hinted, -pair[1].met, pair[0].place))
