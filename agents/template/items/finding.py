"""The way to the item that a task is about, through lists, search, filters, pages and details, and pressing a button of it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from agents.contract.action_history import Past
from agents.contract.actions import validate
from agents.contract.origins import joined, path_of, split_http
from agents.page import Element, Page, Record
from agents.page.elements import BUTTONS, CHECKED
from agents.page.matching import words
from agents.template.budget import in_time, once
from agents.template.forms.forms import search_for
from agents.template.items.filters import choices
from agents.template.items.matching import LEADS_TO, LEAST, Verdict, best, best_button, judge, places_of, press_best
from agents.template.items.navigation import names_of_thing, place_of
from agents.template.moves import LOADING, Move, press
from agents.template.prompt import Criterion, Intent, Kind, Operator, Target, target_of
from agents.template.prompt.measures import number_in
from agents.template.prompt.operators import POSITIVE
from agents.template.prompt.synonyms import alike, meant

_OPENERS = ("view details", "details", "view", "open", "see more", "more info", "read more", "learn more", "show", "view profile")
_LISTS = ("view all", "search", "browse", "all", "catalog", "shop", "library", "products", "items", "home")
MOST_OPENED, MOST_PAGES = 8, 10
_ITEM_WORDS = 3
_LEAST_SEARCHED = 3
_TELLING = 5  # a shorter piece of text is in anything
# What searches look through first, and how many values of a task are searched for.
_SEARCHED_BY = frozenset({"name", "title", "subject", "location", "city", "place", "address", "country", "author", "director", "brand"})
_MOST_SEARCHED = 2
_LEAVING = ("back", "back to inbox", "back to list", "arrow left", "chevron left", "close", "return")
_NUMBERED = re.compile(r"^\((.*)\)\[\d+\]$")
_BACK = validate({"type": "NavigateAction", "go_back": True})


def is_target_page(target: Target, page: Page) -> bool:
    """Whether the page is that of an item that meets the criteria, as far as it shows: if it shows nothing, it was chosen for them."""
    if not _is_detail(page):
        return lies_open(target, page)
    if page.subject is not None and _is_named(target, page.subject.name):
        return judge(target.criteria, page.subject, whole=True).fits
    if target.name and any(_is_named(target, head) for head in (*page.headings[:3], page.title)):
        return True
    return page.subject is None and (not page.records or (target.is_open and may_show(target, page)))


def lies_open(target: Target, page: Page) -> bool:
    """Whether an item takes up the page without an address of its own: no list is left, and its texts say what the criteria state, or
    deny none that only exclude something, and there is a way back to the list."""
    if page.records or not page.headings or not target.criteria or any(one.opens == "item" for one in page.elements):
        return False
    shown = Record(page.headings[0], {}, " ".join((*page.headings, *page.texts(20_000))), page.elements)
    stated = [one for one in target.criteria if one.operator in POSITIVE and number_in(one.value) is None and not _is_switch(one)]
    stated = [one for one in stated if one.operator is not Operator.CONTAINS or len(one.value) >= _TELLING]
    if not stated and not (all(one.operator.negative for one in target.criteria) and best_button(page.elements, _LEAVING, 0.8)):
        return False
    return judge(stated, shown, whole=True).met == len(stated) and judge(target.criteria, shown).fits


def may_show(target: Target, page: Page) -> bool:
    """Whether nothing that the criteria state is missing in what the page shows: what is done there may be done to the item."""
    stated = [one for one in target.criteria if one.operator in POSITIVE and not _is_switch(one)]
    texts = (*page.headings, *page.texts(20_000), *(one.text for one in page.elements))
    return not stated or judge(stated, Record("", {}, " ".join(texts), page.elements), whole=True).fits


def _is_switch(criterion: Criterion) -> bool:
    return criterion.value.strip().lower() in {"true", "false", "yes", "no"}


def _is_named(target: Target, said: str) -> bool:
    return not target.name or " ".join(words(target.name)) in " ".join(words(said)) or target.name.lower() in said.lower()


def _is_detail(page: Page) -> bool:
    path = [part for part in path_of(page.url).split("/") if part]
    return len(path) > 1 or any(any(sign.isdigit() for sign in part) for part in path)


def fitting(target: Target, page: Page) -> list[tuple[Record, Verdict]]:
    """The page's items that fail no criterion, the likeliest first; those without a name and what only looks like an item left out."""

    def found() -> list[tuple[Record, Verdict]]:
        listed = [record for record in page.records if record.name and record.elements and not _frames(record)]
        return best(target.criteria, listed) or best(target.criteria, _single(target, page))

    return once(found, "fitting", target, id(page))


