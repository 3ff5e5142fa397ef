"""The way to the item that a task is about: through lists, search, filters, pages and details, judging what is seen on the way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from agents.actions import validate
from agents.page import Element, Page, Record
from agents.page.elements import BUTTONS
from agents.page.matching import words
from agents.sites import joined, path_of, split_http
from agents.template.criteria import Operator
from agents.template.deeds import named
from agents.template.filters import choices
from agents.template.judging import Verdict, best, judge
from agents.template.measures import number_in
from agents.template.moves import LOADING, Move, press
from agents.template.past import Past
from agents.template.quest import Quest, narrowing
from agents.template.recipes.search import search_for
from agents.template.thesaurus import alike, meant

# An item may lead to its maker and its kind too; what leads to more places is a list.
_MOST_PLACES = 3
# Each look at a detail page and back takes two of the twelve steps.
_MOST_LOOKS = 4
_OPENERS = ("view details", "details", "view", "open", "see more", "more info", "read more", "learn more", "show", "view profile")
_NEXT = ("next", "next page", "load more", "show more", "more results", "older")
_LISTS = ("view all", "search", "browse", "all", "catalog", "shop", "library", "products", "items", "home")
_LIKELY, _SURELY = 0.6, 0.9
# Buttons that say no more than this send a search, set a filter back or unfold one.
_BARE = (frozenset({"search"}), frozenset({"all"}))
_NUMBERED = re.compile(r"^\((.*)\)\[\d+\]$")
_SHORT = 3
# A page with fewer items may still be loading them.
_FEW = 2
BACK = validate({"type": "NavigateAction", "go_back": True})


def is_there(quest: Quest, page: Page) -> bool:
    """Whether the page is that of an item that meets the criteria, as far as it tells: if it tells nothing, it was chosen for them."""
    if not _is_detail(page):
        return False
    if page.subject is not None and _is_named(quest, page.subject.name):
        return judge(quest.criteria, page.subject, whole=True).fits
    if quest.name and any(_is_named(quest, head) for head in (*page.headings[:3], page.title)):
        return True
    return page.subject is None and not page.records


def _is_named(quest: Quest, said: str) -> bool:
    """Whether a heading bears the name that is looked for, where one is."""
    return not quest.name or " ".join(words(quest.name)) in " ".join(words(said)) or quest.name.lower() in said.lower()


def _is_detail(page: Page) -> bool:
    """Whether the page is about one item: its address names one, deeper than a list's."""
    path = [part for part in path_of(page.url).split("/") if part]
    return len(path) > 1 or any(any(sign.isdigit() for sign in part) for part in path)


def fitting(quest: Quest, page: Page) -> list[tuple[Record, Verdict]]:
    """The page's items that fail no criterion, the likeliest first; those without a name and what only looks like an item left out."""
    found = best(quest.criteria, [record for record in page.records if record.name and record.elements and not _frames(record)])
    return found or best(quest.criteria, _single(quest, page))


def _single(quest: Quest, page: Page) -> tuple[Record, ...]:
    """The one item that a search has found: one alone repeats nothing, but bears the name."""
    if not quest.name or _is_detail(page):
        return ()
    blocks: dict[str, list[Element]] = {}
    for element in page.usable(BUTTONS):
        if _is_named(quest, text := page.card(element)):
            blocks.setdefault(text, []).append(element)
    opened = {text: some for text, some in blocks.items() if named(some, _OPENERS) or any(_is_named(quest, one.text) for one in some)}
    return tuple(Record(_name_in(quest, text), {}, text, tuple(elements)) for text, elements in opened.items())


def _name_in(quest: Quest, text: str) -> str:
    exact = next((one.value for one in quest.criteria if one.operator is Operator.EQUALS and one.value == quest.name), "")
    return exact or text


def _frames(record: Record) -> bool:
    """Whether what looks like an item is a part of the page with several items in it: the same words lead to different places."""
    links = [link for link in record.elements if link.href]
    places = {link.href for link in links}
    return len(places) > _MOST_PLACES or len({link.label for link in links}) < len(places)


def towards(quest: Quest, page: Page, past: Past) -> tuple[Move, ...]:
    """The next move to the item; nothing where no way is left."""
    return next((moves for moves in _ways(quest, page, past) if moves), ())


def _ways(quest: Quest, page: Page, past: Past) -> Iterator[tuple[Move, ...]]:
    if _is_loading(page, past):
        yield (Move((LOADING,)),)
    if quest.thing:
        yield _to_things(quest, page, past)
    fits = fitting(quest, page)
    yield _opened(page, past, (record for record, verdict in fits if verdict.certain))
    if past.last_entered:
        yield (Move((LOADING,)),)
    if _is_detail(page) and past.pressed and page.subject is not None and not past.last_went_back:
        yield (Move((BACK,)),)
    looked = _looks(past)
    yield _searched(quest.name, page, past)
    yield _narrowed(quest, page, past)
    yield _searched(_told(quest), page, past)
    if looked < _MOST_LOOKS:
        yield _opened(page, past, (record for record, _ in fits))
    yield _next_page(page)
    yield _listed(page, past)


def _is_loading(page: Page, past: Past) -> bool:
    """Whether more may come by itself: the page has hardly anything yet, or is still the one that the last press leads away from."""
    if past.last_waited:
        return False
    return (len(page.records) < _FEW and page.subject is None) or _is_left(page, past)


