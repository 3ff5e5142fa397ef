"""Whether buttons are called by a name, and whether items meet criteria, by what the page shows of them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agents.contract.action_history import Past
from agents.contract.origins import path_of
from agents.page import Element, Page, Record
from agents.page.elements import BUTTONS
from agents.page.matching import likeness, words
from agents.template.budget import in_time
from agents.template.moves import Move, press
from agents.template.prompt import Criterion, Operator, holds, meets
from agents.template.prompt.measures import PURE_NUMBER, comparable
from agents.template.prompt.operators import ABOVE, BELOW, POSITIVE
from agents.template.prompt.synonyms import alike, meant

# Half of the words and something of its own: "Share" for "share link" will do, "Remove" for "remove from the cart" too.
LEAST = 0.5
# A part of the site may be called like what is done elsewhere: "Navigate to Archive".
LEADS_TO = ("Navigate to ", "navigate to ")
# As the thesaurus calls them.
_PLACES = frozenset({"cart", "list"})
# What prompts and sites call the same attribute.
_SAME = (
    frozenset({"name", "title", "headline", "subject", "label", "query", "question"}),
    frozenset({"genre", "category", "cuisine", "section", "tag", "topic"}),
    frozenset({"cast", "starring", "actor", "star"}),
    frozenset({"duration", "length", "runtime", "minute"}),
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
_SHAPES = {"year": re.compile(r"(?<![\d$.])(?:1[5-9]|20)\d\d(?![\d.])"), "rating": re.compile(r"(?<![\d$.,])(?:\d|10)\.\d(?![\d.%])")}


def best_button(elements: Iterable[Element], names: Sequence[str], least: float = LEAST) -> Element | None:
    """The button or link that one of the names fits best; the earlier name and the earlier element win where two are alike."""
    wanted = frozenset().union(*map(meant, names))
    hits: list[tuple[float, int, int, Element]] = []
    for order, element in enumerate(in_time(elements)):
        if not element.usable or element.role not in BUTTONS or element.label.startswith(LEADS_TO):
            continue
        if all(wanted.isdisjoint(meant(text)) for text in (element.label, element.text, element.hints)):
            continue
        places = places_of(element)
        if places and wanted & _PLACES and not places & wanted:  # a cart is no wishlist, whatever else two buttons share
            continue
        hits += [(round(_fit(element, name), 2), -rank, -order, element) for rank, name in enumerate(names)]
    best = max(hits, key=lambda hit: hit[:3], default=None)
    return best[3] if best and best[0] >= least else None


def places_of(element: Element) -> frozenset[str]:
    """Where a button puts something. Markup that speaks of a cart is surer than a label: sites call a cart a list, too."""
    marked = meant(element.hints) & _PLACES
    return marked & {"cart"} or meant(element.label) & _PLACES or marked


def _fit(element: Element, name: str) -> float:
    """What markup says counts a little less. A word for anything must be all that the element says."""
    wanted = meant(name)
    if wanted <= {"add", "save", "view", "list"} and meant(element.label) != wanted:
        return 0.0
    return max(alike(name, element.label), alike(name, element.text), 0.8 * alike(name, element.hints))


def press_best(page: Page, elements: Iterable[Element], names: Sequence[str], least: float = LEAST, beside: str = "") -> tuple[Move, ...]:
    found = best_button(elements, names, least)
    return (press_labelled(page, found, names, beside),) if found else ()


def press_labelled(page: Page, element: Element, names: Sequence[str], beside: str = "") -> Move:
    """Press an element, if possible by a selector that holds its label: the history then shows what was pressed."""
    label = element.text or element.label
    return press(page, element, lambda selector: label in str(selector["value"]) if label else _says(selector, names), beside)


def was_pressed(past: Past, names: Sequence[str], *, links: bool = True) -> bool:
    """`links`: whether what only leads to a part of the site counts: a link that has one of the names in its address, a folder."""
    clicks = (entry for entry in past.entries if entry.succeeded is not False and entry.type == "ClickAction")
    pressed = (entry.fields.get("selector") for entry in clicks)
    return any(_says(selector, names) for selector in pressed if links or not any(sign in str(selector) for sign in ("href", *LEADS_TO)))


def _says(selector: object, names: Sequence[str]) -> bool:
    said = meant(str(selector.get("value", "")) if isinstance(selector, dict) else "")
    return any(said >= wanted for wanted in map(meant, names) if wanted)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many criteria an item meets, fails and leaves open by what is shown of it. `hinted`: open ones whose value is in its text.

    A negative criterion of which nothing is shown counts as met: it excludes one value of many. `results` has each criterion's
    own, in their order, by what is really shown: True, False, or None where the value may stand on the item's own page.
    """

    met: int
    failed: int
    open: int
    hinted: int = 0
    results: tuple[bool | None, ...] = field(default=(), compare=False)

    @property
    def fits(self) -> bool:
        return self.failed == 0

    @property
    def certain(self) -> bool:
        return self.failed == 0 and self.open == 0


def judge(criteria: Iterable[Criterion], record: Record, *, whole: bool = False) -> Verdict:
    """By an item's attributes, else by its text. `whole`: all that the site shows of it is there."""
    results = [(one, _result(one, record, whole=whole)) for one in criteria]
    hinted = sum(result is None and any(_contains(record.text, value) for value in one.values) for one, result in results)
    shown = tuple(None if one.operator.negative and result and not _is_shown(one, record) else result for one, result in results)
    by_result = [result for _, result in results]
    return Verdict(by_result.count(True), by_result.count(False), by_result.count(None), hinted, shown)


