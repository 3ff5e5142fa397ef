"""The form on a page that a task is about: its slots, what answers to what, and the button that sends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from agents.page import Element, Page
from agents.page.elements import BUTTONS
from agents.page.matching import likeness, score, words
from agents.template.answers import Answer, answers
from agents.template.criteria import Criterion
from agents.template.leads import ADDING, CHANGING, FOREIGN, makes_another
from agents.template.meanings import names_of
from agents.template.slots import Slot, slots
from agents.template.thesaurus import alike

_GOOD = 0.5
_OPENER = 0.8
_MOST_BLOCKS = 12
# A form that does one of these is another task's, unless the task says so itself.
_OTHERS = frozenset({"search", "filter", "find", "subscribe", "login", "register"})
_OTHER_NAMES = ("log in", "sign in", "sign up", "create account", "apply filters", "newsletter")
# What leaves a form without sending it.
_LEAVING = frozenset(
    """cancel close back reset clear delete remove discard draft dismiss minimize previous edit upload attach browse
    bold italic underline list link emoji today toggle menu""".split()  # noqa: SIM905 (words read best as words)
)
_KEEPING = frozenset({"save", "submit", "confirm"})
_SENDING = ("submit", "save", "send", "save changes", "confirm", "add", "create", "post", "publish", "done", "continue", "update", "ok")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a task knows of its form: the criteria, fields that it has, its button's names, or verbs and nouns of these."""

    criteria: tuple[Criterion, ...]
    known_by: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()
    verbs: frozenset[str] = frozenset()
    nouns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FoundForm:
    """A form, or the fields that stand outside of any.

    `units` is how many names the criteria have, `wanted` how many of the fields it has that it is known by; `named` is how well
    its button answers to the task, 1 for its own verb and noun; `foreign`: the button speaks of something else; `by_noun`: it is
    told by verb, noun and criteria, as its button may say no more than "Save"; `prefilled`: it holds an item that is to be changed;
    `openers`: buttons that are called like what no field answers to ("Date", "Priority"): they open what it is chosen from.
    """

    elements: tuple[Element, ...]
    slots: tuple[Slot, ...]
    answers: tuple[Answer, ...]
    units: int
    wanted: int
    button: Element | None
    named: float
    foreign: bool = False
    by_noun: bool = False
    prefilled: bool = False
    openers: tuple[Element, ...] = ()

    @cached_property
    def merit(self) -> float:
        """How surely the task is about this form: by the criteria that it has fields for, those that it is known by, its button."""
        covered = (sum(answer.merit for answer in self.answers) + len(self.openers)) / self.units if self.units else 0.0
        return covered + 0.4 * min(self.wanted, 2) + 0.4 * self.named - (1.0 if self._is_another else 0.0)

    @property
    def good(self) -> bool:
        covered = self.by_noun and 2 * (len(self.answers) + len(self.openers)) >= self.units > 0
        told = covered or self.named >= (1.0 if self.by_noun and self.units else 0.6) or self.wanted > 1
        known = self.merit >= _GOOD and told and (bool(self.answers) or self.wanted > 0)
        return self.button is not None and (known or self.prefilled)

    @property
    def sure(self) -> bool:
        """Whether it is surely the task's: its button says so, and nothing speaks against it."""
        return self.named >= 1.0 and not self._is_another

    @property
    def _is_another(self) -> bool:
        if self.foreign:
            return True
        if self.button is None or self.named >= 0.8:
            return False
        said = set(words(self.button.label or self.button.text))
        return bool(said & _OTHERS) or any(score(self.button, name) >= 0.9 for name in _OTHER_NAMES)


def forms(page: Page, wanted: Wanted) -> list[FoundForm]:
    """The forms of a page, the one that the task is about first."""
    found = [_found(page, elements, wanted) for elements in _apart(page)]
    return sorted((form for form in found if form.slots), key=lambda form: (-form.merit, form.slots[0].place))


def _apart(page: Page) -> Iterator[list[Element]]:
    """The elements of each form, and those outside of any; while a dialog with fields is open, only the dialog's."""
    shown = [element for element in page.elements if not element.hidden]
    inside = [element for element in shown if element.dialog]
    pool = inside if slots(inside) else shown
    for form in dict.fromkeys(element.form for element in pool):
        yield [element for element in pool if element.form == form]


