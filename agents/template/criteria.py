"""Criteria from a prompt's words: field, operator, value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

# A prompt is a few sentences; what is longer is no task, and its tail isn't read.
LONGEST_PROMPT = 4_000


class Operator(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "not equals"
    CONTAINS = "contains"
    NOT_CONTAINS = "not contains"
    GREATER = "greater than"
    LESS = "less than"
    GREATER_EQUAL = "greater equal"
    LESS_EQUAL = "less equal"
    ONE_OF = "is one of"
    NOT_ONE_OF = "is not one of"

    @property
    def negative(self) -> bool:
        """Satisfied by almost any value but the one named."""
        return self in {Operator.NOT_EQUALS, Operator.NOT_CONTAINS, Operator.NOT_ONE_OF}


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


@dataclass(frozen=True, slots=True)
class Masked:
    """A prompt whose quoted values and placeholders are replaced by marks of one character each, so that no word in them is misread."""

    text: str
    values: tuple[str, ...]
    quoted: tuple[str, ...]

    def plain(self, text: str) -> str:
        """A piece of the masked text with the values put back."""
        return _MARK.sub(lambda mark: self.values[ord(mark[0]) - _FIRST_MARK], text)


_FIRST_MARK = 0xE000
_MOST_MARKS = 0x1800
_MARK = re.compile("[\ue000-\uf7ff]")
# Our own marks, and what neither an XPath nor a database can hold.
_UNSAYABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f\ud800-\uf7ff\ufffe\uffff]")
# An apostrophe within a word neither opens nor closes: 'Today's specials' is one value.
_QUOTED = re.compile(
    r"""(?<!\w)'((?:[^'\n]|'(?=\w)){1,400})'(?!\w)|"([^"\n]{1,400})"|\u201c([^\u201d\n]{1,400})\u201d|\u2018([^\u2019\n]{1,400})\u2019"""
    r"""|(<[a-z_]{2,40}>|https?://[^\s'"<>]+)""",
    re.I,
)

# In this order the first that matches is the longest reading: "is not one of" before "is not" before "is".
_WORDS_OF = {
    Operator.NOT_ONE_OF: r"(?:is |are )?not one of|(?:is |are )?not[ _]in(?: list)?|(?:is |are )?none of",
    Operator.ONE_OF: r"(?:is |are )?(?:one|any) of|(?:is |are )?in[_ ]list",
    Operator.NOT_CONTAINS: r"(?:does |do |must |should )?not[ _](?:contains?|includes?)|doesn't contain",
    Operator.CONTAINS: r"contain(?:s|ing)?|includ(?:es?|ing)",
    Operator.GREATER_EQUAL: r"(?:is )?greater(?: than or |[ _])equals?(?: to)?|(?:is |of )?at least|>=|≥",
    Operator.LESS_EQUAL: r"(?:is )?less(?: than or |[ _])equals?(?: to)?|(?:is |of )?at most|<=|≤",
    Operator.GREATER: r"(?:is )?greater(?:[ _]than)?|(?:is )?(?:more|higher|later) than|(?:is )?above|>",
    Operator.LESS: r"(?:is )?less(?:[ _]than)?|(?:is )?(?:fewer|lower|earlier) than|(?:is )?below|<",
    Operator.NOT_EQUALS: r"(?:is |are |does |do )?not[ _]equals?(?: to)?|(?:is|are) not|(?:is|are)n't|doesn't equal|!=|≠",
    Operator.EQUALS: r"(?:is |are )?equals?(?: to)?|is exactly|is|are|==?|:(?!//)",
}
_EVERYDAY = frozenset({"is", "are", ":"})
_EACH = {operator: re.compile(words, re.I) for operator, words in _WORDS_OF.items()}


def _bounded(words: str) -> str:
    return "|".join(rf"\b{one}\b" if one[-1].isalnum() or (one[-1] == ")" and one[0] not in ":=") else one for one in _alternatives(words))


def _alternatives(words: str) -> list[str]:
    """The top-level alternatives of a pattern: those bars that stand outside of brackets."""
    depth, parts = 0, [""]
    for sign in words:
        depth += (sign == "(") - (sign == ")")
        parts = [*parts, ""] if sign == "|" and not depth else [*parts[:-1], parts[-1] + sign]
    return parts


