"""What is done with an item: on its own page, on its card in a list, in the cart, with one's own comments on it."""

import re
from collections.abc import Sequence
from dataclasses import replace

from agents.contract.action_history import Past
from agents.contract.origins import path_of
from agents.page import Element, Page, Record
from agents.page.elements import BUTTONS, FIELDS, TEXT_FIELDS
from agents.page.matching import words
from agents.template import blind_xpath
from agents.template.budget import in_time
from agents.template.forms.filling import answers, chosen_from_list, filled, fills_for
from agents.template.forms.forms import search_for
from agents.template.forms.slots import Slot, slots, value_for
from agents.template.items.finding import certain_items, fitting, is_target_page, press_on_item, towards
from agents.template.items.matching import best_button, judge, press_best, press_labelled, was_pressed
from agents.template.items.navigation import is_own_item, is_own_page, to_own_page
from agents.template.moves import Move, blind_press, fill, press
from agents.template.prompt import Criterion, Intent, Kind, besides_item, meets, target_of
from agents.template.prompt.operators import POSITIVE
from agents.template.prompt.task_rows import names
from agents.template.prompt.verbs import VERBS, verb_of
from agents.template.recipes.form_task import FormTask
from agents.template.recipes.recipe import Recipe

_TAKES_AWAY = re.compile(r"^\W*(?:\w+\W+){0,4}?(?:remove|delete|erase|take|drop|withdraw|unsave|unfavou?rite|clear|empty)\b", re.I)


_MOST_OF_TAB = 4


