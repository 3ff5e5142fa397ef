"""Actions on an item: on its page, on its card in a list, in the cart, and on comments."""

import re
from collections.abc import Sequence
from dataclasses import replace

from agents.contract.action_history import Past
from agents.contract.origins import path_of
from agents.page import BUTTONS, FIELDS, TEXT_FIELDS, Element, Page, word_set, words
from agents.template import blind_xpath
from agents.template.budget import in_time
from agents.template.forms.filling import answers, by_name, filled, fills_for
from agents.template.forms.forms import search_for
from agents.template.forms.slots import Slot, slots, value_for
from agents.template.forms.widgets import chosen_from_list, steps_to
from agents.template.items.filters import controls
from agents.template.items.finding import certain_items, fitting, is_target_page, press_on_item, towards
from agents.template.items.matching import best_button, judge, press_best, press_labelled, was_pressed
from agents.template.items.navigation import is_form_open, is_own_item, is_own_page, to_own_page
from agents.template.moves import Move, blind_press, fill, press
from agents.template.prompt import POSITIVE, PURE_NUMBER, Criterion, Intent, Kind, besides_item, meets_all, target_of, without_exclusions
from agents.template.prompt.targets import is_of_order, to_choose
from agents.template.prompt.task_kinds import names
from agents.template.prompt.verbs import VERBS, verb_of
from agents.template.recipes.form_task import FormTask
from agents.template.recipes.recipe import Recipe

_TAKES_AWAY = re.compile(r"^\W*(?:\w+\W+){0,4}?(?:remove|delete|erase|take|drop|withdraw|unsave|unfavou?rite|clear|empty)\b", re.I)
_EMPTIES = re.compile(r"\b(?:empty|clear)\b", re.I)
_MOST_OF_TAB, _MOST_CLOSED, _SURELY = 4, 2, 0.85


