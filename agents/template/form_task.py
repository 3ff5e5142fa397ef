"""What all tasks have in common that fill a form: to its page, fill what is asked for, send it, mend what the page refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agents.page import Element, Page
from agents.page.elements import BUTTONS, TEXT_FIELDS
from agents.page.matching import score, words
from agents.template import blind
from agents.template.criteria import Criterion
from agents.template.filling import demanded, filled
from agents.template.forms import FoundForm, forms
from agents.template.intents import Intent, Kind
from agents.template.lists import chosen_from_list
from agents.template.moves import FILLS, Move, blind_press, press, send
from agents.template.past import Past
from agents.template.quest import quest_of

_ERROR = re.compile(
    r"\b(?:is required|required field|please (?:enter|fill|select|choose|provide|add|complete)|must (?:be|not|contain|have)|"
    r"can(?:no|')t be empty|is invalid|not valid|invalid|is missing|fill in)\b",
    re.I,
)
_SUCCESS = re.compile(
    r"\b(?:thank you|thanks for|success(?:ful(?:ly)?)?|has been (?:sent|saved|added|updated|created|submitted|received|booked)|"
    r"(?:message|email|review|comment|request|changes?|profile|event|booking|reservation|order|application) "
    r"(?:was |is |has been )?(?:sent|saved|added|updated|created|submitted|received|posted|confirmed|placed))\b",
    re.I,
)
_MOST_TEXT = 8_000
_MOST_LEADS = 4
_LEAST_LEAD = 0.55
# A lead by the prompt's own noun ("Add film"), or a form whose button is called so.
_OWN_LEAD = 0.9


@dataclass(frozen=True)
class FormTask:
    """A recipe for tasks that are done by a form.

    `leads` are what links, tabs and buttons on the way to the form are called, `routes` what their addresses hold, `sends` what
    its button is called, `known_by` fields that such a form has, `fills` those of them that are filled though a prompt says
    nothing of them. `about` tells which criteria are the form's, where others are about an item; all of them where it is None.
    """

    name: str
    kinds: frozenset[Kind]
    leads: tuple[str, ...]
    sends: tuple[str, ...]
    known_by: tuple[str, ...] = ()
    fills: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    about: Callable[[Criterion], bool] | None = None

    @property
    def __name__(self) -> str:
        return self.name

    def fits(self, intent: Intent) -> bool:
        return intent.kind in self.kinds

    def reach(self, intent: Intent, page: Page | None) -> tuple[Move, ...]:
        if page is None:
            return (blind_press(blind.pressed(self.leads[:3], self.routes)),)
        if chosen_from_list(page, self.criteria(intent)):
            return ()
        form = self.form(intent, page)
        leads = self._leads(intent, page)
        own = [lead for merit, lead in leads if merit >= _OWN_LEAD]
        if form and (form.named >= _OWN_LEAD or not own):
            return ()
        chosen = own or [lead for _, lead in leads]
        if self.about and not form and not chosen:
            chosen = _items(page)
        ways = tuple(move.ways[0] for lead in chosen[:_MOST_LEADS] if (move := press(page, lead)).ways)
        return (Move(ways),) if ways else ()

    def act(self, intent: Intent, page: Page | None) -> tuple[Move, ...]:
        if page is None:
            return ()
        listed = chosen_from_list(page, self.criteria(intent))
        if listed:
            return listed
        form = self.form(intent, page)
        return self._moves(form, page) if form else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """The form was sent, and is gone or the page says so; where it stays, a wait has shown that it stays for good."""
        form = self.form(intent, page)
        if form is None or form.button is None:
            return _sent(past, quest_of(intent).name)
        pressed = any(past.did(way) for way in self._send(form, page).ways)
        return pressed and (past.last_waited or _says(page, _SUCCESS))

    def criteria(self, intent: Intent) -> tuple[Criterion, ...]:
        return tuple(one for one in intent.criteria if self.about is None or self.about(one))

    def form(self, intent: Intent, page: Page) -> FoundForm | None:
        """The form on the page that the task is about."""
        found = forms(page, self.criteria(intent), self.known_by, (*self._own_names(intent, self.sends), *self.sends))
        return next((form for form in found if form.good), None)

    def _moves(self, form: FoundForm, page: Page) -> tuple[Move, ...]:
        refused = _says(page, _ERROR) or any(slot.element.invalid for slot in form.slots)
        more = tuple(demanded(form.slots, form.answers, self.fills, page, all_empty=refused))
        fills = filled(page, (*form.answers, *more))
        opening = any(answer.slot.opens and not answer.shown for answer in (*form.answers, *more))
        if opening or form.button is None or form.button.disabled:
            return fills
        return (*fills, self._send(form, page))

    def _send(self, form: FoundForm, page: Page) -> Move:
        field = next((slot.element for slot in form.slots if slot.element.role in TEXT_FIELDS and slot.element.tag == "input"), None)
        if form.button is None:
            return Move(())
        return send(page, field, form.button) if field else press(page, form.button)

    def _leads(self, intent: Intent, page: Page) -> list[tuple[float, Element]]:
        """What may lead to the form, the likeliest first: by what it says or by its route. Above 1: by the prompt's own noun."""
        own = self._own_names(intent, self.leads)
        found: list[tuple[float, Element]] = []
        for one in page.usable(BUTTONS):
            if len(words(one.label)) > 6:
                continue
            routed = any(f"/{route}" in one.href.lower().partition("?")[0] for route in self.routes)
            named = max((score(one, name) - 0.01 * rank for rank, name in enumerate(self.leads)), default=0.0)
            meant = max((score(one, name) for name in own), default=0.0)
            merit = max(named if named >= _LEAST_LEAD else 0.0, 0.5 if routed else 0.0) + (meant if meant >= 0.9 else 0.0)
            found += [(merit, one)] if merit else []
        return sorted(found, key=lambda hit: (-hit[0], hit[1].place))

    def _own_names(self, intent: Intent, names: tuple[str, ...]) -> tuple[str, ...]:
        """The names with the prompt's own noun: "add film" where it asks to add a film."""
        noun = noun_of(intent)
        verbs = tuple(dict.fromkeys(name.split()[0] for name in names))
        return tuple(f"{verb} {noun}" for verb in verbs if noun) if self.about is None else ()


_NOUN = re.compile(r"^\W*[a-z]+(?: up)?\s+(?:(?:an?|the|my|your|new|another|one|this|existing|user)\s+)*((?:time )?[a-z-]+)", re.I)


def noun_of(intent: Intent) -> str:
    """What the prompt's verb is about: "film" of "Add a film where …"; "" where it says none."""
    found = _NOUN.match(intent.words)
    return " ".join(words(found[1])) if found else ""


def _sent(past: Past, searched: str) -> bool:
    """Whether something was filled in that was no search for the item, and then something pressed."""
    filled = [at for at, one in enumerate(past.entries) if one.type in FILLS and one.succeeded is not False]
    written = [at for at in filled if not searched or past.entries[at].fields.get("text") != searched]
    return bool(written) and Past(past.entries[written[-1] + 1 :]).pressed


def _items(page: Page) -> list[Element]:
    """The links to the items that the page lists: where a prompt says nothing of the item, any will do."""
    return [link for record in page.records for link in record.elements if link.href.strip("#")]


def _says(page: Page, pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(text) for text in page.texts(_MOST_TEXT))
