"""Criteria from a prompt's words: field, operator, value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from agents.template.asides import asides, field_of_time
from agents.template.implied import GOES_ON, IMPLIED, ITEM, LISTED, NUMBER, called_what, done_by, implied
from agents.template.masking import Masked
from agents.template.operators import BE, OPERATOR, Operator, means_it, operator_of
from agents.template.said_values import secret_at, values_at
from agents.template.units import amount_of

__all__ = ["Criterion", "Operator", "criteria"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """`field` in lower case with blanks ("release year"), `values` as the prompt writes them, without quotes: one, or several for lists."""

    field: str
    operator: Operator
    values: tuple[str, ...]
    end: int = 0

    @property
    def value(self) -> str:
        return self.values[0]


_BETWEEN = re.compile(rf"\b{BE}between\s+(?P<low>{ITEM}|{NUMBER})\s+(?:and|to)\s+(?P<high>{ITEM}|{NUMBER})", re.I)
_FIELD_WORDS = re.compile(r"((?:[A-Za-z][\w-]*[ \t]+){0,3}[A-Za-z][\w-]*)[ \t]*$")
# As in: edit the genre to not contain …
_LEADS_ON = re.compile(r"\s+to\s*$", re.I)
# As in: with a name that contains … – but not: products that contain …
_OF_ITS_OWN = re.compile(r"\b(?:an?|the|with|my|and) [a-z]\w*(?: [a-z]\w*)?(?P<that>\s+(?:that|which)\s*)$", re.I)
# As in: contains the word …, does not contain the genre …
_NAMED_AFTER = re.compile(rf"\s*(?:an?|the) (?P<after>[a-z]+(?:[ _][a-z]+)?)\s+(?={ITEM})", re.I)
_SAYS_NOTHING = frozenset({"word", "words", "phrase", "text", "term", "string", "value", "name of", "letters"})
# As in: a rating of 4.5 or higher.
_OR_BEYOND = re.compile(
    r"\s+(?:or|and) (?:(?P<up>higher|more|above|greater|later|newer|up)|(?:less|lower|below|fewer|under|earlier|older))\b", re.I
)
_IN_TIME = re.compile(r"\b(?:after|before|earlier|later)\b", re.I)
_COUNTED = re.compile(rf"(?P<number>{NUMBER}) (?P<unit>[a-z]+)")
# As in: where to equals …
_CALLED_TO = re.compile(r"(?:\bwhere|\band|,)\s+(?P<end>to|from)\s*$", re.I)
# As in: edit the headline where value contains …
_ITS_VALUE = re.compile(r"\b(?P<of>[a-z]+) where (?:the )?value\s*$", re.I)
_SAID_OF = {
    "released": "year",
    "published": "year",
    "priced": "price",
    "costing": "price",
    "costs": "price",
    "rated": "rating",
    "someone": "commenter",
}
_NOT_OF_A_FIELD = frozenset(
    """where and or with the a an whose that which has have having by using following specific credentials constraints when if
    field then there it this who set only for of any exactly s its their my your be must should also but in on at from not""".split()  # noqa: SIM905 (words read best as words)
)


def criteria(masked: Masked) -> tuple[Criterion, ...]:
    """All criteria of a prompt, in its order. `end` is where each ends in the masked text."""
    listed = tuple(_criteria(masked))
    known = {one.field for one in listed} | {one.end for one in listed}
    said = asides(masked.text, masked.values)
    besides = {(end, operator): Criterion(field, operator, (value,), end) for field, operator, value, end in said}
    return tuple(sorted((*listed, *(one for one in besides.values() if not known & {one.field, one.end})), key=lambda one: one.end))


def _criteria(masked: Masked) -> Iterator[Criterion]:
    text, at = masked.text, 0
    goes_on: re.Pattern[str] | None = None
    ahead = _Ahead(text)
    while (found := _next(ahead, at, goes_on)) is not None:
        start, end, field, operator = found
        at, goes_on = end, None
        span = _BETWEEN.match(text, start)
        field = amount_of(field, span["low"], text[span.end() :])[0] if span else field
        if span and field:
            at = span.end()
            yield Criterion(field, Operator.GREATER_EQUAL, (masked.plain(span["low"]),), at)
            yield Criterion(field, Operator.LESS_EQUAL, (masked.plain(span["high"]),), at)
            continue
        field, end = _field_after(text, start, end) or (field, end)
        values, after = secret_at(masked, field, end) or values_at(masked, end, operator)
        field = field_of_time(field, values[0]) if values and _IN_TIME.search(text[start:end]) else field
        field, operator, values = _completed(field, operator, values, text[after:])
        if field and values and means_it(text[start:end], text[end:after], values[0]):
            beyond = _OR_BEYOND.match(text, after) if operator is Operator.EQUALS else None
            if beyond:
                operator = Operator.GREATER_EQUAL if beyond["up"] else Operator.LESS_EQUAL
                after = beyond.end()
            at, goes_on = after, GOES_ON if start == end else LISTED
            yield Criterion(field, operator, values, after)


def _completed(field: str, operator: Operator, values: tuple[str, ...], rest: str) -> tuple[str, Operator, tuple[str, ...]]:
    """A field that is said after its value: more than 20 reviews, not have '20' reviews."""
    if len(values) == 1:
        field, value = amount_of(field, values[0], rest)
        values = (value,)
    counted = _COUNTED.match(values[0] + rest) if values and not field else None
    if not counted or counted["unit"] in _NOT_OF_A_FIELD:
        return field, operator, values
    return counted["unit"], Operator.NOT_EQUALS if operator is Operator.NOT_CONTAINS else operator, (counted["number"],)


def _field_after(text: str, start: int, end: int) -> tuple[str, int] | None:
    """A field that is named after its operator, and where its value begins; the word that leads to the value is passed over."""
    found = _NAMED_AFTER.match(text, end) if end > start else None
    if not found:
        return None
    if found["after"].lower() in _SAYS_NOTHING:
        return _field_before(text[:start]), found.end()
    return _clean(found["after"]), found.end()


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Where each pattern is found next. What was found stays so until it is passed: else a prompt of operators is read once for each."""

    text: str
    _hits: dict[re.Pattern[str], re.Match[str] | None] = field(default_factory=dict)

    def next(self, pattern: re.Pattern[str], at: int) -> re.Match[str] | None:
        hit = self._hits.get(pattern)
        if pattern not in self._hits or (hit and hit.start() < at):
            self._hits[pattern] = hit = pattern.search(self.text, at)
        return hit


