"""How the item of a task is reached, through lists, search, filters, pages and details, and how its buttons are pressed."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from agents.contract.action_history import Past
from agents.contract.actions import FILLS, validate
from agents.contract.origins import joined, path_of, split_http
from agents.page import BUTTONS, CHECKED, Element, Page, Record, words
from agents.template.budget import in_time, once
from agents.template.forms.forms import search_for, search_opener
from agents.template.items.filters import applied, choices
from agents.template.items.matching import LEADS_TO, LEAST, OWNERS, Verdict, best, best_button, judge, places_of, press_best
from agents.template.items.navigation import names_of_thing, place_of
from agents.template.moves import LOADING, Move, press
from agents.template.prompt import ADDING, CHANGING, POSITIVE, Criterion, Intent, Kind, Operator, Target, number_in, only_exclude, target_of
from agents.template.prompt.synonyms import alike, field_names_in, forms_of, meanings_of

_OPENERS = ("view details", "details", "view", "open", "see more", "more info", "read more", "learn more", "show", "view profile")
_LISTS = ("view all", "search", "browse", "all", "catalog", "shop", "library", "products", "items", "home")
MOST_OPENED, MOST_PAGES = 8, 10
# Buttons that do something to an item, and do not open it.
_ACTS = CHANGING | (ADDING - {"open"})
_ACTS |= {"save", "remove", "delete", "cancel", "share", "book", "reserve", "hire", "contact", "message", "send", "call", "apply"}
_ITEM_WORDS = 3
_EXACT = 0.95
_LEAST_SEARCHED = 3
_TELLING = 5  # a shorter piece of text is in anything
# Fields that most searches cover, and how many values of a task are searched for.
_SEARCHED_BY = frozenset({"name", "title", "subject", "location", "city", "place", "address", "country", "author", "director", "brand"})
_MOST_SEARCHED = 2
_LEAVING = ("back", "back to inbox", "back to list", "arrow left", "chevron left", "close", "return")
_NUMBERED = re.compile(r"^\((.*)\)\[\d+\]$")
BACK = validate({"type": "NavigateAction", "go_back": True})


def is_target_page(target: Target, page: Page) -> bool:
    """Whether the page is that of an item that meets the criteria, as far as it shows them."""
    if target.is_listed:
        return False
    if not _is_detail(page):
        return is_open_item(target, page)
    if page.subject is not None and _is_named(target, page.subject.name):
        return judge(target.criteria, page.subject, whole=True).fits
    # A few letters are in many a heading.
    heads = (*page.headings[:3], page.title) if len(target.name) >= _TELLING else page.headings[:1]
    if target.name and any(_is_named(target, head) for head in heads):
        return True
    return page.subject is None and (not page.records or (target.is_open and may_show(target, page)))


def is_open_item(target: Target, page: Page) -> bool:
    """Whether the page shows an item without an address of its own: there is no list, and its texts meet the criteria; if these only
    exclude values, there must be a button back to the list. The results of a search are a list, even of one."""
    is_list = bool(page.records) or (page.search_box is not None and bool(page.search_box.value))
    if is_list or not page.headings or not target.criteria or any(element.opens == "item" for element in page.elements):
        return False
    shown = Record(page.headings[0], {}, " ".join((*page.headings, *page.texts(20_000))), page.elements)
    stated = [one for one in target.criteria if one.operator in POSITIVE and number_in(one.value) is None and not _is_switch(one)]
    stated = [criterion for criterion in stated if criterion.operator is not Operator.CONTAINS or len(criterion.value) >= _TELLING]
    if any(_is_searched_for(criterion, page) for criterion in stated):
        return False  # a search without results repeats the text that was searched for
    if not stated and not (only_exclude(target.criteria) and best_button(page.elements, _LEAVING, 0.8)):
        return False
    return judge(stated, shown, whole=True).met == len(stated) and judge(target.criteria, shown).fits


def _is_searched_for(criterion: Criterion, page: Page) -> bool:
    return page.search_box is not None and page.search_box.value.strip() in criterion.values


def may_show(target: Target, page: Page) -> bool:
    """Whether the page contains all stated values, so that it may show the item."""
    stated = [criterion for criterion in target.criteria if criterion.operator in POSITIVE and not _is_switch(criterion)]
    texts = (*page.headings, *page.texts(20_000), *(element.text for element in page.elements))
    return not stated or judge(stated, Record("", {}, " ".join(texts), page.elements), whole=True).fits


def _is_switch(criterion: Criterion) -> bool:
    return criterion.value.strip().lower() in {"true", "false", "yes", "no"}


def _is_named(target: Target, text: str) -> bool:
    return not target.name or " ".join(words(target.name)) in " ".join(words(text)) or target.name.lower() in text.lower()


def _is_detail(page: Page) -> bool:
    path = [part for part in path_of(page.url).split("/") if part]
    return len(path) > 1 or any(any(sign.isdigit() for sign in part) for part in path)


def fitting(target: Target, page: Page) -> list[tuple[Record, Verdict]]:
    """The page's items that fail no criterion, the likeliest first; without those that have no name or are only frames."""

    def find() -> list[tuple[Record, Verdict]]:
        listed = [record for record in page.records if record.name and record.elements and not _frames(record)]
        return best(target.criteria, listed) or best(target.criteria, _single(target, page))

    return once(find, "fitting", target, id(page))


