"""The form that a task is about: its slots, their criteria, and the button that sends it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from agents.page import Element, Page, likeness, word_set, words
from agents.page.elements import BUTTONS, FIELDS, PICKER, TEXT_FIELDS, score
from agents.template import blind_xpath
from agents.template.budget import in_time
from agents.template.forms.filling import Answer, answers, by_name
from agents.template.forms.slots import Slot, slots, value_for
from agents.template.items.matching import SEARCHING
from agents.template.items.navigation import FOREIGN, makes_another, only_sends
from agents.template.moves import Move, blind_enter, blind_fill, fill, press, send
from agents.template.prompt import Criterion, alike, holds, names_of
from agents.template.prompt.task_kinds import ADDING, CHANGING, TaskKind, Trait, is_for_other

_CALLED, _GENERIC, _COVERED = 0.6, 0.3, 0.7  # how well a button or field must match a name; and the merit of a button that sends any form
# A form for one of these is another task's, unless the task requests it.
_OTHERS = frozenset({"search", "filter", "find", "subscribe", "login", "register"})
_OTHER_NAMES = ("log in", "sign in", "sign up", "create account", "apply filters", "newsletter")
_LOOKING = SEARCHING | {"where", "destination"}  # words of a button that opens a hidden search
# Words of buttons that leave a form without sending it.
_LEAVING = word_set("""cancel close back reset clear delete remove discard draft dismiss minimize previous edit upload attach browse bold
    italic underline list link emoji today toggle menu""")
_COUNT = re.compile(r"\W*\d[\d.,]*\s?[kKmM]?\W*")  # a number alone, such as of likes, is no label
_ENDING = frozenset({"confirm", "submit", "save", "cancel"})  # "Confirm time" ends a choice and opens none
_SENDING = ("submit", "save", "send", "save changes", "confirm", "add", "create", "post", "publish", "done", "continue", "update", "ok")


@dataclass(frozen=True, slots=True)
class FormQuery:
    """How a task's form is recognised: by its criteria, its kind's row, and the nouns that the prompt is about."""

    criteria: tuple[Criterion, ...]
    row: TaskKind
    nouns: frozenset[str]


@dataclass(frozen=True, slots=True)
class FormMatch:
    """A form, or the fields outside of any. `merit`: how well the form matches the task; `good`: enough to fill it; `sure`: by its button,
    and without contradiction. `openers`: buttons labelled like a criterion without a field ("Date", "Priority"): they open a list or
    calendar for it."""

    elements: tuple[Element, ...]
    slots: tuple[Slot, ...]
    answers: tuple[Answer, ...]
    button: Element | None
    openers: tuple[Element, ...]
    merit: float
    good: bool
    sure: bool


def forms(page: Page, sought: FormQuery) -> list[FormMatch]:
    candidates = [_match_of(page, elements, sought) for elements in in_time(_apart(page), each=1)]
    return sorted((form for form in candidates if form.slots), key=lambda form: (-form.merit, form.slots[0].element.place))


def _apart(page: Page) -> Iterator[list[Element]]:
    """The elements of each form, and those outside of any; while a dialog with fields is open, only the dialog's."""
    # The site's search is not part of a form, even inside one; a dialog's search is.
    box = page.search_box
    is_search = box is not None and not box.layer and bool(SEARCHING & set(words(f"{box.label} {box.placeholder} {box.name} {box.hints}")))
    shown = [element for element in page.elements if not element.hidden and not (is_search and element is box)]
    inside = [element for element in shown if element.layer]
    by_form: dict[int | None, list[Element]] = defaultdict(list)
    for element in inside if slots(inside) else shown:
        by_form[element.form].append(element)
    yield from by_form.values()


def _saves(element: Element, nouns: Set[str]) -> bool:
    """Whether its label has the noun: "Save experience", where another part of the page has a "Save" too."""
    label = set(words(element.label))
    return bool(label & nouns and label & {"save", "submit", "confirm"})


def _to_foot(elements: Sequence[Element], anchors: Sequence[Element]) -> Sequence[Element]:
    """Up to the buttons "Cancel" and "Save" behind the fields: what comes after them adds another."""
    last = max((anchor.place for anchor in anchors), default=0)
    pairs = pairwise(element for element in elements if element.role == "button" and element.place > last)
    ends = (second.place for first, second in pairs if {"cancel", "save"} <= {*words(first.label), *words(second.label)})
    end = next(ends, None)
    return elements if end is None else [element for element in elements if element.place <= end]


def _vacant(offered: Sequence[Slot]) -> list[Slot]:
    """Without the filled ones of several fields with one label, such as those of a profile's jobs: new values go into the empty ones."""
    empty = {slot.element.label for slot in offered if not slot.value and slot.element.role in TEXT_FIELDS}
    return [slot for slot in offered if not slot.value or slot.element.label not in empty]