def _is_left(page: Page, past: Past) -> bool:
    """Whether the link that was pressed last is still here, and leads elsewhere."""
    last = past.entries[-1] if past.entries else None
    if last is None or last.type != "ClickAction" or last.succeeded is False or not _unnumbered(last.fields):
        return False
    pressed = page.element(last.fields["selector"])
    return pressed is not None and bool(pressed.href) and not _stays(pressed, page)


def _opened(page: Page, past: Past, records: Iterable[Record]) -> tuple[Move, ...]:
    """Open the first that wasn't opened before."""
    moves = (move for record in records if (move := opening(page, record)) and not _tried(move, past))
    return next(((move,) for move in moves), ())


def opening(page: Page, record: Record) -> Move | None:
    """Press what opens an item: what bears its name or says so, else its first link that leads to a page."""
    links = [element for element in record.elements if element.role in BUTTONS and not _stays(element, page)]
    addressed = [link for link in links if link.href]
    chosen = _by_name(addressed, record) or named(addressed, _OPENERS) or next(iter(addressed), None) or named(links, _OPENERS)
    return press(page, chosen, lambda selector: "href" in str(selector), record.name) if chosen else None


def _by_name(links: Sequence[Element], record: Record) -> Element | None:
    said = words(record.name)
    return next((link for link in links if said and words(link.text)[: len(said)] == said), None)


def _stays(element: Element, page: Page) -> bool:
    """Whether a link leads nowhere else."""
    if not element.href:
        return element.role == "link" and element.tag == "a"
    there, here = split_http(joined(page.url, element.href)), split_http(page.url)
    return (
        not element.href.strip("#")
        or element.href.startswith(("mailto:", "tel:"))
        or (there is not None and here is not None and (there.path, there.query) == (here.path, here.query))
    )


def _tried(move: Move, past: Past) -> bool:
    """Whether it was pressed before; how many others of its name or address there are may have changed since."""
    known = {_unnumbered(entry.fields) for entry in past.entries} - {""}
    return any(past.times(way) or _unnumbered(way.fields) in known for way in move.ways)


def _unnumbered(fields: Mapping[str, Any]) -> str:
    """An XPath by name or address, without the number of the match; "" for any other."""
    selector = fields.get("selector")
    value = str(selector.get("value", "")) if isinstance(selector, dict) else ""
    return _NUMBERED.sub(r"\1", value) if "ancestor::" in value or "@href=" in value else ""


def _looks(past: Past) -> int:
    """How many items were opened in vain: each of them was left by going back."""
    return sum("go_back" in entry.fields for entry in past.entries)


def _to_things(quest: Quest, page: Page, past: Past) -> tuple[Move, ...]:
    """To the site's page of such things, where its navigation has one that isn't this page: an author isn't found among books."""
    route = re.compile(rf"/{re.escape(quest.thing)}s?(?:[/?#]|$)", re.I)
    links = [link for link in page.usable({"link"}) if route.search(link.href) and _keeps_seed(link, page)]
    if route.search(page.url) or not links or words(links[0].label) != (quest.thing,):
        return ()
    move = press(page, links[0])
    return () if _tried(move, past) else (move,)


def _told(quest: Quest) -> str:
    """What else of an item may be searched for: words that it has."""
    texts = [one.value for one in narrowing(quest.criteria) if number_in(one.value) is None]
    return next(iter(texts), "")


def _searched(name: str, page: Page, past: Past) -> tuple[Move, ...]:
    if not name or page.search_box is None:
        return ()
    moves = search_for(page, name)
    sent = any(past.times(way) for move in moves if not move.fills for way in move.ways)
    return () if sent or moves[0].shown else moves


def _narrowed(quest: Quest, page: Page, past: Past) -> tuple[Move, ...]:
    """The page's own filters, where they have what is wanted."""
    moves = choices(page, narrowing(quest.criteria))
    return tuple(move for move in moves if not move.shown and not _tried(move, past))


def _next_page(page: Page) -> tuple[Move, ...]:
    """On in the list: its next page, by what says so or by its number, or more of it."""
    pages = page.pagination
    on = pages.next or (pages.numbered.get(pages.now + 1) if pages.now else None)
    within = {element.place for record in page.records for element in record.elements}
    short = (element for element in page.elements if len(words(element.label)) <= _SHORT and element.place not in within)
    found = on or named(short, _NEXT, least=0.9)
    return (press(page, found),) if found else ()


def _listed(page: Page, past: Past) -> tuple[Move, ...]:
    """A page of the site that may list more, each once."""
    links = [link for link in page.usable(BUTTONS) if len(words(link.label)) <= 4 and not _stays(link, page) and _keeps_seed(link, page)]
    ranked = sorted(links, key=lambda link: (-_likely(link), link.place))
    likely = [press(page, link) for link in ranked if _likely(link) >= (_LIKELY if link.href else _SURELY)]
    return next(((move,) for move in likely if not _tried(move, past)), ())


def _likely(link: Element) -> float:
    """How far a link promises a list; the first names promise more than the last ones."""
    if link.submits or (not link.href and meant(link.label) in _BARE):
        return 0.0
    return max(alike(name, link.label) - rank / 100 for rank, name in enumerate(_LISTS))


def _keeps_seed(link: Element, page: Page) -> bool:
    """A link that loses the seed leads to another site's items."""
    return not link.href or "seed=" not in page.url or "seed=" in link.href