def _single(target: Target, page: Page) -> list[Record]:
    if _is_detail(page):
        return []
    is_result = page.search_box is not None and page.search_box.value in {value for one in target.criteria for value in one.values}
    if is_result and (opener := best_button(page.elements, _OPENERS, _EXACT)):
        return [Record("", {}, "", (opener,))]
    if len(target.name) < _LEAST_SEARCHED:
        # A list with a single entry: a link to an address below the list's.
        below = path_of(page.url).rstrip("/") + "/"
        cards = (card for card in page.usable({"link"}) if len(words(card.text)) >= _ITEM_WORDS and path_of(card.href).startswith(below))
        return [Record(card.text, {}, card.text, (card,)) for card in cards if len(below) > 1 and path_of(card.href)[len(below) :]]
    blocks: dict[str, list[Element]] = {}
    judged = page.items if len(page.records) > 1 else {}
    for element in in_time((button for button in page.usable(BUTTONS) if button.place not in judged), each=4):
        # A button with this much text is itself an item.
        if _is_named(target, text := element.text if not element.href and len(words(element.text)) >= _ITEM_WORDS else page.card(element)):
            blocks.setdefault(text, []).append(element)
    is_exact = any(criterion.operator is Operator.EQUALS and criterion.value == target.name for criterion in target.criteria)
    named = (
        (text, some) for text, some in blocks.items() if best_button(some, _OPENERS) or any(_is_named(target, one.text) for one in some)
    )
    return [Record(target.name if is_exact else text, {}, text, tuple(some)) for text, some in named]


