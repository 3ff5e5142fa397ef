"""Deeds: pressing what a task is about, by its meaning, so that the history tells later that it was done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agents.actions import Action
from agents.page import Element, Page
from agents.page.elements import BUTTONS
from agents.page.matching import score, words
from agents.template.moves import MOST_SELECTORS, Move, press
from agents.template.past import Past

# Half of the words and something of its own: "Share" for "share link" will do, "Remove" for "remove from the cart" too.
_LEAST = 0.5


def named(elements: Iterable[Element], names: Sequence[str], least: float = _LEAST) -> Element | None:
    """The button or link that one of the names fits best; the earlier name and the earlier element win where two are alike."""
    hits = [
        (round(score(element, name), 2), -rank, -element.place, element)
        for element in elements
        if element.usable and element.role in BUTTONS
        for rank, name in enumerate(names)
    ]
    best = max(hits, key=lambda hit: hit[:3], default=None)
    return best[3] if best and best[0] >= least else None


def deed(page: Page, element: Element, names: Sequence[str]) -> Move:
    """Press an element; the ways whose selectors say one of its names come first, as they can be told in the history."""
    move = press(page, element)
    ways = sorted(move.ways, key=lambda way: not _tells(way, names))
    return replace(move, ways=tuple(ways[:MOST_SELECTORS]))


def did(past: Past, names: Sequence[str]) -> bool:
    """Whether something of one of these names was pressed."""
    return any(
        entry.succeeded is not False and entry.type == "ClickAction" and _says(entry.fields.get("selector"), names)
        for entry in past.entries
    )


def _tells(way: Action, names: Sequence[str]) -> bool:
    return _says(way.fields.get("selector"), names)


def _says(selector: object, names: Sequence[str]) -> bool:
    value = str(selector.get("value", "")) if isinstance(selector, dict) else ""
    said = set(words(value))
    return any(set(words(name)) <= said for name in names)
