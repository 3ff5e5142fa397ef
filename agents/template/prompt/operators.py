"""The operators of criteria and their wordings in prompts."""

import re
from enum import StrEnum


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
        """Met by almost any value except the stated one."""
        return self in {Operator.NOT_EQUALS, Operator.NOT_CONTAINS, Operator.NOT_ONE_OF}


POSITIVE = frozenset({Operator.EQUALS, Operator.ONE_OF, Operator.CONTAINS})
# They compare with a whole value, not with a part of it.
EXACT = frozenset({Operator.EQUALS, Operator.ONE_OF, Operator.NOT_EQUALS, Operator.NOT_ONE_OF})
LISTS = frozenset({Operator.ONE_OF, Operator.NOT_ONE_OF})
ABOVE, BELOW = frozenset({Operator.GREATER, Operator.GREATER_EQUAL}), frozenset({Operator.LESS, Operator.LESS_EQUAL})

BE = r"(?:is |are |was |were |be |being |must be |should be |has to be |have to be )?"
_NOT = r"(?:(?:is |are |does |do |must |should |may |can ?)?not|(?:is|are|does|do|must|should)n['’]t)(?: be)?[ _]"
_MORE, _FEWER = r"(?:more|higher|larger|bigger|later|longer|newer)", r"(?:less|fewer|lower|smaller|earlier|shorter|cheaper)"
# In this order the first that matches is the longest reading: "is not one of" before "is not" before "is".
_WORDS = {
    Operator.NOT_ONE_OF: rf"{_NOT}(?:(?:one|any|either) of|in(?:[ _-]list)?)|{BE}(?:none of|neither(?: of)?)",
    Operator.ONE_OF: rf"{BE}(?:(?:one|any) of|either(?: of)?|in[_ -]list|in(?= ?[\[\x28]))",
    Operator.NOT_CONTAINS: rf"{_NOT}(?:contain(?:s|ing)?|includ(?:es?|ing)|mention(?:s|ing)?|have)|exclud(?:es?|ing)",
    Operator.CONTAINS: r"contain(?:s|ing)?|includ(?:es?|ing)|mention(?:s|ing)?",
    Operator.GREATER_EQUAL: (
        rf"{BE}(?:greater|{_MORE})(?: than or |[ _]or[ _]|[ _])equals?(?: to| than)?|(?:{BE}|of )at least|{BE}on or after|"
        rf"(?:{_NOT}|{BE}no )(?:{_FEWER} than|below|under)|{BE}(?:a )?minimum of"
    ),
    Operator.LESS_EQUAL: (
        rf"{BE}(?:less|{_FEWER})(?: than or |[ _]or[ _]|[ _])equals?(?: to| than)?|(?:{BE}|of )at most|{BE}on or before|"
        rf"(?:{_NOT}|{BE}no )(?:(?:greater|{_MORE}) than|above|over)|{BE}up to|{BE}(?:a )?maximum of"
    ),
    Operator.GREATER: rf"{BE}greater(?:[ _]than)?|{BE}{_MORE} than|{BE}(?:above|over|after)|exceed(?:s|ing)",
    Operator.LESS: rf"{BE}less(?:[ _]than)?|{BE}{_FEWER} than|{BE}(?:below|under|before)",
    Operator.NOT_EQUALS: (
        rf"{_NOT}(?:equals?(?: to)?|the same as)|(?:is|are|must|should)(?: not|n['’]t)(?: be)?|{BE}(?:anything )?(?:other than|but not)|"
        rf"{BE}different from|differs from|not(?= [\ue000-\uf7ff\d$€£])"
    ),
    Operator.EQUALS: rf"{BE}equals?(?: to)?|{BE}equalling|{BE}exactly|{BE}set to|match(?:es|ing)|is|are|(?:must|should|has to) be",
}
_SIGNS = {"GREATER_EQUAL": "|>=|≥", "LESS_EQUAL": "|<=|≤", "GREATER": "|>", "LESS": "|<", "NOT_EQUALS": "|!=|≠", "EQUALS": "|==?|:(?!//)"}
# Whole words only: the end of "Stainless" is no "less".
OPERATOR = re.compile(
    "|".join(rf"(?P<{operator.name}>(?<!\w)(?:{words})(?!\w){_SIGNS.get(operator.name, '')})" for operator, words in _WORDS.items()), re.I
)
# An everyday word is an operator only before a value in quotes, capitals or digits; one of place or time only before a number or date.
_EVERYDAY = re.compile(r"is|are|:|(?:must|should|has to) be|match(?:es|ing)|(?:is )?(?:exactly|set to|in)", re.I)
_ALSO_PLACES = re.compile(rf"{BE}(?:over|under|above|below|after|before|up to)", re.I)
_LIKE_A_VALUE = re.compile(r"[A-Z\d$€£\[(\ue000-\uf7ff]|true\b|false\b")
_MEASURED = re.compile(r"[$€£]?-?\d|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d", re.I)


def operator_of(match: re.Match[str]) -> Operator:
    return Operator.__members__.get(match.lastgroup or "", Operator.EQUALS)


def is_operator(operator: str, text: str, value: str) -> bool:
    """Whether it is used as an operator, not as an everyday word: `text` follows it and starts with `value`."""
    name = operator.strip()
    if name == ":" and not text.startswith(" "):
        return True
    if _ALSO_PLACES.fullmatch(name):
        return bool(_MEASURED.match(value))
    return not _EVERYDAY.fullmatch(name) or bool(_LIKE_A_VALUE.match(text.strip()))
