"""Deeds: pressing what a task is about, by its meaning, so that the history tells later that it was done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agents.page import Element, Page
from agents.page.elements import BUTTONS
from agents.template.moves import Move, press
from agents.template.past import Past
from agents.template.thesaurus import alike, meant

# Half of the words and something of its own: "Share" for "share link" will do, "Remove" for "remove from the cart" too.
LEAST = 0.5
_MARKED = 0.8
_ANYWHERE = frozenset({"add", "save", "view", "list"})
# As the thesaurus calls them.
_PLACES = frozenset({"cart", "list"})


def named(elements: Iterable[Element], names: Sequence[str], least: float = LEAST) -> Element | None:
    """The button or link that one of the names fits best; the earlier name and the earlier element win where two are alike."""
    hits = [
        (round(_fit(element, name), 2), -rank, -order, element)
        for order, element in enumerate(elements)
        if element.usable and element.role in BUTTONS and not _is_elsewhere(element, names)
        for rank, name in enumerate(names)
    ]
    best = max(hits, key=lambda hit: hit[:3], default=None)
    return best[3] if best and best[0] >= least else None


def _is_elsewhere(element: Element, names: Sequence[str]) -> bool:
    """Whether it puts things somewhere else than all of the names do: a cart is no wishlist, whatever else two buttons share."""
    said = meant(element.label) & _PLACES or meant(element.hints) & _PLACES
    wanted = frozenset().union(*map(meant, names)) & _PLACES
    return bool(said) and bool(wanted) and not said & wanted


def _fit(element: Element, name: str) -> float:
    """How well a name fits what an element says, or a little less what its markup says. A word for anything must be all of it."""
    wanted = meant(name)
    if wanted <= _ANYWHERE and meant(element.label) != wanted:
        return 0.0
    return max(*(alike(name, text) for text in (element.label, element.text)), _MARKED * alike(name, element.hints))


def deed(page: Page, element: Element, names: Sequence[str], beside: str = "") -> Move:
    """Press an element, if possible by a selector that says what it is called: that can be told in the history."""
    label = element.text or element.label
    return press(page, element, lambda selector: label in str(selector["value"]) if label else _says(selector, names), beside)


def did(past: Past, names: Sequence[str]) -> bool:
    """Whether something of one of these names was pressed."""
    return any(
        entry.succeeded is not False and entry.type == "ClickAction" and _says(entry.fields.get("selector"), names)
        for entry in past.entries
    )


def _says(selector: object, names: Sequence[str]) -> bool:
    value = str(selector.get("value", "")) if isinstance(selector, dict) else ""
    said = meant(value)
    return any(said >= wanted for wanted in map(meant, names) if wanted)
