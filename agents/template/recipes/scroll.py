"""Scroll a carousel or row to a side: press what moves it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.page import Element, Page
from agents.page.elements import BUTTONS
from agents.page.matching import words
from agents.template.criteria import Criterion
from agents.template.deeds import deed, did, named
from agents.template.intents import Intent, Kind
from agents.template.judging import holds
from agents.template.moves import Move
from agents.template.past import Past
from agents.template.values import meets

_SIDES = {
    "right": ("scroll right", "next", "right", "next slide", "→", "›", "»", ">"),
    "left": ("scroll left", "back", "previous", "prev", "left", "previous slide", "←", "‹", "«", "<"),
}
_SURE = 0.8
_SLIDE = re.compile(r"\b(?:slide|page) \d+$|^\d+$", re.I)
_AROUND = 4
_TITLES = frozenset({"title", "name", "section", "carousel"})


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.SCROLL


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """Towards the side that is asked for. A row that is at that end has no such button until it was moved the other way."""
    if page is None:
        return ()
    movers = [one for one in page.usable(BUTTONS) if not _is_show(page, one)]
    titled = [one for one in intent.criteria if _TITLES & set(words(one.field))]
    in_row = [one for one in movers if all(holds(title, page.heading_before(one)) for title in titled)] if titled else []
    for among in (in_row or _nearly(movers, titled, page), movers):
        for names in (_names(intent), *_SIDES.values()):
            found = named(among, names, _SURE)
            if found is not None:
                return (deed(page, found, names),)
    return ()


def _nearly(movers: Sequence[Element], titled: Sequence[Criterion], page: Page) -> list[Element]:
    """Those whose row's heading shares most of a title's words: "Technology & more" for "Top sellers in technology"."""
    wanted = {word for one in titled if not one.operator.negative for word in words(one.value)}
    shared = [len(wanted & set(words(page.heading_before(one)))) for one in movers]
    most = max(shared, default=0)
    return [one for one, count in zip(movers, shared, strict=True) if count == most > 0]


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return did(past, _names(intent))


def _is_show(page: Page, element: Element) -> bool:
    """Whether a button moves a slide show, which has a button for each slide: no row of items has."""
    around = page.elements[max(0, element.place - _AROUND) : element.place + _AROUND]
    return any(_SLIDE.search(one.label) for one in around)


def _names(intent: Intent) -> tuple[str, ...]:
    asked = [one for one in intent.criteria if "direction" in words(one.field)]
    said = words(intent.words)
    sides = [side for side in _SIDES if all(meets(one, side) for one in asked)] or list(_SIDES)
    side = sides[0] if asked else next((side for side in _SIDES if side in said), sides[0])
    return _SIDES[side]