class PressOnItem(Recipe):
    """Press what the row of the kind calls `buttons`; on a page that nobody has seen, what has one of the first `unseen` of these names."""

    unseen = 5

    def labels(self, intent: Intent) -> tuple[str, ...]:
        return intent.kind.row.buttons

    def before(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """What comes first on this page, such as an open dialog."""
        return ()

    def instead(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """What else to do where the item has no such button."""
        return ()

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return self.before(intent, page) or press_on_item(intent, page, self.labels(intent)) or self.instead(intent, page)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return was_pressed(past, self.labels(intent))

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        return (blind_press(blind_xpath.pressed(self.labels(intent)[: self.unseen])),) if self.unseen else ()


class OpenItem(Recipe):
    """Done when the item's page is there, and the part of it that the prompt names, such as its reviews, is open."""

    # What is said of the item as a whole.
    _WHOLE = frozenset(
        """view show see open display retrieve get give me the a an of for about to in on my this that detail info information page profile
        item full more go navigate check look at and book""".split()  # noqa: SIM905 (words read best as words)
    )

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        target = target_of(intent)
        if not is_target_page(target, page):
            return ()
        said = set(words(intent.head)) - {target.thing} - self._WHOLE
        others = page.items if len(page.records) > 1 else ()
        short = (one for one in page.usable({"tab", "button"}) if len(words(one.label)) <= _MOST_OF_TAB and one.place not in others)
        tabs = [tab for tab in short if not tab.selected and said & set(words(tab.label))]
        tabs.sort(key=lambda tab: -len(set(words(intent.head)) & set(words(tab.label))))
        return tuple(replace(press(page, tab), once=True) for tab in tabs[:1])

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
        """To one's own page: elsewhere the first item that can be removed may be somebody else's."""
        return to_own_page(intent, page) if is_own_item(intent) and not (is_own_page(page) and self.act(intent, page)) else ()

    def before(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return _press_in_dialog(page, self._CONFIRM)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return super().achieved(intent, page, past) and not page.dialogs and not is_target_page(target_of(intent), page)


class Share(PressOnItem):
    unseen = 1
    _FORM = FormTask()

    def before(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if any(element.role in TEXT_FIELDS and element.layer and element.usable for element in page.elements):
            return self._FORM.act(intent, page)
        return _press_in_dialog(page, intent.kind.row.sent_by)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return super().achieved(intent, page, past) and (not page.dialogs or past.filled)


class Wishlist(PressOnItem):
    _OFF = names("remove from watchlist, remove from list, remove from reading list, remove bookmark, saved, in list, added, remove")
    # What would take an item off must not be taken for what puts it on.
    _SURE, _SAME = 0.8, 0.95

    def labels(self, intent: Intent) -> tuple[str, ...]:
        return self._OFF if _TAKES_AWAY.search(intent.words) else super().labels(intent)

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """Taking off what isn't on the list is putting it there first: the button's label says which it would do."""
        # What only says "Remove" takes a thing off the list where it is known to be the one that is meant.
        labels = self._OFF if page.subject is not None or page.records else self._OFF[:-1]
        if off := press_on_item(intent, page, labels, self._SURE):
            if not _TAKES_AWAY.search(intent.words):
                return ()
            # What can still be put on the list is not on it: what its "Remove" removes is the thing itself.
            return press_on_item(intent, page, super().labels(intent), self._SAME) or off
        return press_on_item(intent, page, super().labels(intent))

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        on = super().labels(intent)
        pressed = was_pressed(past, (*on, *self._OFF), links=False)
        if not pressed or not _TAKES_AWAY.search(intent.words):
            return pressed
        is_gone = was_pressed(past, ("remove", "unsave")) or bool(press_on_item(intent, page, on))
        return is_gone and not press_on_item(intent, page, self._OFF, self._SURE)


class React(PressOnItem):
    """Like, follow, star, archive, complete …: press on an item what the prompt's verb says."""

    unseen = 0

    def labels(self, intent: Intent) -> tuple[str, ...]:
        found = verb_of(intent)
        return found[1].labels if found else (" ".join(intent.head.split()[:2]),)

    def before(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """What is done to all of them is not done one by one. Which label it is to be is chosen where they lie open."""
        if labelled := chosen_from_list(page, self._label(intent)):
            return labelled
        labels = self.labels(intent)
        return press_best(page, page.elements, labels, 0.8) if labels is VERBS["read all"].labels else ()

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        chosen = [one.values for one in self._label(intent) if one.operator in POSITIVE]
        return was_pressed(past, self.labels(intent), links=False) and all(was_pressed(past, values, links=False) for values in chosen)

    def _label(self, intent: Intent) -> tuple[Criterion, ...]:
        return besides_item(intent) if self.labels(intent) is VERBS["label"].labels else ()

    def instead(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """Where the prompt names no item: a button anywhere on the page. Of tasks to complete that fail no criterion the likeliest."""
        target, labels = target_of(intent), self.labels(intent)
        if target.is_any and (pressed := press_best(page, page.elements, labels)):
            return pressed
        if first := self._taken_back(intent, page):
            return first
        completes = labels is VERBS["complete"].labels
        records = (record for record, _ in in_time(fitting(target, page), each=4)) if completes else ()
        return next((moves for one in records if (moves := press_best(page, one.elements, labels, beside=one.name))), ())

    def _taken_back(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """What the verb takes back is done first where there is nothing to take back: hide, then show again."""
        name, verb = verb_of(intent) or ("", None)
        done = VERBS.get(verb.undoes) if verb and name.startswith("un") else None
        return tuple(replace(move, once=True) for move in press_on_item(intent, page, done.labels, 0.8)) if done else ()


def _press_in_dialog(page: Page, labels: Sequence[str]) -> tuple[Move, ...]:
    return press_best(page, [element for element in page.elements if element.layer and element.usable], labels)


_OPEN = ("cart", "view cart", "shopping cart", "basket", "bag", "go to cart", "open cart", "my cart", "shopping bag")
_REMOVE = ("remove from cart", "remove item", "remove", "delete", "delete item", "take out", "x")
_MORE = ("increase quantity", "increase", "add one", "plus", "increment")
_LESS = ("decrease quantity", "decrease", "minus one", "minus", "decrement")
_SIGNS = frozenset({"cart", "basket", "bag"})
_COUNTED = frozenset({"spinbutton", "listbox"})


class Cart(PressOnItem):
    unseen = 4

    def before(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """In a dialog that asks for size, number and extras: what the prompt says of them, then the dialog's own button."""
        inside = [element for element in page.elements if element.layer and element.usable]
        button = best_button(inside, self.labels(intent)) if any(element.role in FIELDS for element in inside) else None
        if button is None:
            return ()
        given, amounts = answers(intent.criteria, slots(inside), page), self._amounts(intent)
        count = str(self._count_beside(best_button(inside, _MORE)))
        is_set = any(one.slot.element.role in _COUNTED for one in given) or all(meets(one, count) for one in amounts)
        # The button's label often states the price, which changes with the number.
        last = (replace(press(page, button), repeats=True),) if is_set else self._stepped(page, inside, amounts)
        return (*filled(page, given), *(last or (press(page, button),)))

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        amounts = self._amounts(intent)
        if not takes_from_cart(intent):
            if in_dialog := self.before(intent, page):
                return in_dialog
            return (*fills_for(page, amounts, page.usable(_COUNTED)), *super().act(intent, page))
        if not _is_cart(page):
            return ()
        elements = self._in_cart(intent, page)
        if not _changes(intent):
            return press_best(page, elements, _REMOVE)
        fills = fills_for(page, amounts, [element for element in elements if element.role in _COUNTED])
        return fills or self._stepped(page, elements, amounts)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        if not takes_from_cart(intent):
            sent = self.before(intent, page)[-1:]
            said = past.last_pressed.lower()
            is_in_dialog = ' in dialog "' in said and any(label in said for label in self.labels(intent))
            is_sent = is_in_dialog or all(max(map(past.times, move.alternatives)) > 1 for move in sent)
            return super().achieved(intent, page, past) and is_sent
        if not _changes(intent):
            return was_pressed(past, _REMOVE)
        if not _is_cart(page) or past.filled:
            return _is_cart(page)
        count = str(self._count_beside(best_button(self._in_cart(intent, page), _MORE)))
        return was_pressed(past, (*_MORE, *_LESS)) and all(meets(one, count) for one in self._amounts(intent))

    def _in_cart(self, intent: Intent, page: Page) -> Sequence[Element]:
        records = certain_items(target_of(intent), page)
        return records[0].elements if records else page.elements

    def _stepped(self, page: Page, elements: Sequence[Element], criteria: Sequence[Criterion]) -> tuple[Move, ...]:
        more, less = best_button(elements, _MORE), best_button(elements, _LESS)
        count = self._count_beside(more)
        # More than 30 nobody orders, and no task has the steps to press it.
        wanted = sorted((amount for amount in range(1, 31) if amount != count), key=lambda amount: abs(amount - count))
        amount = next((one for one in wanted if all(meets(criterion, str(one)) for criterion in criteria)), count + 1)
        button, labels = (more, _MORE) if amount > count else (less, _LESS)
        return (replace(press_labelled(page, button, labels), repeats=True),) * abs(amount - count) if button else ()

    def _count_beside(self, more: Element | None) -> int:
        return int(more.group) if more is not None and more.group.isdecimal() else 1

    def _amounts(self, intent: Intent) -> tuple[Criterion, ...]:
        return tuple(one for one in intent.criteria if "quantity" in words(one.field))


def takes_from_cart(intent: Intent) -> bool:
    return intent.kind is Kind.CART and (_TAKES_AWAY.search(intent.words) is not None or _changes(intent))


def before_cart_task(intent: Intent, page: Page, past: Past) -> tuple[Move, ...]:
    """To the cart with the item in it: put in first where it isn't known to be. Nothing where nothing more is to be done before."""
    target, is_added = target_of(intent), was_pressed(past, Kind.CART.row.buttons)
    if re.search(r"/(?:checkout|payment|order)", page.url, re.I) or (_is_cart(page) and (is_added or certain_items(target, page))):
        return ()
    if not is_added and not (target.is_any and not _is_cart(page)):
        return press_on_item(intent, page, Kind.CART.row.buttons) or towards(target, page, past)
    by_route = next((link for link in page.usable(BUTTONS) if _SIGNS & set(words(path_of(link.href)))), None)
    found = by_route or best_button(page.elements, _OPEN)
    return (press(page, found),) if found else ()


def _changes(intent: Intent) -> bool:
    return re.search(r"\b(?:quantity|increase|decrease)\b", intent.head, re.I) is not None


def _is_cart(page: Page) -> bool:
    return bool(_SIGNS & set(words(path_of(page.url))))


_NOUNS = ("comment", "review", "feedback")
_DELETING = ("delete", "remove", *(f"delete {noun}" for noun in _NOUNS), "erase", "discard", "trash")
_EDITING = ("edit", *(f"edit {noun}" for noun in _NOUNS), "modify", "update review", "change")
_SAVING = ("save", "save changes", "save comment", "save review", "update", "update review", "update comment", "done", "apply", "submit")
_PERSONAL = frozenset({"commenter", "reviewer", "author", "name"})


class OwnComment(Recipe):
    """Change or delete a comment, on the page of what it is about; one's own has to be written first where there is none."""

    _WRITE = FormTask()
    _DELETE = DeleteItem()

    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        """To where something of one's own can be written, where there is nothing yet: some sites want a log-in first."""
        is_elsewhere = not is_target_page(target_of(intent), page)
        return () if is_elsewhere or self._done_here(intent, page) else self._WRITE.reach(self._writing(intent), page)

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if not is_target_page(target_of(intent), page):
            return ()
        return self._done_here(intent, page) or self._WRITE.act(self._writing(intent), page)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        if _TAKES_AWAY.search(intent.words):
            return was_pressed(past, _DELETING) and not page.dialogs
        return was_pressed(past, _EDITING) and was_pressed(past, _SAVING) and not self._edited(intent, page)

    def _done_here(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if _TAKES_AWAY.search(intent.words):
            return self._DELETE.before(intent, page) or self._press_on_comment(intent, page, _DELETING)
        return self._edited(intent, page) or self._press_on_comment(intent, page, _EDITING)

    def _press_on_comment(self, intent: Intent, page: Page, labels: Sequence[str]) -> tuple[Move, ...]:
        within = [(record, found) for record in in_time(page.records, each=4) if (found := best_button(record.elements, labels))]
        if not within:
            return press_best(page, page.elements, labels, 0.6)
        own = ((record, found) for record, found in within if self._is_of_comment(record, found))
        fitting = ((press_labelled(page, found, labels, record.name),) for record, found in own if judge(besides_item(intent), record).fits)
        return next(fitting, ())

    def _is_of_comment(self, record: Record, button: Element) -> bool:
        """An entry in which a comment can be written is what is commented on: its "Delete" deletes the post with all its comments."""
        return any(noun in words(button.label) for noun in _NOUNS) or not any(one.role in TEXT_FIELDS for one in record.elements)

    def _edited(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        for field in page.usable(TEXT_FIELDS):
            if not field.value or field.tag != "textarea":
                continue
            for block in list(page.blocks([field]))[:4]:
                button = best_button(block, _SAVING, 0.6)
                if button is not None and not best_button(block, _EDITING[:2], 1.0):
                    stated = [one for one in besides_item(intent) if not _PERSONAL & set(one.field.split())]
                    text = value_for(Slot(replace(field, value="")), stated, page) or ""
                    return (fill(page, field, text), press_labelled(page, button, _SAVING))
        return ()

    def _writing(self, intent: Intent) -> Intent:
        wanted = besides_item(intent)
        kept = wanted if _TAKES_AWAY.search(intent.words) else tuple(one for one in wanted if _PERSONAL & set(one.field.split()))
        return replace(intent, kind=Kind.COMMENT, criteria=kept)
