"""Whether buttons match names, and whether items meet criteria, by what the page shows of them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from agents.contract.action_history import Past
from agents.contract.origins import path_of
from agents.page import BUTTONS, Element, Page, Record, likeness, words
from agents.template.budget import in_time
from agents.template.moves import Move, press
from agents.template.prompt import ABOVE, BELOW, POSITIVE, PURE_NUMBER, Criterion, Intent, Kind, Operator, alike, comparable, holds
from agents.template.prompt.measures import date_in, time_in
from agents.template.prompt.synonyms import COUNTRY_CODES, meanings_of
from agents.template.prompt.values import meets

LEAST = 0.5  # half of the words: "Share" matches "share link", and "Remove" matches "remove from the cart"
LEADS_TO = ("Navigate to ", "navigate to ")  # labels of navigation, which may contain a verb: "Navigate to Archive"
_PLACES = frozenset({"cart", "list"})  # in the meanings of `synonyms`
# Names of the same attribute in prompts and on sites.
_SAME = (
    frozenset({"name", "title", "headline", "subject", "label", "query", "question"}),
    frozenset({"genre", "category", "cuisine", "section", "tag", "topic"}),
    frozenset({"cast", "starring", "actor", "star"}),
    frozenset({"duration", "length", "runtime", "minute", "hour"}),
    frozenset({"page", "page count", "length"}),
    frozenset({"author", "writer", "by"}),
    frozenset({"rating", "score", "star", "average"}),
    frozenset({"price", "cost", "amount", "total", "total amount", "rate", "fee", "consultation fee", "budget"}),
    frozenset({"year", "released", "release date", "published", "date"}),
    frozenset({"review", "rating count", "vote"}),
    frozenset({"location", "address", "city", "region", "country"}),
    frozenset({"from", "from email", "sender", "email"}),
    frozenset({"to", "to email", "recipient"}),
    frozenset({"description", "desc", "body", "content", "text", "synopsis", "about"}),
    frozenset({"speciality", "specialty", "specialization"}),
    frozenset({"role", "position", "job title", "title"}),
    frozenset({"guest", "people", "capacity", "person"}),
    frozenset({"date", "start date", "due date", "created", "day"}),
    frozenset({"updated", "last updated", "last", "last activity"}),
)
_CALLED = frozenset({"name", "title"})
SEARCHING = frozenset({"search", "find", "query", "lookup", "discover"})
_MOST_COMPARED = 5  # so many items of a list are compared with the criteria's fields
_TELLING = 20  # so long a text is of one item
# People that an item belongs to: their name is not the item's name.
OWNERS = frozenset({"host", "owner", "seller", "organizer", "author", "director", "writer", "manager"})
_SHAPES = {
    "year": re.compile(r"(?<![\d$.])(?:1[5-9]|20)\d\d(?![\d.])"),
    "rating": re.compile(r"(?<![\d$.,])(?:\d|10)\.\d(?![\d.%])"),
    "country": re.compile(rf"\b(?:{'|'.join(COUNTRY_CODES)})\b", re.I),
}


def best_button(elements: Iterable[Element], names: Sequence[str], least: float = LEAST) -> Element | None:
    """The button or link that matches one of the names best; of equal ones the earlier name, then the one whose markup has
    the name too, then the earlier element."""
    meanings = frozenset().union(*map(meanings_of, names))
    hits: list[tuple[float, bool, int, int, int, Element]] = []
    for order, element in enumerate(in_time(elements)):
        if not element.usable or element.role not in BUTTONS or element.label.startswith(LEADS_TO):
            continue
        places = places_of(element)
        if places and meanings & _PLACES and not places & meanings:  # a cart is no wishlist, whatever else two buttons share
            continue
        own = words(element.label)
        marked = set(words(element.hints))
        fits = ((_fit(element, name), words(name), -rank) for rank, name in enumerate(names))
        hits += [(round(fit, 2), own == name, rank, len(marked & set(name)), -order, element) for fit, name, rank in fits]
    best = max(hits, key=lambda hit: hit[:5], default=None)
    return best[5] if best and best[0] >= least else None


def places_of(element: Element) -> frozenset[str]:
    """Where a button puts something. Markup with "cart" is more certain than a label: some sites label a cart as a list."""
    marked = meanings_of(element.hints) & _PLACES
    return marked & {"cart"} or meanings_of(element.label) & _PLACES or marked


def _fit(element: Element, name: str) -> float:
    """Markup weighs less. A general verb such as "add" matches only if it is the whole label."""
    meaning = meanings_of(name)
    if meaning <= {"add", "save", "view", "list"} and meanings_of(element.label) != meaning:
        return 0.0
    return max(alike(name, element.label), alike(name, element.text), 0.8 * alike(name, element.hints))


def press_best(page: Page, elements: Iterable[Element], names: Sequence[str], least: float = LEAST, beside: str = "") -> tuple[Move, ...]:
    button = best_button(elements, names, least)
    return (press_labelled(page, button, names, beside),) if button else ()


def press_labelled(page: Page, element: Element, names: Sequence[str], beside: str = "") -> Move:
    """Press an element, if possible by a selector that contains its label, so that the history shows what was pressed."""
    label = element.text or element.label
    return press(page, element, lambda selector: label in str(selector["value"]) if label else _has_name(selector, names), beside)


def was_pressed(past: Past, names: Sequence[str], *, links: bool = True) -> bool:
    """`links`: whether links to a part of the site are included, whose address or label contains one of the names."""
    clicks = (entry for entry in past.entries if entry.succeeded is not False and entry.type == "ClickAction")
    pressed = (entry.fields.get("selector") for entry in clicks)
    counted = (selector for selector in pressed if links or not any(sign in str(selector) for sign in ("href", *LEADS_TO)))
    return any(_has_name(selector, names) for selector in counted)


def since_cart(past: Past) -> Past:
    """The entries after the last item was put into the cart, which may have had a dialog with fields."""
    put = (at for at, entry in enumerate(past.entries, 1) if was_pressed(Past((entry,)), Kind.CART.row.buttons))
    return Past(past.entries[max(put, default=0) :])


def _has_name(selector: object, names: Sequence[str]) -> bool:
    text = meanings_of(str(selector.get("value", "")) if isinstance(selector, dict) else "")
    # What submits a search sends nothing else.
    return any(text >= meaning and text & SEARCHING <= meaning & SEARCHING for meaning in map(meanings_of, names) if meaning)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many criteria an item meets, fails and leaves open by what is shown of it. `hinted`: open ones whose value is in its text. A
    negative criterion without a shown value is met: it excludes one value of many. `is_stated`: it has a stated text that no other item
    has. `results`: each criterion's own, in their order, by shown values alone: True, False, or None where the value may be on the item's
    own page."""

    met: int
    failed: int
    open: int
    hinted: int = 0
    is_stated: bool = False
    results: tuple[bool | None, ...] = field(default=(), compare=False)

    @property
    def fits(self) -> bool:
        return self.failed == 0

    @property
    def certain(self) -> bool:
        return self.failed == 0 and (self.open == 0 or (self.is_stated and self.open == self.hinted))


