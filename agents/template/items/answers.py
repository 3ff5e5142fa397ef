"""The answer to a question, from what a page shows of the item that it is about."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from agents.contract.limits import MAX_ANSWER
from agents.page import Page, Record
from agents.page.matching import likeness, words
from agents.template.budget import in_time
from agents.template.items.matching import attribute_of, judge
from agents.template.prompt import Criterion, Intent
from agents.template.prompt.operators import POSITIVE
from agents.template.prompt.questions import NAME, Asked, asked

# Of what a question says of its item, weighed by how telling it is, so much must be in the item's texts.
_LEAST = 0.6
_TELLING, _USUAL, _MET = 3, 1, 0.3
_SAYS_NOTHING = frozenset(
    """a an the of for in on at from by to with where who whose whom that which what when how many much is are was were does do did has have
    had and or if it its this these those one name title equal contain dataset entry shown show listed list page given value say said min
    minute hour star film movie book product item restaurant hotel place user person task job event email mail matter client appointment
    validator released release directed written located rating year genre please tell me my your belong titled called named under
    there""".split()  # noqa: SIM905 (words read best as words)
)
_NUMBERS = frozenset(
    """price cost fee rate salary budget rating score duration runtime length minute review vote year page stock quantity stake balance
    follower view like guest bed bedroom bath capacity count number age amount total distance""".split()  # noqa: SIM905 (the same)
)
_AMOUNT = re.compile(
    r"[$€£¥]?\s?(?P<number>-?\d[\d,]*(?:\.\d+)?)\s*(?:min(?:ute)?s?|h(?:ou)?rs?|pages?|stars?|USD|EUR|GBP|reviews?|votes?|ratings?)?(?:\s*/\s*\w+)?",
    re.I,
)
_KINDS = frozenset({"cuisine", "category", "genre", "specialty", "speciality", "type", "occupation", "profession", "role", "kind"})
_PLACES = frozenset({"location", "area", "city", "neighborhood", "neighbourhood", "address", "country", "region", "district"})
_PLACE = re.compile(r"[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*, [A-Z][\w'’ -]+")
# As in: in stock, on hold.
_JOINS = frozenset({"in", "on", "at", "of"})
_TEXTS = 20_000


def answer(intent: Intent, page: Page) -> str:
    """ "" where the page does not show it, or not clearly."""
    wanted = asked(intent.words)
    candidates = [*([page.subject] if page.subject else []), *page.records]
    compared = {word for one in intent.criteria if one.operator not in POSITIVE for value in one.values for word in value.lower().split()}
    said = {word: weight for word, weight in _telling(wanted, intent.words).items() if word not in compared}
    scored = [(_likeness(said, intent.criteria, record), record) for record in in_time(candidates, each=4)]
    if not scored:
        return ""
    best = max(score for score, _ in scored)
    found = [record for score, record in scored if score == best and best >= _LEAST]
    if not found and page.subject and not said:
        found = [page.subject]
    values = dict.fromkeys(filter(None, (_value(wanted, intent, record, page) for record in found[:5])))
    return next(iter(values))[:MAX_ANSWER] if len(values) == 1 else ""


def _telling(wanted: Asked, prompt: str) -> dict[str, int]:
    """The words of a question that say which item is meant: names and numbers more than others."""
    rest = prompt.replace(wanted.words, " ", 1) if wanted.words else prompt
    found = dict[str, int]()
    for at, token in enumerate(re.findall(r"[^\s\"'“”‘’(),?!;:]+", rest)):
        is_number = any(map(str.isdigit, token))
        is_name = (token[:1].isupper() and at > 0) or is_number
        for word in (token.lower().strip("$€£.-"),) if is_number else words(token):
            if word not in _SAYS_NOTHING:
                found[word] = max(found.get(word, 0), _TELLING if is_name else _USUAL)
    return found


def _likeness(said: Mapping[str, int], criteria: Sequence[Criterion], record: Record) -> float:
    """From 0 to 1 by the words that both share, and a little for the criteria that are met."""
    # What is said with a word such as "equals" may be said otherwise on the page; what is compared or excluded is not.
    if judge([one for one in criteria if one.operator not in POSITIVE], record).failed:
        return 0.0
    have, text = set(_all_words(record)), record.text[:_TEXTS].lower()
    held = sum(weight for word, weight in said.items() if word in have or (any(map(str.isdigit, word)) and word in text))
    met = judge(criteria, record).met / len(criteria) if criteria else 0.0
    return round(held / sum(said.values()) + _MET * met, 3) if said else met


def _all_words(record: Record) -> Iterator[str]:
    # `words` reads the beginning of a text only.
    for text in (record.name, *record.attributes.values()):
        yield from words(text)
    for start in range(0, min(len(record.text), _TEXTS), 300):
        yield from words(record.text[start : start + 360])


def _value(wanted: Asked, intent: Intent, record: Record, page: Page) -> str:
    if wanted.is_claim:
        last = intent.words.lower().rstrip(" ?.!'\"").split()[-2:]
        claim = re.escape(" ".join(last if last[0] in _JOINS else last[-1:]))
        return "true" if re.search(rf"(?<!\w){claim}(?!\w)", record.text, re.I) else "false"
    if wanted.field == NAME and record.name.lower() not in intent.words.lower():
        return record.name
    found = next(filter(None, _shown(wanted, intent, record, page)), "")
    return _plain(wanted, found)


def _shown(wanted: Asked, intent: Intent, record: Record, page: Page) -> Iterator[str]:
    """What may be the value, the surest first."""
    field, given = wanted.field, intent.words.lower()
    exact = {" ".join(words(name)): value for name, value in record.attributes.items()}
    yield exact.get(" ".join(words(field)), "")
    if wanted.is_count:
        yield _counted(field, record.text)
    yield next((one.text or one.label for one in record.elements if set(words(field)) <= set(words(one.hints))), "")
    alike = attribute_of(record, field)
    yield "" if wanted.is_person and "@" in alike else alike
    pieces = _pieces(record, page)
    yield next((value for label, value in pairwise(pieces) if likeness(field, label) >= 0.9 and label != value), "")
    yield _counted(field, record.text)
    last = words(field)[-1:]
    known = {value.lower() for value in record.attributes.values()} | {record.name.lower()}
    free = [one for one in pieces if one.lower() not in known and not any(map(str.isdigit, one)) and len(one) <= 60 and ":" not in one]
    if set(last) & _PLACES:
        yield next((one for one in free if _PLACE.fullmatch(one)), "")
        yield free[-1] if free else ""
    if set(last) & _KINDS or field == NAME:
        yield free[0] if free else ""
    if wanted.is_person or field in {"doctor", "sender", "author", "doctor name"}:
        yield record.name if record.name.lower() not in given else ""
    if set(last) & {"subject", "title", "headline", "label"}:
        yield next((one.text for one in record.elements if one.href and one.text and one.text.lower() not in given), record.name)
    if set(last) & {"snippet", "description", "bio", "synopsis", "summary", "text", "body"}:
        yield max(free, key=len, default="")


def _counted(field: str, text: str) -> str:
    """A number before or after its unit: 3 bedrooms, Followers 1,204."""
    unit = re.escape(field.rstrip("s"))
    found = re.search(rf"(?<![\w.])(\d[\d,.]*k?)\+? (?:\w+ )?{unit}s?\b|\b{unit}s?:? (\d[\d,.]*\d|\d)(?![\w.])", text, re.I)
    return (found[1] or found[2]).rstrip(".,") if found else ""


def _pieces(record: Record, page: Page) -> Sequence[str]:
    """The item's texts apart, in page order."""
    found, at = list[str](), 0
    for piece in page.texts(_TEXTS):
        place = record.text.find(piece, at)
        if place >= 0:
            found.append(piece)
            at = place + len(piece)
    return found


def _plain(wanted: Asked, value: str) -> str:
    """A number that has a unit, without it; of a date the year, where that is asked for."""
    said = set(words(wanted.field))
    if "year" in said and (year := re.search(r"\b(?:1[5-9]|20)\d\d\b", value)):
        return year[0]
    amount = _AMOUNT.fullmatch(value.strip()) if wanted.is_count or said & _NUMBERS else None
    return amount["number"].replace(",", "") if amount else value.strip()