def _single(target: Target, page: Page) -> list[Record]:
    if _is_detail(page):
        return []
    if not target.name:
        # A list with a single entry: a link to what lies below the list's address.
        below = path_of(page.url).rstrip("/") + "/"
        cards = (one for one in page.usable({"link"}) if len(words(one.text)) >= _ITEM_WORDS and path_of(one.href).startswith(below))
        return [Record(one.text, {}, one.text, (one,)) for one in cards if len(below) > 1 and path_of(one.href)[len(below) :]]
    blocks: dict[str, list[Element]] = {}
    for element in in_time(page.usable(BUTTONS), each=4):
        # A button with this much text is itself an item.
        if _is_named(target, text := element.text if not element.href and len(words(element.text)) >= _ITEM_WORDS else page.card(element)):
            blocks.setdefault(text, []).append(element)
    exact = next((one.value for one in target.criteria if one.operator is Operator.EQUALS and one.value == target.name), "")
    leading = (block for block in blocks.items() if best_button(block[1], _OPENERS) or any(_is_named(target, one.text) for one in block[1]))
    return [Record(exact or text, {}, text, tuple(some)) for text, some in leading]


def _frames(record: Record) -> bool:
    """Whether it is a part of the page with several items: it leads to more than an item, its maker and kind, or twice by one name."""
    links = [link for link in record.elements if link.href]
    if sum(not one.href and len(words(one.text)) >= _ITEM_WORDS for one in record.elements) > 2:
        return True
    places = {link.href for link in links}
    return len(places) > 3 or len({link.label for link in links}) < len(places)


def towards(target: Target, page: Page, past: Past) -> tuple[Move, ...]:
    return next(filter(None, _routes(target, page, past)), ())


def _routes(target: Target, page: Page, past: Past) -> Iterator[tuple[Move, ...]]:
    if _is_loading(page, past):
        yield (Move((LOADING,)),)
    if target.thing:
        yield to_things(target, page, past)
    fits = fitting(target, page)
    is_alone = len(fits) == 1 and len(page.records) <= 1
    yield _opened(page, past, (record for record, verdict in fits if verdict.certain or is_alone))
    if past.last_entered:
        yield (Move((LOADING,)),)
    if _is_detail(page) and past.pressed and page.subject is not None and not past.last_went_back:
        yield (Move((_BACK,)),)
    if not page.records and past.is_in_item and (back := best_button(page.elements, _LEAVING, 0.8)):
        yield (replace(press(page, back), repeats=True),)
    yield _searched(target.name, page, past)
    wanted = [one for one in target.criteria if one.operator in POSITIVE]
    yield tuple(move for move in choices(page, wanted) if not move.shown and not _tried(move, past))
    # What else of an item may be searched for: words that it has.
    spoken = [one for one in wanted if number_in(one.value) is None and not _is_switch(one) and _as_searched(one)]
    spoken = [one for one in spoken if _is_searched_by(one, target, page)]
    for one in sorted(spoken, key=lambda one: not _SEARCHED_BY & set(words(one.field)))[:_MOST_SEARCHED]:
        yield _searched(_as_searched(one), page, past)
    yield _cleared(page, past)
    yield () if (place := _place_of_things(target, page)) else _to_place(target, page, past)
    # Each item that was opened in vain was left by going back: that takes two of the steps that there are.
    if sum("go_back" in entry.fields for entry in past.entries) + len(past.nameless("NavigateAction", succeeded=True)) < MOST_OPENED:
        yield _opened(page, past, (record for record, _ in fits))
    # Other lists have no such things on their further pages.
    yield () if place and path_of(place.href) != path_of(page.url) else _next_page(page, past)
    yield _listed(page, past)


def _is_loading(page: Page, past: Past) -> bool:
    """Whether more may come by itself: the page has hardly any items yet, or still has the link that was pressed last, which leads on."""
    if past.last_waited:
        return False
    if len(page.records) < 2 and page.subject is None:
        return True
    last = past.entries[-1] if past.entries else None
    if last is None or last.type != "ClickAction" or last.succeeded is False or not _unnumbered(last.fields):
        return False
    pressed = page.element(last.fields["selector"])
    return pressed is not None and bool(pressed.href) and not _stays(pressed, page)