class PressOnItem(Recipe):
    """Press one of the kind's `buttons` on the item; on an unseen page one with the first `unseen` of these names."""

    unseen = 5

    def labels(self, intent: Intent) -> tuple[str, ...]:
        return intent.kind.row.buttons

    def before(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The moves that come first on this page, such as in an open dialog."""
        return ()

    def instead(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The moves if the item has no such button."""
        return ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return self.before(intent, page) or press_on_item(intent, page, self.labels(intent)) or self.instead(intent, page)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return was_pressed(past, self.labels(intent))

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        return (blind_press(blind_xpath.pressed(self.labels(intent)[: self.unseen])),) if self.unseen else ()


class OpenItem(Recipe):
    """Done when the item's page is there, and the part of it that the prompt names, such as its reviews, is open."""

    # Words for the item as a whole, not for a part of it.
    _WHOLE = word_set("""view show see open display retrieve get give me the a an of for about to in on my this that detail info information
        page profile item full more go navigate check look at and book""")

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        target = target_of(intent)
        if not is_target_page(target, page):
            return ()
        parts = set(words(intent.head)) - {target.thing} - self._WHOLE
        others = page.items if len(page.records) > 1 else ()
        short = (tab for tab in page.usable({"tab", "button"}) if len(words(tab.label)) <= _MOST_OF_TAB and tab.place not in others)
        tabs = [tab for tab in short if not tab.selected and parts & set(words(tab.label))]
        tabs.sort(key=lambda tab: -len(set(words(intent.head)) & set(words(tab.label))))
        return tuple(replace(press(page, tab), once=True) for tab in tabs[:1]) or controls(page, besides_item(intent))

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        opens = self.act(intent, page)
        return past.pressed and is_target_page(target_of(intent), page) and all(past.did_any(move.alternatives) for move in opens)

    def blind_reach(self, intent: Intent) -> tuple[Move, ...]:
        return search_for(None, name) if (name := target_of(intent).name) else ()

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        return (blind_press(blind_xpath.item(name[:80])),) if (name := target_of(intent).name) else ()


class DeleteItem(PressOnItem):
    unseen = 0
    _CONFIRM = ("delete", "confirm", "yes", "remove", "ok", "yes delete", "confirm delete", "confirm deletion", "proceed", "continue")

    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """To the user's own page: elsewhere the first item that can be removed may be another user's."""
        return to_own_page(intent, page) if is_own_item(intent) and not (is_own_page(page) and self.act(intent, page)) else ()

    def before(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return () if is_form_open(page) else _press_in_dialog(page, self._CONFIRM)

    def instead(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The user's only item is shown without a list."""
        is_alone = is_own_item(intent) and is_own_page(page) and not page.records and not to_own_page(intent, page)
        return press_best(page, page.elements, self.labels(intent), _SURELY) if is_alone else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return super().achieved(intent, page, past) and not page.dialogs and not is_target_page(target_of(intent), page)


class Share(PressOnItem):
    unseen = 1
    _FORM = FormTask()

    def before(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return self._FORM.act(intent, page) if self._has_form(page) else _press_in_dialog(page, intent.kind.row.sent_by)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        is_sent = super().achieved(intent, page, past) and (not page.dialogs or past.filled)
        return self._FORM.achieved(intent, page, past) if self._has_form(page) else is_sent

    def _has_form(self, page: Page) -> bool:
        return any(element.role in TEXT_FIELDS and element.layer and element.usable for element in page.elements)


class Wishlist(PressOnItem):
    _OFF = names("remove from watchlist, remove from list, remove from reading list, remove bookmark, saved, in list, added, remove")
    _SURE, _SAME = 0.8, 0.95  # a button that takes an item off must not be confused with one that puts it on

    def labels(self, intent: Intent) -> tuple[str, ...]:
        return self._OFF if _TAKES_AWAY.search(intent.text) else super().labels(intent)

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """To be taken off, an item must be on the list first: the button's label shows whether it is."""
        # "Remove" alone is used only where the item is certain.
        labels = self._OFF if page.subject is not None or page.records else self._OFF[:-1]
        if off := press_on_item(intent, page, labels, self._SURE):
            if not _TAKES_AWAY.search(intent.text):
                return ()
            # An item with a button to add it is not on the list: its "Remove" would remove the item itself.
            return press_on_item(intent, page, super().labels(intent), self._SAME) or off
        return press_on_item(intent, page, super().labels(intent))

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        on = super().labels(intent)
        pressed = was_pressed(past, (*on, *self._OFF), links=False)
        if not pressed or not _TAKES_AWAY.search(intent.text):
            return pressed
        is_gone = was_pressed(past, ("remove", "unsave")) or bool(press_on_item(intent, page, on))
        return is_gone and not press_on_item(intent, page, self._OFF, self._SURE)


class React(PressOnItem):
    """Like, follow, star, archive, complete …: press the button for the prompt's verb on the item."""

    unseen = 0

    def labels(self, intent: Intent) -> tuple[str, ...]:
        verb = verb_of(intent)
        return verb[1].labels if verb else (" ".join(intent.head.split()[:2]),)

    def before(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """An action on all items has its own button. A label is chosen from its open list."""
        if labelled := chosen_from_list(page, self._label(intent)):
            return labelled
        labels, listed = self.labels(intent), page.items if len(page.records) > 1 else ()
        others = (element for element in page.elements if element.place not in listed)
        return press_best(page, others, labels, 0.6) if labels is VERBS["read all"].labels else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        chosen = [criterion.values for criterion in self._label(intent) if criterion.operator in POSITIVE]
        return was_pressed(past, self.labels(intent), links=False) and all(was_pressed(past, values, links=False) for values in chosen)

    def _label(self, intent: Intent) -> tuple[Criterion, ...]:
        return besides_item(intent) if self.labels(intent) is VERBS["label"].labels else ()

    def instead(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """Without an item in the prompt, a button anywhere on the page. Of to-dos to complete, the likeliest that fails no criterion."""
        target, labels = target_of(intent), self.labels(intent)
        if target.is_any and (pressed := press_best(page, page.elements, labels)):
            return pressed
        if first := self._taken_back(intent, page):
            return first
        completes = labels is VERBS["complete"].labels
        records = (record for record, _ in in_time(fitting(target, page), each=4)) if completes else ()
        return next((moves for record in records if (moves := press_best(page, record.elements, labels, beside=record.name))), ())

    def _taken_back(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """If there is nothing to undo, the action is done first: hide, then show again."""
        name, verb = verb_of(intent) or ("", None)
        done = VERBS.get(verb.undoes) if verb and name.startswith("un") else None
        return tuple(replace(move, once=True) for move in press_on_item(intent, page, done.labels, 0.8)) if done else ()


def _press_in_dialog(page: Page, labels: Sequence[str]) -> tuple[Move, ...]:
    return press_best(page, [element for element in page.elements if element.layer and element.usable], labels)


_OPEN = ("cart", "view cart", "shopping cart", "basket", "bag", "go to cart", "open cart", "my cart", "shopping bag")
_REMOVE = ("remove from cart", "remove item", "remove", "delete", "delete item", "take out", "x")
_MORE = ("increase quantity", "increase", "add one", "plus", "increment")
_LESS = ("decrease quantity", "decrease", "minus one", "minus", "decrement")
_EMPTY = ("empty cart", "clear cart", "remove all", "clear all")
_EDIT = ("edit item", "edit order", "edit", "modify item", "modify", "change")
_CLOSE = ("close", "cancel", "dismiss")
_CHOSEN = frozenset({"size", "option", "extra"})
_RAISES = re.compile(r"\b(?:increase|increment|raise)\b", re.I)
_SIGNS = frozenset({"cart", "basket", "bag"})
_COUNTED = frozenset({"spinbutton", "listbox"})


class Cart(PressOnItem):
    unseen = 4

    def labels(self, intent: Intent) -> tuple[str, ...]:
        """The cart's own too where a task is to order what is put into it first."""
        return Kind.CART.row.buttons

    def before(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """In a dialog for size, number and extras: the prompt's values for them, then the dialog's button."""
        inside = [element for element in page.elements if element.layer and element.usable]
        button = best_button(inside, self.labels(intent)) if any(element.role in FIELDS for element in inside) else None
        if button is None:
            return ()
        if left := self._left(intent, page):
            return left
        given, amounts = answers(intent.criteria, slots(inside), page), self._amounts(intent)
        count = str(self._count_beside(best_button(inside, _MORE)))
        is_set = any(answer.slot.element.role in _COUNTED for answer in given) or meets_all(amounts, count)
        # The button's label often contains the price, which changes with the number.
        last = (replace(press(page, button), repeats=True),) if is_set else self._stepped(page, inside, amounts)
        return (*filled(page, given), *(last or (press(page, button),)))

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        amounts = self._amounts(intent)
        if not takes_from_cart(intent):
            if in_dialog := self.before(intent, page):
                return in_dialog
            return (*fills_for(page, amounts, page.usable(_COUNTED)), *self.put(intent, page))
        if not _is_cart(page):
            return ()
        elements = self._in_cart(intent, page)
        if not _changes(intent):
            emptying = press_best(page, page.elements, _EMPTY, _SURELY) if _EMPTIES.search(intent.head) else ()
            return emptying or press_best(page, elements, _REMOVE)
        if not amounts:
            return press_best(page, elements, _EDIT)
        fills = fills_for(page, amounts, [element for element in elements if element.role in _COUNTED])
        return fills or self._stepped(page, elements, amounts, is_more=_RAISES.search(intent.head) is not None)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        pressed = past.last_pressed.lower()
        if not takes_from_cart(intent):
            if self._left(intent, page) or any(label in pressed for label in _CLOSE):
                return False
            sent = self.before(intent, page)[-1:]
            is_in_dialog = ' in dialog "' in pressed and any(label in pressed for label in self.labels(intent))
            is_sent = is_in_dialog or all(max(map(past.times, move.alternatives)) > 1 for move in sent)
            return super().achieved(intent, page, past) and is_sent
        if not _changes(intent) or not self._amounts(intent):
            return was_pressed(past, _EDIT if _changes(intent) else (*_EMPTY, *_REMOVE), links=False)
        if not _is_cart(page) or past.here.filled:
            return _is_cart(page)
        count = str(self._count_beside(best_button(self._in_cart(intent, page), _MORE)))
        return was_pressed(past, (*_MORE, *_LESS)) and meets_all(self._amounts(intent), count)

    def _left(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """The press that closes a dialog without a field for a requested choice, such as a size: another item may have it."""
        inside, sought = [element for element in page.elements if element.layer and element.usable], _choices(intent)
        if not inside or not sought or len(answers(sought, slots(inside), page)) == len(by_name(sought)):
            return ()
        return tuple(replace(move, repeats=True) for move in press_best(page, inside, _CLOSE, 0.9))

    def put(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """Press the item's button; of a task with choices that of each item in turn, as only its dialog shows the choices."""
        items = certain_items(target_of(intent), page) if _choices(intent) and not page.dialogs else ()
        presses = (press_best(page, record.elements, self.labels(intent), beside=record.name) for record in in_time(items, each=4))
        ways = tuple(move.alternatives[0] for moves in presses for move in moves if move.alternatives)
        return (Move(ways, tries=True),) if len(ways) > 1 else press_on_item(intent, page, self.labels(intent))

    def _in_cart(self, intent: Intent, page: Page) -> Sequence[Element]:
        records = certain_items(target_of(intent), page)
        return records[0].elements if records else page.elements

    def _stepped(self, page: Page, shown: Sequence[Element], criteria: Sequence[Criterion], *, is_more: bool = False) -> tuple[Move, ...]:
        more, less = best_button(shown, _MORE), best_button(shown, _LESS)
        count = self._count_beside(more)
        steps = steps_to(count, criteria, least=count + 1 if is_more else 1)
        button, labels = (more, _MORE) if steps > 0 else (less, _LESS)
        return (replace(press_labelled(page, button, labels), repeats=True),) * abs(steps) if button else ()

    def _count_beside(self, more: Element | None) -> int:
        return int(more.group) if more is not None and more.group.isdecimal() else 1

    def _amounts(self, intent: Intent) -> tuple[Criterion, ...]:
        return tuple(criterion for criterion in intent.criteria if "quantity" in words(criterion.field))


def _choices(intent: Intent) -> tuple[Criterion, ...]:
    return tuple(one for one in without_exclusions(besides_item(intent)) if _CHOSEN & set(words(one.field)))


def takes_from_cart(intent: Intent) -> bool:
    return intent.kind is Kind.CART and (_TAKES_AWAY.search(intent.text) is not None or _changes(intent))


_CART = Cart()


def before_cart_task(intent: Intent, page: Page, past: Past) -> tuple[Move, ...]:
    """To the cart with the item in it, adding it first if necessary; no moves if it is there and the cart is open."""
    pressed = [Past((entry,)) for entry in past.entries if entry.type == "ClickAction"]
    closings = sum(was_pressed(one, _CLOSE) and ' in dialog "' in one.last_pressed for one in pressed)
    # What is chosen for the order is no field of its item, and after some dialogs no item has the requested choices.
    others = (*(to_choose(intent) if is_of_order(intent) else ()), *(_choices(intent) if closings >= _MOST_CLOSED else ()))
    asked = replace(intent, criteria=tuple(one for one in intent.criteria if one not in others))
    is_added = sum(was_pressed(one, Kind.CART.row.buttons) for one in pressed) > closings  # a closed dialog has added nothing
    target = target_of(intent)
    if re.search(r"/(?:checkout|payment|order)", page.url, re.I) or (_is_cart(page) and (is_added or certain_items(target, page))):
        return ()
    if in_dialog := _CART.before(asked, page):
        return in_dialog
    if not is_added and not (target.is_any and not _is_cart(page)):
        return _CART.put(intent, page) or towards(target, page, past)
    by_route = next((link for link in page.usable(BUTTONS) if _SIGNS & set(words(path_of(link.href)))), None)
    link = by_route or best_button(page.elements, _OPEN)
    return (press(page, link),) if link else ()


def _changes(intent: Intent) -> bool:
    return re.search(r"\b(?:quantity|increase|decrease|edit)\b", intent.head, re.I) is not None


def _is_cart(page: Page) -> bool:
    return bool(_SIGNS & set(words(path_of(page.url))))


_NOUNS = ("comment", "review", "feedback")
_DELETING = ("delete", "remove", *(f"delete {noun}" for noun in _NOUNS), "erase", "discard", "trash")
_EDITING = ("edit", *(f"edit {noun}" for noun in _NOUNS), "modify", "update review", "change")
_SAVING = ("save", "save changes", "save comment", "save review", "update", "update review", "update comment", "done", "apply", "submit")
_PERSONAL = frozenset({"commenter", "reviewer", "author", "name"})


class OwnComment(Recipe):
    """Change or delete a comment on its item's page; the user's own has to be written first if there is none."""

    _WRITE = FormTask()
    _DELETE = DeleteItem()

    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """To the form for the user's own comment, if there is none yet: some sites require a log-in first."""
        is_here = is_target_page(target_of(intent), page)
        return self._WRITE.reach(self._writing(intent), page) if is_here and not self._done_here(intent, page) else ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        target, writing = target_of(intent), self._writing(intent)
        # A task about no item is done in a list whose items have fields for comments.
        if not is_target_page(target, page) and not (target.is_any and self._WRITE.fields_of_items(writing, page)):
            return ()
        return self._done_here(intent, page) or self._WRITE.act(writing, page)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        if _TAKES_AWAY.search(intent.text):
            return was_pressed(past, _DELETING) and not page.dialogs
        return was_pressed(past, _EDITING) and was_pressed(past, _SAVING) and not self._edited(intent, page)

    def _done_here(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if _TAKES_AWAY.search(intent.text):
            return self._DELETE.before(intent, page) or self._press_on_comment(intent, page, _DELETING)
        return self._edited(intent, page) or self._press_on_comment(intent, page, _EDITING)

    def _press_on_comment(self, intent: Intent, page: Page, labels: Sequence[str]) -> tuple[Move, ...]:
        within = [(record, button) for record in in_time(page.records, each=4) if (button := best_button(record.elements, labels))]
        if not within:
            return press_best(page, page.elements, labels, _SURELY)
        named = [label for label in labels if any(noun in label for noun in _NOUNS)]
        called = [(record, button) for record, _ in within if (button := best_button(record.elements, named, _SURELY))]
        # Not in an entry with a field for comments: it is the post, and its "Delete" deletes it with all comments.
        own = called or [pair for pair in within if not any(element.role in TEXT_FIELDS for element in pair[0].elements)]
        fitting = ((record, button) for record, button in own if judge(besides_item(intent), record).fits)
        return next(((press_labelled(page, button, labels, record.name),) for record, button in fitting), ())

    def _edited(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        for field in page.usable(TEXT_FIELDS):
            if not field.value or field.tag != "textarea":
                continue
            for block in list(page.blocks([field]))[:4]:
                button = best_button(block, _SAVING, 0.6)
                if button is not None and not best_button(block, _EDITING[:2], 1.0):
                    stated = [criterion for criterion in besides_item(intent) if not _PERSONAL & set(criterion.field.split())]
                    # A rating has its own field beside the text.
                    rated = [criterion for criterion in stated if all(map(PURE_NUMBER.fullmatch, criterion.values))]
                    written = [criterion for criterion in stated if criterion not in rated]
                    text = field.value if rated and not written else value_for(Slot(replace(field, value="")), written, page) or ""
                    rates = filled(page, answers(rated, slots(block), page))
                    return (*rates, fill(page, field, text), press_labelled(page, button, _SAVING))
        return ()

    def _writing(self, intent: Intent) -> Intent:
        is_whole = _TAKES_AWAY.search(intent.text) is not None
        kept = tuple(one for one in besides_item(intent) if is_whole or _PERSONAL & set(one.field.split()))
        return replace(intent, kind=Kind.COMMENT, criteria=kept)
