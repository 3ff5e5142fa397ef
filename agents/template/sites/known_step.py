"""The next action in steps by the plan of the task's site.

The plan's actions are sent in order, each as often as the plan has it. Each route is opened once; one that was left before anything was
done there is opened again if the task is about no item. What destroys or sends is pressed on the page of the task's item, where the task is
about none, or in a list by a plan that tests all criteria; else it is left to the rules, which check the item by the page."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile, pairwise
from math import ceil
from typing import Any

from agents.contract.action_history import WAITS, Past, sign
from agents.contract.actions import FILLS, Action
from agents.contract.limits import MAX_STEPS
from agents.contract.origins import path_of
from agents.contract.protocol import PastAction, Plan, Step
from agents.page import FIELDS, Page
from agents.template.blind_xpath import element_at, node_at
from agents.template.items.finding import is_target_page
from agents.template.moves import LOADING, breathing, press
from agents.template.prompt import Intent, Trait, target_of
from agents.template.prompt.intents import understand
from agents.template.prompt.verbs import is_unrequested

_NOTHING = understand("")  # what such a press does that no task requests is destroying or sending
_LONGEST_TEXT = 100
_HEADING = re.compile(r"h[1-6]")


@dataclass(frozen=True, slots=True)
class _Place:
    """A route of the plan, and the actions there."""

    opening: Action
    actions: tuple[Action, ...]

    @property
    def path(self) -> str:
        return path_of(str(self.opening.fields.get("url", "")))

    @property
    def logs_in(self) -> bool:
        return any(map(_is_password, self.actions))


def known_step(step: Step, intent: Intent, page: Page, site_plan: Plan, *, is_whole: bool = False, ends: bool = True) -> Plan | None:
    """None if none of the plan's actions is left to try. `is_whole`: it uses all values of the task, and its presses on an item test all
    criteria. `ends`: the task ends with the plan, as the rules have nothing left for it."""
    past, places = Past(step.history), list(_places(site_plan.actions))
    if places and ends and _is_over(places[-1], intent, page, past):
        waits = () if past.last_waited else (LOADING,)  # the last press may still be sending its request
        return Plan(waits, done=not waits, reasoning="Template: all actions of the site's plan are done.")
    if intent.kind.has(Trait.OF_ITEM) and is_target_page(target_of(intent), page):
        following = _on_item(places, intent, page, past, is_whole=is_whole)
    else:
        following = _next(places, intent, page, past, is_whole=is_whole)
    ahead = _ahead(places, following, past, step.index) if is_whole and following else []
    actions = tuple(breathing([*following, *ahead], after_failure=past.last_failed))
    return Plan(actions, reasoning="Template: by the site's plan.") if actions else None


def _on_item(places: Sequence[_Place], intent: Intent, page: Page, past: Past, *, is_whole: bool) -> list[Action]:
    """In the plan's order; left out is what comes before its first control on this page, such as a search for the item."""
    actions = [action for place in places for action in place.actions]
    unsent = _unsent(actions, past)
    sent_here = [at for at, action in enumerate(actions) if at not in unsent and past.here.times(action)]
    left = [actions[at] for at in unsent if at > max(sent_here, default=-1)]
    if not sent_here:
        left = list(dropwhile(lambda action: "selector" in action.fields and node_at(_xpath(action), page) is None, left))
    return _ready(left, intent, page, past, is_free=is_whole)


def _ahead(places: Sequence[_Place], following: Sequence[Action], past: Past, index: int) -> Iterator[Action]:
    """What comes after these, unseen as in a one-shot plan, if the plan has more presses than the task has steps left."""
    line = [action for place in places for action in (place.opening, *place.actions)]
    last = following[-1]
    copies = [at for at, action in enumerate(line) if action == last]
    number = past.times(last) + following.count(last)
    rest = line[copies[min(number, len(copies)) - 1] + 1 : -1] if copies else []  # without the last one, which may bind
    presses = [at for at, action in enumerate(rest) if action.type not in FILLS]
    # The last step of a task is a wait.
    extra = min(ceil((len(presses) + 2) / max(MAX_STEPS - index - 1, 1)) - 1, len(presses))
    for action in rest[: presses[extra - 1] + 1] if extra else ():
        yield from (LOADING, action)


def _unsent(actions: Sequence[Action], past: Past) -> list[int]:
    """The places of those not sent yet; a plan may have one twice, such as to put on a list and take off again."""
    signs = [sign(action.type, action.fields) for action in actions]  # the same field may be filled in each step of a dialog
    return [at for at, action in enumerate(actions) if past.times(action) < signs[: at + 1].count(signs[at])]


def _is_over(place: _Place, intent: Intent, page: Page, past: Past) -> bool:
    """Whether the plan's last action was sent after its route was opened, or on an item's page, and changed the page."""
    is_there = place.path in _visited(page, past) or intent.kind.has(Trait.OF_ITEM)
    last, past = place.actions[-1:] if is_there else (), _since(place, past)
    is_sent = any(past.times(action) >= place.actions.count(action) and not past.failed(action) for action in last)
    return is_sent and not past.is_stuck(last)


