"""The form on a page that a task is about: its slots, what answers to what, and the button that sends it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice

from agents.page import Element, Page
from agents.page.elements import BUTTONS, FIELDS, PICKER, TEXT_FIELDS, score
from agents.page.matching import likeness, words
from agents.template import blind_xpath
from agents.template.budget import in_time
from agents.template.forms.filling import Answer, answers, by_name
from agents.template.forms.slots import Slot, slots, value_for
from agents.template.items.navigation import FOREIGN, makes_another
from agents.template.moves import Move, blind_enter, blind_fill, fill, press, send
from agents.template.prompt import Criterion, holds
from agents.template.prompt.synonyms import alike, meant, names_of, words_of
from agents.template.prompt.task_rows import ADDING, CHANGING, TaskKind, is_for_other

# How well a button or field answers to a name: surely enough; and of a button that sends any form.
_CALLED, _GENERIC = 0.6, 0.3
# A form that does one of these is another task's, unless the task says so itself.
_OTHERS = frozenset({"search", "filter", "find", "subscribe", "login", "register"})
_OTHER_NAMES = ("log in", "sign in", "sign up", "create account", "apply filters", "newsletter")
_SEARCHING = frozenset({"search", "find", "query", "lookup", "discover"})
# What opens a search that is hidden at first says so, or asks where or what.
_LOOKING = _SEARCHING | {"where", "destination"}
# What leaves a form without sending it.
_LEAVING = frozenset(
    """cancel close back reset clear delete remove discard draft dismiss minimize previous edit upload attach browse
    bold italic underline list link emoji today toggle menu""".split()  # noqa: SIM905 (words read best as words)
)
# What shows how many there are, such as likes, whatever its markup calls it.
_COUNT = re.compile(r"\W*\d[\d.,]*\s?[kKmM]?\W*")
_SENDING = ("submit", "save", "send", "save changes", "confirm", "add", "create", "post", "publish", "done", "continue", "update", "ok")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a task's form is recognised: its criteria, what its kind says of forms, and the nouns that the prompt is about."""

    criteria: tuple[Criterion, ...]
    row: TaskKind
    nouns: frozenset[str]


@dataclass(frozen=True, slots=True)
class FoundForm:
    """A form, or the fields that stand outside of any.

    `merit`: how surely the task is about this form; `good`: enough to fill it; `sure`: its button says so, and nothing speaks against it.
    `openers`: buttons that are called like what no field answers to ("Date", "Priority"): they open what it is chosen from.
    """

    elements: tuple[Element, ...]
    slots: tuple[Slot, ...]
    answers: tuple[Answer, ...]
    button: Element | None
    openers: tuple[Element, ...]
    merit: float
    good: bool
    sure: bool


def forms(page: Page, wanted: Wanted) -> list[FoundForm]:
    found = [_found(page, elements, wanted) for elements in in_time(_apart(page), each=1)]
    return sorted((form for form in found if form.slots), key=lambda form: (-form.merit, form.slots[0].element.place))


def _apart(page: Page) -> Iterator[list[Element]]:
    """The elements of each form, and those outside of any; while a dialog with fields is open, only the dialog's."""
    # The site's search is no part of a form, though it may stand in one; a dialog's is its own.
    box = page.search_box
    is_search = box is not None and not box.layer and bool(_SEARCHING & set(words(f"{box.label} {box.placeholder} {box.name} {box.hints}")))
    shown = [element for element in page.elements if not element.hidden and not (is_search and element is box)]
    inside = [element for element in shown if element.layer]
    by_form: dict[int | None, list[Element]] = defaultdict(list)
    for element in inside if slots(inside) else shown:
        by_form[element.form].append(element)
    yield from by_form.values()


def _saves(element: Element, nouns: Set[str]) -> bool:
    """Whether it says what it saves: "Save experience", where another part of the page has a "Save" too."""
    said = set(words(element.label))
    return bool(said & nouns and said & {"save", "submit", "confirm"})


def _vacant(offered: Sequence[Slot]) -> list[Slot]:
    """Of fields that are called alike, such as those of a profile's jobs, the empty ones: what is made new is written there."""
    empty = {one.element.label for one in offered if not one.value and one.element.role in TEXT_FIELDS}
    return [one for one in offered if not one.value or one.element.label not in empty]


