"""What a prompt wants of a field without an operator and apart from its list: "set the number of the seats to 3", "on '2026-05-01'"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.template.implied import ITEM as _ITEM
from agents.template.operators import Operator

_VALUE = rf"(?P<value>{_ITEM}|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[$€£]?\d[\d.,:]*\d|[$€£]?\d)"
_FIELD = "(?P<field>[a-z]+(?:[ _][a-z]+)?)"
_CHANGE = "(?:set|change|update|adjust|increase|decrease|raise|lower|reduce)"
_TEXTS = "comment|review|message|reply|note|feedback"
_PEOPLE = "people|persons|guests|adults|travell?ers|passengers|seats|nights|hours"
# A pattern and the field it speaks of, where that isn't one of its groups.
_SAID: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"\b{_CHANGE} (?:the |my |its )?{_FIELD} (?:of|for) [^.;]{{1,80}}? to {_VALUE}", re.I), ""),
    (re.compile(rf"\b(?:add|invite|select|choose|pick|use|set) {_VALUE} as (?:an? |the |my ){_FIELD}", re.I), ""),
    (re.compile(rf"\bassign (?:the |a ){_FIELD} of {_VALUE}", re.I), ""),
    (re.compile(rf"\b(?:apply|use|enter|redeem) (?:the |a )?(?P<field>(?:[a-z]+ )?(?:code|coupon|voucher)) {_VALUE}", re.I), ""),
    (re.compile(rf"\brename\b[^.;]{{1,80}}? to (?P<value>{_ITEM})", re.I), "new name"),
    (re.compile(rf"\b(?:{_TEXTS}) (?:saying |that says |reading )?(?P<value>{_ITEM})", re.I), "message"),
    (re.compile(rf"\bsaying (?P<value>{_ITEM})", re.I), "message"),
    (re.compile(rf"\b(?:for|to) {_VALUE} (?P<field>{_PEOPLE})\b", re.I), ""),
    (re.compile(rf"\b(?:{_TEXTS}|post(?:ed)?) as {_VALUE}", re.I), "commenter"),
    # As in: a 4-star review – but not: 4 stars or more.
    (re.compile(r"\b(?P<value>[1-5](?:\.\d)?)[ -]stars?\b(?! or )", re.I), "rating"),
)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_CLOCK = r"\d\d?:\d\d(?::\d\d)?(?: ?[ap]m\b)?|\d\d? ?[ap]m\b"
_WHEN = re.compile(
    rf"\b(?:on|for|at) (?P<value>{_ITEM}|(?i:\d{{4}}-\d\d-\d\d(?! \d\d:)|{_CLOCK})|{_MONTH} \d\d?(?:st|nd|rd|th)?,? \d{{4}}\b)"
)
# As in: the e-mail from 'ann@example.com'.
_FROM = re.compile(rf"\b(?:from|sent by) (?P<value>{_ITEM}|\S+@[\w-]+(?:\.[\w-]+)+)")
_DECADE = re.compile(r"\b(?:from|in|of) the (?P<value>(?:18|19|20)?\d0)['’]?s\b", re.I)
# As in: filter films by genre Drama and year 1999.
_FILTERED = re.compile(r"^\W*(?:please )?(?:filter|narrow|browse)\b", re.I)
_BY = re.compile(rf"(?:\b(?:by|to|with|and)|,) (?:the )?(?P<field>[a-z]+) (?P<value>{_ITEM}|[A-Z][\w-]*(?: [A-Z][\w-]*)*|\d[\w.+-]*)")
_DATE = re.compile(rf"\d{{4}}-\d\d?-\d\d?\b|{_MONTH} \d")
_TIME = re.compile(_CLOCK, re.I)
_OF_TIME = re.compile(r"\b(?:date|day|time|year|month|week|hour|deadline|due|start|end|check ?in|check ?out)\b")
_SHORT_YEAR = 2


def asides(text: str, values: tuple[str, ...]) -> Iterator[tuple[str, Operator, str, int]]:
    """Field, operator, value and end of each, in a text whose quoted values are marks; `values` are those of the marks, by their order."""
    for pattern, field in (*_SAID, *(((_BY, ""),) if _FILTERED.search(text) else ())):
        for found in pattern.finditer(text):
            yield _equals(field or found["field"], found, values)
    for pattern in (_WHEN, _FROM):
        for found in pattern.finditer(text):
            if field := _told_by_value(pattern, _plain(found["value"], values)):
                yield _equals(field, found, values)
    yield from _decades(text)


def _told_by_value(pattern: re.Pattern[str], value: str) -> str:
    """The field that a value alone tells: a date, a time, a sender's address; "" where it tells none."""
    return field_of_time("", value) if pattern is _WHEN else "from" * ("@" in value)


def _equals(field: str, found: re.Match[str], values: tuple[str, ...]) -> tuple[str, Operator, str, int]:
    return field.lower().replace("_", " "), Operator.EQUALS, _plain(found["value"], values), found.end("value")


def _decades(text: str) -> Iterator[tuple[str, Operator, str, int]]:
    """The first and the last year of each: from the 90s."""
    for found in _DECADE.finditer(text):
        first = int(f"19{found['value']}" if len(found["value"]) == _SHORT_YEAR else found["value"])
        yield "year", Operator.GREATER_EQUAL, str(first), found.end("value")
        yield "year", Operator.LESS_EQUAL, str(first + 9), found.end("value")


def _plain(said: str, values: tuple[str, ...]) -> str:
    return values[ord(said) - 0xE000] if re.fullmatch(_ITEM, said) else said


def field_of_time(field: str, value: str) -> str:
    """What a date or a time is of: the field that is named, where it can have one, else the date or the time itself."""
    if _OF_TIME.search(field):
        return field
    if _DATE.match(value):
        return "date"
    return "time" if _TIME.fullmatch(value) else field
