"""One element or item of a page as text for the LLM: role, name, state. Shortened texts end in …"""

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
# From this likeness of their names on, a field is that of a criterion.
_ALIKE = 0.6
# Types of fields that do not restrict their value. Scripts also turn buttons into fields.
_USUAL_TYPES = frozenset({"", "text", "button", "submit"})
MET, NOT_MET, NOT_SHOWN = "✓", "✗", "?"
_MARKS = {True: MET, False: NOT_MET, None: NOT_SHOWN}


def cut(text: str, length: int) -> str:
    """In one line of at most `length` characters."""
    is_line = len(text) <= length and text.isprintable() and "  " not in text and text == text.strip()
    return text if is_line else shorten(one_line(text, length + 1), length)


def shortest_text(element: Element) -> str:
    """The part of its text that is always shown."""
    return f'{element.role} "{shortest_name(element.label)}"'


def shortest_name(name: str) -> str:
    """The part of a name that is always shown."""
    return name[: _LONGEST_LABEL - 1].strip()


def control_text(element: Element) -> str:
    """Role, name and state of a control that is not a field."""
    name = element.label or element.text or element.hints or element.href
    return f'{element.role} "{cut(name, _LONGEST_LABEL)}"{_states(element)}'


def field_text(element: Element, criteria: Sequence[Criterion], prompt_words: frozenset[str]) -> str:
    """Options that fit the criteria or `prompt_words` are first."""
    label = element.label or element.placeholder or element.name or element.hints
    parts = [f'{element.role} "{cut(label, _LONGEST_LABEL)}"{_states(element)}']
    parts += [f'of "{cut(element.group, 40)}"'] if element.group and element.group != label else []
    parts += [f"({element.type})"] if element.type not in {*_USUAL_TYPES, element.role} else []
    if element.value and element.role not in TICKED:
        # A password that the caller filled in is not sent to the model.
        parts.append("= (filled in)" if element.type == "password" else f'= "{cut(element.value, _LONGEST_VALUE)}"')
    if element.options:
        parts.append(f"options: {_options(element, criteria, prompt_words)}")
    return " ".join(parts)


def text_of(element: Element, criteria: Sequence[Criterion], prompt_words: frozenset[str]) -> str:
    return field_text(element, criteria, prompt_words) if element.role in FIELDS or element.role == PICKER else control_text(element)


def _states(element: Element) -> str:
    states = [*element.states, *([] if element.is_named else ["an icon" if element.icon else "without a text"])]
    states += [f"no. {element.nth} of these"] if element.nth else []
    return f" ({', '.join(states)})" if states else ""


def _options(element: Element, criteria: Sequence[Criterion], prompt_words: frozenset[str]) -> str:
    names = (element.label, element.name)
    for_field = [criterion for criterion in criteria if any(likeness(criterion.field, name) >= _ALIKE for name in names)]

    def rank(option: str) -> tuple[bool, int]:
        return not (for_field and all(holds(criterion, option) for criterion in for_field)), -len(prompt_words.intersection(words(option)))

    options = list(element.options)
    ordered = sorted(options, key=rank) if len(options) > _MOST_OPTIONS else options
    shown = [cut(option, _LONGEST_OPTION) for option in ordered[:_MOST_OPTIONS]]
    more = len(options) - len(shown)
    return " | ".join(shown) + (f" | … {more} more" if more else "")


def criteria_marks(verdict: Verdict) -> str:
    """For each criterion, by its number, whether the item meets it."""
    return " ".join(f"{at}{_MARKS[result]}" for at, result in enumerate(verdict.results, 1))


def item_text(record: Record) -> str:
    # A labelled amount is not repeated as the price that it looks like: "budget $500 | price $500".
    first_names = {value: name for name, value in reversed([*record.attributes.items()])}
    attributes = [(name, value) for name, value in record.attributes.items() if name != "price" or first_names[value] == name]
    shown = [f"{name} {cut(value, 40)}" for name, value in attributes[:_MOST_ATTRIBUTES]]
    more = len(attributes) - len(shown)
    rest = cut(record.text.removeprefix(record.name).strip(), 80)
    return " | ".join([cut(record.name, _LONGEST_LABEL), *(shown or ([rest] if rest else [])), *([f"… {more} more"] if more > 0 else [])])
