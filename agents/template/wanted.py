"""What a prompt wants of each field: values to type, and conditions on cards as XPath."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from agents.selectors import quoted
from agents.template.blind import folded
from agents.template.criteria import Criterion, Operator, criteria
from agents.template.intents import Intent
from agents.template.masking import MARK, Masked, mask
from agents.template.measures import date_in, number_in, time_in
from agents.template.operators import OPERATOR, operator_of
from agents.template.site_facts import Item
from agents.template.values import chosen, meets

SUBJECT = "subject"
_COMPARED = {
    Operator.EQUALS: "=",
    Operator.NOT_EQUALS: "!=",
    Operator.GREATER: ">",
    Operator.LESS: "<",
    Operator.GREATER_EQUAL: ">=",
    Operator.LESS_EQUAL: "<=",
}
# Prompts put them before the names of fields: the year of the film is the "movie_year".
_THINGS = ("movie", "film", "book", "product", "item", "restaurant", "hotel", "job", "event", "task", "email", "user")
# Tasks have up to a dozen criteria, and a selector that holds more than some of them is too long to be sent.
_MOST_CRITERIA, _MOST_UNNAMED = 40, 4
_BLANKS = re.compile(r"\s*")
_POSITIVE = frozenset({Operator.EQUALS, Operator.CONTAINS, Operator.ONE_OF})
_ABOVE = frozenset({Operator.GREATER, Operator.GREATER_EQUAL})
_BELOW = frozenset({Operator.LESS, Operator.LESS_EQUAL})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A prompt's criteria, all of them, and its `words` without the values: in lower case, quoted values left out, "first_name" in two."""

    criteria: tuple[Criterion, ...]
    words: str

    def of(self, names: str) -> tuple[Criterion, ...]:
        """The criteria on the first of the names, alternated by |, that has any; "film year" is a year too."""
        for name in names.split("|"):
            found = tuple(one for one in self.criteria if one.field == name or one.field in {f"{thing} {name}" for thing in _THINGS})
            if found:
                return found
        return ()

    def has(self, names: str) -> bool:
        """Whether a field has a criterion; with + before the names, one that says what is wanted and not only what isn't."""
        found = self.of(names.removeprefix("+"))
        return any(one.operator in _POSITIVE for one in found) if names.startswith("+") else bool(found)

    def value(self, names: str, options: Sequence[str] = (), default: str | None = None) -> str | None:
        """A value that meets what is wanted of a field: the default, if it does; only the default where nothing is wanted."""
        found = self.of(names)
        if default is not None and all(one.operator.negative and meets(one, default) for one in found):
            return default
        return chosen(found, options) if found else default

    def apart(self, names: str) -> tuple[Wanted, ...]:
        """The same with each of the values that are wanted of a field alone; as it is where there are not several."""
        several = next((one for one in self.of(names) if one.operator in _POSITIVE and len(one.values) > 1), None)
        if several is None:
            return (self,)
        alone = [Criterion(several.field, Operator.EQUALS, (value,), several.end) for value in several.values]
        return tuple(replace(self, criteria=tuple(made if one is several else one for one in self.criteria)) for made in alone)


@lru_cache(maxsize=64)
def wanted(prompt: str, intent: Intent) -> Wanted:
    """What a prompt wants. A thing that it names without a criterion is its `subject`."""
    masked = mask(prompt)
    found = list(criteria(masked)[:_MOST_CRITERIA])
    found += islice(_unnamed(masked, {value for one in found for value in one.values}), _MOST_UNNAMED)
    subject = "" if found else (intent, *intent.then)[-1].subject
    # Without a capital it is no name ("any film of the nineties"), and looking for it would find nothing.
    if subject != subject.lower():
        found.append(Criterion(SUBJECT, Operator.CONTAINS, (subject,)))
    words = "".join(sign if sign.isascii() else " " for sign in masked.text.lower().replace("_", " "))
    return Wanted(tuple(found), words)


