"""What a prompt wants of a field without an operator and apart from its list: "set the number of the seats to 3", "on '2026-05-01'"."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ITEM = "[\ue000-\uf7ff]"
_VALUE = rf"(?P<value>{_ITEM}|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\d[\d.,:]*\d|\d)"
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
)
_WHEN = re.compile(rf"\b(?P<lead>on|for|at) (?P<value>{_ITEM})")
_DATE, _TIME = re.compile(r"\d{4}-\d\d?-\d\d?\b"), re.compile(r"\d\d?:\d\d(?::\d\d)?(?: ?[ap]m)?", re.I)
_OF_TIME = re.compile(r"\b(?:date|day|time|year|month|week|hour|deadline|due|start|end|check ?in|check ?out)\b")


def asides(text: str, values: tuple[str, ...]) -> Iterator[tuple[str, str, int]]:
    """Field, value and end of each, in a text whose quoted values are marks; `values` are those of the marks, by their order."""
    for pattern, field in _SAID:
        for found in pattern.finditer(text):
            yield (field or found["field"]).lower().replace("_", " "), _plain(found["value"], values), found.end("value")
    for found in _WHEN.finditer(text):
        said = _plain(found["value"], values)
        if field := field_of_time("", said):
            yield field, said, found.end()


def _plain(said: str, values: tuple[str, ...]) -> str:
    return values[ord(said) - 0xE000] if re.fullmatch(_ITEM, said) else said


def field_of_time(field: str, value: str) -> str:
    """What a date or a time is of: the field that is named, where it can have one, else the date or the time itself."""
    if _OF_TIME.search(field):
        return field
    if _DATE.match(value):
        return "date"
    return "time" if _TIME.fullmatch(value) else field