def judge(criteria: Iterable[Criterion], record: Record, *, whole: bool = False) -> Verdict:
    """By an item's attributes, else by its text. `whole`: the record has all that the site shows of it."""
    results = [(criterion, _result(criterion, record, whole=whole)) for criterion in criteria]
    hinted = sum(result is None and any(_contains(record.text, value) for value in criterion.values) for criterion, result in results)
    unseen = (one.operator.negative and result and not attribute_of(record, one.field) for one, result in results)
    shown = tuple(None if is_unseen else result for is_unseen, (_, result) in zip(unseen, results, strict=True))
    by_result = [result for _, result in results]
    is_stated = any(result and one.operator in POSITIVE and len(one.value) >= _TELLING for one, result in results)
    return Verdict(by_result.count(True), by_result.count(False), by_result.count(None), hinted, is_stated, shown)


def _result(criterion: Criterion, record: Record, *, whole: bool) -> bool | None:
    is_comparing = criterion.operator in ABOVE | BELOW
    # The link of a picture has a name, but shows none.
    pictured = (element.label for element in record.elements if element.href and not element.text and element.is_named)
    if criterion.operator.negative and _CALLED & set(words(criterion.field)) and not all(holds(criterion, name) for name in pictured):
        return False
    shown = attribute_of(record, criterion.field)
    if shown and (not is_comparing or comparable(shown, criterion.value)[0] is not None):
        # A "doctor name" is not the record's own name; "$60" is only a part of "$60/hr".
        is_part = (shown == record.name and len(words(criterion.field)) > 1) or any(shown in value for value in criterion.values)
        in_full = (token for token in record.text.split() if token.startswith(f"{shown}/"))
        met = any(holds(criterion, token) for token in in_full) or (is_part and bool(_by_text(criterion, record)))
        is_met = holds(criterion, shown) or (criterion.operator in POSITIVE and met)
        if shown == record.name:  # what a card shows before that may be the name
            may_be = not record.text.startswith(shown) and _may_be_of(criterion, record)
        else:
            may_be = _has_more(shown, criterion)
        return None if may_be and not is_met else is_met
    by_text = _by_text(criterion, record)
    if by_text is not None or is_comparing or not whole:
        return by_text
    # A value that is nowhere in an item's texts is not its own, except for numbers and long texts: they may be formatted or cut.
    if any(len(value) > 60 or PURE_NUMBER.fullmatch(value) for value in criterion.values):
        return None
    return any(_contains(record.text, value) for value in criterion.values)


