"""Whether a prompt is a question, and which value it requests."""

import re
from dataclasses import dataclass

from agents.template.prompt.task_kinds import ITEMS, LEAD_IN

# As in: In the list below, who … – Tell me what … – Is it sold out?
_ABOUT = r"(?:(?:in|on|from|at|for|among|of|using|according to|based on|by) [^?,.]{1,60}, ?)?"
_TELL = r"(?:(?:tell me|find out|let me know|answer|say)[:,]? )?"
_PREPOSITION, _HOW = "in|on|at|from|to|for|by|of|with|under|since", "many|much|long|old|far|tall|big|often|large|high"
_WHAT = rf"(?:(?:{_PREPOSITION}) )?(?:who(?:se|m)?|what|which)\b|how (?:{_HOW})\b"
_WHETHER = r"(?:when|where|why|how|is|are|was|were|does|did|has|have)\b[^?]*\?\s*$"
_SAID = r"(?:one|an?|the|any) (?!details?\b|page\b|list\b)[a-z][a-z ]{1,40} (?:of|for|who|that|in)\b"
_SAY = rf"(?:tell me|report|state|extract|return|name|identify) {_SAID}"
_QUESTION = re.compile(rf"{LEAD_IN}{_ABOUT}(?:{_TELL}(?:{_WHAT}|{_WHETHER})|{_SAY})", re.I)


def is_question(text: str) -> bool:
    """`text`: with its quoted values masked."""
    return _QUESTION.match(text) is not None


# The field of a question by its verb alone.
_BY_VERB = {
    "directed": "director", "directs": "director", "wrote": "author", "authored": "author", "written": "author", "published": "publisher",
    "hosts": "host", "hosted": "host", "sells": "seller", "sold": "seller", "sent": "sender", "created": "creator", "made": "creator",
    "starred": "cast", "stars": "cast", "acted": "cast", "plays": "cast", "appears": "cast", "works": "company",
}  # fmt: skip
_HOW_MANY = {
    "long": "duration", "much": "price", "old": "age", "far": "distance", "minutes": "duration", "pages": "pages", "stars": "rating",
}  # fmt: skip
_WHERE_WHEN = {"where": "location", "when": "date", "whose": "owner"}
_UNIT = re.compile(r"\bhow (?:many|much) (?P<unit>[a-z]+(?: [a-z]+)?)", re.I)
_BE = (
    r"(?:is|are|was|were|does|do|did|has|have|will|can|would|should|in|of|for|on|at|from|by|to|with|where|who|whose|that|which|shown|listed|"
    r"given|it|this)"
)
# As in: what is the release year of – in which year was – who is the director of – name one actor who.
_ASKED = re.compile(
    rf"(?i)\b(?:what|which|who|whose|whom)(?:['’]s| (?:is|are|was|were))? (?:(?:the|an?|its|their|current|full|exact|total) )*"
    rf"(?P<what>(?!{_BE}\b)[a-z][\w-]*(?: (?!{_BE}\b)[a-z][\w-]*){{0,2}})(?= {_BE}\b|\W*$|,)"
    rf"|\b(?:name|tell me|report|state|extract|return|identify|find out) (?:one|an?|the|any|all) "
    rf"(?P<said>(?!{_BE}\b)[a-z]+(?: (?!{_BE}\b)[a-z]+)?)"
)
_VERB = re.compile(
    rf"\bwho (?:has |have |else )?(?P<verb>{'|'.join(_BY_VERB)})\b|\b(?:was|is) it (?P<done>directed|written|hosted) by\b", re.I
)
_THING = re.compile(rf"(?:{ITEMS}|cases?|messages?)(?: name)?|name|title", re.I)  # "Which film …" requests the film's name
NAME = "name"


@dataclass(frozen=True, slots=True)
class Request:
    """`field`: as in criteria, "" if unknown. `is_count`: a number is requested; `is_person`: a person's name; `is_claim`: true or false.
    `text`: the part of the question with the request, which does not identify the item."""

    field: str
    is_count: bool = False
    is_person: bool = False
    is_claim: bool = False
    text: str = ""


def request_of(prompt: str) -> Request:
    if match := _VERB.search(prompt):
        return Request(_BY_VERB[(match["verb"] or match["done"]).lower()], is_person=True, text=match[0])
    if match := _UNIT.search(prompt):
        unit = next((word for word in match["unit"].lower().split() if word not in _NO_UNIT), "")
        return Request(_HOW_MANY.get(unit, unit) or "price", is_count=True, text=match[0])
    if match := re.search(r"\bhow (long|much|old|far)\b", prompt, re.I):
        return Request(_HOW_MANY[match[1].lower()], text=match[0])
    if match := _ASKED.search(prompt):
        what = (match["what"] or match["said"]).lower()
        is_person = match[0].lower().startswith("who")
        return Request(NAME if _THING.fullmatch(what) and not is_person else what, is_person=is_person, text=match[0])
    if match := re.search(r"\b(where|when|whose)\b", prompt, re.I):
        return Request(_WHERE_WHEN[match[1].lower()], text=match[0])
    return Request("", is_claim=re.match(r"\W*(?:[^?,]{1,60}, ?)?(?:is|are|was|were|does|did|has|have)\b", prompt, re.I) is not None)


_NO_UNIT = frozenset({"does", "do", "did", "has", "have", "is", "are", "was", "were", "of", "total", "the"})