def _frames(record: Record) -> bool:
    """Whether it is a part of the page with several items: it has more links than to an item, its maker and kind, or two of one label."""
    links = [link for link in record.elements if link.href]
    if sum(not element.href and len(words(element.text)) >= _ITEM_WORDS for element in record.elements) > 2:
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
        yield (Move((BACK,)),)
    if not page.records and past.is_in_item and (back := best_button(page.elements, _LEAVING, 0.8)):
        yield (replace(press(page, back), repeats=True),)
    yield _searched(target.name if len(target.name.strip()) >= _LEAST_SEARCHED else "", page, past)
    stated = [criterion for criterion in target.criteria if criterion.operator in POSITIVE]
    narrowing = tuple(move for move in choices(page, stated).values() if not move.shown and not _tried(move, past))
    yield (*narrowing, *applied(page, narrowing))
    # Other stated values may be searched for too.
    searched = (one for one in stated if number_in(one.value) is None and not _is_switch(one) and _as_searched(one))
    searched = (criterion for criterion in searched if _is_searched_by(criterion, target, page))
    is_narrowed = bool(fits) and any(_is_searched_for(criterion, page) for criterion in stated)
    ordered = sorted(searched, key=lambda criterion: not _SEARCHED_BY & set(words(criterion.field)))
    for criterion in () if is_narrowed else ordered[:_MOST_SEARCHED]:
        yield _searched(_as_searched(criterion), page, past)
    yield () if fits else _cleared(page, past)
    yield () if (place := _place_of_things(target, page)) else _to_place(target, page, past)
    # Each item that was opened in vain was left by going back, which takes two steps.
    if sum("go_back" in entry.fields for entry in past.entries) + len(past.nameless("NavigateAction", succeeded=True)) < MOST_OPENED:
        # Whether it is the one shows once its page has loaded.
        yield (*opening, Move((LOADING,))) if (opening := _opened(page, past, (record for record, _ in fits))) else ()
    # The items are not on further pages of other lists.
    yield () if place and path_of(place.href) != path_of(page.url) else next_page(page, past)
    yield _listed(page, past)


def _is_loading(page: Page, past: Past) -> bool:
    """Whether the page may still be loading: it has almost no items, or still has the link that was pressed last."""
    if past.last_waited:
        return False
    if len(page.records) < 2 and page.subject is None:
        return True
    last = past.entries[-1] if past.entries else None
    if last is None or last.type != "ClickAction" or last.succeeded is False or not _unnumbered(last.fields):
        return False
    pressed = page.element(last.fields["selector"])
    return pressed is not None and (past.is_in_item or (bool(pressed.href) and not _stays(pressed, page)))


def _opened(page: Page, past: Past, records: Iterable[Record]) -> tuple[Move, ...]:
    # A caller that reports no selectors reports at least how often an item was left by going back.
    left_again = len(past.nameless("NavigateAction", succeeded=True))
    for record in islice(in_time(records, each=1), left_again, None):
        chosen = _way_in(record, page)
        if chosen and not _tried(move := press(page, chosen, lambda selector: "href" in str(selector), record.name), past):
            return (move,)
    return ()


def _way_in(record: Record, page: Page) -> Element | None:
    name = words(record.name)
    links = [element for element in record.elements if element.role in BUTTONS and not _stays(element, page)]
    addressed = [link for link in links if link.href]
    named = (link for link in addressed if name and words(link.text)[: len(name)] == name)
    chosen = next(named, None) or best_button(addressed, _OPENERS) or next(iter(addressed), None) or best_button(links, _OPENERS)
    chosen = chosen or next((link for link in links if link.opens == "item" or (name and set(name) <= set(words(link.text)))), None)
    # The only button with a text on a card leads to the item.
    worded = [link for link in links if link.text and len(words(link.text)) > 1 and _ACTS.isdisjoint(words(link.text))]
    return chosen or (worded[0] if len(worded) == 1 else None)


def _stays(element: Element, page: Page) -> bool:
    if not element.href:
        return element.role == "link" and element.tag == "a"
    if not element.href.strip("#") or element.href.startswith(("mailto:", "tel:")):
        return True
    there, here = split_http(joined(page.url, element.href)), split_http(page.url)
    return there is not None and here is not None and (there.path, there.query) == (here.path, here.query)


def _tried(move: Move, past: Past) -> bool:
    """Whether it was pressed before, whatever its number among others of its name or address then."""
    known = {_unnumbered(entry.fields) for entry in past.entries} - {""}
    return any(past.times(action) or _unnumbered(action.fields) in known for action in move.alternatives)


def _unnumbered(fields: Mapping[str, Any]) -> str:
    """An XPath by name or address, without the number of the match; "" for any other."""
    selector = fields.get("selector")
    value = str(selector.get("value", "")) if isinstance(selector, dict) else ""
    return _NUMBERED.sub(r"\1", value) if "ancestor::" in value or "@href=" in value else ""


