"""Change or delete a comment or review, on the page of what it is about; one's own has to be written first where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from agents.page import Element, Page
from agents.page.elements import TEXT_FIELDS
from agents.template.criteria import Criterion
from agents.template.deeds import deed, did, named
from agents.template.finding import is_there
from agents.template.fitting import value_for
from agents.template.intents import Intent, Kind
from agents.template.judging import judge
from agents.template.moves import Move, fill
from agents.template.past import Past
from agents.template.quest import quest_of
from agents.template.recipes import comment
from agents.template.recipes.delete_item import confirming
from agents.template.slots import Slot

_NOUNS = ("comment", "review", "feedback")
_DELETING = ("delete", "remove", *(f"delete {noun}" for noun in _NOUNS), "erase", "discard", "trash")
_EDITING = ("edit", *(f"edit {noun}" for noun in _NOUNS), "modify", "update review", "change")
_SAVING = ("save", "save changes", "save comment", "save review", "update", "update review", "update comment", "done", "apply", "submit")
_DELETES = re.compile(r"^\W*(?:\w+\W+){0,3}?(?:delete|remove|erase|take down|drop|withdraw)\b", re.I)
_PERSONAL = frozenset({"commenter", "reviewer", "author", "name"})
_LEAST, _SURE = 0.5, 0.6
_BLOCKS = 4


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.OWN_WORDS


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    """To where something of one's own can be written, where there is nothing yet: some sites want a log-in first."""
    if page is None or not is_there(quest_of(intent), page) or _done_here(intent, page):
        return ()
    return comment.RECIPE.reach(_writing(intent), page)


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None or not is_there(quest_of(intent), page):
        return ()
    return _done_here(intent, page) or comment.RECIPE.act(_writing(intent), page)


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    if _deletes(intent):
        return did(past, _DELETING) and not page.dialog
    return did(past, _EDITING) and did(past, _SAVING) and not _edited(intent, page)


def _done_here(intent: Intent, page: Page) -> tuple[Move, ...]:
    deletes = _deletes(intent)
    begun = confirming(page) if deletes else _edited(intent, page)
    return begun or _pressed(intent, page, _DELETING if deletes else _EDITING)


def _deletes(intent: Intent) -> bool:
    return _DELETES.search(intent.words) is not None


def _written(intent: Intent) -> tuple[Criterion, ...]:
    """What the prompt says of the words themselves and of who wrote them, not of what they are about."""
    about = quest_of(intent).criteria
    return tuple(one for one in intent.criteria if one not in about)


def _pressed(intent: Intent, page: Page, names: tuple[str, ...]) -> tuple[Move, ...]:
    """The button of that name on the first that meets what is said of it."""
    wanted = _written(intent)
    within = [(record, found) for record in page.records if (found := named(record.elements, names, _LEAST))]
    fitting = [pair for pair in within if judge(wanted, pair[0]).fits]
    if fitting:
        record, found = fitting[0]
        return (deed(page, found, names, record.name),)
    alone = None if within else named(page.elements, names, _SURE)
    return (deed(page, alone, names),) if alone else ()


def _edited(intent: Intent, page: Page) -> tuple[Move, ...]:
    """Where the words stand in a field to be changed: other words, and what saves them."""
    pair = next(_being_edited(page), None)
    if pair is None:
        return ()
    field, button = pair
    stated = [one for one in _written(intent) if not _PERSONAL & set(one.field.split())]
    text = value_for(Slot(replace(field, value="")), stated, page) or ""
    return (fill(page, field, text), deed(page, button, _SAVING))


def _being_edited(page: Page) -> Iterator[tuple[Element, Element]]:
    for field in page.usable(TEXT_FIELDS):
        if not field.value or field.tag != "textarea":
            continue
        for block in list(page.blocks([field]))[:_BLOCKS]:
            button = named(block, _SAVING, _SURE)
            if button is not None and not named(block, _EDITING[:2], 1.0):
                yield field, button
                break


def _writing(intent: Intent) -> Intent:
    """Write one first, so that there is something of one's own."""
    wanted = _written(intent)
    kept = wanted if _deletes(intent) else tuple(one for one in wanted if _PERSONAL & set(one.field.split()))
    return replace(intent, kind=Kind.COMMENT, criteria=kept)
