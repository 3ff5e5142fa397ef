"""Moves: what a recipe does next, each with interchangeable actions."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from agents.contract.actions import FILLS, Action, InvalidAction, click, navigate, select_option, submit, type_text, wait
from agents.contract.origins import path_of
from agents.contract.protocol import Plan, Step
from agents.contract.selectors import Selector, xpath
from agents.page import Element, Page
from agents.page.elements import BUTTONS, GOOD_ENOUGH
from agents.template.prompt import Intent

# A fourth selector of the same element would cost its 10 s for next to nothing.
MOST_SELECTORS = 3
# Callers zero a task after two failures in a row, and a wait in between starts the count anew; the shortest does.
BREATH = wait(0.5)
# A page that loads its contents by script shows them within a second or two.
LOADING = wait(1.5)
NOTHING_LEFT = "Template: nothing is left to do on this page."
NO_PAGE = "Template: no page came along."
# How the reasoning begins of what is tried because no rule has anything to do on the page.
GUESS = "Template: a guess, "
# What is known of whole tasks beside the rules: a plan with its confidence, or None.
Known = Callable[[Step, Intent], Plan | None]


@dataclass(frozen=True, slots=True)
class Move:
    """One thing to do. `alternatives` are interchangeable actions, the best first. `shown`: the page says that it is done already.

    `once`: a press that a second one would undo, or that needs no second one. `tries`: they are different things to press, each
    tried where the one before led nowhere, without waiting in between. `opens`: what it opens is to be seen before what follows.
    `repeats`: pressing it again is meant, as long as the page shows that more is wanted.
    """

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
    """An action for each selector; those that the contract refuses, such as a text too long to type, are left out."""
    actions: list[Action] = []
    for selector in selectors[:MOST_SELECTORS]:
        with suppress(InvalidAction):
            actions.append(make(selector))
    return tuple(actions)


def press(page: Page, element: Element, prefer: Callable[[Selector], bool] = bool, beside: str = "") -> Move:
    """Preferred selectors come first. `beside`: the name of the element's item, as many items have a button of the same words. A tab
    that is open needs no press, whatever the history says: some callers' entries have no selectors.
    """
    found = (*(page.beside(element, beside) if beside and not element.href else ()), *page.selectors(element))
    return Move(made(click, sorted(found, key=lambda selector: not prefer(selector))), shown=element.is_open_tab)


def fill(page: Page, element: Element, value: str) -> Move:
    act = select_option if element.tag == "select" else type_text
    return Move(made(lambda selector: act(selector, value), page.selectors(element)), shown=bool(value) and element.value == value)


def link_to(page: Page, names: Sequence[str], least: float = GOOD_ENOUGH) -> tuple[Move, ...]:
    """By what the link is called, else by its address: sites change their labels, and hardly ever their routes."""
    routes = [f"/{name.replace(' ', '-')}" for name in names]
    found = page.find(names, BUTTONS, least) or next((one for one in page.usable({"link"}) if path_of(one.href) in routes), None)
    return (press(page, found),) if found else ()


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
