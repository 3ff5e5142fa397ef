"""The criteria of a prompt: field, operator, value; with an operator, implied ("by 'Ann'"), or loose ("on '2026-05-01'")."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from agents.contract.limits import MAX_CRITERIA
from agents.page.matching import word_set, words
from agents.template.prompt.masking import ITEM, MARK, NUMBER, Masked
from agents.template.prompt.measures import amount_of
from agents.template.prompt.operators import ABOVE, BE, BELOW, LISTS, OPERATOR, Operator, is_operator, operator_of

__all__ = ["Criterion", "Operator", "are_cut", "criteria"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """`field` in lower case with blanks ("release year"), `values` as the prompt writes them, without quotes: one, or several for lists.
    `end` is where it ends in the masked text."""

    field: str
    operator: Operator
    values: tuple[str, ...]
    end: int = 0

    @property
    def name(self) -> str:
        """The field in lower case and the singular, to compare spellings."""
        return " ".join(words(self.field))

    @property
    def value(self) -> str:
        return self.values[0]


_LIST = re.compile(rf"\[([^\]\n]{{0,400}})\]|{ITEM}(?:(?:\s*,\s*|\s*,?\s*(?:or|and|nor)\s+){ITEM})*")
_GROUP = re.compile(r"[\[({]([^\])}\n]{0,400})[\])}]")
_COMMA = r"(?<!\d),|,(?!\d{3}\b| \d{4}\b)"  # a comma within "1,299" or "July 18, 2025" ends nothing
_LATER = r"(?:after|once|when) (?:logg|sign|successful|you )\w*"
_NEXT = (
    r"and|AND|or|OR|then|that|which|whose|but|where|with|from|for|so|since|giving|released|starring|featuring|rated|priced|costing|"
    rf"(?:published|issued) (?:in|on)|(?:directed|written|published|made|hosted|authored) by|by (?:someone|anyone|somebody)|{_LATER}"
)
_CAPITALS = r"[A-Z\d#][\w.#-]*"  # nor does a comma before the rest of an address: 12 Elm Road, Lisbon, PT 1000, Portugal
_ADDRESS = rf", {_CAPITALS}(?: {_CAPITALS}){{0,5}}(?=,|\s+(?:and|then)\b|[.!?]?\s*$|[.!?]\s)"
_STOP = r"(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bSt)(?<!\bMrs)(?<!\bProf)[.!?)]+(?:\s|$)"  # a title's full stop ends no sentence
_BARE_END = rf"\s+(?:{_NEXT})\b|(?!{_ADDRESS})(?:{_COMMA})|[;\n\ue000-\uf7ff]|{_STOP}|$"
_BARE = re.compile(rf"[^;\n\ue000-\uf7ff]{{1,160}}?(?={_BARE_END})")
# A password may contain punctuation: only marks that passwords rarely end with are cut off.
_SECRET = re.compile(r" ?([^\s\ue000-\uf7ff]{1,80}?)(?=[.,;:)]*(?:\s|$))")
_BARE_LIST = re.compile(rf"[^;\n\ue000-\uf7ff]{{1,400}}?(?=\s+and\s+[a-z]|\s+(?:then|but|where|with)\b|[;\n\ue000-\uf7ff]|{_STOP}|$)")
_BETWEEN_ITEMS = re.compile(rf"(?:{_COMMA})\s*(?:(?:or|and|nor)\s+)?|\s+(?:or|nor|and)\s+")
_ARTICLE = re.compile(r"\s*(?:(?:an?|the)\s+)?")
# As in: except those …; or a repeated operator: select the time equals where time equals …
_NO_VALUE = re.compile(r"(?:all |any )?(?:those|the ones|ones)\b|where\b", re.I)
_UNIT = (
    r"hundred|thousand|million|billion|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|pages?|stars?|dollars?|usd|euros?|percent|"
    r"km|miles|kg"
)
_AMOUNT = re.compile(rf"{NUMBER}(?:k\b|%)?(?: ?[ap]\.?m\b\.?)?(?: \d\d?:\d\d(?::\d\d)?)?(?: (?:{_UNIT})\b)?", re.I)
_SAID_AFTER_BOUND = re.compile(r" [a-z]")  # after a bound's number the value ends; a value of "equals" may continue, as in "2 Elm Road"
_SAID_AFTER_AMOUNT = re.compile(r" (?:in|into|to|on|at|by|of|per|as|each|long) ")
_BETWEEN = re.compile(rf"\b{BE}between\s+(?P<low>{ITEM}|{NUMBER})\s+(?:and|to)\s+(?P<high>{ITEM}|{NUMBER})", re.I)
_FIELD_WORDS = re.compile(r"((?:[A-Za-z][\w-]*[ \t]+){0,3}[A-Za-z][\w-]*)[ \t]*$")
_LEADS_ON = re.compile(r"\s+to\s*$", re.I)  # as in: edit the genre to not contain …
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
# As in: where to equals …, where rate from equals …
_CALLED_TO = re.compile(
    r"(?i)(?:\bwhere|\band|,)\s+(?P<end>(?:(?:the )?(?:rate|price|budget|amount|salary|fee|cost|age|date|year|time) )?(?:to|from))\s*$"
)
_ITS_VALUE = re.compile(r"\b(?P<of>[a-z]+) where (?:the )?value\s*$", re.I)  # as in: edit the headline where value contains …
_PRICED = dict.fromkeys(("priced", "costing", "costs"), "price")
_SAID_OF = {"released": "year", "published": "year", **_PRICED, "rated": "rating", "someone": "commenter"}
_NOT_OF_A_FIELD = word_set("""where and or with the a an whose that which has have having by using following specific credentials
    constraints when if field then there it this who set only for of any exactly s its their my your be must should also but in on at from
    not select choose pick""")
_WORDS = r"[a-z][\w-]*(?: [a-z][\w-]*)"
# A field in the form of a programmer's name, or one of an account's, needs no operator: "username <username>", "set recipient_name to Jo".
_NAMED = r"\b(?:username|password|e-?mail|[a-z]+(?:_[a-z]+)+)(?: field)?"
_LEADS_IN = rf"(?P<field>{_WORDS}?) (?:(?:of |to |set to |as )?(?={ITEM}|{NUMBER})|to (?=[A-Z]))"
_SET = (
    rf"\b(?:set|chang|updat)(?:e|ing|ting)? (?:the |my |your |its )?(?P<set>{_WORDS}{{0,2}}) to "
    rf"(?={ITEM}|(?-i:[A-Z\d$€£])|true\b|false\b)"
)
_SHOUTED = r"(?!(?:NOT|IS|DOES|CONTAINS?|INCLUDES?|EQUALS?|GREATER|LESS)\b)"  # where prompts shout, an operator is no value
_NAME = rf"(?={ITEM}|{_SHOUTED}[A-Z])"
_BY = rf"\b(?P<by>directed|written|authored|published|hosted) by {_NAME}"
_CAST = rf"\b(?P<cast>starring|featuring) {_NAME}"
_CALLED = rf"\b(?P<called>called|named|titled|entitled) {_NAME}"
_WITHIN = rf"\b(?:in|from|of) (?:the )?(?P<within>category|genre|year) (?={ITEM}|\d)"
_DATED = r"\b(?P<dated>(?:(?:released|published|made|written|filmed|issued) )?(?:in|from)) (?:the year )?(?=(?:19|20)\d\d\b(?![-/:.]\d))"
_WHERE = rf"\b(?:where|whose) (?:the )?(?P<where>{_WORDS}{{0,2}}) (?={ITEM})"
_IMPLIED = re.compile(
    rf"(?P<named>{_NAMED})\s+(?:to |as |of )?{_SHOUTED}(?={ITEM}|[A-Z\d]|\S+@)|\b(?:with|has|having|have) (?:an? |the )?{_LEADS_IN}"
    rf"|(?i:{_SET})|{_BY}|{_CAST}|{_CALLED}|{_WITHIN}|{_DATED}|{_WHERE}"
)
_GOES_ON = re.compile(rf"(?:,? and|,)\s+(?:an? |the )?{_LEADS_IN}")  # as in: with a name of 'Rain' and a rating of 4
# After a criterion with an operator only a field can follow, not something to be done: … and dropoff '12 Elm Road'.
_NO_FIELD = (
    "open|view|watch|delete|remove|share|add|proceed|go|edit|update|sort|filter|submit|book|mark|send|search|find|click|press|select|choose|"
    "set|post|write|leave|type|enter|then|show|navigate|register|log|sign|rate|like|follow|save|put|change|create|make|apply|use|star|"
    "archive|reply|not|is|are|by|with|from|to|for|in|on|at|as|or|neither|nor|both|one|reserve|buy|order|play|preview|cancel|rename"
)
_LISTED = re.compile(rf"(?:,? and|,)\s+(?:the )?(?P<field>(?!(?:{_NO_FIELD})\b)[a-z]\w*(?: (?!(?:{_NO_FIELD})\b)[a-z]\w*)?) (?={ITEM})")
# As in: exclude those with the status …
_EXCLUDED = re.compile(r"\bexclud\w+ (?:all |any )?(?:those|ones|[a-z]+s)? ?(?:that are )?$", re.I)
_NOT = re.compile(r"(?:\bnot|n['’]t|\bnever)(?: been)?\s*$", re.I)
_DONE_BY = {"directed": "director", "written": "author", "authored": "author", "published": "publisher", "hosted": "host"}
_DONE_BY_WHOM = re.compile(rf"\b({'|'.join(_DONE_BY)}) by\s*$")
_CALLED_WHAT = {"called": "name", "named": "name", "titled": "title", "entitled": "title"}
_VALUE = rf"(?P<value>{ITEM}|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[$€£]?\d[\d.,:]*\d|[$€£]?\d)"
_FIELD = "(?P<field>[a-z]+(?:[ _][a-z]+)?)"
_CHANGE = "(?:set|change|update|adjust|increase|decrease|raise|lower|reduce)"
_TEXTS = "comment|review|message|reply|note|feedback"
_PEOPLE = "people|persons|guests|adults|travell?ers|passengers|seats|nights|hours"
# A pattern and its field, where that isn't one of its groups.
_LOOSE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"\b{_CHANGE} (?:the |my |its )?{_FIELD} (?:of|for) [^.;]{{1,80}}? to {_VALUE}", re.I), ""),
    (re.compile(rf"\b(?:add|invite|select|choose|pick|use|set) {_VALUE} as (?:an? |the |my ){_FIELD}", re.I), ""),
    (re.compile(rf"\bassign (?:the |a ){_FIELD} of {_VALUE}", re.I), ""),
    (re.compile(rf"\b(?:apply|use|enter|redeem) (?:the |a )?(?P<field>(?:[a-z]+ )?(?:code|coupon|voucher)) {_VALUE}", re.I), ""),
    (re.compile(rf"\brename\b[^.;]{{1,80}}? to (?P<value>{ITEM})", re.I), "new name"),
    (re.compile(rf"\b(?:{_TEXTS}) (?:saying |that says |reading )?(?P<value>{ITEM})", re.I), "message"),
    (re.compile(rf"\b(?:addressed|sent) to {_VALUE}", re.I), "to"),
    (re.compile(rf"\b(?:label|tag) {_VALUE} (?:to|on)\b", re.I), "label"),
    (re.compile(rf"\bsaying (?P<value>{ITEM})", re.I), "message"),
    (re.compile(rf"\b(?:for|to) {_VALUE} (?P<field>{_PEOPLE})\b", re.I), ""),
    (re.compile(rf"\b(?:{_TEXTS}|post(?:ed)?) as {_VALUE}", re.I), "commenter"),
    # As in: a 4-star review – but not: 4 stars or more.
    (re.compile(r"\b(?P<value>[1-5](?:\.\d)?)[ -]stars?\b(?! or )", re.I), "rating"),
)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_CLOCK = r"\d\d?:\d\d(?::\d\d)?(?: ?[ap]m\b)?|\d\d? ?[ap]m\b"
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WHEN = re.compile(
    rf"\b(?:on|for|at) (?P<value>{ITEM}|(?i:\d{{4}}-\d\d-\d\d(?! \d\d:)|{_CLOCK})|{_MONTH} \d\d?(?:st|nd|rd|th)?,? \d{{4}}\b)"
)
_FROM = re.compile(rf"\b(?:from|sent by) (?P<value>{ITEM}|\S+@[\w-]+(?:\.[\w-]+)+)")  # as in: the e-mail from 'ann@example.com'
_DECADE = re.compile(r"\b(?:from|in|of) the (?P<value>(?:18|19|20)?\d0)['’]?s\b", re.I)
_BY_FIELD = re.compile(rf"(?:\b(?:by|to|with|and)|,) (?:the )?(?P<field>[a-z]+) (?P<value>{ITEM}|[A-Z][\w-]*(?: [A-Z][\w-]*)*|\d[\w.+-]*)")
_DATE = re.compile(rf"\d{{4}}-\d\d?-\d\d?\b|{_MONTH} \d")
_OF_TIME = re.compile(r"\b(?:date|day|time|year|month|week|hour|deadline|due|start|end|check ?in|check ?out)\b")


# A step needs them for the kind, for the fields and for `are_cut`.
@lru_cache(maxsize=128)
def _with_operators(masked: Masked) -> tuple[Criterion, ...]:
    """At most one more than are used, to show that there are more."""
    return tuple(islice(_criteria(masked), MAX_CRITERIA + 1))


def are_cut(masked: Masked) -> bool:
    return len(_with_operators(masked)) > MAX_CRITERIA


def criteria(masked: Masked) -> tuple[Criterion, ...]:
    listed = _with_operators(masked)[:MAX_CRITERIA]
    known = {criterion.field for criterion in listed} | {criterion.end for criterion in listed}
    besides = {(criterion.end, criterion.operator): criterion for criterion in _loose(masked)}
    every = [*listed, *(criterion for criterion in besides.values() if not known & {criterion.field, criterion.end})]
    return tuple(sorted(every, key=lambda criterion: criterion.end)[:MAX_CRITERIA])


def _criteria(masked: Masked) -> Iterator[Criterion]:
    text, at = masked.text, 0
    goes_on: re.Pattern[str] | None = None
    ahead: dict[re.Pattern[str], re.Match[str] | None] = {}
    while (operation := _next(text, ahead, at, goes_on)) is not None:
        start, end, field, operator = operation
        at, goes_on = end, None
        span = _BETWEEN.match(text, start)
        field = amount_of(field, span["low"], text[span.end() :])[0] if span else field
        if span and field:
            at = span.end()
            yield Criterion(field, Operator.GREATER_EQUAL, (masked.plain(span["low"]),), at)
            yield Criterion(field, Operator.LESS_EQUAL, (masked.plain(span["high"]),), at)
            continue
        after_operator = _NAMED_AFTER.match(text, end) if end > start else None
        if after_operator:
            name, end = after_operator["after"], after_operator.end()
            field = _field_before(text[:start]) if name.lower() in _SAYS_NOTHING else _clean(name)
        values, after = _values(masked, field, end, operator)
        field = _field_of_time(field, values[0]) if values and _IN_TIME.search(text[start:end]) else field
        field, operator, values = _completed(field, operator, values, text[after:])
        if field and values and is_operator(text[start:end], text[end:after], values[0]):
            beyond = _OR_BEYOND.match(text, after) if operator is Operator.EQUALS else None
            if beyond:
                operator = Operator.GREATER_EQUAL if beyond["up"] else Operator.LESS_EQUAL
                after = beyond.end()
            at, goes_on = after, _GOES_ON if start == end else _LISTED
            yield Criterion(field, operator, values, after)


def _next(
    text: str, ahead: dict[re.Pattern[str], re.Match[str] | None], at: int, goes_on: re.Pattern[str] | None
) -> tuple[int, int, str, Operator] | None:
    """The next operator from `at` on, stated or implied: its start and end (the same for an implied one), its field and its kind.
    `goes_on`: the pattern of further fields at `at`, where a criterion ends there. `ahead`: each pattern's next match, kept until it is
    passed, so that the prompt is not searched once per operator."""
    for pattern in (_BETWEEN, OPERATOR, _IMPLIED):
        match = ahead.get(pattern)
        if pattern not in ahead or (match and match.start() < at):
            ahead[pattern] = pattern.search(text, at)
    hits = (ahead[_BETWEEN], ahead[OPERATOR], goes_on.match(text, at) if goes_on else None, ahead[_IMPLIED])
    first = min((hit for hit in hits if hit), key=lambda hit: hit.start(), default=None)
    if first and "field" in first.re.groupindex:
        first = OPERATOR.search(text, first.start(), first.end()) or first
    if first is None:
        return None
    if "field" not in first.re.groupindex:
        before = text[at : first.start()]
        before = _LEADS_ON.sub("", before) if first[0].lower().startswith("be") else before  # As in: the year to be greater than …
        return first.start(), first.end(), _field_before(before), operator_of(first)
    named, operator = _implied(first)
    kept = [word for word in named.split() if word.lower() not in _NOT_OF_A_FIELD]
    kept = kept[:-1] if len(kept) > 1 and kept[-1] in {"to", "as"} else kept
    return first.end(), first.end(), _clean(" ".join(kept)), operator


def _implied(match: re.Match[str]) -> tuple[str, Operator]:
    kind, named = match.lastgroup or "", match[match.lastgroup or 0]
    before = match.string[max(0, match.start() - 80) : match.start()]
    is_not = bool(_EXCLUDED.search(before) or (kind in {"by", "cast", "called"} and _NOT.search(before)))
    if kind in {"where", "field"} and named.endswith(" not"):
        return named.removesuffix(" not"), Operator.NOT_EQUALS
    if kind == "cast":
        return "cast", Operator.NOT_CONTAINS if is_not else Operator.CONTAINS
    field = {"by": _DONE_BY, "called": _CALLED_WHAT}.get(kind, {}).get(named, "year" if kind == "dated" else named)
    return field, Operator.NOT_EQUALS if is_not else Operator.EQUALS


def _field_before(text: str) -> str:
    """The field's name at the end of the text: at most three words, without those before it ("where the", "and")."""
    if end := _CALLED_TO.search(text):
        return _clean(end["end"]).removeprefix("the ")
    if done := _DONE_BY_WHOM.search(text):
        return _DONE_BY[done[1]]
    if its := _ITS_VALUE.search(text):
        return _clean(its["of"])
    lead = _LEADS_ON.sub("", text[-120:])
    apart = _OF_ITS_OWN.search(lead)
    match = _FIELD_WORDS.search(lead[: apart.start("that")] if apart else lead)
    kept: list[str] = []
    for word in reversed(match[1].split() if match else []):
        if not kept and word.lower() in _CALLED_WHAT:
            return _CALLED_WHAT[word.lower()]
        if word.lower() in _SAID_OF:
            return _SAID_OF[word.lower()]
        if word.lower() in _NOT_OF_A_FIELD or len(kept) == 3:
            break
        kept.insert(0, word)
    return _clean(" ".join(kept))