def to_things(target: Target, page: Page, past: Past) -> tuple[Move, ...]:
    """To the site's list of such things, by its navigation, unless this page is that list: an author isn't among the books."""
    leading = (button for button in page.usable({"button"}) if button.label.startswith(LEADS_TO))
    named = (button for button in leading if target.thing in words(f"{button.text} {button.hints}"))
    leads = _place_of_things(target, page) or next(named, None)
    if not leads or _route_of(target).search(page.url):
        return ()
    move = press(page, leads)
    return () if _tried(move, past) else (move,)


def _route_of(target: Target) -> re.Pattern[str]:
    return re.compile(rf"/(?:{'|'.join(map(re.escape, names_of_thing(target.thing)))})s?(?:[/?#]|$)", re.I)


def _place_of_things(target: Target, page: Page) -> Element | None:
    if not target.thing:
        return None
    route = _route_of(target)
    links = [link for link in page.usable({"link"}) if route.search(link.href) and page.keeps(link.href)]
    named = [link for link in links[:1] if words(link.label) == (target.thing,)]
    # Sites change their labels often, their routes rarely.
    routed = (link for name in names_of_thing(target.thing) for link in links if place_of(link.href) == name)
    return next(iter(named), None) or next(routed, None)


def _to_place(target: Target, page: Page, past: Past) -> tuple[Move, ...]:
    """To the part of the site named like a field of the criteria: recommendations, for a recommendation."""
    fields = {field[-1] for criterion in target.criteria if criterion.operator in POSITIVE and (field := words(criterion.field))}
    here = path_of(page.url)
    links = (link for link in in_time(page.usable({"link"})) if place_of(link.href) in fields and path_of(link.href) != here)
    moves = (press(page, link) for link in islice(links, 1))
    return tuple(move for move in moves if not _tried(move, past))


def _is_searched_by(criterion: Criterion, target: Target, page: Page) -> bool:
    """Whether the page's search is for values of this field: not one "by name", or labelled like another field of the task. One that
    is labelled with a field's name, such as destinations, is for that field."""
    box = page.search_box or search_opener(page)
    label = f"{box.label} {box.placeholder}" if box else ""
    others = {word for criterion in target.criteria for word in words(criterion.field)} | {"name"}
    if set(words(label)) & set(words(criterion.field)):
        return True
    own = set(words(criterion.field))
    is_usual = bool(_SEARCHED_BY & own - ({"name"} if OWNERS & own else set()))  # the name of a host is not the item's
    fields = field_names_in(label) - {target.thing}
    return others.isdisjoint(words(label)) and (is_usual or not fields or not fields.isdisjoint(forms_of(criterion.field)))


def _as_searched(criterion: Criterion) -> str:
    """The text to search for: of an e-mail address the name, ann lee for ann.lee@example.com; "" for texts that are too short."""
    if len(criterion.value) < _LEAST_SEARCHED:
        return ""
    local, at, _ = criterion.value.partition("@")
    return " ".join(local.split(".")) if at and "." in local else "" if at else criterion.value


def _cleared(page: Page, past: Past) -> tuple[Move, ...]:
    """Back to the whole list after a search without results: many search for whole words, and a prompt may state a part. The search
    may be in a dialog that was closed since."""
    box = page.search_box
    if page.records or not past.filled or (box is not None and not box.value):
        return ()
    clear = best_button(page.elements, ("clear search", "reset search", "clear"), 0.7)
    return (press(page, clear),) if clear else search_for(page, "") if box else ()


