"""Fields that a prompt gives a value without an operator: "directed by 'Ann'", "titled 'Rain'", "with a rating of 4", "from 1994"."""

from __future__ import annotations

import re

from agents.template.operators import Operator

ITEM = r"[\ue000-\uf7ff]"
NUMBER = r"[$€£]?-?\d(?:[\d,.:/-]*\d)?"
WORDS = r"[a-z][\w-]*(?: [a-z][\w-]*)"
# A field in the form of a programmer's name, or one of an account's, needs no operator: "username <username>", "set recipient_name to Jo".
_NAMED = r"\b(?:username|password|e-?mail|[a-z]+(?:_[a-z]+)+)(?: field)?"
_LEADS_IN = rf"(?P<field>{WORDS}?) (?:(?:of |to |set to |as )?(?={ITEM}|{NUMBER})|to (?=[A-Z]))"
_SET = (
    rf"\b(?:set|chang|updat)(?:e|ing|ting)? (?:the |my |your |its )?(?P<set>{WORDS}{{0,2}}) to "
    rf"(?={ITEM}|(?-i:[A-Z\d$€£])|true\b|false\b)"
)
# Where prompts shout, an operator is no value.
_SHOUTED = r"(?!(?:NOT|IS|DOES|CONTAINS?|INCLUDES?|EQUALS?|GREATER|LESS)\b)"
_SAID = rf"(?={ITEM}|{_SHOUTED}[A-Z])"
_BY = rf"\b(?P<by>directed|written|authored|published|hosted) by {_SAID}"
_CAST = rf"\b(?P<cast>starring|featuring) {_SAID}"
_CALLED = rf"\b(?P<called>called|named|titled|entitled) {_SAID}"
_WITHIN = rf"\b(?:in|from|of) (?:the )?(?P<within>category|genre|year) (?={ITEM}|\d)"
_DATED = r"\b(?P<dated>(?:(?:released|published|made|written|filmed|issued) )?(?:in|from)) (?:the year )?(?=(?:19|20)\d\d\b(?![-/:.]\d))"
_WHERE = rf"\b(?:where|whose) (?:the )?(?P<where>{WORDS}{{0,2}}) (?={ITEM})"
IMPLIED = re.compile(
    rf"(?P<named>{_NAMED})\s+(?:to |as |of )?{_SHOUTED}(?={ITEM}|[A-Z\d]|\S+@)|\b(?:with|has|having|have) (?:an? |the )?{_LEADS_IN}"
    rf"|(?i:{_SET})|{_BY}|{_CAST}|{_CALLED}|{_WITHIN}|{_DATED}|{_WHERE}"
)
# As in: with a name of 'Rain' and a rating of 4.
GOES_ON = re.compile(rf"(?:,? and|,)\s+(?:an? |the )?{_LEADS_IN}")
# After a criterion with an operator only a field can follow, not something to be done: … and dropoff '12 Elm Road'.
_NO_FIELD = (
    "open|view|watch|delete|remove|share|add|proceed|go|edit|update|sort|filter|submit|book|mark|send|search|find|click|press|select|choose|"
    "set|post|write|leave|type|enter|then|show|navigate|register|log|sign|rate|like|follow|save|put|change|create|make|apply|use|star|"
    "archive|reply|not|is|are|by|with|from|to|for|in|on|at|as|or|neither|nor|both|one|reserve|buy|order|play|preview|cancel|rename"
)
LISTED = re.compile(rf"(?:,? and|,)\s+(?:the )?(?P<field>(?!(?:{_NO_FIELD})\b)[a-z]\w*(?: (?!(?:{_NO_FIELD})\b)[a-z]\w*)?) (?={ITEM})")
# As in: exclude those with the status …
_EXCLUDED = re.compile(r"\bexclud\w+ (?:all |any )?(?:those|ones|[a-z]+s)? ?(?:that are )?$", re.I)
_NOT = re.compile(r"(?:\bnot|n['’]t|\bnever)(?: been)?\s*$", re.I)
_DONE_BY = {"directed": "director", "written": "author", "authored": "author", "published": "publisher", "hosted": "host"}
_DONE_BY_WHOM = re.compile(rf"\b({'|'.join(_DONE_BY)}) by\s*$")
_CALLED_WHAT = {"called": "name", "named": "name", "titled": "title", "entitled": "title"}


def implied(found: re.Match[str]) -> tuple[str, Operator]:
    """The field, as the prompt writes it, and the operator that a match of one of these patterns comes to."""
    kind, named = found.lastgroup or "", found[found.lastgroup or 0]
    before = found.string[max(0, found.start() - 80) : found.start()]
    is_not = bool(_EXCLUDED.search(before) or (kind in {"by", "cast", "called"} and _NOT.search(before)))
    if kind in {"where", "field"} and named.endswith(" not"):
        return named.removesuffix(" not"), Operator.NOT_EQUALS
    if kind == "cast":
        return "cast", Operator.NOT_CONTAINS if is_not else Operator.CONTAINS
    field = {"by": _DONE_BY, "called": _CALLED_WHAT}.get(kind, {}).get(named, "year" if kind == "dated" else named)
    return field, Operator.NOT_EQUALS if is_not else Operator.EQUALS


def done_by(text: str) -> str:
    """The field of which a text speaks that ends like "directed by", before an operator of its own; "" for another end."""
    found = _DONE_BY_WHOM.search(text)
    return _DONE_BY[found[1]] if found else ""


def called_what(word: str) -> str:
    """The field that a word like "named" speaks of; "" for another word."""
    return _CALLED_WHAT.get(word, "")