# A field in the form of a programmer's name, or one of an account's, needs no operator: "username <username>", "set recipient_name to Jo".
_NAMED = r"\b(?:username|password|e-?mail|[a-z]+(?:_[a-z]+)+)(?: field)?"
_OPERATOR = re.compile("|".join(_bounded(words) for words in _WORDS_OF.values()), re.I)
_IMPLIED = re.compile(rf"(?P<field>{_NAMED})\s+(?:to |as |of )?(?=[\ue000-\uf7ff]|[A-Z\d]|\S+@)")
_ITEM = r"[\ue000-\uf7ff]"
_LIST = re.compile(rf"\[([^\]\n]{{0,400}})\]|{_ITEM}(?:(?:\s*,\s*|\s*,?\s*(?:or|and)\s+){_ITEM})*")
_BARE_END = r"\s+(?:and|or|then|but|where|with|from|for|so|giving)\b|[,;\n\ue000-\uf7ff]|[.!?)]+(?:\s|$)|$"
_BARE = re.compile(rf"[^,;\n\ue000-\uf7ff]{{1,80}}?(?={_BARE_END})")
_ARTICLE = re.compile(r"\s*(?:(?:an?|the)\s+)?")
_SAID = re.compile(r"[A-Z\d$€£\[\ue000-\uf7ff]|true\b|false\b")
_FIELD_WORDS = re.compile(r"((?:[A-Za-z][\w-]*[ \t]+){0,3}[A-Za-z][\w-]*)[ \t]*$")
_NOT_OF_A_FIELD = frozenset(
    """where and or with the a an whose that which has have having by using following specific credentials constraints when if
    field then there it this who set only for of any exactly""".split()  # noqa: SIM905 (words read best as words)
)


def mask(prompt: str) -> Masked:
    """The prompt with each quoted value and placeholder as one mark."""
    values: list[str] = []
    quoted: list[str] = []

    def hide(found: re.Match[str]) -> str:
        if len(values) >= _MOST_MARKS:
            return found[0]
        value = next(group for group in found.groups() if group)
        values.append(value)
        if not found[5]:
            quoted.append(value)
        return chr(_FIRST_MARK + len(values) - 1)

    text = _QUOTED.sub(hide, _UNSAYABLE.sub(" ", prompt[:LONGEST_PROMPT]))
    return Masked(text, tuple(values), tuple(quoted))


def criteria(masked: Masked) -> tuple[Criterion, ...]:
    """All criteria of a prompt, in its order. `end` is where each ends in the masked text."""
    return tuple(_criteria(masked))


def _criteria(masked: Masked) -> Iterator[Criterion]:
    text, at = masked.text, 0
    while (found := _next(text, at)) is not None:
        start, end, field, operator = found
        at = end
        values, after = _values(masked, end)
        if field and values and _means_it(text[start:end], text[end:after]):
            at = after
            yield Criterion(field, operator, values, after)


def _next(text: str, at: int) -> tuple[int, int, str, Operator] | None:
    """The next operator from `at` on: where it starts and ends, its field and its kind. Said and implied ones, whichever comes first."""
    said, implied = _OPERATOR.search(text, at), _IMPLIED.search(text, at)
    if implied and (said is None or implied.start() < said.start()):
        return implied.end(), implied.end(), _clean(implied["field"]), Operator.EQUALS
    if said is None:
        return None
    return said.start(), said.end(), _field_before(text[at : said.start()]), _operator(said[0])


def _field_before(text: str) -> str:
    """The name that ends the text: at most three words, as far back as none of them leads in ("where the", "and")."""
    found = _FIELD_WORDS.search(text[-120:])
    kept: list[str] = []
    for word in reversed(found[1].split() if found else []):
        if word.lower() in _NOT_OF_A_FIELD or len(kept) == 3:
            break
        kept.insert(0, word)
    return _clean(" ".join(kept))


def _clean(field: str) -> str:
    return field.lower().removesuffix(" field").replace("_", " ").strip()


def _operator(words: str) -> Operator:
    return next((operator for operator, pattern in _EACH.items() if pattern.fullmatch(words)), Operator.EQUALS)


def _means_it(operator: str, value: str) -> bool:
    """Whether an operator is one: "is" and ":" are also everyday words, so they need a value that looks like one."""
    if operator.strip() == ":" and not value.startswith(" "):
        return True
    return operator.strip().lower() not in _EVERYDAY or bool(_SAID.match(value.strip()))


def _values(masked: Masked, at: int) -> tuple[tuple[str, ...], int]:
    """The values that stand at a place of the text, and where they end."""
    lead = _ARTICLE.match(masked.text, at)
    start = lead.end() if lead else at
    listed = _LIST.match(masked.text, start)
    if listed:
        return _listed(masked, listed), listed.end()
    bare = _BARE.match(masked.text, start)
    value = bare[0].strip() if bare else ""
    return ((value,) if value else (), bare.end() if bare else start)


def _listed(masked: Masked, found: re.Match[str]) -> tuple[str, ...]:
    if found[1] is None:
        return tuple(masked.plain(mark) for mark in _MARK.findall(found[0]))
    parts = (masked.plain(part).strip().strip("'\"") for part in found[1].split(","))
    return tuple(part for part in parts if part)
