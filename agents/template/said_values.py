"""The values of a criterion, where a prompt says them: quoted or not, one or several."""

from __future__ import annotations

import re

from agents.template.implied import ITEM, NUMBER
from agents.template.masking import MARK, Masked
from agents.template.operators import OPERATOR, Operator

_LIST = re.compile(rf"\[([^\]\n]{{0,400}})\]|{ITEM}(?:(?:\s*,\s*|\s*,?\s*(?:or|and|nor)\s+){ITEM})*")
_GROUP = re.compile(r"[\[({]([^\])}\n]{0,400})[\])}]")
# A comma within "1,299" or "July 18, 2025" ends nothing.
_COMMA = r"(?<!\d),|,(?!\d{3}\b| \d{4}\b)"
_LATER = r"(?:after|once|when) (?:logg|sign|successful|you )\w*"
_NEXT = (
    r"and|AND|or|OR|then|that|which|whose|but|where|with|from|for|so|since|giving|released|starring|featuring|rated|priced|costing|"
    rf"(?:published|issued) (?:in|on)|(?:directed|written|published|made|hosted|authored) by|by (?:someone|anyone|somebody)|{_LATER}"
)
# Nor does one before the rest of an address: 12 Elm Road, Lisbon, PT 1000, Portugal
_CAPITALS = r"[A-Z\d#][\w.#-]*"
_ADDRESS = rf", {_CAPITALS}(?: {_CAPITALS}){{0,5}}(?=,|\s+(?:and|then)\b|[.!?]?\s*$|[.!?]\s)"
# A title's full stop ends no sentence.
_STOP = r"(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bSt)(?<!\bMrs)(?<!\bProf)[.!?)]+(?:\s|$)"
_BARE_END = rf"\s+(?:{_NEXT})\b|(?!{_ADDRESS})(?:{_COMMA})|[;\n\ue000-\uf7ff]|{_STOP}|$"
_BARE = re.compile(rf"[^;\n\ue000-\uf7ff]{{1,160}}?(?={_BARE_END})")
# A password's own marks may be those that end a sentence: only what no one ends a password with is left out.
_SECRET = re.compile(r" ?([^\s\ue000-\uf7ff]{1,80}?)(?=[.,;:)]*(?:\s|$))")
_BARE_LIST = re.compile(rf"[^;\n\ue000-\uf7ff]{{1,400}}?(?=\s+and\s+[a-z]|\s+(?:then|but|where|with)\b|[;\n\ue000-\uf7ff]|{_STOP}|$)")
_BETWEEN_ITEMS = re.compile(rf"(?:{_COMMA})\s*(?:(?:or|and|nor)\s+)?|\s+(?:or|nor|and)\s+")
_ARTICLE = re.compile(r"\s*(?:(?:an?|the)\s+)?")
# A genre is "a comedy", but a text is "a true delight to read".
_WHOLE_PHRASE = 3
# As in: except those …; or the operator said twice: select the time equals where time equals …
_NO_VALUE = re.compile(r"(?:all |any )?(?:those|the ones|ones)\b|where\b", re.I)
_UNIT = (
    r"hundred|thousand|million|billion|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|pages?|stars?|dollars?|usd|euros?|percent|"
    r"km|miles|kg"
)
_AMOUNT = re.compile(rf"{NUMBER}(?:k\b|%)?(?: ?[ap]\.?m\b\.?)?(?: \d\d?:\d\d(?::\d\d)?)?(?: (?:{_UNIT})\b)?", re.I)
# A bound is a number, whatever is said after it; what only equals one may go on, as "2 Elm Road" does.
_SAID_AFTER_BOUND = re.compile(r" [a-z]")
_SAID_AFTER_AMOUNT = re.compile(r" (?:in|into|to|on|at|by|of|per|as|each|long) ")
_BOUNDS = frozenset({Operator.GREATER, Operator.GREATER_EQUAL, Operator.LESS, Operator.LESS_EQUAL})


def values_at(masked: Masked, at: int, operator: Operator) -> tuple[tuple[str, ...], int]:
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
    if not bare or _NO_VALUE.match(bare[0]):
        return (), bare.end() if bare else start
    end = _end_of_amount(masked.text, start, operator) or bare.end()
    value = masked.text[start:end].strip()
    if len(value.split()) >= _WHOLE_PHRASE:
        value = masked.text[at:end].strip()
    return ((value,) if value else (), end)


def secret_at(masked: Masked, field: str, at: int) -> tuple[tuple[str, ...], int] | None:
    """The value of a password that is written without quotes; None for other fields and values."""
    found = _SECRET.match(masked.text, at) if field.endswith("password") else None
    return ((found[1],), found.end()) if found else None


def _end_of_amount(text: str, start: int, operator: Operator) -> int:
    """Where a number with its unit ends that other words follow, 0 where there is none: less than 100 minutes long."""
    amount = _AMOUNT.match(text, start)
    after = _SAID_AFTER_BOUND if operator in _BOUNDS else _SAID_AFTER_AMOUNT
    return amount.end() if amount and after.match(text, amount.end()) else 0


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
