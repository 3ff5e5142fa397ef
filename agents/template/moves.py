"""Moves: the next steps of a recipe, each with interchangeable actions."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from agents.contract.actions import FILLS, Action, InvalidAction, click, navigate, select_option, submit, type_text, validate, wait
from agents.contract.origins import path_of
from agents.contract.protocol import Plan, Step
from agents.contract.selectors import Selector, xpath
from agents.page import Element, Page
from agents.page.elements import BUTTONS, GOOD_ENOUGH
from agents.template.prompt import Intent

MOST_SELECTORS = 3  # a fourth selector of the same element would cost 10 s and rarely help
BREATH = wait(0.5)  # callers fail a task after two failures in a row; even the shortest wait in between resets that
ESCAPE = validate({"type": "SendKeysIWAAction", "keys": "Escape"})
LOADING = wait(1.5)  # a page that loads its contents by script shows them within a second or two
NOTHING_LEFT = "Template: nothing is left to do on this page."
NO_PAGE = "Template: no page was sent."
GUESS = "Template: a guess, "  # how the reasoning begins of what is tried because no rule has anything to do on the page


@dataclass(frozen=True, slots=True)
class Known:
    """Plans of whole tasks with their confidence, None if there is none: `stated` by site facts, with whether the page's title is that of
    the site, and the plan uses all values of the task and tests all criteria of its item; `seen`: by the learned pages."""

    stated: Callable[[Step, Intent, str], tuple[Plan, bool] | None] = lambda *_: None
    seen: Callable[[Step, Intent], Plan | None] = lambda *_: None


NOTHING_KNOWN = Known()


@dataclass(frozen=True, slots=True)
class Move:
    """`alternatives` are interchangeable actions, the best first. `shown`: the page shows that it is done already. `once`: a second press
    would undo it or is not needed. `tries`: the alternatives are different controls, each tried if the one before had no effect, without
    waiting in between. `opens`: the next page is needed before further moves. `repeats`: it may be pressed again."""

    alternatives: tuple[Action, ...]
    shown: bool = False
    once: bool = False
    tries: bool = False
    opens: bool = False
    repeats: bool = False

    @property
    def fills(self) -> bool:
        return bool(self.alternatives) and self.alternatives[0].type in FILLS


def made(make: Callable[[Selector], Action], selectors: Sequence[Selector]) -> tuple[Action, ...]:
    """An action for each selector; invalid ones, such as with a text that is too long to type, are left out."""
    actions: list[Action] = []
    for selector in selectors[:MOST_SELECTORS]:
        with suppress(InvalidAction):
            actions.append(make(selector))
    return tuple(actions)


def press(page: Page, element: Element, prefer: Callable[[Selector], bool] = bool, beside: str = "") -> Move:
    """Preferred selectors come first. `beside`: the name of the element's item, as many items have a button of the same label. An open tab
    needs no press, even if the history does not show one: some callers' entries have no selectors."""
    selectors = (*(page.beside(element, beside) if beside and not element.href else ()), *page.selectors(element))
    return Move(made(click, sorted(selectors, key=lambda selector: not prefer(selector))), shown=element.is_open_tab)


def fill(page: Page, element: Element, value: str) -> Move:
    act = select_option if element.tag == "select" else type_text
    return Move(made(lambda selector: act(selector, value), page.selectors(element)), shown=bool(value) and element.value == value)


def link_to(page: Page, names: Sequence[str], least: float = GOOD_ENOUGH) -> tuple[Move, ...]:
    """By the link's label, else by its address: sites change their labels often and their routes rarely."""
    routes = [f"/{name.replace(' ', '-')}" for name in names]
    link = page.find(names, BUTTONS, least) or next((link for link in page.usable({"link"}) if path_of(link.href) in routes), None)
    return (press(page, link),) if link else ()


def send(page: Page, field: Element, button: Element | None, *, enter_first: bool = False) -> Move:
    clicks = made(click, page.selectors(button)) if button else ()
    enters = made(submit, page.selectors(field)[:1])
    return Move(enters + clicks if enter_first else clicks + enters)


def blind_press(expression: str) -> Move:
    return Move(made(click, (xpath(expression),)))


def blind_fill(expression: str, value: str) -> Move:
    return Move(made(lambda selector: type_text(selector, value), (xpath(expression),)))


def blind_enter(expression: str) -> Move:
    return Move(made(submit, (xpath(expression),)))


def breathing(actions: Iterable[Action], *, after_failure: bool) -> Iterator[Action]:
    """A wait before each action that would follow another, or a failure: two failures in a row would end the task."""
    is_risky = after_failure
    for action in actions:
        waits = "time_seconds" in action.fields
        if is_risky and not waits:
            yield BREATH
        yield action
        is_risky = not waits


def opened(url: str) -> tuple[Action, ...]:
    with suppress(InvalidAction):
        return (navigate(url),)
    return ()
