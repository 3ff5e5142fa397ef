"""Pressing something that belongs to an item: on its own page, or on its card where the card tells enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agents.page import Element, Page, Record
from agents.template.deeds import LEAST, deed, named
from agents.template.finding import fitting, is_there
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, press
from agents.template.quest import Quest, quest_of
from agents.template.thesaurus import meant

# What a card means that says no more than this is its cart.
_ADD = frozenset({"add"})
# A button of the whole page must say what is wanted, and little else.
_SURE = 0.8


def deeds(intent: Intent, page: Page, names: Sequence[str], least: float = LEAST) -> tuple[Move, ...]:
    """Press what one of the names fits, of the item that is meant; nothing where this page doesn't have it."""
    quest = quest_of(intent)
    if is_there(quest, page):
        found = named(_own(page), names, least)
        return (deed(page, found, names),) if found else ()
    telling = names if intent.kind is Kind.CART else [name for name in names if meant(name) != _ADD]
    sure = certain(quest, page)
    pairs = ((record, named(record.elements, telling, least)) for record in sure)
    return next(((deed(page, one, names, record.name),) for record, one in pairs if one), ()) or _ticked(sure, page, names)


def _ticked(sure: Sequence[Record], page: Page, names: Sequence[str]) -> tuple[Move, ...]:
    """Tick an item in its list, then press what is done to all that are ticked: such buttons show when one is."""
    box = next((one for record in sure for one in record.elements if one.role == "checkbox" and one.usable), None)
    if box is None:
        return ()
    button = named(_own(page), names, _SURE)
    return (press(page, box), *((deed(page, button, names),) if button else ()))


def certain(quest: Quest, page: Page) -> list[Record]:
    """The items on the page that surely meet the criteria."""
    return [record for record, verdict in fitting(quest, page) if verdict.certain]


def _own(page: Page) -> Iterable[Element]:
    """The elements of the page's subject, else those that belong to no item of its lists: other items have buttons of the same names."""
    if page.subject is not None:
        return page.subject.elements
    others = {element.place for record in page.records for element in record.elements if len(record.elements) < 12}
    return [element for element in page.elements if element.place not in others]
