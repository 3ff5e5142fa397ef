"""A dialog whose form comes in several steps: each is filled as far as the prompt says, then comes the next."""

import re
from collections.abc import Sequence
from dataclasses import replace

from agents.contract.action_history import Past
from agents.page import Element, Page
from agents.page.matching import words
from agents.template.forms.filling import answers, demanded, filled
from agents.template.forms.slots import slots
from agents.template.items.matching import best_button, was_pressed
from agents.template.items.navigation import nouns_of
from agents.template.moves import Move, press
from agents.template.prompt import Intent, Kind, Trait, besides_item

_ONWARD = ("next", "next step", "continue", "proceed")
# What turns the leaves of a calendar or a list is no step of a form.
_LEAVES = frozenset({"month", "week", "day", "year", "page", "slide"})
_NAME_OF = re.compile(r"\b(?!(?:first|last|full|user|your|the|display|a|an|new|enter|type)\b)([a-z]+) name\b", re.I)
_FIRST_FILLED = ("title", "name")


def wizard(intent: Intent, page: Page, past: Past) -> tuple[Move, ...]:
    """What fills this step and leads to the next, or after the last sends it; nothing where the dialog on top is no such form."""
    inside = [one for one in page.elements if one.layer and not (one.hidden or one.covered)]
    if _is_of_another(inside, intent) or (intent.kind.has(Trait.CHANGES) and not intent.kind.row.sent_by):
        return ()
    # What leads on stands at the dialog's foot, whatever else in it has such a word.
    foot = (one for one in reversed(inside) if _LEAVES.isdisjoint(words(one.label)))
    onward = best_button([replace(one, disabled=False) for one in foot], _ONWARD, 0.7)
    if onward is None and was_pressed(past, _ONWARD[:1]):
        onward = best_button([one for one in inside if one.usable and _may_send(one, intent)], intent.kind.row.sent_by, 0.6)
    if onward is None:
        return ()
    offered = slots(inside)
    # What says which item is meant is no value for a form.
    is_item = intent.kind.has(Trait.OF_ITEM) and intent.kind is not Kind.CHOOSE
    given = answers(besides_item(intent) or (() if is_item else intent.criteria), offered, page)
    if is_item and not given:
        return ()
    is_shut = not page.elements[onward.place].usable
    fills = filled(page, (*given, *demanded(offered, given, _FIRST_FILLED, page, all_empty=is_shut)))
    is_next = was_named(onward, _ONWARD)
    return fills if is_shut else (*fills, replace(press(page, onward), repeats=is_next, once=not is_next))


def _is_of_another(inside: Sequence[Element], intent: Intent) -> bool:
    """Whether its fields say that it names a thing that the task is not about: a team's name, for a task to be added."""
    named = {found[1].lower() for one in inside for text in (one.label, one.placeholder) for found in _NAME_OF.finditer(text)}
    return bool(named) and named.isdisjoint({*words(intent.words), *nouns_of(intent)})


def _may_send(button: Element, intent: Intent) -> bool:
    """Whether it sends no more than the task is about: a skill is added to a job without posting the job, a value is only chosen."""
    said = set(words(button.label or button.text)).difference(*map(words, intent.kind.row.sent_by))
    return intent.kind is not Kind.CHOOSE and said <= {*words(intent.head), *nouns_of(intent)}


def was_named(button: Element, names: Sequence[str]) -> bool:
    return best_button([replace(button, disabled=False)], names, 0.7) is not None