def _found(page: Page, elements: Sequence[Element], wanted: Wanted) -> FoundForm:
    verbs, nouns = wanted.row.verbs, wanted.nouns
    offered = _vacant(slots(elements)) if verbs == ADDING else slots(elements)
    given = answers(wanted.criteria, offered, page) or _alone(wanted.criteria, offered, page)
    anchors = [answer.slot.element for answer in given]
    anchors = anchors or [slot.element for slot in offered if any(slot.likeness(name) >= _CALLED for name in wanted.row.known_by)]
    inside = elements if elements and elements[0].form is not None else []
    around = () if any(one.role in BUTTONS for one in inside) else _around(page, anchors or [slot.element for slot in offered], wanted)
    own = around or inside
    button, named = _button(own, wanted.row.sent_by, {one.place for slot in offered for one in slot.choices})
    if verbs and (saves := [one for one in own if one.usable and one.role == "button" and _saves(one, nouns)]):
        button = saves[0]
    said = set(words(button.label or button.text)) if button else set[str]()
    if verbs:
        named = 1.0 if said & (verbs | {"save", "submit", "confirm"}) and said & nouns else min(named, 0.8)
    other_verb = {ADDING: CHANGING, CHANGING: ADDING}.get(verbs, frozenset[str]())
    is_foreign = bool(verbs and (said & FOREIGN - nouns or (said & other_verb and not said & verbs)))
    does_other = button is not None and (said & _OTHERS or any(score(button, name) >= 0.9 for name in _OTHER_NAMES))
    is_another = is_foreign or (named < 0.8 and does_other)
    opening = tuple(one for one in openers(wanted.criteria, given, own) if one is not button)
    known = sum(any(slot.likeness(name) >= _CALLED for slot in offered) for name in wanted.row.known_by)
    units = len({" ".join(words(one.field)) for one in wanted.criteria})
    covered = (sum(answer.merit for answer in given) + len(opening)) / units if units else 0.0
    merit = covered + 0.4 * min(known, 2) + 0.4 * named - (1.0 if is_another else 0.0)
    # An item that is to be changed is in the form already.
    is_prefilled = verbs == CHANGING and named >= 0.8 and not is_foreign and sum(bool(one.value) for one in offered if not one.ticks) > 1
    is_recognised = named >= (1.0 if verbs and units else _CALLED) or known > 1
    # The button of a form that is known by verb and noun may say no more than "Save".
    is_recognised = is_recognised or (bool(verbs) and 2 * (len(given) + len(opening)) >= units > 0)
    # Some sites show the button of a form only once something is typed in it.
    is_to_come = button is None and bool(inside) and known > 0
    is_known = merit >= 0.5 and (is_recognised or is_to_come) and (bool(given) or known > 0)
    good = (
        (button is not None or is_to_come)
        and (is_known or is_prefilled)
        and not is_for_other(wanted.row.purpose, said, _told(page, offered))
    )
    return FoundForm(tuple(own), tuple(offered), given, button, opening, merit, good, sure=named >= 1.0 and not is_another)


def _told(page: Page, offered: Sequence[Slot]) -> set[str]:
    """The words that say what a form is for: those of the heading before it and of its fields."""
    fields = (text for slot in offered for text in (slot.element.label, slot.element.placeholder, slot.element.beside))
    return {word for text in (*(page.heading_before(slot.element) for slot in offered[:1]), *fields) for word in words(text)}


def _alone(criteria: Sequence[Criterion], offered: Sequence[Slot], page: Page) -> tuple[Answer, ...]:
    """A dialog that asks for one text, and a prompt that says one: whatever the field is called, it is for that."""
    texts, units = [slot for slot in offered if slot.element.role in TEXT_FIELDS], by_name(criteria)
    if len(texts) != 1 or len(units) != 1 or not texts[0].element.layer or texts[0].element.type in {"password", "email", "date"}:
        return ()
    value = value_for(texts[0], units[0], page)
    return (Answer(texts[0], units[0], value, _CALLED),) if value else ()


def openers(criteria: Sequence[Criterion], given: Sequence[Answer], elements: Sequence[Element]) -> Iterator[Element]:
    answered = {one.field for answer in given for one in answer.criteria}
    buttons = [one for one in elements if one.usable and one.role == "button" and not one.overlay]
    for field in dict.fromkeys(one.field for one in criteria if one.field not in answered):
        scored = ((max(_opener_of(one, name) * weight for name, weight in names_of(field)), one) for one in buttons)
        best = max(scored, key=lambda hit: (hit[0], -hit[1].place), default=None)
        # Many show what was chosen.
        is_chosen = best is not None and all(holds(one, best[1].text) for one in criteria if one.field == field)
        if best and best[0] >= 0.8 and not (is_chosen and any(map(str.isdigit, best[1].text))):
            yield best[1]


