"""A dialog whose form has several steps: each is filled by the prompt, then comes the next."""

import re
from collections.abc import Sequence
from dataclasses import replace

from agents.contract.action_history import Past
from agents.page import Element, Page, words
from agents.template.forms.filling import answers, demanded, filled
from agents.template.forms.slots import slots
from agents.template.items.matching import best_button, was_pressed
from agents.template.items.navigation import nouns_of
from agents.template.moves import Move, press
from agents.template.prompt import Intent, Kind, Trait, besides_item
from agents.template.prompt.verbs import BINDS

_ONWARD = ("next", "next step", "continue", "proceed")
# "Next month" turns a calendar's page and is no step of a form.
_LEAVES = frozenset({"month", "week", "day", "year", "page", "slide"})
# A dialog that shows its steps may call the button to the next one like that step.
_STEP = re.compile(r"go to (?:the )?(.+) step", re.I)
_NAME_OF = re.compile(r"\b(?!(?:first|last|full|user|your|the|display|a|an|new|enter|type)\b)([a-z]+) name\b", re.I)
_FIRST_FILLED = ("title", "name")


def wizard(intent: Intent, page: Page, past: Past) -> tuple[Move, ...]:
    """The moves that fill this step and lead to the next, or send the last; none where the top dialog is no such form."""
    inside = [element for element in page.elements if element.layer and not (element.hidden or element.covered)]
    if _is_of_another(inside, intent) or (intent.kind.has(Trait.CHANGES) and not intent.kind.row.sent_by):
        return ()
    # The button to the next step is at the dialog's foot; others may have the same word.
    foot = (element for element in reversed(inside) if _LEAVES.isdisjoint(words(element.label)) and not _STEP.fullmatch(element.label))
    steps = tuple(match[1] for element in inside if (match := _STEP.fullmatch(element.label)))
    # A button called like the first step leads back to it.
    names = (*_ONWARD, *steps[1:])
    onward = next((element for element in foot if was_named(element, names)), None)
    if onward is None and was_pressed(past, (*_ONWARD[:1], *steps)):
        onward = best_button([element for element in inside if element.usable and _may_send(element, intent)], intent.kind.row.sent_by, 0.6)
    if onward is None:
        return ()
    offered = slots(inside)
    # The item's criteria are no values for a form.
    is_item = intent.kind.has(Trait.OF_ITEM) and intent.kind is not Kind.CHOOSE
    given = answers(besides_item(intent) or (() if is_item else intent.criteria), offered, page)
    if is_item and not given:
        return ()
    is_shut = not page.elements[onward.place].usable
    fills = filled(page, (*given, *demanded(offered, given, _FIRST_FILLED, page, all_empty=is_shut)))
    is_next = was_named(onward, names)
    return fills if is_shut else (*fills, replace(press(page, onward), repeats=is_next, once=not is_next))


def _is_of_another(inside: Sequence[Element], intent: Intent) -> bool:
    """Whether a field is for the name of another thing than the task's: "team name", where a task is to be added."""
    named = {match[1].lower() for element in inside for text in (element.label, element.placeholder) for match in _NAME_OF.finditer(text)}
    return bool(named) and named.isdisjoint({*words(intent.text), *nouns_of(intent)})


def _may_send(button: Element, intent: Intent) -> bool:
    """Whether it sends only what the task is about: a skill is added to a job without posting the job, a value is only chosen."""
    label = set(words(button.label or button.text)).difference(*map(words, intent.kind.row.sent_by))
    return intent.kind is not Kind.CHOOSE and label <= {*words(intent.head), *nouns_of(intent)}


def was_named(button: Element, names: Sequence[str]) -> bool:
    """A button that confirms may match a synonym of "continue", but sends the form."""
    is_last = BINDS & set(words(button.label or button.text))
    return not is_last and best_button([replace(button, disabled=False)], names, 0.7) is not None