def _is_shown(criterion: Criterion, record: Record) -> bool:
    return bool(attribute_of(record, criterion.field))


def _result(criterion: Criterion, record: Record, *, whole: bool) -> bool | None:
    is_comparing = criterion.operator in ABOVE | BELOW
    shown = attribute_of(record, criterion.field)
    if shown and (not is_comparing or comparable(shown, criterion.value)[0] is not None):
        # The doctor's name of a record is not the record's own; nor is "$60" all of "$60/hr".
        is_part = (shown == record.name and len(words(criterion.field)) > 1) or any(shown in value for value in criterion.values)
        return holds(criterion, shown) or (is_part and criterion.operator in POSITIVE and bool(_by_text(criterion, record)))
    found = _by_text(criterion, record)
    if found is not None or is_comparing or not whole:
        return found
    # Words that are nowhere in all that is shown of an item aren't its; numbers and long texts may only not be shown, or be cut.
    if any(len(value) > 60 or PURE_NUMBER.fullmatch(value) for value in criterion.values):
        return None
    return any(_contains(record.text, value) for value in criterion.values)


# Fields that are on or off, and whose state a star, heart or box of the item shows.
_STARRED = frozenset({"starred", "star", "favorite", "favourite", "favorited", "liked", "bookmarked", "saved"})
_ADDRESS = re.compile(r"[\w.+-]*@|[\w+-]+\.[\w+-]+")


def _by_state(criterion: Criterion, record: Record) -> bool | None:
    if not _STARRED & set(words(criterion.field)) or criterion.value.strip().lower() not in {"true", "false"}:
        return None
    state = next((one.starred for one in record.elements if one.starred is not None), None)
    return None if state is None else meets(criterion, str(state))


def _by_address(criterion: Criterion, record: Record) -> bool | None:
    """A list shows a person's name where a prompt says the address: ann.lee@example.com is Ann Lee."""
    if not _ADDRESS.match(criterion.value) or criterion.operator.negative or len(criterion.values) > 1 or "@" in record.text:
        return None
    local, said = criterion.value.partition("@")[0].lower(), record.name.lower().split()
    if len(local) <= 3 or local in ".".join(said):
        return len(local) > 3 or None
    # Ann Lee's is not bob.hill@example.com; what is no person's name, such as a team's, says nothing.
    parts = local.split(".")
    is_name = criterion.operator is Operator.EQUALS and len(parts) == len(said) == 2
    return False if is_name and not set(parts) & set(said) else None


def _by_text(criterion: Criterion, record: Record) -> bool | None:
    for fits in (_by_state(criterion, record), _by_address(criterion, record)):
        if fits is not None:
            return fits
    # A year or a rating is known by its shape; of several, of which some hold, it isn't known which is meant.
    shape = next((shape for name, shape in _SHAPES.items() if name in words(criterion.field)), None)
    held = {holds(criterion, figure) for figure in set(shape.findall(record.text))} if shape else set[bool]()
    if len(held) == 1:
        return held.pop()
    if criterion.operator in ABOVE | BELOW:
        return None
    if criterion.operator is Operator.CONTAINS:
        # A shorter piece of text is in anything.
        return all(len(value) >= 5 and _contains(record.text, value) for value in criterion.values) or None
    text = record.text.lower()
    values = (value.lower() for value in criterion.values if value.strip())
    found = any(value in text and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) for value in values)
    return not found if criterion.operator.negative else found or None


def _contains(text: str, value: str) -> bool:
    return value.lower() in text.lower()


# What an item's address ends with: /hotels/12, /restaurant/rest-12
_ID = re.compile(r"/[^/]*\d[^/]*$")


def attribute_of(record: Record, field: str) -> str:
    """The item's value for a field of a prompt ("movie name", "release year"); "" where none is shown."""
    wanted, last = " ".join(words(field)), set(words(field)[-1:])
    if last == {"id"} and (found := next(filter(_ID.search, (path_of(one.href) for one in record.elements)), "")):
        return found.rpartition("/")[2]
    if not record.attributes:
        return record.name if last & _CALLED else ""
    named = [(" ".join(words(name)), value) for name, value in record.attributes.items()]
    own = next((value for name in (wanted, wanted.rpartition(" ")[0]) for said, value in named if said == name and value), "")
    if record.name and last & _CALLED:
        return own if " " in wanted and own and record.name not in own else record.name
    if own:
        return own
    groups = [group for group in _SAME if wanted in group or last & group]
    called = next((value for name, value in named if any(name in group for group in groups)), "")
    closest = max(record.attributes, key=lambda name: likeness(name, field), default="")
    return called or (record.attributes[closest] if likeness(closest, field) >= 0.6 else "")


def best(criteria: Sequence[Criterion], records: Sequence[Record]) -> list[tuple[Record, Verdict]]:
    judged = [(record, judge(criteria, record)) for record in in_time(records, each=4)]
    fitting = [pair for pair in judged if pair[1].fits]
    return sorted(fitting, key=lambda pair: (pair[1].open, -pair[1].hinted, -pair[1].met, pair[0].place))
