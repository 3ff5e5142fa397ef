"""The fields and choices of a page as slots with their names, and the value for a slot."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import islice

from agents.page import BUTTONS, CHECKED, FIELDS, PICKER, TICKED, Element, Page
from agents.page.matching import likeness, words
from agents.template.budget import in_time
from agents.template.prompt import EXACT, Criterion, Operator, date_in, holds, meets, number_in, time_in
from agents.template.prompt.synonyms import COUNTRY_CODES
from agents.template.prompt.values import ADDRESS, address, chosen, holds_all, only_exclude

MOST_FIELDS = 500  # per form: no task fills more, and each is compared with each criterion
_SHORT = 20
_FILLED = (FIELDS | {"switch", PICKER}) - BUTTONS
_NEVER = frozenset({"hidden", "file", "submit", "image", "reset", "color"})
# Names in the markup weigh less than visible labels, and texts beside a field slightly less.
_MARKED, _BESIDE = 0.85, 0.95
_NARROWING = frozenset({"search", "filter", "sort", "order", "find", "query"})
_EVERY = re.compile(r"(?:all|any|every)\b|.*\b(?:all|newest|oldest|first|recent)\b", re.I)
_WHICH, _OTHER_ONE = frozenset({"first", "last", "sur", "surname", "middle", "user", "username", "given", "card"}), 0.55
_IMPERATIVE = re.compile(r"^type (?=\w)", re.I)  # as in: type a message; such a field is not for a type
# A row of buttons with one of these is the foot of a form.
_ENDS = frozenset({"cancel", "submit", "save", "dismiss", "nevermind", "discard", "confirm", "back", "close", "send", "draft"})


@dataclass(frozen=True)
class Slot:
    """Something to fill. `choices`: the elements of which one is pressed, none for a field."""

    element: Element
    choices: tuple[Element, ...] = ()

    @cached_property
    def options(self) -> tuple[str, ...]:
        """The texts of a select's or choice's options; numbers for stars without texts."""
        texts = tuple(choice.label or choice.text or (choice.value if choice.value != CHECKED else "") for choice in self.choices)
        if len(set(texts)) == 1 and len({choice.text for choice in self.choices}) == len(texts):
            texts = tuple(choice.text for choice in self.choices)
        silent = len({text for text in texts if any(sign.isalnum() for sign in text)}) < len(texts)
        return tuple(map(str, range(1, len(texts) + 1))) if silent and 3 <= len(texts) <= 10 else texts or self.element.options

    @cached_property
    def called(self) -> tuple[tuple[str, float, frozenset[str]], ...]:
        """Its names, each with its weight and the words in it that distinguish similar fields, such as "first" in "first name"."""
        own = self.element
        named = [(own.group, 1.0), (own.name, _MARKED)]
        if not self.choices:
            named = [(own.group, _MARKED), (own.hints, _MARKED), (own.name, _MARKED), (own.beside, _BESIDE)]
            named += [(_IMPERATIVE.sub("", text), 1.0) for text in (own.placeholder, own.label)]
        return tuple((text, weight, _WHICH.intersection(words(text))) for text, weight in named if text)

    @property
    def opens(self) -> bool:
        return not self.choices and self.element.role == PICKER

    @property
    def ticks(self) -> bool:
        return not self.choices and self.element.role in TICKED - {"radio"}

    @property
    def is_address(self) -> bool:
        return self.element.type == "email" or "@" in self.element.placeholder

    @property
    def required(self) -> bool:
        return self.element.required or self.element.label.rstrip().endswith("*")

    @property
    def value(self) -> str:
        """A text, the chosen option, CHECKED for a switch that is on, or ""."""
        if self.choices:
            return next((option for choice, option in zip(self.choices, self.options, strict=True) if choice.value == CHECKED), "")
        return self.element.value

    def likeness(self, name: str) -> float:
        """How well it matches a name, from 0 to 1; less with a distinguishing word: a first name is not the name."""
        which = words(name)
        alike = ((likeness(name, text) * weight, says) for text, weight, says in self.called)
        return max((merit if says.issubset(which) else merit * _OTHER_ONE for merit, says in alike), default=0.0)


def slots(elements: Sequence[Element]) -> list[Slot]:
    sets: dict[tuple[int | None, str, str], list[Element]] = {}
    for element in in_time(elements):
        if element.usable and element.role in {"radio", "checkbox", "button", "tab", "option"} and (name := _set(element)):
            sets.setdefault((element.form, element.role, name), []).append(element)
    rows = [row for row in sets.values() if 2 <= len(row) <= 60]
    grouped = {element.place for row in rows for element in row if element.role == "radio"}
    fields = (Slot(element) for element in in_time(elements) if _is_field(element) and element.place not in grouped)
    return sorted([*islice(fields, MOST_FIELDS), *(Slot(row[0], tuple(row)) for row in rows)], key=lambda slot: slot.element.place)


def _set(element: Element) -> str:
    """The name of the choice that an element belongs to; "" for none."""
    if element.role == "radio":
        return element.name or element.group or "radio"
    ends = element.submits or (element.role == "button" and bool(_ENDS & set(words(element.label))))
    return "" if ends else element.group


def _is_field(element: Element) -> bool:
    if element.role not in _FILLED or not element.usable or element.type in _NEVER:
        return False
    if element.role == "searchbox" or element.form is not None:
        return element.role != "searchbox"
    texts = set(words(" ".join((element.label, element.placeholder, element.name, element.hints))))
    return not (texts & _NARROWING or any(_EVERY.match(option) for option in element.options[:1]))


_LATER = date(2030, 6, 17)  # without a clock: a date in the future of any page that shows no date
_MESSAGES = ("Thank you, this is very well made.", "Good work, we like it a lot.")
# Values by the names of fields; several each, so that one of them is not excluded.
_POOLS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("email", "e-mail", "recipient", "to", "cc"), ("jo.miller@example.com", "pat.quick@example.org")),
    (("phone", "telephone", "mobile", "tel"), ("+1 555 010 4477", "+1 555 019 2268")),
    (("website", "url", "link"), ("https://www.example.com", "https://www.example.org/more")),
    (("first name", "given name"), ("Jo", "Pat")),
    (("last name", "surname"), ("Miller", "Quick")),
    (("name", "full name", "your name", "display name", "author"), ("Jo Miller", "Pat Quick")),
    (("username", "user name"), ("jomiller", "patquick")),
    (("card number", "card", "credit card"), ("4242424242424242", "5555555555554444")),
    (("expiry", "expiration", "mm/yy", "exp date"), ("12/30", "11/31")),
    (("cvv", "cvc", "security code"), ("123", "456")),
    (("zip", "zip code", "postal code", "postcode"), ("90210", "10001")),
    (("address", "street"), ("1 Main Street", "22 Oak Avenue")),
    (("city", "town", "location"), ("Springfield", "Riverton")),
    (("country",), ("United States", "Canada")),
    (("subject", "topic"), ("A question", "Some information")),
    (("rating", "stars", "score"), ("5", "4", "3")),
    (("year",), ("2020", "2019")),
    (("guests", "people", "quantity", "number of people", "adults"), ("2", "3")),
    (("duration", "minutes", "page count", "pages"), ("120", "95")),
    (("hours", "price", "amount", "budget", "rate", "cost"), ("20", "25")),
    (("message", "comment", "review", "content", "body", "question"), _MESSAGES),
    (("description", "notes", "bio", "about", "summary", "reason"), ("A few words on this.", "Some more details.")),
    (("title",), ("Something new", "Another one")),
)
_TYPED = {"email": 0, "tel": 1, "url": 2}
# The invented texts. Numbers are left out: they may be typed into a search too.
MADE_UP = frozenset(value for _, values in _POOLS for value in values if not value.isdigit())
# A first option that stands for no choice.
_UNCHOSEN = re.compile(r"^\W*(?:(?:please )?(?:select|choose|pick)\b.*|none|(?:any|all)(?: [a-z]+s)?|-+)?\W*$", re.I)
_NUMERIC = frozenset({"number", "range"})


def value_for(slot: Slot, criteria: Sequence[Criterion], page: Page | None) -> str | None:
    """A value for a slot, one of its options if it has any; None where no possible value meets any of the criteria."""
    element = slot.element
    if slot.options:
        criteria = _as_codes(criteria, element.sent_as)
        option, sent_as = option_for(slot.options, criteria), element.sent_as
        # Visible texts are often translated or reworded, sent values rarely.
        if option is None and len(sent_as) == len(slot.options) and (sent := option_for(sent_as, criteria)) is not None:
            return slot.options[sent_as.index(sent)]
        return option
    bounds = ((Operator.GREATER_EQUAL, element.least), (Operator.LESS_EQUAL, element.most)) if element.type in _NUMERIC else ()
    conditions = (*criteria, *(Criterion("", operator, (bound,)) for operator, bound in bounds if number_in(bound) is not None))
    offered = (_shaped(value, element) for value in _offered(slot, criteria, conditions, page))
    valid = [value for value in offered if value and (element.longest is None or len(value) <= element.longest)]
    if slot.is_address:
        valid = [value for value in valid if value.startswith("<") or ADDRESS.fullmatch(value)]
    best = max(valid, key=lambda value: sum(holds(criterion, value) for criterion in conditions), default=None)
    return best if best is not None and (not conditions or any(holds(criterion, best) for criterion in conditions)) else None


def _as_codes(criteria: Sequence[Criterion], sent_as: Sequence[str]) -> Sequence[Criterion]:
    """With the codes of countries in place of their names, where a list shows flags and dial codes, and sends those."""
    codes = {value for value in sent_as if value.lower() in COUNTRY_CODES.values()}
    if 2 * len(codes) <= len(sent_as):
        return criteria
    return [replace(one, values=tuple(COUNTRY_CODES.get(value.lower(), value) for value in one.values)) for one in criteria]


def option_for(options: Iterable[str], criteria: Sequence[Criterion]) -> str | None:
    """The option that meets all criteria, else one that contains a value or is contained in it; None where there is none."""
    offered = [option for option in options if option.strip()]
    real = [option for option in offered if not _UNCHOSEN.match(option)]
    fitting = [option for option in real or offered if holds_all(criteria, option)]
    if fitting:
        exact = {value.strip().lower() for criterion in criteria if criterion.operator in EXACT for value in criterion.values}
        excluded = {value.strip().lower() for criterion in criteria if criterion.operator.negative for value in criterion.values}
        fitting.sort(key=lambda option: any(value in option.lower() for value in excluded))  # "Fixed price" is what "fixed" excludes
        return next((option for option in fitting if option.strip().lower() in exact), fitting[0])
    return next((option for option in offered if criteria and all(_overlaps(criterion, option) for criterion in criteria)), None)


def _overlaps(criterion: Criterion, option: str) -> bool:
    """Whether an option contains the value or the reverse: "Spain" for "Spain (+34)"."""
    text = option.strip().lower()
    if criterion.operator.negative:
        return meets(criterion, option)
    return any(value.strip().lower() in text or (len(text) > 3 and text in value.lower()) for value in criterion.values)


def _shaped(value: str, element: Element) -> str:
    """The value in the field's format; "" where it contains none."""
    day, minutes = date_in(value), time_in(value.replace("T", " "))
    clock = "" if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"
    match element.type:
        case "date":
            return day.isoformat() if day else ""
        case "month":
            return day.isoformat()[:7] if day else ""
        case "time":
            return clock
        case "datetime-local":
            return f"{day.isoformat()}T{clock or '10:00'}" if day else ""
        case "number" | "range":
            number = number_in(value)
            return "" if number is None else f"{number:f}"
    if not day or "yyyy" not in element.placeholder.lower():
        return value
    # In the placeholder's format, such as MM/DD/YYYY.
    parts = {"yyyy": f"{day.year:04}", "mm": f"{day.month:02}", "dd": f"{day.day:02}"}
    return re.sub(r"yyyy|mm|dd", lambda match: parts[match[0].lower()], element.placeholder, flags=re.I)