def _match_of(page: Page, elements: Sequence[Element], sought: FormQuery) -> FormMatch:
    verbs, nouns = sought.row.verbs, sought.nouns
    offered = _vacant(slots(elements)) if verbs == ADDING else slots(elements)
    given = answers(sought.criteria, offered, page) or _alone(sought, offered, page)
    anchors = [answer.slot.element for answer in given]
    anchors = anchors or [slot.element for slot in offered if any(slot.likeness(name) >= _CALLED for name in sought.row.known_by)]
    inside = elements if elements and elements[0].form is not None else []
    has_button = any(element.role in BUTTONS for element in inside)
    around = () if has_button else _around(page, anchors or [slot.element for slot in offered], sought)
    if item := page.items.get(anchors[0].place) if anchors and len(page.records) > 1 else None:
        # What stands beside the items sends something else.
        around = [element for element in around if page.items.get(element.place) is item]
    own = _to_foot(around or inside, anchors)
    adds_more = len(own) < len(around or inside)
    button, named = _button(own, sought.row.sent_by, {choice.place for slot in offered for choice in slot.choices})
    if verbs and (saves := [element for element in own if element.usable and element.role == "button" and _saves(element, nouns)]):
        button = saves[0]
    label = set(words(button.label or button.text)) if button else set[str]()
    if verbs:
        named = 1.0 if label & (verbs | {"save", "submit", "confirm"}) and label & nouns else min(named, 0.8)
    other_verb = {ADDING: CHANGING, CHANGING: ADDING}.get(verbs, frozenset[str]())
    opening = tuple(opener for opener in openers(sought.criteria, given, own) if opener is not button)
    units = len({criterion.name for criterion in sought.criteria})
    covered = (sum(answer.merit for answer in given) + len(opening)) / units if units else 0.0
    # Some sites say "Save settings" in any form.
    foreign = label & FOREIGN - nouns - ({"setting"} if "save" in label and covered >= _COVERED else set())
    is_foreign = bool(verbs and (foreign or (label & other_verb and not label & verbs and not adds_more)))
    does_other = button is not None and (label & _OTHERS or any(score(button, name) >= 0.9 for name in _OTHER_NAMES))
    is_another = is_foreign or (named < 0.8 and does_other)
    known = sum(any(slot.likeness(name) >= _CALLED for slot in offered) for name in sought.row.known_by)
    merit = covered + 0.4 * min(known, 2) + 0.4 * named - (1.0 if is_another else 0.0)
    # A form for changing an item is filled with its values.
    is_prefilled = verbs == CHANGING and named >= 0.8 and not is_foreign and sum(bool(slot.value) for slot in offered if not slot.ticks) > 1
    is_recognised = named >= (1.0 if verbs and units else _CALLED) or known > 1
    # The button of a form that is recognised by its fields may be just "Save".
    is_recognised = is_recognised or (bool(verbs) and 2 * (len(given) + len(opening)) >= units > 0) or 2 * len(given) > units > 1
    # Some sites show the button of a form only once something is typed in it.
    is_to_come = button is None and bool(inside) and known > 0
    is_known = merit >= 0.5 and (is_recognised or is_to_come) and (bool(given) or known > 0)
    is_for_task = not is_for_other(sought.row.purpose, label, _purpose_words(page, offered))
    good = is_for_task and (button is not None or is_to_come) and (is_known or is_prefilled)
    return FormMatch(tuple(own), tuple(offered), given, button, opening, merit, good, sure=named >= 1.0 and not is_another)


def _purpose_words(page: Page, offered: Sequence[Slot]) -> set[str]:
    fields = (text for slot in offered for text in (slot.element.label, slot.element.placeholder, slot.element.beside))
    return {word for text in (*(page.heading_before(slot.element) for slot in offered[:1]), *fields) for word in words(text)}


def _alone(sought: FormQuery, offered: Sequence[Slot], page: Page) -> tuple[Answer, ...]:
    """In a dialog with one text field, or where one item of a list can be edited in its place, the value of a prompt with one field,
    whatever the labels."""
    texts, units = [slot for slot in offered if slot.element.role in TEXT_FIELDS], by_name(sought.criteria)
    in_item = [slot for slot in texts if sought.row.verbs == CHANGING and len(page.records) > 1 and slot.element.place in page.items]
    texts = in_item or [slot for slot in texts if slot.element.layer] if len(in_item or texts) == 1 else []
    if len(texts) != 1 or len(units) != 1 or texts[0].element.type in {"password", "email", "date"}:
        return ()
    value = value_for(texts[0], units[0], page)
    return (Answer(texts[0], units[0], value, _CALLED),) if value else ()


def openers(criteria: Sequence[Criterion], given: Sequence[Answer], elements: Sequence[Element]) -> Iterator[Element]:
    covered = {criterion.field for answer in given for criterion in answer.criteria}
    pressable = (element for element in elements if element.usable and element.role == "button" and not element.overlay)
    buttons = [button for button in pressable if _ENDING.isdisjoint(words(button.label))]
    for field in dict.fromkeys(criterion.field for criterion in criteria if criterion.field not in covered):
        scored = ((max(_opener_of(button, name) * weight for name, weight in names_of(field)), button) for button in buttons)
        best = max(scored, key=lambda hit: (hit[0], -hit[1].place), default=None)
        # Many show the current value.
        is_chosen = best is not None and all(holds(criterion, best[1].text) for criterion in criteria if criterion.field == field)
        if best and best[0] >= 0.8 and not (is_chosen and any(map(str.isdigit, best[1].text))):
            yield best[1]


