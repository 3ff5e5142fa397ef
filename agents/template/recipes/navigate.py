"""Go to a page of the site: by its URL where the prompt says one, else by the link that leads there."""

from __future__ import annotations

import re

from agents.actions import InvalidAction, navigate
from agents.page import Element, Page
from agents.page.elements import BUTTONS
from agents.page.matching import words
from agents.sites import path_of
from agents.template import blind
from agents.template.deeds import named
from agents.template.fields import link_to
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_press, press
from agents.template.past import Past

_URL = re.compile(r"https?://[^\s'\"<>]+")
_HOME = frozenset({"", "home", "start", "main", "homepage", "landing", "front"})
_PAGE_WORDS = re.compile(r"\b(?:page|tab|section|screen|view|all|my|the|please)\b", re.I)


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.NAVIGATE


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    url = _URL.search(intent.words)
    if url:
        return _opened(url[0].rstrip(".,;)"))
    place = _place(intent)
    if page is not None:
        found = _by_route(page, place) or _by_route(page, intent.words) or named(page.usable(BUTTONS), (place or "home",))
        return (press(page, found),) if found else link_to(page, (place or "home",)) or link_to(page, (intent.words,))
    return () if place in _HOME else (blind_press(blind.pressed((place,), ("/" + "-".join(place.split()),))),)


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return past.pressed or any(entry.type == "NavigateAction" and entry.succeeded is not False for entry in past.entries)


def _by_route(page: Page, place: str) -> Element | None:
    """The link whose route is one of the place's words: routes are not restyled, and not translated."""
    wanted = set(words(place))
    routes = [(link, words(path_of(link.href))) for link in page.usable({"link"})]
    return next((link for link, said in routes if said and set(said) <= wanted), None)


def _place(intent: Intent) -> str:
    said = " ".join(_PAGE_WORDS.sub(" ", intent.subject).split()).lower()
    return said[:60].strip(" .,!?/")


def _opened(url: str) -> tuple[Move, ...]:
    try:
        return (Move((navigate(url),)),)
    except InvalidAction:
        return ()
