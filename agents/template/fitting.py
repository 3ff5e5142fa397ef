"""The value for a slot: it meets all that the prompt says of it, in the form and within the limits of the field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from agents.page import Element, Page
from agents.template.criteria import Criterion, Operator
from agents.template.measures import comparable, date_in, minutes_in, number_in
from agents.template.plausible import plausible
from agents.template.slots import Slot
from agents.template.values import chosen, meets

# A first option like these says that nothing is chosen yet.
_UNCHOSEN = re.compile(r"^\W*(?:(?:please )?(?:select|choose|pick)\b.*|none|any|all|-+)?\W*$", re.I)
_NUMERIC = frozenset({"number", "range"})
_EXACT = frozenset({Operator.EQUALS, Operator.ONE_OF})
_NOT_EXACT = frozenset({Operator.NOT_EQUALS, Operator.NOT_ONE_OF})
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def value_for(slot: Slot, criteria: Sequence[Criterion], page: Page | None) -> str | None:
    """What to put into a slot, one of its options where it has some; None where nothing that it takes meets the criteria."""
    if slot.options:
        return option_for(slot.options, criteria) or _by_what_is_sent(slot, criteria)
    wanted = (*criteria, *_bounds(slot.element))
    offered = [shaped(value, slot.element) for value in _offered(slot, criteria, page)]
    fitting = [value for value in offered if value and _takes(slot.element, value)]
    return next((value for value in fitting if all(agrees(one, value) for one in wanted)), None) or _nearest(fitting, wanted)


def option_for(options: Iterable[str], criteria: Sequence[Criterion]) -> str | None:
    """The option that meets all the criteria, else the one that holds what is wanted; None where there is none."""
    offered = [option for option in options if option.strip()]
    real = [option for option in offered if not _UNCHOSEN.match(option)]
    fitting = [option for option in real or offered if all(agrees(one, option) for one in criteria)]
    if fitting:
        return next((option for option in fitting if any(_exactly(one, option) for one in criteria)), fitting[0])
    return next((option for option in offered if criteria and all(_holds(one, option) for one in criteria)), None)


def _by_what_is_sent(slot: Slot, criteria: Sequence[Criterion]) -> str | None:
    """The option whose value meets the criteria: texts are translated and reworded, values hardly ever."""
    values = slot.element.sent_as if len(slot.element.sent_as) == len(slot.options) else ()
    sent = option_for(values, criteria)
    return slot.options[values.index(sent)] if sent is not None else None


def agrees(criterion: Criterion, said: str) -> bool:
    """Whether a value meets a criterion, "7:00 PM" being 19:00 and "2 people" being 2."""
    if criterion.operator in _EXACT:
        return meets(criterion, said) or any(_same(said, value) for value in criterion.values)
    if criterion.operator in _NOT_EXACT:
        return meets(criterion, said) and not any(_same(said, value) for value in criterion.values)
    return meets(criterion, said)


def shaped(value: str, element: Element) -> str:
    """The value in the form that the field takes; "" where it has none in it."""
    day, minutes = date_in(value), minutes_in(value.partition("T")[2] or value.rpartition(" ")[2] or value)
    clock = "" if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"
    match element.type:
        case "date":
            return day.isoformat() if day else ""
        case "month":
            return day.isoformat()[:7] if day else ""
        case "time":
            return clock or _clock(value)
        case "datetime-local":
            return f"{day.isoformat()}T{clock or '10:00'}" if day else ""
        case "number" | "range":
            number = number_in(value)
            return "" if number is None else f"{number:f}"
    return _written(day, element.placeholder) if day and "yyyy" in element.placeholder.lower() else value


def _written(day: date, pattern: str) -> str:
    """A day in the form that a placeholder shows, such as MM/DD/YYYY."""
    parts = {"yyyy": f"{day.year:04}", "mm": f"{day.month:02}", "dd": f"{day.day:02}"}
    return re.sub(r"yyyy|mm|dd", lambda found: parts[found[0].lower()], pattern, flags=re.I)


def _clock(value: str) -> str:
    minutes = minutes_in(value)
    return "" if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"


def _offered(slot: Slot, criteria: Sequence[Criterion], page: Page | None) -> Iterator[str]:
    """Values that may meet the criteria: what they name, within what the field's kind of value allows; else plausible ones."""
    likely = list(plausible(slot, page, criteria[0].field if criteria else ""))
    if all(one.operator.negative for one in criteria):
        yield from likely
    wanted = (*criteria, *_bounds(slot.element))
    if wanted:
        yield from (chosen(wanted, longest=slot.element.longest), *(_mails(criteria) if slot.element.type == "email" else ()))
    if slot.element.type in _NUMERIC and (slot.element.least or slot.element.most):
        yield from (slot.element.least, slot.element.most)
    yield from likely


def _mails(criteria: Sequence[Criterion]) -> Iterator[str]:
    """Addresses that hold the parts that are wanted."""
    parts = [value.strip() for one in criteria if one.operator is Operator.CONTAINS for value in one.values]
    joined = "".join(part for part in parts if " " not in part)
    user, at, host = joined.partition("@")
    yield (
        f"{user.strip('.') or 'jo.miller'}@{host.strip('.') or 'example'}{'' if '.' in host.strip('.') else '.com'}"
        if at
        else f"{joined}@example.com"
    )
    yield f"jo@{joined.strip('.@')}.com"
    yield f"jo@example{joined}" if joined.startswith(".") else f"x{joined}x@example.org"


def _bounds(element: Element) -> Iterator[Criterion]:
    if element.type not in _NUMERIC:
        return
    for operator, bound in ((Operator.GREATER_EQUAL, element.least), (Operator.LESS_EQUAL, element.most)):
        if number_in(bound) is not None:
            yield Criterion("", operator, (bound,))


def _takes(element: Element, value: str) -> bool:
    if element.longest is not None and len(value) > element.longest:
        return False
    return element.type != "email" or value.startswith("<") or bool(_MAIL.fullmatch(value))


def _nearest(fitting: Sequence[str], wanted: Sequence[Criterion]) -> str | None:
    """Where nothing meets all: what meets the most, if it meets anything at all."""
    best = max(fitting, key=lambda value: sum(agrees(one, value) for one in wanted), default=None)
    return best if best is not None and (not wanted or any(agrees(one, best) for one in wanted)) else None


def _same(said: str, value: str) -> bool:
    one, other = comparable(said, value)
    return one is not None and one == other and _is_measure(value)


def _is_measure(value: str) -> bool:
    """Whether a value is a number, date or time, not a text with a number in it."""
    return bool(re.fullmatch(r"\W*[\d.,:/ -]+\W*(?:[ap]\.?m\.?)?", value.strip(), re.I)) or date_in(value) is not None


def _exactly(criterion: Criterion, option: str) -> bool:
    return criterion.operator in _EXACT and option.strip().lower() in {value.strip().lower() for value in criterion.values}


def _holds(criterion: Criterion, option: str) -> bool:
    """Whether an option holds the value, or the value the option: "Spain" for "Spain (+34)"."""
    said = option.strip().lower()
    if criterion.operator.negative:
        return meets(criterion, option)
    return any(value.strip().lower() in said or (len(said) > 3 and said in value.lower()) for value in criterion.values)