def _opener_of(button: Element, name: str) -> float:
    """How well it answers to a name; of what surely opens something its markup counts too: a picker shows what is chosen, not what of."""
    own = likeness(name, button.label)
    return max(own, 1.05 * likeness(name, button.hints)) if button.opens or button.expanded is not None else own


def _around(page: Page, anchors: Sequence[Element], wanted: Wanted) -> list[Element]:
    if not anchors:
        return []
    ordered = sorted(anchors, key=lambda one: one.place)
    blocks = [
        [one for one in block if not (one.covered or makes_another(one, wanted.nouns, wanted.row.verbs))]
        for block in in_time(islice(page.blocks(ordered), 12), each=1)
    ]
    chosen = {one.place for one in anchors}
    good = (block for block in blocks if _button(block, wanted.row.sent_by, chosen)[1] >= _CALLED)
    some = (block for block in blocks if _button(block, (*wanted.row.sent_by, *_SENDING), chosen)[1] >= _CALLED)
    return next(good, None) or next(some, None) or next(iter(blocks), [])


def _button(elements: Sequence[Element], sends: Sequence[str], choices: Set[int] = frozenset()) -> tuple[Element | None, float]:
    """What sends the form, and how well it answers to the names: 0 for one that only stands there."""
    meant_to_send = frozenset().union(*map(words, sends))
    usual = (one for one in elements if not (one.label.lower().startswith("navigate to ") or _COUNT.fullmatch(one.label or one.text)))
    pressed = (one for one in usual if one.role in BUTTONS and one.type != "reset" and one.place not in choices)
    buttons = [one for one in pressed if not _leaves(one, meant_to_send)]
    sending = [one for one in buttons if one.submits] or [one for one in buttons if one.role == "button"] or buttons
    for names in (sends, _SENDING):
        scored = [(called(one, names), one) for one in sending]
        merit, best = max(scored, key=lambda hit: (round(hit[0], 2), hit[1].place), default=(0.0, None))
        if merit >= _CALLED:
            return best, merit if names is sends else _GENERIC
    return (sending[-1] if sending else None), 0.0


def called(element: Element, names: Sequence[str]) -> float:
    said, known = element.label or element.text, words_of(tuple(names))
    if known.isdisjoint(element.forms) and known.isdisjoint(meant(said)):
        return 0.0
    return max(max(score(element, name), 0.9 * alike(name, said)) for name in names)


def _leaves(element: Element, meant_to_send: frozenset[str]) -> bool:
    leaving = _LEAVING.intersection(words(element.label or element.text))
    return bool(leaving) and leaving.isdisjoint(meant_to_send)


@dataclass(frozen=True, slots=True)
class Form:
    fields: tuple[Element, ...]
    button: Element | None


def form_of(page: Page, anchor: Element, names: Sequence[str]) -> Form:
    mates = [one for one in page.elements if one.usable and one.form == anchor.form]
    button, _ = _button([one for one in mates if one.submits or one.place > anchor.place], names)
    return Form(tuple(one for one in mates if one.role in FIELDS), button)


def passwords(page: Page) -> list[Element]:
    return [field for field in page.usable(TEXT_FIELDS) if field.type == "password"]


def search_for(page: Page | None, text: str) -> tuple[Move, ...]:
    if page is None:
        return (blind_fill(blind_xpath.TEXT_FIELD, text), blind_enter(blind_xpath.TEXT_FIELD))
    field = page.search_box
    if field is None:
        opener = next(
            (one for one in page.usable({"button", PICKER}) if one.opens and _LOOKING & set(words(f"{one.label} {one.hints}"))), None
        )
        return (replace(press(page, opener), once=True, opens=True),) if opener else ()
    button = form_of(page, field, ("search", "find", "look up", "go", "query", "discover")).button if field.form is not None else None
    # Of a field that opened over the page, Enter takes the text over; what searches lies beside what opened it.
    beside = (one for one in page.usable({"button"}) if not (one.overlay or one.opens) and _SEARCHING & set(words(one.hints)))
    onward = tuple(press(page, one) for one in islice(beside, 1)) if field.overlay and button is None else ()
    return (fill(page, field, text), send(page, field, button, enter_first=True), *onward)