def _since(place: _Place, past: Past) -> Past:
    """The entries since the place's route was first opened; a form elsewhere may have a button with the same selector."""
    at = next((at for at, entry in enumerate(past.entries) if path_of(entry.url) == place.path), 0)
    return Past(past.entries[at:])


def _visited(page: Page, past: Past) -> set[str]:
    """Without the task's first page where the history has no addresses: an entry has the one after it."""
    return {path_of(page.url), *(path_of(entry.url) for entry in past.entries)}


def _places(actions: Sequence[Action]) -> Iterator[_Place]:
    starts = [at for at, action in enumerate(actions) if action.type == "NavigateAction"]
    for start, end in pairwise([*starts, len(actions)]):  # the first opens the task's own page, on which it may be done
        yield _Place(actions[start], tuple(action for action in actions[start + 1 : end] if action.type not in WAITS))


def _is_password(action: Action | PastAction) -> bool:
    return action.type in FILLS and "password" in str(action.fields.get("selector"))


def _next(places: Sequence[_Place], intent: Intent, page: Page, past: Past, *, is_whole: bool) -> list[Action]:
    visited = _visited(page, past) | {place.path for place in places[:1]}
    opened = {path_of(str(entry.fields.get("url", ""))) for entry in past.entries if entry.type == "NavigateAction"}
    is_member = page.logged_in is True or any(map(_is_password, past.entries))
    is_of_item = intent.kind.has(Trait.OF_ITEM) and not target_of(intent).is_any
    for place in places:
        if place.logs_in and is_member:
            continue
        left = [place.actions[at] for at in _unsent(place.actions, _since(place, past))]
        # It is the place's own page, or one to which its actions led.
        is_there = place.path == path_of(page.url) or any(past.times(action) for action in place.actions)
        # What was reached of a task's item is not left for it.
        if place.path not in visited or (left and not (is_there or is_of_item or place.path in opened)):
            return [_way_to(place, page)]
        is_free = is_whole or not is_of_item
        ready = _ready(left, intent if is_free else _NOTHING, page, past, is_free=is_free) if is_there else []
        if ready or place.logs_in:  # the log-in comes first
            return ready
    return []


def _way_to(place: _Place, page: Page) -> Action:
    """The page's own link, if it has one: some callers lose the port of an absolute URL."""
    has_query = "?" in str(place.opening.fields.get("url", ""))
    links = (link for link in page.usable({"link"}) if link.href and path_of(link.href) == place.path and page.keeps(link.href))
    link = None if has_query else next(links, None)
    return next(iter(press(page, link).alternatives if link else ()), place.opening)


def _ready(left: Sequence[Action], intent: Intent, page: Page, past: Past, *, is_free: bool) -> list[Action]:
    """What can be done on this page at once: the fills that come next, and one press, as often as the plan repeats it."""
    ready = list[Action]()
    for action in left:
        if ready and ready[-1].type not in FILLS and action != ready[-1]:
            break
        if _is_done(action, page, past):
            continue
        if not _may_do(action, page, intent, is_free=is_free):
            break
        ready.append(action)
    return ready


def _may_do(action: Action, page: Page, intent: Intent, *, is_free: bool = False) -> bool:
    """Whether the page has the control, and it destroys, sends or binds nothing unrequested. `is_free`: it may send a form, or be in a
    list, as the task is about no item."""
    if "selector" not in action.fields:
        return action.type == "SendKeysIWAAction"
    element = element_at(_xpath(action), page)
    if element is None:
        return is_free and action.type == "ClickAction" and _is_harmless_text(node_at(_xpath(action), page), page, intent)
    if not element.usable or element.is_open_tab:
        return False
    if action.type != "ClickAction":
        return element.role in FIELDS
    is_harmless = element.role == "tab" or not is_unrequested(element, intent)
    return is_harmless and (is_free or not (element.submits or (len(page.records) > 1 and element.place in page.items)))


def _is_harmless_text(node: Any, page: Page, intent: Intent) -> bool:
    """Whether it is a part of the page that is not marked up as a control, such as the day of a calendar; a script may make it one."""
    text = " ".join("".join(node.itertext()).split())[:_LONGEST_TEXT] if node is not None else ""
    # Its words are judged as those of a button.
    shown = replace(page.elements[0], role="button", label=text, text=text, icon="", href="", opens="", layer=0)
    return node is not None and not is_unrequested(shown, intent)


def _is_done(action: Action, page: Page, past: Past) -> bool:
    """Whether the rules did it by another selector, or it presses a heading, as a plan does where a box is not to be ticked."""
    if "selector" not in action.fields:
        return False
    element = element_at(_xpath(action), page)
    if action.type != "ClickAction":
        return element is not None and bool(element.value) and element.value == action.fields.get("text")
    if element is None:
        node = node_at(_xpath(action), page)
        return node is not None and _HEADING.fullmatch(str(node.tag)) is not None
    others = [selector for selector in page.selectors(element) if selector["value"] != action.fields["selector"]["value"]]
    here = Past(tuple(entry for entry in past.entries if path_of(entry.url) == path_of(page.url)))
    return any(here.times(replace(action, fields={"selector": other})) for other in others)


def _xpath(action: Action) -> str:
    return str(action.fields["selector"].get("value", ""))
