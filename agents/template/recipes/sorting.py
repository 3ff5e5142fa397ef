"""Sort a list: choose the order that the prompt's words name, or press the head of its column."""

from __future__ import annotations

import re

from agents.page import Page
from agents.page.elements import BUTTONS
from agents.page.matching import words
from agents.template.deeds import deed, did, named
from agents.template.fields import link_to
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, fill
from agents.template.past import Past

_FALLING = frozenset("desc descending highest newest latest longest most high z expensive".split())  # noqa: SIM905 (words read best as words)
_RISING = frozenset("asc ascending lowest oldest earliest shortest least low cheapest a".split())  # noqa: SIM905
_ENDS = re.compile(r"\b(?:by|on|in|where|column|order|equals?|sort(?:ed)?|arrange|the|a|an|them|it|is|first|to|'|\")\b|['\",.]", re.I)
_LISTS = ("search", "browse", "catalog", "view all", "all")


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.SORT


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return () if page is None or act(intent, page) else link_to(page, _LISTS)


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return ()
    selects = [(select, option) for select in page.usable({"listbox"}) if (option := _option(intent, select.options))]
    if selects:
        return (fill(page, *selects[0]),)
    head = named([one for one in page.usable(BUTTONS) if not one.href], _names(intent), 0.7)
    return (deed(page, head, _names(intent)),) if head else ()


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return any(past.did(way) for move in act(intent, page) for way in move.ways) or did(past, _names(intent))


def _said(intent: Intent) -> frozenset[str]:
    return frozenset(words(intent.words))


def _option(intent: Intent, options: tuple[str, ...]) -> str:
    """The option that shares most with the prompt; of two directions the one that it names."""
    said = _said(intent)
    scored = [(len(said & set(words(option)) - _FALLING - _RISING) + _turned(said, option) / 2, -at) for at, option in enumerate(options)]
    best = max(scored, default=(0.0, 0))
    return options[-best[1]] if best[0] >= 1 else ""


def _turned(said: frozenset[str], option: str) -> int:
    """1 where an option goes the way that is asked for, -1 where it goes the other."""
    falls = next((name for name in words(option) if name in _FALLING | _RISING), "")
    wanted = bool(said & _FALLING) - bool(said & _RISING - {"a"})
    return 0 if not falls or not wanted else (1 if (falls in _FALLING) == (wanted > 0) else -1)


def _names(intent: Intent) -> tuple[str, ...]:
    """What the head of the column may be called: the criteria's values, else the words after "by"."""
    told = tuple(value for one in intent.criteria for value in one.values)
    after = re.split(r"\bby\b", intent.words, maxsplit=1, flags=re.I)[-1]
    left = " ".join(word for word in _ENDS.sub(" ", after).split() if word.lower() not in _FALLING | _RISING)
    return (*told, left, f"sort by {left}") if left else told