def _may_be_of(criterion: Criterion, record: Record) -> bool:
    return criterion.operator in POSITIVE and any(len(value) >= 5 and _contains(record.text, value) for value in criterion.values)


def _has_more(shown: str, criterion: Criterion) -> bool:
    """Whether a requested value is followed by more: the cell of a table may have a second text."""
    values = criterion.values if criterion.operator in (Operator.EQUALS, Operator.ONE_OF) else ()
    begun = (own for value in values if not PURE_NUMBER.fullmatch(value) and (own := words(value)))
    return any(words(shown)[: len(own)] == own for own in begun)


# Fields whose state a star or heart of the item shows.
_STARRED = frozenset({"starred", "star", "favorite", "favourite", "favorited", "liked", "bookmarked", "saved"})
_ADDRESS = re.compile(r"[\w.+-]*@|[\w+-]+\.[\w+-]+")


def _by_state(criterion: Criterion, record: Record) -> bool | None:
    if not _STARRED & set(words(criterion.field)) or criterion.value.strip().lower() not in {"true", "false"}:
        return None
    state = next((element.starred for element in record.elements if element.starred is not None), None)
    return None if state is None else meets(criterion, str(state))


def _by_address(criterion: Criterion, record: Record) -> bool | None:
    """A list shows a person's name where a prompt has the address: ann.lee@example.com is Ann Lee."""
    if not _ADDRESS.match(criterion.value) or criterion.operator.negative or len(criterion.values) > 1 or "@" in record.text:
        return None
    local, names = criterion.value.partition("@")[0].lower(), record.name.lower().split()
    if criterion.operator is Operator.CONTAINS and criterion.value.find("@") > 0 and len(names) == 2:
        # The end of a local part, such as "ris@", is the end of a name.
        return (len(local) > 2 or None) if ".".join(names).endswith(local) else False
    if len(local) <= 3 or local in ".".join(names):
        return len(local) > 3 or None
    parts = local.split(".")  # Ann Lee's address is not ann.hill@example.com; other names, such as a team's, decide nothing
    is_name = criterion.operator is Operator.EQUALS and len(parts) == len(names) == 2 and all(map(str.isalpha, (*parts, *names)))
    return False if is_name and parts[-1] != names[-1] else None