def _clean(field: str) -> str:
    return _CAMEL.sub(" ", field).lower().removesuffix(" field").replace("_", " ").strip()


def _completed(field: str, operator: Operator, values: tuple[str, ...], rest: str) -> tuple[str, Operator, tuple[str, ...]]:
    """With a field that comes after its value: more than 20 reviews, not have '20' reviews."""
    if len(values) == 1:
        field, value = amount_of(field, values[0], rest)
        values = (value,)
    counted = _COUNTED.match(values[0] + rest) if values and not field else None
    if not counted or counted["unit"] in _NOT_OF_A_FIELD:
        return field, operator, values
    return counted["unit"], Operator.NOT_EQUALS if operator is Operator.NOT_CONTAINS else operator, (counted["number"],)


def _values(masked: Masked, field: str, at: int, operator: Operator) -> tuple[tuple[str, ...], int]:
    text = masked.text
    if field.endswith("password") and (secret := _SECRET.match(text, at)):
        return (secret[1],), secret.end()
    article = _ARTICLE.match(text, at)
    start = article.end() if article else at
    several = operator in LISTS
    listed = (_GROUP.match(text, start) if several else None) or _LIST.match(text, start)
    if listed and listed.lastindex:
        parts = (masked.plain(part).strip().strip("'\"") for part in listed[1].split(","))
        return tuple(part for part in parts if part), listed.end()
    if listed:
        return tuple(map(masked.plain, MARK.findall(listed[0]))), listed.end()
    if several:
        return _bare_list(text, start)
    bare = _BARE.match(text, start)
    if not bare or _NO_VALUE.match(bare[0]):
        return (), bare.end() if bare else start
    amount = _AMOUNT.match(text, start)  # the end of a number with its unit, where other words follow: less than 100 minutes long
    said_after = _SAID_AFTER_BOUND if operator in ABOVE | BELOW else _SAID_AFTER_AMOUNT
    end = amount.end() if amount and said_after.match(text, amount.end()) else bare.end()
    value = text[start:end].strip()
    if len(value.split()) >= 3:  # a genre is "a comedy", but a text is "a true delight to read"
        value = text[at:end].strip()
    return ((value,) if value else (), end)


