"""The task's rules, applied to every plan before it is sent.

Some step callers lose the port of absolute URLs. Such navigations are sent all the same, as they are better than no answer.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, dropwhile

from agents.contract.actions import Action, InvalidAction, navigate, validate
from agents.contract.limits import MAX_ACTIONS, MAX_STEPS, MAX_TRAJECTORY
from agents.contract.origins import Site, query_parts, same_page, shared_parts, split_http
from agents.contract.protocol import FIND_TRAJECTORY, PATHS, Form, Step
from agents.contract.selectors import ATTRIBUTE, by_attribute

# The page changes with the actions of a step; the rest of a longer plan would run on a page that was not read.
MAX_STEP = 10


def conform(actions: Iterable[Action], step: Step) -> tuple[Action, ...]:
    """At most as many actions as the caller runs; a one-shot plan begins with the navigation to the task's URL."""
    kept, site, most = permitted(actions, step), site_of(step), most_sent(step)
    if step.form is Form.STEP:
        return kept[:most]
    return _without_waits(tuple(_from_the_start(kept, site) if site else kept), most)[:most]


def most_sent(step: Step) -> int:
    """How many actions of a reply the caller runs, less those of earlier steps."""
    if step.form is Form.STEP:
        return max(1, min(MAX_STEP, MAX_ACTIONS - len(step.history)))
    return MAX_TRAJECTORY if step.endpoint == FIND_TRAJECTORY else MAX_ACTIONS


def steps_left(step: Step) -> int:
    """The most steps that the task can still have, this one included. A caller that has run one action a step is expected to go on so."""
    left = MAX_ACTIONS - len(step.history)
    return max(1, left if len(step.history) > step.index else min(left, MAX_STEPS - step.index))


def permitted(actions: Iterable[Action], step: Step) -> tuple[Action, ...]:
    """The actions that keep to the task's host and query, in their exact form, and to the allowed tools. DoneActions are dropped: the
    answer has `done`, and late-2025 callers don't support the action."""
    site, kept = site_of(step), list[Action]()
    for action in actions:
        with suppress(InvalidAction):
            kept += [] if action.type == "DoneAction" else [in_exact_form(action, step, site)]
    return tuple(kept)


def in_exact_form(action: Action, step: Step, site: Site | None) -> Action:
    """Raises InvalidAction for an action that leaves the task's `site` or uses a tool that the caller does not allow."""
    if PATHS.get(step.endpoint) is Form.STEP and step.allowed_tools and action.tool not in step.allowed_tools:
        raise InvalidAction("type: the caller does not allow this tool.")
    if on_site := _on_site(action, site):
        return on_site
    raise InvalidAction("url: it leads off the task's site.")


def site_of(step: Step) -> Site | None:
    """The site of the step's URL or, where the browser is on no page yet, of the last page in the history; None when unknown.
    The query of the task's own URL belongs to every page; what a later page adds is its own."""
    addresses = (step.url, *(past.url for past in reversed(step.history)))
    urls = [url for url in addresses if split_http(url) and _opened(url)]
    if not urls:
        return None
    start = urls[0] if step.form is Form.ONE_SHOT else step.start
    if start:
        parts = split_http(start)
        return Site(urls[0], tuple(query_parts(parts.query)) if parts else ())
    return Site(urls[0], shared_parts(reversed(urls)))


def _on_site(action: Action, site: Site | None) -> Action | None:
    if "url" in action.fields:
        return _opened(site.absolute(action.fields["url"])) if site else None
    selector = action.fields.get("selector")
    if site is None or selector is None or selector["type"] != ATTRIBUTE or selector["attribute"] != "href":
        return action
    href = site.href(selector["value"])
    return validate({**action.as_action(), "selector": by_attribute("href", href)}) if href != selector["value"] else action


def _opened(url: str | None) -> Action | None:
    try:
        return navigate(url) if url else None
    except InvalidAction:
        return None


def _from_the_start(actions: Iterable[Action], site: Site) -> Iterator[Action]:
    """The task's own URL first; before it the browser has no history to go back or forward in."""
    rest = list(dropwhile(_moves_in_history, actions))
    start = site.absolute(site.url)
    if rest and start and "url" in rest[0].fields and same_page(rest[0].fields["url"], start):
        rest = rest[1:]
    return chain([navigate(site.url)], dropwhile(_moves_in_history, rest))


def _without_waits(actions: tuple[Action, ...], most: int) -> tuple[Action, ...]:
    """Waits are dropped, the shortest first, until the rest fits: the last action is the one that sends a form."""
    waits = sorted((action.fields["time_seconds"], at) for at, action in enumerate(actions) if "time_seconds" in action.fields)
    left_out = {at for _, at in waits[: max(0, len(actions) - most)]}
    return tuple(action for at, action in enumerate(actions) if at not in left_out)


def _moves_in_history(action: Action) -> bool:
    return "go_back" in action.fields or "go_forward" in action.fields
