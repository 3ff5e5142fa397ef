"""Finding forms and their fields on a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agents.page import Element, Page
from agents.page.elements import BUTTONS, FIELDS, TEXT_FIELDS
from agents.page.matching import GOOD_ENOUGH, score, words
from agents.template.criteria import Criterion, Operator
from agents.template.moves import Move, fill, press
from agents.template.values import chosen, meets

# What sites call the fields that prompts name otherwise.
_ALSO_CALLED = {
    "username": ("username", "user name", "user", "login name", "email"),
    "user": ("username", "user"),
    "email": ("email", "e-mail", "mail address"),
    "signup username": ("username", "user name", "user"),
    "signup email": ("email", "e-mail"),
    "password": ("password", "pass", "passwort"),
    "query": ("search", "query", "find"),
    "message": ("message", "comment", "text", "body", "content"),
    "content": ("content", "message", "text", "comment"),
    "comment": ("comment", "message", "review"),
    "phone": ("phone", "telephone", "mobile"),
}
_LOW, _HIGH = frozenset({"min", "minimum", "from", "least"}), frozenset({"max", "maximum", "to", "most"})
_SIDES = {Operator.GREATER: _LOW, Operator.GREATER_EQUAL: _LOW, Operator.LESS: _HIGH, Operator.LESS_EQUAL: _HIGH}
_NOT_TYPED = frozenset({"checkbox", "radio", "slider"})


@dataclass(frozen=True, slots=True)
class Form:
    """The fields that belong together, and the button that sends them; without a form element, those around the anchor field."""

    fields: tuple[Element, ...]
    button: Element | None

    def first(self, types: Sequence[str]) -> Element | None:
        return next((field for field in self.fields if field.type in types), None)


def form_of(page: Page, anchor: Element, names: Sequence[str]) -> Form:
    """The form around a field; `names` are what its button may be called."""
    mates = [element for element in page.elements if element.usable and element.form == anchor.form]
    fields = tuple(element for element in mates if element.role in FIELDS)
    return Form(fields, _button(mates, anchor, names))


def _button(mates: Sequence[Element], anchor: Element, names: Sequence[str]) -> Element | None:
    """The button that submits; else the best by name, a real button before a link; else the first button after the field."""
    buttons = [element for element in mates if element.role in BUTTONS and element.type != "reset"]
    sending = [element for element in buttons if element.submits]
    if sending:
        return _best(sending, names) or sending[-1]
    pressed = [element for element in buttons if element.role == "button" and element.place > anchor.place]
    return _best(pressed, names) or next(iter(pressed), None)


def _best(elements: Iterable[Element], names: Sequence[str]) -> Element | None:
    scored = [(max(score(element, name) for name in names), -element.place, element) for element in elements]
    best = max(scored, key=lambda hit: hit[:2], default=None)
    return best[2] if best and best[0] >= GOOD_ENOUGH else None


def passwords(page: Page) -> list[Element]:
    return [element for element in page.usable(TEXT_FIELDS) if element.type == "password"]


def field_for(criterion: Criterion, fields: Iterable[Element]) -> Element | None:
    """The field that a criterion is about, by name, or by its type for passwords and e-mail addresses."""
    kind = criterion.field.removeprefix("signup ")
    offered = [field for field in fields if field.role not in _NOT_TYPED]
    typed = [field for field in offered if field.type == kind]
    if kind in {"password", "pw", "pass"}:
        return next((field for field in offered if field.type == "password"), None)
    return _best(typed or offered, _ALSO_CALLED.get(criterion.field, (criterion.field,)))


def fill_for(page: Page, field: Element, *criteria: Criterion) -> Move:
    """Fill the field so that it meets the criteria; what it holds already stays where it does."""
    move = fill(page, field, chosen(criteria, field.options, field.longest))
    held = bool(field.value) and not field.value.startswith("<") and all(meets(one, field.value) for one in criteria)
    return Move(move.ways, shown=move.shown or held)


def fills_for(page: Page, criteria: Iterable[Criterion], fields: Sequence[Element]) -> tuple[Move, ...]:
    """A fill for all the criteria of one name that has a field, each field once, in the page's order."""
    taken: dict[int, Move] = {}
    for group in _groups(criteria, fields):
        field = _field_of(group, [one for one in fields if one.place not in taken])
        if field is not None:
            taken[field.place] = fill_for(page, field, *group)
    return tuple(taken[place] for place in sorted(taken))


def _groups(criteria: Iterable[Criterion], fields: Sequence[Element]) -> Iterator[tuple[Criterion, ...]]:
    """The criteria of one name together; a bound by itself where the page has a field for that side ("Min. price")."""
    named: dict[str, list[Criterion]] = {}
    for criterion in criteria:
        if _of_its_side(criterion, fields):
            yield (criterion,)
        else:
            named.setdefault(criterion.field, []).append(criterion)
    yield from map(tuple, named.values())


def _field_of(group: tuple[Criterion, ...], fields: Sequence[Element]) -> Element | None:
    return field_for(group[0], _of_its_side(group[0], fields) or fields)


def _of_its_side(criterion: Criterion, fields: Sequence[Element]) -> list[Element]:
    """The fields for the lower or the upper bound of what the criterion is about."""
    side = _SIDES.get(criterion.operator, frozenset())
    about = set(words(criterion.field))
    return [field for field in fields if side & set(words(field.label)) and about & set(words(field.label))]


def link_to(page: Page, names: Sequence[str], least: float = GOOD_ENOUGH) -> tuple[Move, ...]:
    """Press the best link or button of one of these names; nothing where there is none."""
    found = page.find(names, BUTTONS, least)
    return (press(page, found),) if found else ()
