"""The cart: put an item in, take it out, change how many of it there are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from agents.page import Element, Page, Record
from agents.page.elements import BUTTONS
from agents.page.matching import words
from agents.sites import path_of
from agents.template import blind
from agents.template.criteria import Criterion
from agents.template.deeds import deed, did, named
from agents.template.fields import fills_for
from agents.template.finding import towards
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_press, press
from agents.template.on_item import certain, deeds
from agents.template.past import Past
from agents.template.quest import quest_of
from agents.template.values import meets

ADD = (
    "add to cart",
    "add to basket",
    "add to bag",
    "add to trolley",
    "add item to cart",
    "put in cart",
    "add to order",
    "add item",
    "buy",
    "add",
)
_OPEN = ("cart", "view cart", "shopping cart", "basket", "bag", "go to cart", "open cart", "my cart", "shopping bag")
_OUT = ("remove from cart", "remove item", "remove", "delete", "delete item", "take out", "×", "x")
_MORE = ("increase quantity", "increase", "+", "add one", "plus", "increment")
_LESS = ("decrease quantity", "decrease", "minus one", "-", "−", "minus", "decrement")
# More than that nobody orders, and no task has the steps to press it.
_MOST = 30
_TAKES = re.compile(r"^\W*(?:\w+ ){0,4}?(?:remove|delete|take|drop|clear|empty)\b", re.I)
_CHANGES = re.compile(r"\b(?:quantity|increase|decrease)\b", re.I)
_BEYOND = re.compile(r"/(?:checkout|payment|order)", re.I)
_SIGNS = frozenset({"cart", "basket", "bag"})


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.CART


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return (blind_press(blind.pressed(ADD[:4])),)
    if not takes_from_cart(intent):
        return (*fills_for(page, _amounts(intent), page.usable({"spinbutton", "listbox"})), *deeds(intent, page, ADD))
    return tuple(_in_cart(intent, page)) if _is_cart(page) else ()


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    if not takes_from_cart(intent):
        return did(past, ADD)
    if not _changes(intent):
        return did(past, _OUT)
    return _is_cart(page) and (past.filled or (did(past, (*_MORE, *_LESS)) and _is_as_wanted(intent, page)))


def takes_from_cart(intent: Intent) -> bool:
    """Whether the task is about what is in the cart already, and not about putting something in."""
    return intent.kind is Kind.CART and (_TAKES.search(intent.words) is not None or _changes(intent))


def filling(intent: Intent, page: Page, past: Past) -> tuple[Move, ...] | None:
    """To the cart with the item in it: put in first where it isn't known to be. None where nothing more is to be done before."""
    if (_is_cart(page) and (_items(intent, page) or did(past, ADD))) or _BEYOND.search(page.url):
        return None
    if did(past, ADD) or (quest_of(intent).open and not _is_cart(page)):
        return to_cart(page)
    return deeds(intent, page, ADD) or towards(quest_of(intent), page, past)


def to_cart(page: Page) -> tuple[Move, ...]:
    """Press what leads to the cart: by its route, else by its name."""
    links = [link for link in page.usable(BUTTONS) if _SIGNS & set(words(path_of(link.href)))]
    found = links[0] if links else named(page.elements, _OPEN)
    return (press(page, found),) if found else ()


def _changes(intent: Intent) -> bool:
    return bool(_CHANGES.search(re.split(r"\b(?:where|whose|with)\b", intent.words, maxsplit=1)[0]))


def _is_cart(page: Page) -> bool:
    return bool(_SIGNS & set(words(path_of(page.url))))


def _items(intent: Intent, page: Page) -> list[Record]:
    return certain(quest_of(intent), page)


def _in_cart(intent: Intent, page: Page) -> Iterator[Move]:
    records = _items(intent, page)
    elements = records[0].elements if records else page.elements
    if not _changes(intent):
        button = named(elements, _OUT)
        if button:
            yield deed(page, button, _OUT)
        return
    typed = [element for element in elements if element.role in {"spinbutton", "listbox"}]
    fills = fills_for(page, _amounts(intent), typed)
    yield from fills or _stepped(page, elements, _amounts(intent))


def _stepped(page: Page, elements: Sequence[Element], criteria: tuple[Criterion, ...]) -> Iterator[Move]:
    """The presses of more or less that bring what is shown between them to the nearest other amount that is wanted."""
    more, less = named(elements, _MORE), named(elements, _LESS)
    shown = _shown(more)
    wanted = sorted((amount for amount in range(1, _MOST + 1) if amount != shown), key=lambda amount: abs(amount - shown))
    amount = next((one for one in wanted if all(meets(criterion, str(one)) for criterion in criteria)), shown + 1)
    button = more if amount > shown else less
    if button is not None:
        step = replace(deed(page, button, _MORE if amount > shown else _LESS), repeats=True)
        yield from (step for _ in range(abs(amount - shown)))


def _shown(more: Element | None) -> int:
    return int(more.group) if more is not None and more.group.isdecimal() else 1


def _is_as_wanted(intent: Intent, page: Page) -> bool:
    records = _items(intent, page)
    shown = str(_shown(named(records[0].elements if records else page.elements, _MORE)))
    return all(meets(one, shown) for one in _amounts(intent))


def _amounts(intent: Intent) -> tuple[Criterion, ...]:
    return tuple(one for one in intent.criteria if "quantity" in words(one.field))