def _next(ahead: _Ahead, at: int, goes_on: re.Pattern[str] | None) -> tuple[int, int, str, Operator] | None:
    """The next operator from `at` on: where it starts and ends, its field and its kind. Said and implied ones, whichever comes first.

    An implied one starts where it ends; `goes_on` is how more fields may be listed at `at`, where a criterion ends there.
    """
    text = ahead.text
    listed = goes_on.match(text, at) if goes_on else None
    hits = (ahead.next(_BETWEEN, at), ahead.next(OPERATOR, at), listed, ahead.next(IMPLIED, at))
    first = min((hit for hit in hits if hit), key=lambda hit: hit.start(), default=None)
    if first and "field" in first.re.groupindex:
        first = OPERATOR.search(text, first.start(), first.end()) or first
    if first is None:
        return None
    if "field" in first.re.groupindex:
        named, operator = implied(first)
        return first.end(), first.end(), _implied_field(named), operator
    return first.start(), first.end(), _field_before(text[at : first.start()]), operator_of(first)


def _implied_field(named: str) -> str:
    kept = [word for word in named.split() if word.lower() not in _NOT_OF_A_FIELD]
    return _clean(" ".join(kept[:-1] if len(kept) > 1 and kept[-1] in {"to", "as"} else kept))


def _field_before(text: str) -> str:
    """The name that ends the text: at most three words, as far back as none of them leads in ("where the", "and")."""
    if end := _CALLED_TO.search(text):
        return end["end"].lower()
    if doing := done_by(text):
        return doing
    if its := _ITS_VALUE.search(text):
        return _clean(its["of"])
    said = _LEADS_ON.sub("", text[-120:])
    apart = _OF_ITS_OWN.search(said)
    found = _FIELD_WORDS.search(said[: apart.start("that")] if apart else said)
    kept: list[str] = []
    for word in reversed(found[1].split() if found else []):
        if not kept and (called := called_what(word.lower())):
            return called
        if word.lower() in _SAID_OF:
            return _SAID_OF[word.lower()]
        if word.lower() in _NOT_OF_A_FIELD or len(kept) == 3:
            break
        kept.insert(0, word)
    return _clean(" ".join(kept))


def _clean(field: str) -> str:
    return field.lower().removesuffix(" field").replace("_", " ").strip()