def _offered(slot: Slot, criteria: Sequence[Criterion], conditions: Sequence[Criterion], page: Page | None) -> Iterator[str]:
    element = slot.element
    likely = list(_plausible(slot, page, criteria[0].field if criteria else ""))
    if only_exclude(criteria):
        yield from likely
    if conditions:
        value = chosen(conditions, longest=element.longest)
        is_short = element.tag == "textarea" and 0 < len(value) < _SHORT
        if is_short and likely and not any(criterion.operator in EXACT for criterion in criteria):
            yield f"{value} {likely[0]}"  # sites refuse a message of a few letters
        yield value
    if slot.is_address:
        yield address("".join(value.strip() for one in criteria if one.operator is Operator.CONTAINS for value in one.values), conditions)
    if element.type in _NUMERIC and (element.least or element.most):
        yield from (element.least, element.most)
    yield from likely


def _plausible(slot: Slot, page: Page | None, meant: str) -> Iterator[str]:
    """Values for a field with free input, the likeliest first. `meant`: the prompt's name of the field, "" for none."""
    element, kind = slot.element, slot.element.type
    is_date = kind == "text" and ("yyyy" in element.placeholder.lower() or slot.likeness("date") > 0.8)
    if is_date or kind in {"date", "datetime-local", "month", "week"}:
        yield from (day.isoformat() for day in _days(element, page))
    elif kind == "time":
        yield from ("10:00", "14:30", "19:00")
    else:
        yield from _POOLS[_TYPED[kind]][1] if kind in _TYPED else _pool(slot, meant)
        yield from ("1", "2", "3", "4", "5") if kind in _NUMERIC else ("Sample", "Quick", "Bamdyz")


def _pool(slot: Slot, meant: str) -> tuple[str, ...]:
    likenesses = [likeness(names[0], meant) if meant else 0.0 for names, _ in _POOLS]
    if max(likenesses) >= 0.6:
        return _POOLS[likenesses.index(max(likenesses))][1]
    best, rank = max((max(slot.likeness(name) for name in names), -rank) for rank, (names, _) in enumerate(_POOLS))
    if best >= 0.6:
        return _POOLS[-rank][1]
    return _MESSAGES if slot.element.tag == "textarea" else ()


def _days(element: Element, page: Page | None) -> Iterator[date]:
    least, most = date_in(element.least), date_in(element.most)
    shown = (day for text in (page.texts(20_000) if page and not least else ()) if (day := date_in(text)) and day.year < _LATER.year + 5)
    start = least or max(shown, default=_LATER)
    days = (start + timedelta(days=ahead) for ahead in (7, 1, 2, 14))
    return (day for day in days if most is None or day <= most)