def _opened(page: Page, past: Past, records: Iterable[Record]) -> tuple[Move, ...]:
    # A caller that leaves out what was pressed reports at least how often an item was left by going back.
    left_again = len(past.nameless("NavigateAction", succeeded=True))
    for record in islice(in_time(records, each=1), left_again, None):
        said = words(record.name)
        links = [element for element in record.elements if element.role in BUTTONS and not _stays(element, page)]
        addressed = [link for link in links if link.href]
        named = (link for link in addressed if said and words(link.text)[: len(said)] == said)
        chosen = next(named, None) or best_button(addressed, _OPENERS) or next(iter(addressed), None) or best_button(links, _OPENERS)
        chosen = chosen or next((one for one in links if one.opens == "item" or (said and set(said) <= set(words(one.text)))), None)
        # What a card has one button with words for is to go on to the item.
        worded = [one for one in links if one.text and len(words(one.text)) > 1]
        chosen = chosen or (worded[0] if len(worded) == 1 else None)
        if chosen and not _tried(move := press(page, chosen, lambda selector: "href" in str(selector), record.name), past):
            return (move,)
    return ()


def _stays(element: Element, page: Page) -> bool:
    if not element.href:
        return element.role == "link" and element.tag == "a"
    if not element.href.strip("#") or element.href.startswith(("mailto:", "tel:")):
        return True
    there, here = split_http(joined(page.url, element.href)), split_http(page.url)
    return there is not None and here is not None and (there.path, there.query) == (here.path, here.query)


def _tried(move: Move, past: Past) -> bool:
    """Whether it was pressed before; how many others of its name or address there are may have changed since."""
    known = {_unnumbered(entry.fields) for entry in past.entries} - {""}
    return any(past.times(action) or _unnumbered(action.fields) in known for action in move.alternatives)


def _unnumbered(fields: Mapping[str, Any]) -> str:
    """An XPath by name or address, without the number of the match; "" for any other."""
    selector = fields.get("selector")
    value = str(selector.get("value", "")) if isinstance(selector, dict) else ""
    return _NUMBERED.sub(r"\1", value) if "ancestor::" in value or "@href=" in value else ""


def to_things(target: Target, page: Page, past: Past) -> tuple[Move, ...]:
    """To the site's page of such things, where its navigation has one that isn't this page: an author isn't found among books."""
    leading = (one for one in page.usable({"button"}) if one.label.startswith(LEADS_TO))
    found = _place_of_things(target, page) or next((one for one in leading if target.thing in words(f"{one.text} {one.hints}")), None)
    if not found or _route_of(target).search(page.url):
        return ()
    move = press(page, found)
    return () if _tried(move, past) else (move,)


def _route_of(target: Target) -> re.Pattern[str]:
    return re.compile(rf"/(?:{'|'.join(map(re.escape, names_of_thing(target.thing)))})s?(?:[/?#]|$)", re.I)


def _place_of_things(target: Target, page: Page) -> Element | None:
    """The link to the site's page of such things."""
    if not target.thing:
        return None
    route = _route_of(target)
    links = [link for link in page.usable({"link"}) if route.search(link.href) and _keeps_query(link, page)]
    named = [link for link in links[:1] if words(link.label) == (target.thing,)]
    # Sites change their labels often, their routes rarely.
    routed = (link for name in names_of_thing(target.thing) for link in links if place_of(link.href) == name)
    return next(iter(named), None) or next(routed, None)


def _to_place(target: Target, page: Page, past: Past) -> tuple[Move, ...]:
    """To the part of the site that is called like a field of the criteria: a recommendation stands among the recommendations."""
    fields = {said[-1] for one in target.criteria if one.operator in POSITIVE and (said := words(one.field))}
    here = path_of(page.url)
    links = (link for link in in_time(page.usable({"link"})) if place_of(link.href) in fields and path_of(link.href) != here)
    moves = (press(page, link) for link in islice(links, 1))
    return tuple(move for move in moves if not _tried(move, past))


def _is_searched_by(criterion: Criterion, target: Target, page: Page) -> bool:
    """Whether the page's search takes values of this field: one "by name", or called like another field of the task, does not."""
    box = page.search_box
    said = set(words(f"{box.label} {box.placeholder}")) if box else set[str]()
    others = {word for one in target.criteria for word in words(one.field)} | {"name"}
    return not said & others or bool(said & set(words(criterion.field)))


