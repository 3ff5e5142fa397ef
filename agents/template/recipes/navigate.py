"""Go to a page of the site: by its URL where the prompt says one, else by the link that leads there."""

from __future__ import annotations

import re

from agents.actions import InvalidAction, navigate
from agents.page import Page
from agents.page.matching import words
from agents.template import blind
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
        return _by_route(intent, page) or link_to(page, (place or "home",))
    return () if place in _HOME else (blind_press(blind.pressed((place,), ("/" + "-".join(place.split()),))),)


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return past.pressed or any(entry.type == "NavigateAction" and entry.succeeded is not False for entry in past.entries)


def _place(intent: Intent) -> str:
    words = " ".join(_PAGE_WORDS.sub(" ", intent.subject).split()).lower()
    return words[:60].strip(" .,!?/")


def _by_route(intent: Intent, page: Page) -> tuple[Move, ...]:
    """Press the link whose address ends in a word of the prompt, the earliest said: labels change with the seed and the language."""
    said = words(intent.words)
    ends = {words(link.href.partition("?")[0].rstrip("/").rpartition("/")[2]): link for link in reversed(page.usable({"link"}))}
    named = [(said.index(end[0]), link) for end, link in ends.items() if len(end) == 1 and end[0] in said]
    return (press(page, min(named, key=lambda hit: hit[0])[1]),) if named else ()


def _opened(url: str) -> tuple[Move, ...]:
    try:
        return (Move((navigate(url),)),)
    except InvalidAction:
        return ()