def _by_text(criterion: Criterion, record: Record) -> bool | None:
    for fits in (_by_state(criterion, record), _by_address(criterion, record)):
        if fits is not None:
            return fits
    # A year, a rating or a country is recognised by its format; if several differ in the result, none decides.
    shape = next((shape for name, shape in _SHAPES.items() if name in words(criterion.field)), None)
    results = {holds(criterion, figure) for figure in set(shape.findall(record.text))} if shape else set[bool]()
    if len(results) == 1:
        return results.pop()
    if criterion.operator in ABOVE | BELOW:
        return None
    if criterion.operator is Operator.CONTAINS:
        # Shorter texts are contained in anything.
        return all(len(value) >= 5 and _contains(record.text, value) for value in criterion.values) or None
    text = record.text.lower()
    values = (value.lower() for value in criterion.values if value.strip())
    is_stated = any(value in text and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) for value in values)
    if criterion.operator.negative:  # a number in a text may be of anything: the day in "Jun 1" is no number of guests
        return None if is_stated and all(map(PURE_NUMBER.fullmatch, criterion.values)) else not is_stated
    return is_stated or None


def _contains(text: str, value: str) -> bool:
    return value.lower() in text.lower()


_ID = re.compile(r"/[^/]*\d[^/]*$")  # the end of an item's address: /hotels/12, /restaurant/rest-12


def attribute_of(record: Record, field: str) -> str:
    """The item's value for a field of a prompt ("movie name", "release year"); "" where none is shown."""
    sought, last = " ".join(words(field)), set(words(field)[-1:])
    if last == {"id"} and (path := next(filter(_ID.search, (path_of(element.href) for element in record.elements)), "")):
        return path.rpartition("/")[2]
    is_name = bool(last & _CALLED) and not OWNERS & set(words(field))
    named = [(" ".join(words(name)), value) for name, value in record.attributes.items()]
    own = next((value for name in (sought, sought.rpartition(" ")[0]) for label, value in named if label == name and value), "")
    if record.name and is_name:
        return own if " " in sought and own and record.name not in own else record.name
    groups = [group for group in _SAME if sought in group or last & group]
    synonym = next((value for name, value in named if any(name in group for group in groups)), "")
    closest = max(record.attributes, key=lambda name: likeness(name, field), default="")
    return own or synonym or (record.attributes[closest] if likeness(closest, field) >= 0.6 else "")


def are_synonyms(name: str, field: str) -> bool:
    return any(not group.isdisjoint(words(name)[-1:]) and not group.isdisjoint(words(field)[-1:]) for group in _SAME)


def best(criteria: Sequence[Criterion], records: Sequence[Record]) -> list[tuple[Record, Verdict]]:
    judged = [(record, judge(criteria, record)) for record in in_time(records, each=4)]
    fitting = [pair for pair in judged if pair[1].fits]
    return sorted(fitting, key=lambda pair: (pair[1].open, -pair[1].hinted, -pair[1].met, pair[0].place))


def about_listed(intent: Intent, page: Page) -> Intent:
    """A task of unknown kind is done to an item if the page lists items with most of the criteria's fields. The rows of a timetable are
    identified by the day and time to book too."""
    shown = [[attribute_of(record, one.field) for one in intent.criteria] for record in page.records[:_MOST_COMPARED]]
    if intent.kind is Kind.OTHER and len(page.records) > 1 and 2 * max(map(_count, shown), default=0) > len(intent.criteria) > 0:
        return replace(intent, kind=Kind.REACT)
    columns = zip(intent.criteria, zip(*shown, strict=True), strict=False) if intent.kind is Kind.BOOKING else ()
    timed = (one.field for one, column in columns if all(date_in(text) or time_in(text) is not None for text in (*one.values, *column)))
    return replace(intent, timed_by=tuple(timed))


def _count(texts: Sequence[str]) -> int:
    return sum(map(bool, texts))
