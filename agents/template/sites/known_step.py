"""The next action in steps by the plan of the task's site: routes to open, and controls there that show a form or a list.

Actions on forms and items are left to the rules, which read the page. Each route is opened once, and each control is pressed once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lxml import etree

from agents.contract.action_history import WAITS, Past
from agents.contract.actions import FILLS, Action
from agents.contract.origins import path_of
from agents.contract.protocol import PastAction, Plan, Step
from agents.page import Element, Page
from agents.template.items.finding import is_target_page
from agents.template.moves import LOADING, Known, breathing
from agents.template.prompt import Intent, Trait, target_of
from agents.template.prompt.intents import understand
from agents.template.prompt.verbs import is_unrequested

# Away from the item's page, presses that destroy or send are left to the rules, which check the item.
_NOTHING = understand("")


@dataclass(frozen=True, slots=True)
class _Place:
    """A route of the plan, and the presses there before the first fill; `ends_so`: there is no fill."""

    opening: Action
    presses: tuple[Action, ...]
    logs_in: bool
    ends_so: bool

    @property
    def path(self) -> str:
        return path_of(str(self.opening.fields.get("url", "")))


def known_step(step: Step, intent: Intent, page: Page, known: Known) -> Plan | None:
    """None without a plan, or if none of its actions is left to try."""
    whole, past = known(step, intent), Past(step.history)
    places = list(_places(whole.actions)) if whole else []
    if places and places[-1].ends_so and any(past.times(press) and not past.failed(press) for press in places[-1].presses[-1:]):
        # The last press may still be sending its request.
        waits = () if past.last_waited else (LOADING,)
        return Plan(waits, done=not waits, reasoning="Template: all actions of the site's plan are done.")
    if intent.kind.has(Trait.OF_ITEM) and is_target_page(target_of(intent), page):
        left = (press for place in places for press in place.presses if not past.times(press))
        action = next((press for press in left if _may_press(press, page, intent)), None)
    else:
        action = _next(places, page, past)
    if action is None:
        return None
    actions = tuple(breathing([action], after_failure=past.last_failed))
    return Plan(actions, reasoning="Template: by the site's plan.")


def _places(actions: Sequence[Action]) -> Iterator[_Place]:
    starts = [at for at, action in enumerate(actions) if action.type == "NavigateAction"]
    # The first opens the task's own page, on which it may be done.
    for start, end in pairwise([*starts, len(actions)]):
        done = [action for action in actions[start + 1 : end] if action.type not in WAITS]
        others = [at for at, action in enumerate(done) if action.type != "ClickAction"]
        yield _Place(actions[start], tuple(done[: others[0] if others else None]), any(map(_is_password, done)), not others)


def _is_password(action: Action | PastAction) -> bool:
    return action.type in FILLS and "password" in str(action.fields.get("selector"))


def _next(places: Sequence[_Place], page: Page, past: Past) -> Action | None:
    visited = {path_of(page.url), *(path_of(entry.url) for entry in past.entries)}
    is_member = page.logged_in is True or any(map(_is_password, past.entries))
    for place in places:
        if place.logs_in and is_member:
            continue
        is_here = place.path == path_of(page.url)
        left = [press for press in place.presses if not past.times(press)]
        if place.path not in visited:
            return place.opening
        if is_here and left and _may_press(left[0], page, _NOTHING):
            return left[0]
        if place.logs_in:
            return None  # the log-in comes first
    return None


def _may_press(action: Action, page: Page, intent: Intent) -> bool:
    """Whether the page has the control, outside of a list's items, and it destroys, sends or binds nothing unrequested."""
    element = _element(str(action.fields["selector"].get("value", "")), page)
    if element is None or not element.usable or element.submits or element.is_open_tab:
        return False
    is_harmless = element.role == "tab" or not is_unrequested(element, intent)
    return is_harmless and (len(page.records) < 2 or element.place not in page.items)


def _element(expression: str, page: Page) -> Element | None:
    if not page.elements:
        return None
    try:
        nodes = page.node(page.elements[0]).getroottree().xpath(expression)
    except (etree.XPathError, ValueError):
        return None
    node = nodes[0] if isinstance(nodes, list) and nodes else None
    return next((element for element in page.elements if page.node(element) is node), None)
