"""The answer to a question, from the page's texts about its item."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from agents.contract.limits import MAX_ANSWER
from agents.page import Page, Record, likeness, word_set, words
from agents.template.budget import in_time
from agents.template.items.matching import attribute_of, judge
from agents.template.prompt import POSITIVE, Criterion, Intent
from agents.template.prompt.questions import NAME, Request, request_of

_LEAST = 0.6  # the weighted share of the question's words that must be in the item's texts
_TELLING, _USUAL, _MET = 3, 1, 0.3
_SAYS_NOTHING = word_set("""a an the of for in on at from by to with where who whose whom that which what when how many much is are was were
    does do did has have had and or if it its this these those one name title equal contain dataset entry shown show listed list page given
    value say said min minute hour star film movie book product item restaurant hotel place user person task job event email mail matter
    client appointment validator released release directed written located rating year genre please tell me my your belong titled called
    named under there""")
_NUMBERS = word_set("""price cost fee rate salary budget rating score duration runtime length minute review vote year page stock quantity
    stake balance follower view like guest bed bedroom bath capacity count number age amount total distance""")
_AMOUNT = re.compile(
    r"(?i)[$€£¥]?\s?(?P<number>-?\d[\d,]*(?:\.\d+)?)\s*(?:min(?:ute)?s?|h(?:ou)?rs?|pages?|stars?|USD|EUR|GBP|reviews?|votes?|ratings?)?(?:\s*/\s*\w+)?"
)
_KINDS = frozenset({"cuisine", "category", "genre", "specialty", "speciality", "type", "occupation", "profession", "role", "kind"})
_PLACES = frozenset({"location", "area", "city", "neighborhood", "neighbourhood", "address", "country", "region", "district"})
_PLACE = re.compile(r"[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*, [A-Z][\w'’ -]+")
_JOINS = frozenset({"in", "on", "at", "of"})  # as in: in stock, on hold
_TEXTS = 20_000


def answer(intent: Intent, page: Page) -> str:
    """ "" where the page does not show it unambiguously."""
    request = request_of(intent.text)
    candidates = [*([page.subject] if page.subject else []), *page.records]
    others = (value for criterion in intent.criteria if criterion.operator not in POSITIVE for value in criterion.values)
    compared = {word for value in others for word in value.lower().split()}
    telling = {word: weight for word, weight in _telling(request, intent.text).items() if word not in compared}
    scored = [(_likeness(telling, intent.criteria, record), record) for record in in_time(candidates, each=4)]
    best = max((score for score, _ in scored), default=0.0)
    records = [record for score, record in scored if score == best and best >= _LEAST]
    if not records and page.subject and not telling:
        records = [page.subject]
    values = dict.fromkeys(filter(None, (_value(request, intent, record, page) for record in records[:5])))
    return next(iter(values))[:MAX_ANSWER] if len(values) == 1 else ""


def _telling(request: Request, prompt: str) -> dict[str, int]:
    """The words of a question that identify its item, with weights: names and numbers weigh more."""
    rest = prompt.replace(request.text, " ", 1) if request.text else prompt
    weights = dict[str, int]()
    for at, token in enumerate(re.findall(r"[^\s\"'“”‘’(),?!;:]+", rest)):
        is_number = any(map(str.isdigit, token))
        is_name = (token[:1].isupper() and at > 0) or is_number
        for word in (token.lower().strip("$€£.-"),) if is_number else words(token):
            if word not in _SAYS_NOTHING:
                weights[word] = max(weights.get(word, 0), _TELLING if is_name else _USUAL)
    return weights


def _likeness(telling: Mapping[str, int], criteria: Sequence[Criterion], record: Record) -> float:
    """From 0 to 1 by the shared words, and a little for the criteria that are met."""
    # A stated value may be worded otherwise on the page; comparisons and exclusions must hold.
    if judge([criterion for criterion in criteria if criterion.operator not in POSITIVE], record).failed:
        return 0.0
    have, text = set(_all_words(record)), record.text[:_TEXTS].lower()
    shared = sum(weight for word, weight in telling.items() if word in have or (any(map(str.isdigit, word)) and word in text))
    met = judge(criteria, record).met / len(criteria) if criteria else 0.0
    return round(shared / sum(telling.values()) + _MET * met, 3) if telling else met


def _all_words(record: Record) -> Iterator[str]:
    for text in (record.name, *record.attributes.values()):  # `words` reads the beginning of a text only
        yield from words(text)
    for start in range(0, min(len(record.text), _TEXTS), 300):
        yield from words(record.text[start : start + 360])


def _value(request: Request, intent: Intent, record: Record, page: Page) -> str:
    if request.is_claim:
        last = intent.text.lower().rstrip(" ?.!'\"").split()[-2:]
        claim = re.escape(" ".join(last if last[0] in _JOINS else last[-1:]))
        return "true" if re.search(rf"(?<!\w){claim}(?!\w)", record.text, re.I) else "false"
    if request.field == NAME and record.name.lower() not in intent.text.lower():
        return record.name
    value = next(filter(None, _shown(request, intent, record, page)), "")
    return _plain(request, value)


def _shown(request: Request, intent: Intent, record: Record, page: Page) -> Iterator[str]:
    """Possible values, the most certain first."""
    field, given = request.field, intent.text.lower()
    exact = {" ".join(words(name)): value for name, value in record.attributes.items()}
    yield exact.get(" ".join(words(field)), "")
    if request.is_count:
        yield _counted(field, record.text)
    yield next((element.text or element.label for element in record.elements if set(words(field)) <= set(words(element.hints))), "")
    alike = attribute_of(record, field)
    yield "" if request.is_person and "@" in alike else alike
    pieces = _pieces(record, page)
    yield next((value for label, value in pairwise(pieces) if likeness(field, label) >= 0.9 and label != value), "")
    yield _counted(field, record.text)
    last = words(field)[-1:]
    known = {value.lower() for value in record.attributes.values()} | {record.name.lower()}
    short = (piece for piece in pieces if len(piece) <= 60 and not any(sign.isdigit() or sign == ":" for sign in piece))
    free = [piece for piece in short if piece.lower() not in known]
    if set(last) & _PLACES:
        yield next((piece for piece in free if _PLACE.fullmatch(piece)), "")
        yield free[-1] if free else ""
    if set(last) & _KINDS or field == NAME:
        yield free[0] if free else ""
    if request.is_person or field in {"doctor", "sender", "author", "doctor name"}:
        yield record.name if record.name.lower() not in given else ""
    if set(last) & {"subject", "title", "headline", "label"}:
        linked = (element.text for element in record.elements if element.href and element.text)
        yield next((text for text in linked if text.lower() not in given), record.name)
    if set(last) & {"snippet", "description", "bio", "synopsis", "summary", "text", "body"}:
        yield max(free, key=len, default="")


def _counted(field: str, text: str) -> str:
    """A number before or after its unit: 3 bedrooms, Followers 1,204."""
    unit = re.escape(field.rstrip("s"))
    match = re.search(rf"(?<![\w.])(\d[\d,.]*k?)\+? (?:\w+ )?{unit}s?\b|\b{unit}s?:? (\d[\d,.]*\d|\d)(?![\w.])", text, re.I)
    return (match[1] or match[2]).rstrip(".,") if match else ""


def _pieces(record: Record, page: Page) -> Sequence[str]:
    """The item's texts apart, in page order."""
    pieces, at = list[str](), 0
    for piece in page.texts(_TEXTS):
        place = record.text.find(piece, at)
        if place >= 0:
            pieces.append(piece)
            at = place + len(piece)
    return pieces


def _plain(request: Request, value: str) -> str:
    """A number without its unit; of a date the year, if that is requested."""
    field = set(words(request.field))
    if "year" in field and (year := re.search(r"\b(?:1[5-9]|20)\d\d\b", value)):
        return year[0]
    amount = _AMOUNT.fullmatch(value.strip()) if request.is_count or field & _NUMBERS else None
    return amount["number"].replace(",", "") if amount else value.strip()
