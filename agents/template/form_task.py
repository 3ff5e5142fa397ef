"""What all tasks have in common that fill a form: to its page, fill what is asked for, send it, mend what the page refuses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.page import Element, Page
from agents.page.elements import BUTTONS, TEXT_FIELDS
from agents.template import blind
from agents.template.criteria import Criterion
from agents.template.deeds import deed, did
from agents.template.entering import log_in
from agents.template.fields import passwords
from agents.template.filling import demanded, filled
from agents.template.fitting import agrees
from agents.template.forms import FoundForm, Wanted, called, forms
from agents.template.intents import Intent, Kind
from agents.template.leads import OWN, Lead, leads, nouns_of
from agents.template.lists import chosen_from_list
from agents.template.moves import FILLS, Move, blind_press, press, send
from agents.template.on_item import deeds
from agents.template.past import Past
from agents.template.plausible import is_made_up
from agents.template.quest import ABOUT_ITEMS, quest_of
from agents.template.slots import Slot

_SUCCESS = re.compile(
    r"\b(?:thank you|thanks for|success(?:ful(?:ly)?)?|(?:has|have) been (?:sent|saved|added|updated|created|submitted|received|booked)|"
    r"(?:message|email|review|comment|request|changes?|profile|event|booking|reservation|order|application) "
    r"(?:was |is |has been )?(?:sent|saved|added|updated|created|submitted|received|posted|confirmed|placed))\b",
    re.I,
)
_MOST_TEXT = 8_000
_MOST_LEADS = 4
_KNOWN = 0.7
_ITS_OWN = 0.6


@dataclass(frozen=True)
class FormTask:
    """A recipe for tasks that are done by a form.

    `leads` are what links, tabs and buttons on the way to the form are called, `routes` what their addresses hold, `sends` what
    its button is called, `known_by` fields that such a form has, `fills` what is filled though a prompt says nothing of it.
    `verbs` are what leads and buttons begin with beside the prompt's own noun ("Add film").
    """

    name: str
    kinds: frozenset[Kind]
    leads: tuple[str, ...]
    sends: tuple[str, ...]
    known_by: tuple[str, ...] = ()
    fills: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    verbs: frozenset[str] = frozenset()

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
        return () if not form and self._opening(intent, page) else self._to_form(intent, page, form)

    def _to_form(self, intent: Intent, page: Page, form: FoundForm | None) -> tuple[Move, ...]:
        held = {one.place for one in form.elements} if form and form.answers else set[int]()
        found = [lead for lead in self._found_leads(intent, page) if lead.element.place not in held]
        own = [lead.element for lead in found if lead.merit >= OWN]
        if form and (form.sure or not own):
            return ()
        if not form and self._is_shut(page) and (entering := log_in(intent, page)):
            return entering
        chosen = own or [lead.element for lead in found]
        if intent.kind is Kind.COMMENT and not form and not chosen:
            chosen = _items(page)
        ways = tuple(move.ways[0] for lead in chosen[:_MOST_LEADS] if (move := deed(page, lead, self.leads)).ways)
        return (Move(ways, tries=True),) if ways else ()

    def _is_shut(self, page: Page) -> bool:
        """Whether the form is there and can't be filled or sent by somebody who isn't logged in, or the page is one to log in on."""
        if passwords(page):
            return True
        if page.logged_in is not False:
            return False
        if any(one.disabled and called(one, self.sends) >= _ITS_OWN for one in page.elements if one.role in BUTTONS):
            return True
        shut = [Slot(one) for one in page.elements if one.disabled and not one.hidden and one.role in TEXT_FIELDS]
        return any(slot.likeness(name) >= _KNOWN for slot in shut for name in self.known_by)

    def act(self, intent: Intent, page: Page | None) -> tuple[Move, ...]:
        if page is None:
            return ()
        listed = chosen_from_list(page, self.criteria(intent))
        if listed:
            return listed
        form = self.form(intent, page)
        return self._moves(form, page) if form else self._opening(intent, page)

    def _opening(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """Press what opens the form of the item that is meant, on its card."""
        named = intent.kind is Kind.EDIT_ITEM and quest_of(intent).criteria
        return deeds(intent, page, self.leads) if named else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """The form was sent, and is gone or the page says so; where it stays, a wait has shown that it stays for good."""
        form = self.form(intent, page)
        if form is None or form.button is None:
            told = past.pressed and intent.kind is Kind.EDIT_ITEM and _says(page, _SUCCESS)
            return told or _sent(past, self.criteria(intent)) or (intent.kind is Kind.CHECKOUT and did(past, _whole(self.sends)))
        pressed = any(past.did(way) for way in self._send(form, page).ways)
        return pressed and (past.last_waited or _says(page, _SUCCESS))

    def criteria(self, intent: Intent) -> tuple[Criterion, ...]:
        """The criteria of the form: those that don't tell which item is meant, or all where it is the form that tells of the item."""
        if intent.kind not in ABOUT_ITEMS:
            return intent.criteria
        told = quest_of(intent).criteria
        own = tuple(one for one in intent.criteria if one not in told)
        return own or (intent.criteria if intent.kind is Kind.EDIT_ITEM else ())

    def form(self, intent: Intent, page: Page) -> FoundForm | None:
        """The form on the page that the task is about."""
        wanted = Wanted(self.criteria(intent), self.known_by, self.sends, self.verbs, nouns_of(intent) if self.verbs else frozenset())
        return next((form for form in forms(page, wanted) if form.good), None)

    def _found_leads(self, intent: Intent, page: Page) -> list[Lead]:
        nouns = nouns_of(intent) if self.verbs else frozenset[str]()
        found = leads(page, nouns, self.verbs, self.leads, self.routes)
        if intent.kind is not Kind.EDIT_ITEM:
            return found
        # What every item of a list has is no lead to one of them.
        often = Counter(lead.element.label for lead in found)
        return [lead for lead in found if often[lead.element.label] == 1]

    def _moves(self, form: FoundForm, page: Page) -> tuple[Move, ...]:
        refused = bool(page.errors) or any(slot.element.invalid for slot in form.slots)
        more = tuple(demanded(form.slots, form.answers, self.fills, page, all_empty=refused))
        fills = filled(page, (*form.answers, *more))
        opening = any(answer.slot.opens and not answer.shown for answer in (*form.answers, *more))
        openers = self.opening(form, page)
        if opening or form.button is None or (form.button.disabled and not openers):
            return fills
        return (*fills, *openers, self._send(form, page))

    def opening(self, form: FoundForm, page: Page) -> tuple[Move, ...]:
        """Press what opens the choices of what no field answers to, one after the other."""
        return tuple(replace(press(page, one), once=True, opens=True) for one in form.openers)

    def _send(self, form: FoundForm, page: Page) -> Move:
        field = next((slot.element for slot in form.slots if slot.element.role in TEXT_FIELDS and slot.element.tag == "input"), None)
        if form.button is None:
            return Move(())
        return send(page, field, form.button) if field else press(page, form.button)


def _whole(names: Sequence[str]) -> list[str]:
    """Those of more than one word: one alone may be part of another button's name."""
    return [name for name in names if " " in name]


def _sent(past: Past, criteria: Sequence[Criterion]) -> bool:
    """Whether something was filled in that the form was to hold, not a search or a log-in, and then something pressed."""
    stated = [one for one in criteria if not one.operator.negative]
    written = [
        at
        for at, one in enumerate(past.entries)
        if one.type in FILLS and one.succeeded is not False and _is_written(str(one.fields.get("text", "")), stated)
    ]
    return bool(written) and Past(past.entries[written[-1] + 1 :]).pressed


def _is_written(text: str, stated: Sequence[Criterion]) -> bool:
    return is_made_up(text) or any(agrees(one, text) for one in stated)


def _items(page: Page) -> list[Element]:
    """The links to the items that the page lists: where a prompt says nothing of the item, any will do."""
    return [link for record in page.records for link in record.elements if link.href.strip("#")]


def _says(page: Page, pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(text) for text in page.texts(_MOST_TEXT))