def _unnamed(masked: Masked, used: set[str]) -> Iterator[Criterion]:
    """The quoted values that no field is named for, each with the operator before it."""
    said = {_BLANKS.match(masked.text, hit.end()).end(): hit for hit in OPERATOR.finditer(masked.text)}  # type: ignore[union-attr]
    for mark in MARK.finditer(masked.text):
        value = masked.plain(mark[0])
        if value not in used and value in masked.quoted:
            yield Criterion(SUBJECT, operator_of(said[mark.start()]) if mark.start() in said else Operator.CONTAINS, (value,))


def query_for(item: Item, asked: Wanted) -> list[tuple[str, str]]:
    """The query parameters that bring what is wanted to the list's first page."""
    query: list[tuple[str, str]] = []
    for name, names in item.filters.items():
        query += [(name, one.value) for one in asked.of(names) if one.operator in {Operator.EQUALS, Operator.ONE_OF}][:1]
    for name, names in item.search.items():
        words = [one.value for field in names.split("|") for one in asked.of(field) if one.operator in _POSITIVE]
        query += [(name, word) for word in words[:1]]
    if item.sort:
        query += [(item.sort["by"], order) for order in _orders(item, asked)][:1]
    return query


def _orders(item: Item, asked: Wanted) -> Iterator[str]:
    for names, ends in item.sort.items():
        for one in asked.of(names) if names != "by" else ():
            if one.operator in _ABOVE | _BELOW:
                yield ends[one.operator in _BELOW]


def conditions(item: Item, asked: Wanted) -> list[str]:
    """What the item's card must meet, as XPath predicates; what the list's query sees to is left out."""
    seen_to = [names for names in item.filters.values() if any(one.operator is Operator.EQUALS for one in asked.of(names))]
    made: list[str] = []
    read = ((_text, item.texts), (_listed, item.lists), (_number, item.numbers), (_date, item.dates), (_time, item.times))
    for kind, fields in read:
        for names, path in fields.items():
            found = () if names in seen_to else asked.of(names)
            made += [f"[{condition}]" for one in found if (condition := kind(path, one))]
    return made


def _text(path: str, one: Criterion) -> str:
    said = folded(f"normalize-space({path})")
    values = [quoted(" ".join(value.lower().split())) for value in one.values]
    exact = one.operator in {Operator.EQUALS, Operator.NOT_EQUALS, Operator.ONE_OF, Operator.NOT_ONE_OF}
    tests = " or ".join(f"{said}={value}" if exact else f"contains({said},{value})" for value in values)
    return _signed(one, tests)


def _listed(path: str, one: Criterion) -> str:
    said = folded(f"normalize-space({path})")
    return _signed(one, " or ".join(f"contains({said},{quoted(value.lower())})" for value in one.values))


def _signed(one: Criterion, tests: str) -> str:
    if one.operator.negative:
        return f"not({tests})"
    return tests if one.operator in _POSITIVE else ""


def _number(path: str, one: Criterion) -> str:
    """The digits of what the path says, compared."""
    said = f"number(translate({path},translate({path},'0123456789.',''),''))"
    return _compared(said, one, [f"{number:f}" for value in one.values if (number := number_in(value)) is not None])


def _date(path: str, one: Criterion) -> str:
    """The date that the path says as year, month and day, compared."""
    return _compared(f"number(translate({path},'-/. ',''))", one, [f"{day:%Y%m%d}" for value in one.values if (day := date_in(value))])


def _time(path: str, one: Criterion) -> str:
    """The time of day that the path says as hours and minutes, of 24 hours, compared."""
    values = [minutes for value in one.values if (minutes := time_in(value)) is not None]
    return _compared(f"number(translate({path},': ',''))", one, [f"{at // 60}{at % 60:02}" for at in values])


def _compared(said: str, one: Criterion, values: Sequence[str]) -> str:
    if not values:
        return ""
    if one.operator in {Operator.ONE_OF, Operator.NOT_ONE_OF}:
        return _signed(one, " or ".join(f"{said}={value}" for value in values))
    sign = _COMPARED.get(one.operator)
    return f"{said}{sign}{values[0]}" if sign else ""