def _as_searched(criterion: Criterion) -> str:
    """Of an address the name in it: ann lee for ann.lee@example.com. Searches look through names. "" for what is in too many texts."""
    if len(criterion.value) < _LEAST_SEARCHED:
        return ""
    local, at, _ = criterion.value.partition("@")
    return " ".join(local.split(".")) if at and "." in local else "" if at else criterion.value


def _cleared(page: Page, past: Past) -> tuple[Move, ...]:
    """Back to the whole list after a search that found nothing: many look for whole words, of which a prompt may state a part."""
    box = page.search_box
    if page.records or box is None or not box.value or not past.filled:
        return ()
    clear = best_button(page.elements, ("clear search", "reset search", "clear"), 0.7)
    return (press(page, clear),) if clear else search_for(page, "")


def _searched(name: str, page: Page, past: Past) -> tuple[Move, ...]:
    moves = search_for(page, name) if name else ()
    sent = any(past.times(action) for move in moves if not move.fills for action in move.alternatives)
    return () if not moves or sent or moves[0].shown else moves


def _next_page(page: Page, past: Past) -> tuple[Move, ...]:
    if any(one.overlay and one.usable for one in page.elements):
        return ()  # a calendar has a next month
    pages = page.pagination
    on = pages.next or (pages.numbered.get(pages.now + 1) if pages.now else None)
    within = {element.place for record in page.records for element in record.elements}
    # A part of the site may be called "Later".
    here = (one for one in page.elements if not one.href.strip("#") or path_of(one.href) == path_of(page.url))
    short = (element for element in here if len(words(element.label)) <= 3 and element.place not in within)
    found = on or best_button(short, ("next", "next page", "load more", "show more", "more results", "older"), least=0.9)
    move = replace(press(page, found), repeats=True) if found else None
    return (move,) if move and max(map(past.times, move.alternatives), default=0) < MOST_PAGES else ()


def _listed(page: Page, past: Past) -> tuple[Move, ...]:
    # Neither a cart nor a list of one's own has what is not on it yet.
    short = (one for one in in_time(page.usable(BUTTONS)) if len(words(one.label)) <= 4 and not places_of(one))
    links = [(_likely(one), one) for one in short if not _stays(one, page) and _keeps_query(one, page)]
    ranked = sorted(links, key=lambda hit: (-hit[0], hit[1].place))
    likely = (press(page, link) for merit, link in in_time(ranked, each=1) if merit >= (0.6 if link.href else 0.9))
    return next(((move,) for move in likely if not _tried(move, past)), ())


def _likely(link: Element) -> float:
    # Buttons that say no more send a search, set a filter back or unfold one.
    if link.submits or (not link.href and meant(link.label) in ({"search"}, {"all"})):
        return 0.0
    # Sites change their labels often, their routes rarely.
    said = (link.label, place_of(link.href))
    return max(alike(name, text) - rank / 100 for rank, name in enumerate(_LISTS) for text in said)


def _keeps_query(link: Element, page: Page) -> bool:
    return not link.href or page.keeps(link.href)


def press_on_item(intent: Intent, page: Page, names: Sequence[str], least: float = LEAST) -> tuple[Move, ...]:
    target = target_of(intent)
    if is_target_page(target, page):
        return press_best(page, _own(page), names, least)
    # A card's button that says no more than "Add" is for the cart.
    labels = names if intent.kind is Kind.CART else [name for name in names if meant(name) != {"add"}]
    sure = certain_items(target, page)
    pressed = (press_best(page, record.elements, labels, least, record.name) for record in in_time(sure, each=4))
    if found := next(filter(None, pressed), ()):
        return found
    # Tick an item in its list, then press what is done to all that are ticked: such buttons show when one is, and say little else.
    box = next((one for record in sure for one in record.elements if one.role == "checkbox" and one.usable), None)
    return (replace(press(page, box), shown=box.value == CHECKED), *press_best(page, _own(page), names, 0.8)) if box else ()


def certain_items(target: Target, page: Page) -> list[Record]:
    return [record for record, verdict in fitting(target, page) if verdict.certain]


def _own(page: Page) -> Iterable[Element]:
    """The elements of the page's subject, else those that belong to no item of its lists: other items have buttons of the same names."""
    if page.subject is not None:
        return page.subject.elements
    others = {element.place for record in page.records for element in record.elements if len(record.elements) < 12}
    return [element for element in page.elements if element.place not in others]
