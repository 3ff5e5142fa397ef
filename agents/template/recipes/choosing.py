"""Choose a value: of a field, a list, a calendar. Nothing is sent after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from agents.page import Page
from agents.page.matching import likeness
from agents.protocol import PastAction
from agents.template.answers import answers
from agents.template.criteria import Criterion
from agents.template.filling import filled
from agents.template.fitting import agrees
from agents.template.form_task import FormTask
from agents.template.forms import openers
from agents.template.intents import Intent, Kind
from agents.template.leads import ADDING
from agents.template.lists import chosen_from_list
from agents.template.meanings import names_of
from agents.template.measures import date_in
from agents.template.moves import Move, press
from agents.template.past import Past
from agents.template.recipes import best_guess
from agents.template.slots import slots

_ALIKE = 0.6
# The text that an XPath is about.
_QUOTED = re.compile(r"=['\"]([^'\"]+)['\"]")


@dataclass(frozen=True)
class Choosing(FormTask):
    """A form of which only what the criteria name is set, wherever on the page that is."""

    def reach(self, intent: Intent, page: Page | None) -> tuple[Move, ...]:
        return () if page is not None and self.act(intent, page) else super().reach(intent, page)

    def act(self, intent: Intent, page: Page | None) -> tuple[Move, ...]:
        if page is None:
            return ()
        # Words that are typed are sent: nothing happens to them else.
        return (
            best_guess.act(intent, page) if _types(intent, page) else chosen_from_list(page, intent.criteria) or tuple(_set(intent, page))
        )

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """What meets the criteria was pressed last, or all that can be set is set: what is chosen is often not shown where it was."""
        if _types(intent, page) or past.after_sending() is not None:
            return best_guess.achieved(intent, page, past)
        moves = self.act(intent, page)
        set_ = bool(moves) and (past.filled or past.pressed) and all(move.shown or any(map(past.did, move.ways)) for move in moves)
        return set_ or _chosen(intent, past)


def _types(intent: Intent, page: Page) -> bool:
    given = answers(intent.criteria, slots(page.elements), page)
    return any(one.slot.element.role in {"textbox", "searchbox"} and one.slot.element.type in {"", "text", "search"} for one in given)


def _chosen(intent: Intent, past: Past) -> bool:
    """Whether what was pressed last is what was asked for; where something is only excluded, after what opened the choice of it."""
    presses = [_said(one) for one in past.entries if one.type == "ClickAction" and one.succeeded is not False]
    if not presses or not intent.criteria or not all(_meets(one, presses[-1]) for one in intent.criteria):
        return False
    fields = {one.field for one in intent.criteria}
    opened = len(presses) > 1 and any(likeness(name, presses[-2]) >= _ALIKE for field in fields for name, _ in names_of(field))
    return opened or not all(one.operator.negative for one in intent.criteria)


def _meets(criterion: Criterion, said: str) -> bool:
    """Whether it is a value that meets the criterion: of days, only a day."""
    is_day = all(date_in(value) is not None for value in criterion.values)
    return agrees(criterion, said) and (not is_day or date_in(said) is not None)


def _said(entry: PastAction) -> str:
    """What a selector says of what was pressed: the text in an XPath, or the value of an attribute."""
    selector = entry.fields.get("selector")
    said = str(selector.get("value", "")) if isinstance(selector, dict) else ""
    quoted = _QUOTED.search(said)
    return quoted[1] if quoted else said


def _set(intent: Intent, page: Page) -> Iterator[Move]:
    given = answers(intent.criteria, slots(page.elements), page)
    yield from filled(page, given)
    for one in openers(intent.criteria, given, page.elements):
        yield replace(press(page, one), once=True, opens=True)


RECIPE = Choosing(
    "choosing",
    frozenset({Kind.CHOOSE}),
    leads=("add new", "new", "create", "add", "book", "post", "getting started", "start here", "quick start", "welcome", "begin"),
    verbs=ADDING,
    sends=("save", "add", "submit", "create", "confirm", "book", "find", "search"),
)
