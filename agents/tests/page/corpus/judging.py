"""What the page model reads of a page of the corpus, compared with what is expected of it: a check for each point and expectation."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from agents.page import Element, Page, Record
from agents.page.matching import words
from agents.template.items.matching import judge
from agents.template.prompt import Criterion, Operator

# Roles that are operated in the same way: a link that looks like a button may be either.
_PRESSED = frozenset({"button", "link", "tab", "menuitem", "option"})
_KINDS = (
    _PRESSED, frozenset({"textbox", "searchbox", "spinbutton", "combobox"}), frozenset({"checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"}),
)  # fmt: skip
_EXPECTED = re.compile(r'(?P<role>\w+) "(?P<name>[^"]*)"(?:: (?P<states>.*))?')
_STATE = re.compile(r'(?P<word>\w+)(?P<texts>(?: ?,? ?"[^"]*")*)(?:, |$)')
_OPERATORS = {"=": Operator.EQUALS, "!=": Operator.NOT_EQUALS, "~": Operator.CONTAINS, ">": Operator.GREATER, "<": Operator.LESS}
_JUDGED = re.compile(r"(?P<field>[\w ]+) (?P<operator>=|!=|~|>|<) (?P<value>.+) (?P<verdict>yes|no|open)")


class Check(NamedTuple):
    point: str
    what: str
    passed: bool
    found: str = ""


def checks(page: Page, with_marks: Page, expectations: list[dict[str, Any]]) -> Iterator[Check]:
    """`with_marks` is the same page, whose nodes have the numbers of their expectations."""
    elements = {mark: element for element in _listed(page) if (mark := _mark(with_marks, element)) is not None}
    expected = {mark for mark, told in enumerate(expectations) if "expect" in told}
    for mark in sorted(expected):
        yield from _of_element(page, elements.get(mark), expectations[mark])
    for element in _listed(page):
        if (mark := _mark(with_marks, element)) not in expected:
            yield Check("listed", f'no {element.role} "{element.label}" <{element.tag}>', passed=False)
    yield from _of_items(page, expectations)
    yield from _of_page(page, expectations)


def marked(page: Page, with_marks: Page) -> Iterator[tuple[int, Element]]:
    """What is listed of what is expected, with the numbers of the expectations."""
    return ((mark, element) for element in _listed(page) if (mark := _mark(with_marks, element)) is not None)


def _listed(page: Page) -> list[Element]:
    return [element for element in page.elements if not (element.hidden or element.covered)]


def _mark(with_marks: Page, element: Element) -> int | None:
    # Its own node: what is pressed for it may be its label.
    mark = with_marks._reader.outline.attributes[with_marks._reader.places[element.place]].get("data-mark")
    return None if mark is None else int(mark)


def _of_element(page: Page, element: Element | None, told: dict[str, Any]) -> Iterator[Check]:
    expected = _EXPECTED.fullmatch(what := told["expect"])
    assert expected, what
    yield Check("listed", what, element is not None)
    if element is None:
        return
    name = element.label or element.text or element.placeholder or element.hints
    yield Check("role", what, _is_kind(expected["role"], element.role), element.role)
    yield Check("named", what, is_called(expected["name"], name), name)
    yield from _of_states(element, what, expected["states"] or "")
    yield from _of_groups(page, element, what, told["around"])


def _is_kind(expected: str, role: str) -> bool:
    return expected == role or any(expected in kind and role in kind for kind in _KINDS)


def is_called(expected: str, name: str) -> bool:
    """The same words and few others; what begins with them may go on. One of several names, "pencil / Edit", will do."""
    if " / " in expected:
        return any(is_called(one, name) for one in expected.split(" / "))
    wanted, have = words(expected), words(name)
    if not wanted:
        return name.strip() == expected
    return have[: len(wanted)] == wanted or (set(wanted) <= set(have) and len(have) <= 2 * len(wanted) + 2)


def _of_states(element: Element, what: str, states: str) -> Iterator[Check]:
    told = {found["word"]: re.findall(r'"([^"]*)"', found["texts"]) for found in _STATE.finditer(states)}
    has = {
        "on": bool(element.checked or element.pressed or element.starred or element.selected or element.current),
        "disabled": element.disabled,
        "open": element.expanded is True,
        "closed": element.expanded is False,
        "required": element.required,
        "invalid": element.invalid,
        "focused": element.focused,
    }
    assert told.keys() <= has.keys() | {"holds", "takes"}, what
    wrong = [
        state
        for state, is_so in has.items()
        if (state in told and not is_so) or (state in {"on", "disabled"} and is_so and state not in told)
    ]
    if "holds" in told and element.value != told["holds"][0]:
        wrong.append(f'holds "{element.value}"')
    if "takes" in told and list(element.options) != told["takes"]:
        wrong.append(f"takes {element.options}")
    yield Check("state", what, not wrong, ", ".join(wrong))


def _of_groups(page: Page, element: Element, what: str, around: dict[str, str]) -> Iterator[Check]:
    item = page.items[element.place].name if element.place in page.items else ""
    wanted = around["item"].split(";")[0]
    yield Check("grouped", f"{what} in item {wanted}".removesuffix(" in item "), is_called(wanted, item), item)
    if around["dialog"]:
        name = page._reader.dialog_name(element.layer) if element.layer else ""
        yield Check("grouped", f"{what} in dialog {around['dialog']}", is_called(around["dialog"], name), name)
    section = page.sections[element.place].name if element.place in page.sections else ""
    if around["section"] and not wanted and not element.disabled:
        yield Check("grouped", f"{what} in section {around['section']}", is_called(around["section"], section), section)
    if around["set"]:
        is_named = is_called(around["set"], element.group) or is_called(around["set"], section)
        yield Check("grouped", f"{what} of {around['set']}", is_named, element.group)


def _of_items(page: Page, expectations: list[dict[str, Any]]) -> Iterator[Check]:
    left = list(page.records)
    for told in expectations:
        if (what := told.get("item", told.get("subject"))) is None:
            continue
        name, *facts = (part.strip() for part in what.split(";"))
        found = page.subject if "subject" in told else next((one for one in left if is_called(name, one.name)), None)
        is_found = found is not None and is_called(name, found.name)
        yield Check("items", f"{'subject' if 'subject' in told else 'item'} {name}", is_found, found.name if found else "")
        if found is not None and is_found:
            left = [one for one in left if one is not found]
            yield from _of_facts(name, found, facts)
            yield from _of_verdicts(name, found, told.get("judge", ""))
    for record in left:
        yield Check("items", f"no item {record.name}", passed=False)


def _of_facts(name: str, record: Record, facts: list[str]) -> Iterator[Check]:
    for fact in facts:
        key, _, value = fact.partition(" ")
        shown = record.attributes.get(value if key == "no" else key, "")
        yield Check("facts", f"{name}: {fact}", not shown if key == "no" else value in shown, shown)


def _of_verdicts(name: str, record: Record, told: str) -> Iterator[Check]:
    for part in filter(None, map(str.strip, told.split(";"))):
        one = _JUDGED.fullmatch(part)
        assert one, part
        (result,) = judge([Criterion(one["field"], _OPERATORS[one["operator"]], (one["value"],))], record).results
        said = "open" if result is None else "yes" if result else "no"
        yield Check("judged", f"{name}: {part}", said == one["verdict"], said)


def _of_page(page: Page, expectations: list[dict[str, Any]]) -> Iterator[Check]:
    is_loading = any("loading" in told for told in expectations)
    yield Check("page", "loading" if is_loading else "not loading", page.is_loading == is_loading)
    dialogs = [told["dialog"] for told in expectations if "dialog" in told]
    has_top = is_called(dialogs[-1], page.dialogs[-1]) if dialogs and page.dialogs else not dialogs and not page.dialogs
    yield Check("page", f"dialog {dialogs[-1]}" if dialogs else "no dialog", has_top, ", ".join(page.dialogs))
    errors = [told["error"] for told in expectations if "error" in told]
    if errors or page.errors:
        yield Check("page", f"errors {errors}", list(page.errors) == errors, ", ".join(page.errors))