def _found(page: Page, elements: Sequence[Element], wanted: Wanted) -> FoundForm:
    offered = slots(elements)
    given = answers(wanted.criteria, offered, page)
    anchors = [answer.slot.element for answer in given] or [slot.element for slot in offered if _known(slot, wanted.known_by)]
    inside = elements if elements and elements[0].form is not None else []
    around = () if any(one.role in BUTTONS for one in inside) else _around(page, anchors or [slot.element for slot in offered], wanted)
    own = around or inside
    button, named = _button(own, wanted.sends, {one.place for slot in offered for one in slot.choices})
    said = set(words(button.label or button.text)) if button else set[str]()
    if wanted.verbs:
        named = 1.0 if said & (wanted.verbs | _KEEPING) and said & wanted.nouns else min(named, 0.8)
    known = sum(any(slot.likeness(name) >= 0.6 for slot in offered) for name in wanted.known_by)
    units = len({" ".join(words(one.field)) for one in wanted.criteria})
    other_verb = {ADDING: CHANGING, CHANGING: ADDING}.get(wanted.verbs, frozenset[str]())
    foreign = bool(wanted.verbs and (said & FOREIGN - wanted.nouns or (said & other_verb and not said & wanted.verbs)))
    held = sum(bool(slot.value) for slot in offered if not slot.ticks)
    prefilled = wanted.verbs == CHANGING and named >= 0.8 and not foreign and held > 1
    opening = tuple(one for one in openers(wanted.criteria, given, own) if one is not button)
    return FoundForm(tuple(own), tuple(offered), given, units, known, button, named, foreign, bool(wanted.verbs), prefilled, opening)


def openers(criteria: Sequence[Criterion], given: Sequence[Answer], elements: Sequence[Element]) -> Iterator[Element]:
    """For each name of criteria that no field answers to, the button that is called so."""
    answered = {one.field for answer in given for one in answer.criteria}
    buttons = [one for one in elements if one.usable and one.role == "button" and not one.overlay]
    for field in dict.fromkeys(one.field for one in criteria if one.field not in answered):
        scored = ((max(likeness(name, one.label) * weight for name, weight in names_of(field)), one) for one in buttons)
        best = max(scored, key=lambda hit: (hit[0], -hit[1].place), default=None)
        if best and best[0] >= _OPENER:
            yield best[1]


def _known(slot: Slot, known_by: Iterable[str]) -> bool:
    return any(slot.likeness(name) >= 0.6 for name in known_by)


def _around(page: Page, anchors: Sequence[Element], wanted: Wanted) -> list[Element]:
    """Without a form: the smallest block around the fields that has a button which may send them."""
    if not anchors:
        return []
    ordered = sorted(anchors, key=lambda one: one.place)
    blocks = [
        [one for one in block if not makes_another(one, wanted.nouns, wanted.verbs)] for block in islice(page.blocks(ordered), _MOST_BLOCKS)
    ]
    chosen = {one.place for one in anchors}
    good = (block for block in blocks if _button(block, wanted.sends, chosen)[1] >= 0.6)
    some = (block for block in blocks if _button(block, (*wanted.sends, *_SENDING), chosen)[1] >= 0.6)
    return next(good, None) or next(some, None) or next(iter(blocks), [])


def _button(elements: Sequence[Element], sends: Sequence[str], choices: set[int]) -> tuple[Element | None, float]:
    """What sends the form, and how well it answers to the names: 0 for one that only stands there."""
    buttons = [
        one for one in elements if one.role in BUTTONS and one.type != "reset" and one.place not in choices and not _leaves(one, sends)
    ]
    sending = [one for one in buttons if one.submits] or [one for one in buttons if one.role == "button"] or buttons
    scored = [(called(one, sends), one) for one in sending]
    best = max(scored, key=lambda hit: (round(hit[0], 2), hit[1].place), default=None)
    if best and best[0] >= 0.6:
        return best[1], best[0]
    generic = [(called(one, _SENDING), one) for one in sending]
    best = max(generic, key=lambda hit: (round(hit[0], 2), hit[1].place), default=None)
    if best is None:
        return None, 0.0
    chosen = best[1] if best[0] >= 0.6 else sending[-1]
    return chosen, 0.3 if best[0] >= 0.6 else 0.0


def called(element: Element, names: Sequence[str]) -> float:
    """How well a button answers to one of the names, in these or in other words, from 0 to 1."""
    return max((max(score(element, name), 0.9 * alike(name, element.label or element.text)) for name in names), default=0.0)


def _leaves(element: Element, sends: Sequence[str]) -> bool:
    said = set(words(element.label or element.text))
    return bool(said & _LEAVING) and not any(said & _LEAVING & set(words(name)) for name in sends)