def _searched(name: str, page: Page, past: Past) -> tuple[Move, ...]:
    moves = search_for(page, name) if name else ()
    sent = any(past.times(action) for move in moves if not move.fills for action in move.alternatives)
    is_typed = bool(moves) and moves[0].shown
    if not moves or sent or (is_typed and not any(entry.type in FILLS for entry in past.entries[-1:])):
        return ()
    # A caller may do one action of each reply: what it has just typed is sent next. The results are loaded in the same reply.
    return (*moves[is_typed:], Move((LOADING,))) if moves[0].fills else moves


def next_page(page: Page, past: Past) -> tuple[Move, ...]:
    if not page.records or any(element.overlay and element.usable for element in page.elements):
        return ()  # a calendar has a next month
    pages = page.pagination
    on = pages.next or (pages.numbered.get(pages.now + 1) if pages.now else None)
    within = {element.place for record in page.records for element in record.elements}
    # A link labelled "Later" may lead to a part of the site.
    here = (element for element in page.elements if not element.href.strip("#") or path_of(element.href) == path_of(page.url))
    short = (element for element in here if len(words(element.label)) <= 3 and element.place not in within)
    button = on or best_button(short, ("next", "next page", "load more", "show more", "more results", "older"), least=0.9)
    move = replace(press(page, button), repeats=True) if button else None
    return (move,) if move and max(map(past.times, move.alternatives), default=0) < MOST_PAGES else ()


def _listed(page: Page, past: Past) -> tuple[Move, ...]:
    # A cart or wishlist does not contain items that are not on it yet.
    short = (link for link in in_time(page.usable(BUTTONS)) if len(words(link.label)) <= 4 and not places_of(link))
    links = [(_likely(link), link) for link in short if not _stays(link, page) and (not link.href or page.keeps(link.href))]
    ranked = sorted(links, key=lambda hit: (-hit[0], hit[1].place))
    likely = (press(page, link) for merit, link in in_time(ranked, each=1) if merit >= (0.6 if link.href else 0.9))
    return next(((move,) for move in likely if not _tried(move, past)), ())


def _likely(link: Element) -> float:
    # A button with only such a word sends a search, or resets or unfolds a filter.
    if link.submits or (not link.href and meanings_of(link.label) in ({"search"}, {"all"})):
        return 0.0
    texts = (link.label, place_of(link.href))  # sites change their labels often, their routes rarely
    return max(alike(name, text) - rank / 100 for rank, name in enumerate(_LISTS) for text in texts)


def press_on_item(intent: Intent, page: Page, names: Sequence[str], least: float = LEAST) -> tuple[Move, ...]:
    target = target_of(intent)
    if is_target_page(target, page):
        # A link of the same name leads to the list of such items.
        return press_best(page, sorted(_own(page), key=lambda element: bool(element.href.strip("#"))), names, least)
    # A card's button "Add" is for the cart.
    labels = names if intent.kind is Kind.CART else [name for name in names if meanings_of(name) != {"add"}]
    sure = certain_items(target, page)
    pressed = (press_best(page, record.elements, labels, least, record.name) for record in in_time(sure, each=4))
    if moves := next(filter(None, pressed), ()):
        return moves
    # Tick an item in its list, then press the button for all ticked items, which appears then. A row that opens has the button inside.
    shut = (record for record in sure if target.is_any or not any(element.opens == "item" for element in record.elements))
    box = next((element for record in shut for element in record.elements if element.role == "checkbox" and element.usable), None)
    buttons = (element for element in _own(page) if not element.href.strip("#"))
    return (replace(press(page, box), shown=box.value == CHECKED), *press_best(page, buttons, names, 0.8)) if box else ()


def certain_items(target: Target, page: Page) -> list[Record]:
    return [record for record, verdict in fitting(target, page) if verdict.certain]


def _own(page: Page) -> Iterable[Element]:
    """The elements of the page's subject, else those of no item in its lists: other items have buttons of the same names."""
    if page.subject is not None:
        return page.subject.elements
    others = {element.place for record in page.records for element in record.elements if len(record.elements) < 12}
    return [element for element in page.elements if element.place not in others]
