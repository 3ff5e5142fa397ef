"""Tasks that are done by a form: to its page, fill what is wanted, send it, mend what the page refuses; or only choose a value."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from agents.contract.action_history import Past
from agents.contract.actions import FILLS
from agents.contract.protocol import PastAction
from agents.page import Element, Page
from agents.page.elements import BUTTONS, TEXT_FIELDS
from agents.page.matching import likeness, words
from agents.template import blind_xpath
from agents.template.budget import once
from agents.template.forms.filling import Answer, answers, chosen_from_list, demanded, filled
from agents.template.forms.forms import FoundForm, Wanted, called, forms, openers, passwords
from agents.template.forms.slots import MADE_UP, Slot, slots
from agents.template.items.filters import other_chip
from agents.template.items.finding import fitting, press_on_item
from agents.template.items.matching import press_best, press_labelled, was_pressed
from agents.template.items.navigation import OWN, form_links, nouns_of
from agents.template.moves import Move, blind_press, fill, press, send
from agents.template.prompt import Criterion, Intent, Kind, Trait, besides_item, holds, target_of, to_choose
from agents.template.prompt.measures import date_in
from agents.template.prompt.synonyms import names_of
from agents.template.prompt.task_rows import ADDING
from agents.template.recipes.accounts import log_in
from agents.template.recipes.recipe import BEST_GUESS, Recipe, only_opens

_SUCCESS = re.compile(
    r"(?i)\b(?:thank you|thanks for|success(?:ful(?:ly)?)?|(?:has|have) been (?:sent|saved|added|updated|created|submitted|received|"
    r"booked)|(?:message|email|review|comment|request|changes?|profile|event|booking|reservation|order|application) "
    r"(?:was |is |has been )?(?:sent|saved|added|updated|created|submitted|received|posted|confirmed|placed))\b"
)


# What is done faster than usual is something else, with another form.
_SORTS = frozenset({"quick", "express", "instant", "urgent", "emergency", "rush", "fast"})


def whole_form(intent: Intent, page: Page) -> FoundForm | None:
    """The form that answers to all criteria, those too that would say which item is meant: then the task is about none."""

    def found() -> FoundForm | None:
        target = target_of(intent)
        if not intent.kind.row.sent_by or not target.criteria or target.name or besides_item(intent) == intent.criteria:
            return None
        every = (form for form in forms(page, Wanted(intent.criteria, intent.kind.row, nouns_of(intent))) if form.good)
        return next((form for form in every if {one for each in form.answers for one in each.criteria} == set(intent.criteria)), None)

    return once(found, "whole form", intent, id(page))


def _leaves_out(form: FoundForm, wanted: Wanted) -> bool:
    """Whether a message has no place for something that it is to say, such as its subject: another form sends it."""
    answered = {one.field for answer in form.answers for one in answer.criteria}
    stated = {one.field for one in wanted.criteria if not one.operator.negative} - answered
    usual = {*wanted.row.known_by, *wanted.row.fills}
    return wanted.row.purpose == "message" and any(name in usual for field in stated for name in (field, *words(field)))


class FormTask(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if chosen_from_list(page, self._criteria(intent)):
            return ()
        form = self._form(intent, page)
        if not form and self._opening(intent, page):
            return ()
        held = {one.place for one in form.elements} if form and form.answers else set[int]()
        found = [(link, merit) for link, merit in self._links(intent, page) if link.place not in held and not link.is_open_tab]
        own = [link for link, merit in found if merit >= OWN]
        if form and (form.sure or not own):
            return ()
        if not form and self._is_shut(intent, page) and (entering := log_in(intent, page)):
            return entering
        chosen = own or [link for link, _ in found]
        if intent.kind is Kind.COMMENT and not form and not chosen:
            # Where a prompt says nothing of the item, any that the page lists will do.
            chosen = [link for record in page.records for link in record.elements if link.href.strip("#")]
        presses = [press_labelled(page, link, intent.kind.row.opened_by) for link in chosen[:4]]
        leads = (Move(tuple(move.alternatives[0] for move in presses if move.alternatives), tries=True),) if presses else ()
        return (*self._settable(intent, page), *leads) if intent.kind is Kind.BOOKING else leads

    def blind_reach(self, intent: Intent) -> tuple[Move, ...]:
        return (blind_press(blind_xpath.pressed(intent.kind.row.opened_by[:3], intent.kind.row.routes)),)

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if listed := chosen_from_list(page, self._criteria(intent)):
            return listed
        form = self._form(intent, page)
        if form is None or only_opens(intent):
            return () if form else self._opening(intent, page)
        refused = bool(page.errors) or any(slot.element.invalid for slot in form.slots)
        given = (*form.answers, *demanded(form.slots, form.answers, intent.kind.row.fills, page, all_empty=refused))
        fills = filled(page, given)
        opening = any(answer.slot.opens and not answer.shown for answer in given)
        if opening or form.button is None or (form.button.disabled and not form.openers):
            return fills
        return (*fills, *(self._opened(page, one) for one in form.openers), self._sent_by(form, form.button, page))

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """The form was sent, and is gone or the page says so; where it stays, a wait has shown that it stays for good."""
        form = self._form(intent, page)
        if only_opens(intent):
            return form is not None and past.pressed
        past = past.since_filling() if form is not None else past
        if form is not None and form.button is not None:
            unseen, presses = past.presses_since_filling(), [move for move in self.act(intent, page) if not move.fills]
            is_sent = past.did_any(self._sent_by(form, form.button, page).alternatives) or 0 < len(presses) < len(unseen)
            return is_sent and (past.last_waited or self._is_confirmed(page))
        if intent.kind is Kind.EDIT_ITEM and (past.filled or was_pressed(past, intent.kind.row.sent_by)) and self._is_confirmed(page):
            return True
        if self._is_sent(past, self._criteria(intent), page):
            return True
        # One word alone may be part of another button's name.
        return intent.kind is Kind.CHECKOUT and was_pressed(past, [name for name in intent.kind.row.sent_by if " " in name])

    def _criteria(self, intent: Intent) -> tuple[Criterion, ...]:
        """Those that don't say which item is meant, or all where it is the form that is about the item."""
        return besides_item(intent) or (intent.criteria if intent.kind is Kind.EDIT_ITEM else ())

    def _form(self, intent: Intent, page: Page) -> FoundForm | None:
        def found() -> FoundForm | None:
            wanted = Wanted(self._criteria(intent), intent.kind.row, nouns_of(intent))
            good = (form for form in forms(page, wanted) if form.good and not _leaves_out(form, wanted))
            own = (form for form in good if not self._is_of_item(intent, page, form))
            return whole_form(intent, page) or next(own, None)

        return once(found, "form", intent, id(page))

    def is_other_sort(self, intent: Intent, page: Page, past: Past) -> bool:
        """Whether nothing says that the page's form is of the sort that the prompt asks for, as in: request a quick appointment."""
        form = self._form(intent, page) if _SORTS & set(words(intent.head)) else None
        if form is None or form == whole_form(intent, page) or any(was_pressed(past, (sort,)) for sort in _SORTS):
            return False
        texts = (text for one in form.elements for text in (one.label, one.hints, one.group))
        return _SORTS.isdisjoint(words(" ".join((page.heading_before(form.elements[0]), *texts)))) if form.elements else False

    def _is_of_item(self, intent: Intent, page: Page, form: FoundForm) -> bool:
        """Whether it is the form of one item of a list, such as a comment on it, for a task that makes or changes something else."""
        of_items = len(page.records) > 1 and all(slot.element.place in page.items for slot in form.slots)
        return of_items and (intent.kind is Kind.EDIT_PROFILE or intent.kind.row.verbs == ADDING)

    def _opening(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        target, names = target_of(intent), intent.kind.row.opened_by
        if intent.kind is not Kind.EDIT_ITEM or not target.criteria:
            return ()
        # What a list leaves open of its items, the form that it opens shows.
        likely = (press_best(page, record.elements, names, beside=record.name) for record, _ in fitting(target, page))
        return press_on_item(intent, page, names) or next(filter(None, likely), ())

    def _links(self, intent: Intent, page: Page) -> list[tuple[Element, float]]:
        found, target = form_links(page, intent), target_of(intent)
        if intent.kind.has(Trait.OF_ITEM) and target.criteria and len(page.records) > 1:
            # What another item of a list offers is for that one.
            own = {one.place for record, _ in fitting(target, page) for one in record.elements}
            found = [(link, merit) for link, merit in found if link.place in own or link.place not in page.items]
        if intent.kind is not Kind.EDIT_ITEM:
            return found
        # What every item of a list has leads to none of them in particular.
        often = Counter(link.label for link, _ in found)
        return [(link, merit) for link, merit in found if often[link.label] == 1]

    def _is_shut(self, intent: Intent, page: Page) -> bool:
        """Whether the form is there and can't be filled or sent by somebody who isn't logged in, or the page is one to log in on."""
        if passwords(page) or page.logged_in is not False:
            return bool(passwords(page))
        if any(one.disabled and called(one, intent.kind.row.sent_by) >= 0.6 for one in page.elements if one.role in BUTTONS):
            return True
        shut = [Slot(one) for one in page.elements if one.disabled and not one.hidden and one.role in TEXT_FIELDS]
        return any(slot.likeness(name) >= 0.7 for slot in shut for name in intent.kind.row.known_by)

    def _opened(self, page: Page, opener: Element) -> Move:
        return replace(press(page, opener), once=True, opens=True)

    def _settable(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """What the page lets be chosen of what the form is about, before it leads on to the form: people, day and time of a booking."""
        return tuple(self._opened(page, one) for one in openers(self._criteria(intent), (), page.elements))

    def _sent_by(self, form: FoundForm, button: Element, page: Page) -> Move:
        field = next((slot.element for slot in form.slots if slot.element.role in TEXT_FIELDS and slot.element.tag == "input"), None)
        return send(page, field, button) if field else press(page, button)

    def _is_sent(self, past: Past, criteria: Sequence[Criterion], page: Page) -> bool:
        """Whether something was filled in that the form was to hold, not a search or a log-in, and then something pressed."""
        stated = [one for one in criteria if not one.operator.negative]
        searches = [str(one) for one in page.selectors(page.search_box)] if page.search_box else []
        went = ((at, one) for at, one in enumerate(past.entries, 1) if one.type in FILLS and one.succeeded is not False)
        fills = ((at, one) for at, one in went if str(one.fields.get("selector")) not in searches)
        typed = ((at, str(one.fields.get("text", ""))) for at, one in fills)
        after = max((at for at, text in typed if text in MADE_UP or any(holds(one, text) for one in stated)), default=0)
        return after > 0 and Past(past.entries[after:]).pressed

    def _is_confirmed(self, page: Page) -> bool:
        return any(_SUCCESS.search(text) for text in page.texts(8_000))


class Choose(FormTask):
    """Choose a value of a field, a list, a calendar: only what the criteria name is set, wherever on the page, and nothing is sent."""

    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return () if self.act(intent, page) else super().reach(intent, page)

    def onward(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return super().reach(intent, page)

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        criteria = besides_item(intent)
        if intent.kind is Kind.SETTINGS and self._form(intent, page):
            return super().act(intent, page)
        if self._types(intent, page):  # words that are typed are sent: nothing happens to them else
            return BEST_GUESS.act(intent, page)
        if listed := chosen_from_list(page, criteria):
            return listed
        given = answers(criteria, slots(page.elements), page)
        moves = (
            *self._set_anew(page, given),
            *filled(page, given),
            *(self._opened(page, one) for one in openers(criteria, given, page.elements)),
        )
        return moves or (other_chip(page, criteria) if criteria else ())

    def _set_anew(self, page: Page, given: Sequence[Answer]) -> tuple[Move, ...]:
        """A count that is as it should be before anything was done is set to another one and back: sites notice changes only."""
        counts = [one for one in given if one.slot.element.role == "spinbutton" and one.shown and one.value.isdecimal()]
        fills = (fill(page, one.slot.element, number) for one in counts for number in (str(int(one.value) - 1 or 2), one.value))
        return tuple(replace(move, shown=False) for move in fills)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """What meets the criteria was pressed last, or all that can be set is set: what is chosen is often not shown where it was."""
        if self._types(intent, page) or self._is_sent(past, besides_item(intent), page):
            return BEST_GUESS.achieved(intent, page, past)
        moves = self.act(intent, page) if self._offers_first(intent, page) else ()
        set_ = bool(moves) and (past.filled or past.pressed) and all(move.shown or past.did_any(move.alternatives) for move in moves)
        return set_ or self._is_chosen(intent, past)

    def _offers_first(self, intent: Intent, page: Page) -> bool:
        """Whether what is named first, which is to be chosen, can be set here; what is named after it may have to be set before."""
        first = to_choose(intent)
        return bool(answers(first, slots(page.elements), page)) or any(True for _ in openers(first, (), page.elements))

    def _types(self, intent: Intent, page: Page) -> bool:
        given = answers(besides_item(intent), slots(page.elements), page)
        return any(one.slot.element.role in {"textbox", "searchbox"} and one.slot.element.type in {"", "text", "search"} for one in given)

    def _is_chosen(self, intent: Intent, past: Past) -> bool:
        """Whether what was pressed last is what is to be chosen; where something is only excluded, after what opened the choice of it."""
        presses = [self._label_pressed(one) for one in past.entries if one.type == "ClickAction" and one.succeeded is not False]
        wanted = to_choose(intent)
        if not presses or not wanted or not all(holds(one, presses[-1]) for one in wanted):
            return False
        if date_in(presses[-1]) is None and any(all(date_in(value) for value in one.values) for one in wanted):
            return False  # of days, only a day meets a criterion
        fields = {one.field for one in wanted}
        opened = len(presses) > 1 and any(likeness(name, presses[-2]) >= 0.6 for field in fields for name, _ in names_of(field))
        return opened or not all(one.operator.negative for one in wanted)

    def _label_pressed(self, entry: PastAction) -> str:
        selector = entry.fields.get("selector")
        value = str(selector.get("value", "")) if isinstance(selector, dict) else ""
        # The text that an XPath is about.
        quoted = re.search(r"=['\"]([^'\"]+)['\"]", value)
        return quoted[1] if quoted else value
