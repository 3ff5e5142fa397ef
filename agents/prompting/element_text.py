"""One element or item of a page as text for the LLM: role, name, state. Shortened texts end in …"""

from collections.abc import Sequence

from agents.common.text import shorten
from agents.page import Element, Record
from agents.page.elements import BUTTONS, FIELDS, PICKER, TICKED
from agents.page.matching import likeness, words
from agents.page.nodes import one_line
from agents.template.items.matching import Verdict
from agents.template.prompt import holds
from agents.template.prompt.criteria import Criterion

_LONGEST_LABEL, _LONGEST_VALUE, _LONGEST_OPTION = 60, 60, 80
_MOST_ATTRIBUTES, _MOST_OPTIONS = 8, 12
# Characters of options that are shown all, and of a text that a control shows besides its name.
_ALL_OPTIONS, _LONGEST_SHOWN = 160, 80
_LONGEST_REST, _LEAST_REST, _LEAST_REPEATED, _LONGEST_BUTTON = 80, 8, 6, 30
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


def control_text(element: Element, item: str = "") -> str:
    """Role, name and state of a control that is not a field. One that repeats all of its `item` is called as that is."""
    name = element.label or element.text or element.hints or element.href
    name = item if item and element.role in BUTTONS and len(name) > len(item) and item in element.text else name
    return f'{element.role} "{cut(name, _LONGEST_LABEL)}"{_states(element)}{_shown_value(element, item)}'


def _shown_value(element: Element, item: str) -> str:
    """What a control with a name of its own shows besides that: the date in a button "Date". Not what its item shows, too."""
    text, label = element.text, element.label
    is_value = element.is_named and any(map(str.isalnum, text)) and not (item and (element.role == "link" or item in text))
    return f' showing "{cut(text, _LONGEST_SHOWN)}"' if is_value and text.lstrip("0") not in label else ""


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


def text_of(element: Element, criteria: Sequence[Criterion], prompt_words: frozenset[str], item: str = "") -> str:
    if element.role in FIELDS or element.role == PICKER:
        return field_text(element, criteria, prompt_words)
    return control_text(element, item)


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
    if len(options) > _MOST_OPTIONS and sum(map(len, options)) > _ALL_OPTIONS:
        options = sorted(options, key=rank)[:_MOST_OPTIONS]
    sent = dict(zip(element.options, element.sent_as, strict=False))
    shown = [cut(option, _LONGEST_OPTION) + _sent_as(option, sent.get(option, ""), prompt_words) for option in options]
    more = len(element.options) - len(shown)
    return " | ".join(shown) + (f" | … {more} more" if more else "")


def _sent_as(option: str, value: str, prompt_words: frozenset[str]) -> str:
    """The value of an option, where it is words and the prompt has one of them that the option's text lacks."""
    is_told = value.replace(" ", "").isalpha() and prompt_words.intersection(words(value)) - {*words(option)}
    return f" ({cut(value, _LONGEST_SHOWN)})" if is_told else ""


def criteria_marks(verdict: Verdict) -> str:
    """For each criterion, by its number, whether the item meets it."""
    return " ".join(f"{at}{_MARKS[result]}" for at, result in enumerate(verdict.results, 1))


def item_text(record: Record, *, has_text: bool = True) -> str:
    """Its name, its attributes, and where it `has_text` what else it holds."""
    # A labelled amount is not repeated as the price that it looks like: "budget $500 | price $500"; nor is another value, or the name.
    first_names = {value: name for name, value in reversed([*record.attributes.items()])} | {record.name: ""}
    attributes = [
        (name, value)
        for name, value in record.attributes.items()
        if first_names[value] == name or (name != "price" and len(value) < _LEAST_REPEATED)
    ]
    shown = [f"{name} {cut(value, 40)}" for name, value in attributes[:_MOST_ATTRIBUTES]]
    more, rest = len(attributes) - len(shown), _rest(record) if has_text else ""
    return " | ".join([cut(record.name, _LONGEST_LABEL), *shown, *([rest] if rest else []), *([f"… {more} more"] if more > 0 else [])])


def _rest(record: Record) -> str:
    """The item's text without its name, its attributes and its buttons."""
    rest = f" {record.text} "
    buttons = (element.text for element in record.elements if element.role in BUTTONS and len(element.text) <= _LONGEST_BUTTON)
    for text in sorted({*record.attributes.values(), *buttons} - {""}, key=len, reverse=True):
        rest = rest.replace(f" {text} ", " ", 1)
    while (bare := rest.lstrip()).startswith(f"{record.name} "):
        rest = bare.removeprefix(record.name)
    rest = rest.strip(" •·|,:-–—")
    return cut(rest, _LONGEST_REST) if sum(map(str.isalpha, rest)) >= _LEAST_REST or not record.attributes else ""


def says_nothing(record: Record, inside: Sequence[Element]) -> bool:
    """Whether an item is a mere row of buttons, as a calendar's week and a bar of fields that open something are."""
    rest = record.text
    for element in inside:
        rest = rest.replace(element.text, " ", 1) if element.text else rest
    # A button that holds most of an item opens that, and is no button of a row.
    is_row = len(inside) > 2 and not any(element.href or 2 * len(element.text) > len(record.text) for element in inside)
    return is_row and not any(map(str.isalnum, rest))
