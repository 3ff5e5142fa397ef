"""Tasks that are done by a form: go to its page, fill it, send it, correct refused fields; or only choose a value."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from agents.contract.action_history import Past
from agents.contract.actions import FILLS
from agents.contract.origins import path_of
from agents.page import BUTTONS, CHECKED, TEXT_FIELDS, Element, Page, Record, likeness, words
from agents.template import blind_xpath
from agents.template.budget import once
from agents.template.forms.filling import LONG, Answer, answers, demanded, filled
from agents.template.forms.forms import FormMatch, FormQuery, called, form_of, forms, openers, passwords
from agents.template.forms.slots import MADE_UP, Slot, slots, value_for
from agents.template.forms.widgets import chosen_from_list, chosen_in_dialog, time_chosen
from agents.template.items.filters import other_chip
from agents.template.items.finding import certain_items, fitting, is_target_page, press_on_item
from agents.template.items.matching import SEARCHING, best, press_best, press_labelled, since_cart, was_pressed
from agents.template.items.navigation import OWN, form_links, nouns_of
from agents.template.moves import Move, blind_press, fill, press, send
from agents.template.prompt import Criterion, Intent, Kind, Trait, besides_item, date_in, holds, names_of, only_opens, target_of, to_choose
from agents.template.prompt.targets import is_itself_chosen, is_of_order
from agents.template.prompt.task_kinds import ADDING
from agents.template.prompt.values import holds_all, only_exclude, without_exclusions
from agents.template.recipes.accounts import log_in
from agents.template.recipes.recipe import BEST_GUESS, Recipe, quoted_in

_SUCCESS = re.compile(
    r"(?i)\b(?:thank you|thanks for|success(?:ful(?:ly)?)?|(?:has|have) been (?:sent|saved|added|updated|created|submitted|received|"
    r"booked)|(?:message|email|review|comment|request|changes?|profile|event|booking|reservation|order|application) "
    r"(?:was |is |has been )?(?:sent|saved|added|updated|created|submitted|received|posted|confirmed|placed))\b"
)


_HIRES = frozenset({"hire", "hiring"})
_CALLED = 0.6
_LEAST_GROUP = 3  # buttons
_LIST_OF_SUCH = re.compile(r"/[\w-]+s/?")
_TAKES_OFF = re.compile(r"(?:\w+\W+){0,4}?(?:(?:un|de)(?:select|check|tick)|hide|untick)", re.I)
_SORTS = frozenset({"quick", "express", "instant", "urgent", "emergency", "rush", "fast"})  # a quick booking has its own form


def whole_form(intent: Intent, page: Page) -> FormMatch | None:
    """The form with fields for all criteria, including those that would identify an item: then the task is about none."""

    def find() -> FormMatch | None:
        target = target_of(intent)
        if not intent.kind.row.sent_by or not target.criteria or target.name or besides_item(intent) == intent.criteria:
            return None
        good = (form for form in forms(page, FormQuery(intent.criteria, intent.kind.row, nouns_of(intent))) if form.good)
        return next((form for form in good if {one for each in form.answers for one in each.criteria} == set(intent.criteria)), None)

    return once(find, "whole form", intent, id(page))


def _leaves_out(form: FormMatch, sought: FormQuery) -> bool:
    """Whether a form for messages has no field for a stated value, such as the subject: another form sends it."""
    covered = {criterion.field for answer in form.answers for criterion in answer.criteria}
    stated = {criterion.field for criterion in without_exclusions(sought.criteria)} - covered
    usual = {*sought.row.known_by, *sought.row.fills}
    return sought.row.purpose == "message" and any(name in usual for field in stated for name in (field, *words(field)))


class FormTask(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if self._listed(intent, page):
            return ()
        form = self._form(intent, page)
        if not form and self._opening(intent, page):
            return ()
        inside = {element.place for element in form.elements} if form and form.answers else set[int]()
        links = [(link, merit) for link, merit in self._links(intent, page) if link.place not in inside and not link.is_open_tab]
        own = [link for link, merit in links if merit >= OWN]
        if form and (form.sure or not own):
            return ()
        if not form and self._is_shut(intent, page) and (entering := log_in(intent, page)):
            return entering
        chosen = own or [link for link, _ in links]
        if intent.kind is Kind.COMMENT and target_of(intent).is_any and not form and not chosen:
            # As the prompt identifies no item, any listed one will do.
            chosen = [link for record in page.records for link in record.elements if link.href.strip("#")]
        presses = [press_labelled(page, link, intent.kind.row.opened_by) for link in chosen[:4]]
        leads = (Move(tuple(move.alternatives[0] for move in presses if move.alternatives), tries=True),) if presses else ()
        # Choices on the page before the form: people, day and time of a booking.
        set_before = openers(self._criteria(intent), (), page.elements) if intent.kind is Kind.BOOKING else ()
        return (*(self._opened(page, opener) for opener in set_before), *leads)

    def blind_reach(self, intent: Intent) -> tuple[Move, ...]:
        return (blind_press(blind_xpath.pressed(intent.kind.row.opened_by[:3], intent.kind.row.routes)),)

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if listed := self._listed(intent, page):
            return listed
        form = self._form(intent, page)
        if form is None or only_opens(intent):
            return () if form else self._opening(intent, page) or self._on_card(intent, page)
        refused = bool(page.errors) or any(slot.element.invalid for slot in form.slots)
        given = self._given(intent, page, form, all_empty=refused)
        if form.button is not None and form.button.disabled and all(answer.shown for answer in given):
            given = self._given(intent, page, form, all_empty=True)
        fills = filled(page, given)
        opening = any(answer.slot.opens and not answer.shown for answer in given)
        if opening or form.button is None or (form.button.disabled and not form.openers):
            return fills
        return (*fills, *(self._opened(page, opener) for opener in form.openers), self._sent_by(form, form.button, page))

    def _given(self, intent: Intent, page: Page, form: FormMatch, *, all_empty: bool) -> tuple[Answer, ...]:
        return (*form.answers, *demanded(form.slots, form.answers, intent.kind.row.fills, page, all_empty=all_empty))

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """The form was sent, and is gone, or the page confirms it, or it is still there after a wait."""
        if self._listed(intent, page):
            return False
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
        if self._is_sent(since_cart(past) if intent.kind is Kind.CHECKOUT else past, self._criteria(intent), page):
            return True
        # A single word may be part of another button's label.
        return intent.kind is Kind.CHECKOUT and was_pressed(past, [name for name in intent.kind.row.sent_by if " " in name])

    def _listed(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The option of an open list. A form may have a field for a criterion that could be the item's too, such as a rating."""
        return chosen_from_list(page, self._criteria(intent)) or chosen_from_list(page, intent.criteria)

    def _criteria(self, intent: Intent) -> tuple[Criterion, ...]:
        """Those that do not identify the item; all for editing an item, whose form shows them."""
        return besides_item(intent) or (intent.criteria if intent.kind is Kind.EDIT_ITEM else ())

    def _form(self, intent: Intent, page: Page) -> FormMatch | None:
        def find() -> FormMatch | None:
            sought = FormQuery(self._criteria(intent), intent.kind.row, nouns_of(intent))
            good = (form for form in forms(page, sought) if form.good and not _leaves_out(form, sought))
            own = (form for form in good if not self._is_of_item(intent, page, form))
            return None if self.fields_of_items(intent, page) else whole_form(intent, page) or next(own, None)

        return once(find, "form", intent, id(page))

    def is_other_sort(self, intent: Intent, page: Page, past: Past) -> bool:
        """Whether nothing marks the page's form as the requested sort, as in: request a quick appointment."""
        form = self._form(intent, page) if _SORTS & set(words(intent.head)) else None
        if form is None or form == whole_form(intent, page) or any(was_pressed(past, (sort,)) for sort in _SORTS):
            return False
        texts = (text for element in form.elements for text in (element.label, element.hints, element.group))
        return _SORTS.isdisjoint(words(" ".join((page.heading_before(form.elements[0]), *texts)))) if form.elements else False

    def fields_of_items(self, intent: Intent, page: Page) -> list[Element]:
        """The fields for comments, where each item of the list has its own: a form beside them is for something else, such as a post."""
        fields = [element for element in page.usable(TEXT_FIELDS) if intent.kind is Kind.COMMENT and element.place in page.items]
        return fields if min(len(page.records), len(fields)) > 1 else []

    def _on_card(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        fields = self.fields_of_items(intent, page)
        own = (field for record in certain_items(target_of(intent), page) for field in record.elements if field in fields)
        if (field := next(own, None)) is None:
            return ()
        text = value_for(Slot(replace(field, value="")), [one for one in besides_item(intent) if LONG & set(words(one.field))], page)
        button = form_of(page, field, intent.kind.row.sent_by).button
        # In a text area Enter begins a new line; its button may be shown once something is typed.
        sends = (send(page, field, button),) if button or field.tag == "input" else ()
        return (fill(page, field, text or ""), *sends)

    def _is_of_item(self, intent: Intent, page: Page, form: FormMatch) -> bool:
        """Whether it belongs to one item of a list, such as for a comment on it, while the task creates or changes something else."""
        of_items = len(page.records) > 1 and all(slot.element.place in page.items for slot in form.slots)
        return of_items and (intent.kind is Kind.EDIT_PROFILE or intent.kind.row.verbs == ADDING)

    def _opening(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        target, names = target_of(intent), intent.kind.row.opened_by
        if intent.kind is not Kind.EDIT_ITEM or not target.criteria:
            return ()
        # The form shows the values that the list does not.
        likely = (press_best(page, record.elements, names, beside=record.name) for record, _ in fitting(target, page))
        return press_on_item(intent, page, names) or next(filter(None, likely), ())

    def _links(self, intent: Intent, page: Page) -> list[tuple[Element, float]]:
        links, target = form_links(page, intent), target_of(intent)
        # What is done faster is done by a control that says so, and only where it is requested.
        is_sort = bool(_SORTS & set(words(intent.head)))
        of_sort = [(link, merit) for link, merit in links if bool(_SORTS & set(words(link.label or link.text))) == is_sort]
        links = of_sort or (links if is_sort else [])
        if intent.kind is Kind.BOOKING and _HIRES.isdisjoint(words(intent.head)):
            links = [(link, merit) for link, merit in links if not {"start", *_HIRES} & set(words(link.label or link.text))]
        if intent.kind is Kind.BOOKING and is_target_page(target, page):
            # From the item's page, "Hires" leads to the list of those.
            links = [(link, merit) for link, merit in links if not _LIST_OF_SUCH.fullmatch(path_of(link.href))]
        if intent.kind.has(Trait.OF_ITEM) and target.criteria and len(page.records) > 1:
            # Another item's controls are for that item. A button may book at once.
            opens_only = intent.kind is not Kind.BOOKING
            able = ((record, verdict.certain or opens_only) for record, verdict in fitting(target, page))
            own = {element.place for record, is_sure in able for element in record.elements if is_sure or element.href.strip("#")}
            links = [(link, merit) for link, merit in links if link.place in own or link.place not in page.items]
        is_unlisted = intent.kind.has(Trait.OF_ITEM) and target.criteria and len(page.records) < 2 and not is_target_page(target, page)
        if intent.kind is not Kind.EDIT_ITEM and not is_unlisted:
            return links
        often = Counter(link.label for link, _ in links)  # a control of every item leads to none of them in particular
        return [(link, merit) for link, merit in links if often[link.label] == 1]

    def _is_shut(self, intent: Intent, page: Page) -> bool:
        """Whether the form is disabled for users who are not logged in, or the page has a log-in form."""
        if passwords(page) or page.logged_in is not False:
            return bool(passwords(page))
        buttons = (element for element in page.elements if element.disabled and element.role in BUTTONS)
        if any(called(button, intent.kind.row.sent_by) >= 0.6 for button in buttons):
            return True
        shut = [Slot(element) for element in page.elements if element.disabled and not element.hidden and element.role in TEXT_FIELDS]
        return any(slot.likeness(name) >= 0.7 for slot in shut for name in intent.kind.row.known_by)

    def _opened(self, page: Page, opener: Element) -> Move:
        return replace(press(page, opener), once=True, opens=True)

    def _sent_by(self, form: FormMatch, button: Element, page: Page) -> Move:
        field = next((slot.element for slot in form.slots if slot.element.role in TEXT_FIELDS and slot.element.tag == "input"), None)
        return send(page, field, button) if field else press(page, button)

    def _is_sent(self, past: Past, criteria: Sequence[Criterion], page: Page) -> bool:
        """Whether a value of the form was filled in, not one of a search or a log-in, and then something was pressed."""
        stated = without_exclusions(criteria)
        searches = [str(selector) for selector in page.selectors(page.search_box)] if page.search_box else []
        went = ((at, entry) for at, entry in enumerate(past.entries, 1) if entry.type in FILLS and entry.succeeded is not False)
        fills = (
            (at, entry)
            for at, entry in went
            if str(entry.fields.get("selector")) not in searches
            and SEARCHING.isdisjoint(words((entry.words or "").rpartition(" into ")[2]))
        )
        typed = ((at, str(entry.fields.get("text", ""))) for at, entry in fills)
        after = max((at for at, text in typed if text in MADE_UP or any(holds(criterion, text) for criterion in stated)), default=0)
        return after > 0 and Past(past.entries[after:]).pressed

    def _is_confirmed(self, page: Page) -> bool:
        return any(_SUCCESS.search(text) for text in page.texts(8_000))


class Choose(FormTask):
    """Choose a value of a field, a list, a calendar: only the criteria's fields are set, anywhere on the page, and nothing is sent."""

    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return () if self.act(intent, page) else super().reach(intent, page)

    def onward(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return super().reach(intent, page)

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        criteria = self._criteria(intent)
        if box := self._box(intent, page):
            # Sites record changes only: a box in the requested state is changed and changed back.
            return (replace(press(page, box), repeats=True),) * (2 if self._is_set(intent, box) else 1)
        if intent.kind is Kind.SETTINGS and self._form(intent, page):
            return super().act(intent, page)
        if listed := chosen_from_list(page, criteria) or chosen_in_dialog(page, to_choose(intent)):
            return listed
        if self._types(intent, page):  # a typed text has to be sent
            return BEST_GUESS.act(intent, page)
        given = self._named(criteria, page)
        moves = (
            *self._set_anew(page, given),
            *filled(page, given),
            *(self._opened(page, opener) for opener in openers(criteria, given, page.elements)),
            *time_chosen(page, [one for one in to_choose(intent) if not any(one in answer.criteria for answer in given)]),
        )
        return moves or self._of_group(intent, page) or other_chip(page, criteria)

    def _of_group(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The likeliest of several buttons in a part of the page that is named like them, such as "Saved templates"."""
        named = Counter(button.group for button in page.usable({"button"}) if set(words(button.group)) & set(words(intent.head)))
        group = next((name for name, count in named.items() if count >= _LEAST_GROUP), None)
        buttons = [button for button in page.usable({"button"}) if group and button.group == group]
        fits = best(intent.criteria, [Record("", {}, button.text, (button,)) for button in buttons])
        return tuple(replace(press(page, record.elements[0]), once=True) for record, _ in fits[:1])

    def _set_anew(self, page: Page, given: Sequence[Answer]) -> tuple[Move, ...]:
        """A number that already has the stated value is set to another one and back: sites record changes only."""
        counts = [answer for answer in given if answer.slot.element.role == "spinbutton" and answer.shown and answer.value.isdecimal()]
        fills = (fill(page, answer.slot.element, number) for answer in counts for number in (str(int(answer.value) - 1 or 2), answer.value))
        return tuple(replace(move, shown=False) for move in fills)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """An option that meets the criteria was pressed last, or all fields are set: often the page does not show the choice."""
        if box := self._box(intent, page):
            return self._is_set(intent, box) and any(map(past.times, press(page, box).alternatives))
        if self._types(intent, page) or self._is_sent(past, to_choose(intent), page):
            return BEST_GUESS.achieved(intent, page, past)
        if any(not past.did_any(move.alternatives) for move in time_chosen(page, to_choose(intent))):
            return False
        if is_itself_chosen(intent) and any(past.did_any(move.alternatives) for move in self._of_group(intent, page)):
            return True
        moves = self.act(intent, page) if self._offers_first(intent, page) else ()
        set_ = bool(moves) and (past.filled or past.pressed) and all(move.shown or past.did_any(move.alternatives) for move in moves)
        return set_ or self._is_chosen(intent, past)

    def _box(self, intent: Intent, page: Page) -> Element | None:
        """The box beside one of several things of the task's kind, as in: select the calendar named 'Work'."""
        thing, criteria = target_of(intent).thing, intent.criteria
        boxes = (box for box in page.usable({"checkbox", "switch"}) if thing in words(box.label)) if thing else ()
        named = ((box, [word for word in box.label.split() if not {thing, "toggle", "select", "show"} & set(words(word))]) for box in boxes)
        return next((box for box, name in named if name and criteria and holds_all(criteria, " ".join(name))), None)

    def _is_set(self, intent: Intent, box: Element) -> bool:
        return (box.value == CHECKED) != bool(_TAKES_OFF.match(intent.text))

    def _offers_first(self, intent: Intent, page: Page) -> bool:
        """Whether the field that the prompt names first can be set here; fields named after it may have to be set before."""
        first = to_choose(intent)
        return bool(answers(first, slots(page.elements), page)) or any(True for _ in openers(first, (), page.elements))

    def _criteria(self, intent: Intent) -> tuple[Criterion, ...]:
        return to_choose(intent) if is_of_order(intent) else besides_item(intent)

    def _named(self, criteria: Sequence[Criterion], page: Page) -> tuple[Answer, ...]:
        """A value to choose is typed only into a field that is called so."""
        given = answers(criteria, slots(page.elements), page)
        return tuple(answer for answer in given if answer.slot.element.role not in TEXT_FIELDS or answer.merit >= _CALLED)

    def _types(self, intent: Intent, page: Page) -> bool:
        fields = (answer.slot.element for answer in self._named(self._criteria(intent), page))
        return any(field.role in {"textbox", "searchbox"} and field.type in {"", "text", "search"} for field in fields)

    def _is_chosen(self, intent: Intent, past: Past) -> bool:
        """Whether the last press chose a value that meets the criteria; if these only exclude values, it must follow an opener."""
        presses = [quoted_in(entry) for entry in past.entries if entry.type == "ClickAction" and entry.succeeded is not False]
        criteria = to_choose(intent)
        if not presses or not criteria or not holds_all(criteria, presses[-1]):
            return False
        if date_in(presses[-1]) is None and any(all(date_in(value) for value in criterion.values) for criterion in criteria):
            return False  # of days, only a day meets a criterion
        fields = {criterion.field for criterion in criteria}
        opened = len(presses) > 1 and any(likeness(name, presses[-2]) >= 0.6 for field in fields for name, _ in names_of(field))
        return opened or not only_exclude(criteria)
