"""How an LLM is shown one element or item of a page: role, name, state. What is cut is marked."""

from collections.abc import Sequence

from agents.common.text import shorten
from agents.page import Element, Record
from agents.page.elements import FIELDS, PICKER, TICKED
from agents.page.matching import likeness, words
from agents.page.nodes import one_line
from agents.template.items.matching import Verdict
from agents.template.prompt import holds
from agents.template.prompt.criteria import Criterion

_LONGEST_LABEL, _LONGEST_VALUE, _LONGEST_OPTION = 60, 60, 80
_MOST_ATTRIBUTES, _MOST_OPTIONS = 8, 12
# A field is called like a criterion's from this likeness on.
_ALIKE = 0.6
# Types of fields that say nothing of what they take: scripts make fields of buttons.
_UNTOLD = frozenset({"", "text", "button", "submit"})
MET, NOT_MET, NOT_SHOWN = "✓", "✗", "?"
_MARKS = {True: MET, False: NOT_MET, None: NOT_SHOWN}


def cut(text: str, length: int) -> str:
    """In one line; what is left out shows as …"""
    is_line = len(text) <= length and text.isprintable() and "  " not in text and text == text.strip()
    return text if is_line else shorten(one_line(text, length + 1), length)


def beginning(element: Element) -> str:
    """What is surely said of it."""
    return f'{element.role} "{called(element.label)}"'


def called(name: str) -> str:
    """What is surely shown of a name in one line."""
    return name[: _LONGEST_LABEL - 1].strip()


def named(element: Element) -> str:
    """Role, name and state of anything that is no field."""
    name = element.label or element.text or element.hints or element.href
    return f'{element.role} "{cut(name, _LONGEST_LABEL)}"{_states(element)}'


def field(element: Element, criteria: Sequence[Criterion], wanted: frozenset[str]) -> str:
    """Of a select, the options that the criteria or the prompt's words `wanted` speak for come first."""
    label = element.label or element.placeholder or element.name or element.hints
    parts = [f'{element.role} "{cut(label, _LONGEST_LABEL)}"{_states(element)}']
    parts += [f'of "{cut(element.group, 40)}"'] if element.group and element.group != label else []
    parts += [f"({element.type})"] if element.type not in {*_UNTOLD, element.role} else []
    if element.value and element.role not in TICKED:
        # The model need not know a secret that a caller has filled in.
        parts.append("= (filled in)" if element.type == "password" else f'= "{cut(element.value, _LONGEST_VALUE)}"')
    if element.options:
        parts.append(f"options: {_options(element, criteria, wanted)}")
    return " ".join(parts)


def worded(element: Element, criteria: Sequence[Criterion], wanted: frozenset[str]) -> str:
    return field(element, criteria, wanted) if element.role in FIELDS or element.role == PICKER else named(element)


def _states(element: Element) -> str:
    states = [*element.states, *([] if element.is_named else ["an icon" if element.icon else "without a text"])]
    states += [f"no. {element.nth} of these"] if element.nth else []
    return f" ({', '.join(states)})" if states else ""


def _options(element: Element, criteria: Sequence[Criterion], wanted: frozenset[str]) -> str:
    of_field = [one for one in criteria if likeness(one.field, element.label) >= _ALIKE or likeness(one.field, element.name) >= _ALIKE]

    def rank(option: str) -> tuple[bool, int]:
        return not (of_field and all(holds(one, option) for one in of_field)), -len(wanted.intersection(words(option)))

    options = list(element.options)
    ordered = sorted(options, key=rank) if len(options) > _MOST_OPTIONS else options
    shown = [cut(option, _LONGEST_OPTION) for option in ordered[:_MOST_OPTIONS]]
    more = len(options) - len(shown)
    return " | ".join(shown) + (f" | … {more} more" if more else "")


def marks(verdict: Verdict) -> str:
    """For each criterion, by its number, whether an item meets it."""
    return " ".join(f"{at}{_MARKS[result]}" for at, result in enumerate(verdict.results, 1))


def item(record: Record) -> str:
    # What is labelled as something is not said again by its shape: "budget $500 | price $500".
    said = {value: name for name, value in reversed([*record.attributes.items()])}
    known = [(name, value) for name, value in record.attributes.items() if name != "price" or said[value] == name]
    attributes = [f"{name} {cut(value, 40)}" for name, value in known[:_MOST_ATTRIBUTES]]
    more = len(known) - len(attributes)
    rest = cut(record.text.removeprefix(record.name).strip(), 80)
    return " | ".join(
        [cut(record.name, _LONGEST_LABEL), *(attributes or ([rest] if rest else [])), *([f"… {more} more"] if more > 0 else [])]
    )