def _bare_list(text: str, start: int) -> tuple[tuple[str, ...], int]:
    match = _BARE_LIST.match(text, start)
    stop = match.end() if match else start
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


def _loose(masked: Masked) -> Iterator[Criterion]:
    text = masked.text
    is_filter = re.search(r"^\W*(?:please )?(?:filter|narrow|browse)\b", text, re.I)  # As in: filter films by genre Drama and year 1999
    for pattern, field in (*_LOOSE, *(((_BY_FIELD, ""),) if is_filter else ())):
        for match in pattern.finditer(text):
            name = (field or match["field"]).lower().replace("_", " ")
            yield Criterion(name, Operator.EQUALS, (masked.plain(match["value"]),), match.end("value"))
    # The value alone determines the field: a date, a time, a sender's address.
    for match in (*_WHEN.finditer(text), *_FROM.finditer(text)):
        value = masked.plain(match["value"])
        name = _field_of_time("", value) if match.re is _WHEN else "from" if "@" in value else ""
        if name:
            yield Criterion(name, Operator.EQUALS, (value,), match.end("value"))
    for match in _DECADE.finditer(text):
        first = int(match["value"]) + (1900 if len(match["value"]) == len("90") else 0)
        yield Criterion("year", Operator.GREATER_EQUAL, (str(first),), match.end("value"))
        yield Criterion("year", Operator.LESS_EQUAL, (str(first + 9),), match.end("value"))


def _field_of_time(field: str, value: str) -> str:
    """The field of a date or time: the stated one if it is a field of time, else "date" or "time"."""
    if _OF_TIME.search(field):
        return field
    if _DATE.match(value):
        return "date"
    return "time" if re.fullmatch(_CLOCK, value, re.I) else field
