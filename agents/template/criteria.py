"""Criteria from a prompt's words: field, operator, value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from agents.template.asides import asides, field_of_time
from agents.template.masking import MARK, Masked
from agents.template.operators import BE, OPERATOR, Operator, means_it, operator_of

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


# A field in the form of a programmer's name, or one of an account's, needs no operator: "username <username>", "set recipient_name to Jo".
_NAMED = r"\b(?:username|password|e-?mail|[a-z]+(?:_[a-z]+)+)(?: field)?"
_ITEM = r"[\ue000-\uf7ff]"
_NUMBER = r"[$€£]?-?\d(?:[\d,.:/-]*\d)?"
_WORDS = r"[a-z][\w-]*(?: [a-z][\w-]*)"
_LEADS_IN = rf"(?P<field>{_WORDS}?) (?:(?:of |to |set to |as )?(?={_ITEM}|{_NUMBER})|to (?=[A-Z]))"
_SET = rf"\b(?:set|chang|updat)(?:e|ing|ting)? (?:the |my |its )?(?P<set>{_WORDS}{{0,2}}) to (?={_ITEM}|(?-i:[A-Z\d$€£])|true\b|false\b)"
_BY = r"\b(?P<by>directed|written|authored|published) by (?=[\ue000-\uf7ff]|[A-Z])"
_WITHIN = rf"\b(?:in|from|of) (?:the )?(?P<within>category|genre|year) (?={_ITEM}|\d)"
# Where prompts shout, an operator is no value.
_SHOUTED = r"(?!(?:NOT|IS|DOES|CONTAINS?|INCLUDES?|EQUALS?|GREATER|LESS)\b)"
_IMPLIED = re.compile(
    rf"(?P<named>{_NAMED})\s+(?:to |as |of )?{_SHOUTED}(?={_ITEM}|[A-Z\d]|\S+@)|\b(?:with|has|having|have) (?:an? |the )?{_LEADS_IN}"
    rf"|(?i:{_SET})|{_BY}|{_WITHIN}"
)
_GOES_ON = re.compile(rf"(?:,? and|,)\s+(?:an? |the )?{_LEADS_IN}")
_BETWEEN = re.compile(rf"\b{BE}between\s+(?P<low>{_ITEM}|{_NUMBER})\s+(?:and|to)\s+(?P<high>{_ITEM}|{_NUMBER})", re.I)
_LIST = re.compile(rf"\[([^\]\n]{{0,400}})\]|{_ITEM}(?:(?:\s*,\s*|\s*,?\s*(?:or|and|nor)\s+){_ITEM})*")
_GROUP = re.compile(r"[\[({]([^\])}\n]{0,400})[\])}]")
# A comma within "1,299" or "July 18, 2025" ends nothing.
_COMMA = r"(?<!\d),|,(?!\d{3}\b| \d{4}\b)"
_LATER = r"(?:after|once|when) (?:logg|sign|successful|you )\w*"
_NEXT = rf"and|AND|or|OR|then|that|which|whose|but|where|with|from|for|so|giving|(?:directed|written|published|made) by|{_LATER}"
_BARE_END = rf"\s+(?:{_NEXT})\b|{_COMMA}|[;\n\ue000-\uf7ff]|[.!?)]+(?:\s|$)|$"
_BARE = re.compile(rf"[^;\n\ue000-\uf7ff]{{1,80}}?(?={_BARE_END})")
# A password's own marks may be those that end a sentence: only what no one ends a password with is left out.
_SECRET = re.compile(r" ?([^\s\ue000-\uf7ff]{1,80}?)(?=[.,;:)]*(?:\s|$))")
_BARE_LIST = re.compile(r"[^;\n\ue000-\uf7ff]{1,400}?(?=\s+and\s+[a-z]|\s+(?:then|but|where|with)\b|[;\n\ue000-\uf7ff]|[.!?)]+(?:\s|$)|$)")
_BETWEEN_ITEMS = re.compile(rf"(?:{_COMMA})\s*(?:(?:or|and|nor)\s+)?|\s+(?:or|nor|and)\s+")
_ARTICLE = re.compile(r"\s*(?:(?:an?|the)\s+)?")
# A genre is "a comedy", but a text is "a true delight to read".
_WHOLE_PHRASE = 3
_FIELD_WORDS = re.compile(r"((?:[A-Za-z][\w-]*[ \t]+){0,3}[A-Za-z][\w-]*)[ \t]*$")
# As in: edit the genre to not contain …
_LEADS_ON = re.compile(r"\s+to\s*$", re.I)
# As in: with a name that contains … – but not: products that contain …
_OF_ITS_OWN = re.compile(r"\b(?:an?|the|with|my|and) [a-z]\w*(?: [a-z]\w*)?(?P<that>\s+(?:that|which)\s*)$", re.I)
# As in: contains the word …, does not contain the genre …
_NAMED_AFTER = re.compile(rf"\s*(?:an?|the) (?P<after>[a-z]+(?:[ _][a-z]+)?)\s+(?={_ITEM})", re.I)
_SAYS_NOTHING = frozenset({"word", "words", "phrase", "text", "term", "string", "value", "name of", "letters"})
# As in: a rating of 4.5 or higher.
_OR_BEYOND = re.compile(
    r"\s+(?:or|and) (?:(?P<up>higher|more|above|greater|later|newer|up)|(?:less|lower|below|fewer|under|earlier|older))\b", re.I
)
_IN_TIME = re.compile(r"\b(?:after|before|earlier|later)\b", re.I)
_COUNTED = re.compile(rf"(?P<number>{_NUMBER}) (?P<unit>[a-z]+)")
# As in: exclude those with the status …
_EXCLUDED = re.compile(r"\bexclud\w+ (?:all |any )?(?:those|ones|[a-z]+s)? ?(?:that are )?$", re.I)
_THE_REST = re.compile(r"(?:all |any )?(?:those|the ones|ones)\b", re.I)
# As in: where to equals …
_CALLED_TO = re.compile(r"(?:\bwhere|\band|,)\s+to\s*$", re.I)
# As in: edit the headline where value contains …
_ITS_VALUE = re.compile(r"\b(?P<of>[a-z]+) where (?:the )?value\s*$", re.I)
_SAID_OF = {"released": "year", "published": "year", "priced": "price", "costing": "price", "costs": "price", "rated": "rating"}
_DONE_BY = {"directed": "director", "written": "author", "authored": "author", "published": "publisher"}
_NOT_OF_A_FIELD = frozenset(
    """where and or with the a an whose that which has have having by using following specific credentials constraints when if
    field then there it this who set only for of any exactly s its their my your be must should also but in on at from not""".split()  # noqa: SIM905 (words read best as words)
)


def criteria(masked: Masked) -> tuple[Criterion, ...]:
    """All criteria of a prompt, in its order. `end` is where each ends in the masked text."""
    listed = tuple(_criteria(masked))
    known = {one.field for one in listed} | {one.end for one in listed}
    besides = {end: Criterion(field, Operator.EQUALS, (value,), end) for field, value, end in asides(masked.text, masked.values)}
    return tuple(sorted((*listed, *(one for one in besides.values() if not known & {one.field, one.end})), key=lambda one: one.end))


def _criteria(masked: Masked) -> Iterator[Criterion]:
    text, at, goes_on = masked.text, 0, False
    ahead = _Ahead(text)
    while (found := _next(ahead, at, goes_on=goes_on)) is not None:
        start, end, field, operator = found
        at, goes_on = end, False
        span = _BETWEEN.match(text, start)
        if span and field:
            at = span.end()
            yield Criterion(field, Operator.GREATER_EQUAL, (masked.plain(span["low"]),), at)
            yield Criterion(field, Operator.LESS_EQUAL, (masked.plain(span["high"]),), at)
            continue
        field, end = _field_after(text, start, end) or (field, end)
        values, after = _secret(masked, field, end) or _values(masked, end, operator)
        field = field_of_time(field, values[0]) if values and _IN_TIME.search(text[start:end]) else field
        field, operator, values = _completed(field, operator, values, text[after:])
        if field and values and means_it(text[start:end], text[end:after], values[0]):
            beyond = _OR_BEYOND.match(text, after) if operator is Operator.EQUALS else None
            if beyond:
                operator = Operator.GREATER_EQUAL if beyond["up"] else Operator.LESS_EQUAL
                after = beyond.end()
            at, goes_on = after, start == end
            yield Criterion(field, operator, values, after)


def _completed(field: str, operator: Operator, values: tuple[str, ...], rest: str) -> tuple[str, Operator, tuple[str, ...]]:
    """A field that is said after its value: more than 20 reviews, not have '20' reviews."""
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


def _next(ahead: _Ahead, at: int, *, goes_on: bool) -> tuple[int, int, str, Operator] | None:
    """The next operator from `at` on: where it starts and ends, its field and its kind. Said and implied ones, whichever comes first.

    An implied one starts where it ends; `goes_on` is whether the last one was implied, so that more may be listed after it.
    """
    text = ahead.text
    listed = _GOES_ON.match(text, at) if goes_on else None
    hits = (ahead.next(_BETWEEN, at), ahead.next(OPERATOR, at), listed, ahead.next(_IMPLIED, at))
    first = min((hit for hit in hits if hit), key=lambda hit: hit.start(), default=None)
    if first and "field" in first.re.groupindex:
        first = OPERATOR.search(text, first.start(), first.end()) or first
    if first is None:
        return None
    if "field" in first.re.groupindex:
        named = next(name for name in first.groups() if name)
        operator = Operator.NOT_EQUALS if _EXCLUDED.search(text, 0, first.start()) else Operator.EQUALS
        return first.end(), first.end(), _DONE_BY.get(named, _implied_field(named)), operator
    return first.start(), first.end(), _field_before(text[at : first.start()]), operator_of(first)


def _implied_field(named: str) -> str:
    kept = [word for word in named.split() if word.lower() not in _NOT_OF_A_FIELD]
    return _clean(" ".join(kept[:-1] if len(kept) > 1 and kept[-1] in {"to", "as"} else kept))


def _field_before(text: str) -> str:
    """The name that ends the text: at most three words, as far back as none of them leads in ("where the", "and")."""
    if _CALLED_TO.search(text):
        return "to"
    if its := _ITS_VALUE.search(text):
        return _clean(its["of"])
    said = _LEADS_ON.sub("", text[-120:])
    apart = _OF_ITS_OWN.search(said)
    found = _FIELD_WORDS.search(said[: apart.start("that")] if apart else said)
    kept: list[str] = []
    for word in reversed(found[1].split() if found else []):
        if word.lower() in _SAID_OF:
            return _SAID_OF[word.lower()]
        if word.lower() in _NOT_OF_A_FIELD or len(kept) == 3:
            break
        kept.insert(0, word)
    return _clean(" ".join(kept))


def _clean(field: str) -> str:
    return field.lower().removesuffix(" field").replace("_", " ").strip()


def _values(masked: Masked, at: int, operator: Operator) -> tuple[tuple[str, ...], int]:
    """The values that stand at a place of the text, and where they end."""
    lead = _ARTICLE.match(masked.text, at)
    start = lead.end() if lead else at
    several = operator in {Operator.ONE_OF, Operator.NOT_ONE_OF}
    listed = (_GROUP.match(masked.text, start) if several else None) or _LIST.match(masked.text, start)
    if listed:
        return _listed(masked, listed), listed.end()
    if several:
        return _bare_list(masked.text, start)
    bare = _BARE.match(masked.text, start)
    value = bare[0].strip() if bare and not _THE_REST.match(bare[0]) else ""
    if len(value.split()) >= _WHOLE_PHRASE and bare:
        value = masked.text[at : bare.end()].strip()
    return ((value,) if value else (), bare.end() if bare else start)


def _secret(masked: Masked, field: str, at: int) -> tuple[tuple[str, ...], int] | None:
    """The value of a password that is written without quotes; None for other fields and values."""
    found = _SECRET.match(masked.text, at) if field.endswith("password") else None
    return ((found[1],), found.end()) if found else None


def _bare_list(text: str, start: int) -> tuple[tuple[str, ...], int]:
    """Unquoted values after each other, up to the one that begins another criterion."""
    found = _BARE_LIST.match(text, start)
    stop = found.end() if found else start
    values: list[str] = []
    end = at = start
    for gap in (*_BETWEEN_ITEMS.finditer(text, start, stop), None):
        item = text[at : gap.start() if gap else stop]
        if OPERATOR.search(item):
            break
        if item.strip():
            values.append(item.strip())
        end, at = at + len(item), gap.end() if gap else stop
    return tuple(values), end


def _listed(masked: Masked, found: re.Match[str]) -> tuple[str, ...]:
    if not found.lastindex:
        return tuple(masked.plain(mark) for mark in MARK.findall(found[0]))
    parts = (masked.plain(part).strip().strip("'\"") for part in found[1].split(","))
    return tuple(part for part in parts if part)