def _opener_of(button: Element, name: str) -> float:
    """How well it matches a name; for buttons that certainly open something by markup too: a picker's text is the current value."""
    own = likeness(name, button.label)
    return max(own, 1.05 * likeness(name, button.hints)) if button.opens or button.expanded is not None else own


def _around(page: Page, anchors: Sequence[Element], sought: FormQuery) -> list[Element]:
    if not anchors:
        return []
    ordered = sorted(anchors, key=lambda anchor: anchor.place)
    around = in_time(islice(page.blocks(ordered), 12), each=1)
    blocks = [[one for one in block if not (one.covered or makes_another(one, sought.nouns, sought.row.verbs))] for block in around]
    chosen = {anchor.place for anchor in anchors}
    good = (block for block in blocks if _button(block, sought.row.sent_by, chosen)[1] >= _CALLED)
    some = (block for block in blocks if _button(block, (*sought.row.sent_by, *_SENDING), chosen)[1] >= _CALLED)
    return next(good, None) or next(some, None) or next(iter(blocks), [])


def _button(elements: Sequence[Element], sends: Sequence[str], choices: Set[int] = frozenset()) -> tuple[Element | None, float]:
    """The button that sends the form, and how well it matches the names: 0 for any other button."""
    meant_to_send = frozenset().union(*map(words, sends))
    usual = (one for one in elements if not (one.label.lower().startswith("navigate to ") or _COUNT.fullmatch(one.label or one.text)))
    pressed = (element for element in usual if element.role in BUTTONS and element.type != "reset" and element.place not in choices)
    buttons = [element for element in pressed if not _leaves(element, meant_to_send)]
    sending = [button for button in buttons if button.submits] or [button for button in buttons if button.role == "button"] or buttons
    for names in (sends, _SENDING):
        scored = [(called(button, names), button) for button in sending]
        merit, best = max(scored, key=lambda hit: (round(hit[0], 2), hit[1].place), default=(0.0, None))
        if merit >= _CALLED:
            return best, merit if names is sends else _GENERIC
    return (sending[-1] if sending else None), 0.0


def called(element: Element, names: Sequence[str]) -> float:
    label = element.label or element.text
    return max(max(score(element, name), 0.9 * alike(name, label)) for name in names)


def sends_form(element: Element, row: TaskKind) -> bool:
    """Whether it sends a form as tasks of this kind do: that is done by the kind's recipe, once the form is filled. Of a kind whose row
    names no such buttons, such as a change of a comment, any form's button may be that of another thing."""
    is_of_form = element.submits and element.form is not None
    if not row.sent_by:
        return is_of_form and Trait.SENDS in row.traits
    return only_sends(element) or (is_of_form and called(element, row.sent_by) >= 0.9)


def _leaves(element: Element, meant_to_send: frozenset[str]) -> bool:
    leaving = _LEAVING.intersection(words(element.label or element.text))
    return bool(leaving) and leaving.isdisjoint(meant_to_send)


@dataclass(frozen=True, slots=True)
class Form:
    fields: tuple[Element, ...]
    button: Element | None


def form_of(page: Page, anchor: Element, names: Sequence[str]) -> Form:
    mates = [element for element in page.elements if element.usable and element.form == anchor.form]
    button, _ = _button([element for element in mates if element.submits or element.place > anchor.place], names)
    return Form(tuple(element for element in mates if element.role in FIELDS), button)


def passwords(page: Page) -> list[Element]:
    return [field for field in page.usable(TEXT_FIELDS) if field.type == "password"]


def search_opener(page: Page) -> Element | None:
    opening = (button for button in page.usable({"button", PICKER}) if button.opens)
    return next((button for button in opening if _LOOKING & set(words(f"{button.label} {button.hints}"))), None)


def search_for(page: Page | None, text: str) -> tuple[Move, ...]:
    if page is None:
        return (blind_fill(blind_xpath.TEXT_FIELD, text), blind_enter(blind_xpath.TEXT_FIELD))
    field = page.search_box
    if field is None:
        opener = search_opener(page)
        return (replace(press(page, opener), once=True, opens=True),) if opener else ()
    button = form_of(page, field, ("search", "find", "look up", "go", "query", "discover")).button if field.form is not None else None
    # In a field that opened over the page, Enter only accepts the text; the search button is next to the opener.
    searching = (button for button in page.usable({"button"}) if SEARCHING & set(words(button.hints)))
    beside = (button for button in searching if not (button.overlay or button.opens))
    onward = tuple(press(page, button) for button in islice(beside, 1)) if field.overlay and button is None else ()
    return (fill(page, field, text), send(page, field, button, enter_first=True), *onward)
