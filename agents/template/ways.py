"""A known site's way of doing a task, as actions for pages that nobody has seen yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from agents.actions import Action, InvalidAction, click, navigate, select_option, send_keys, submit, type_text, wait
from agents.protocol import Step
from agents.selectors import quoted, xpath
from agents.sites import split_http
from agents.template.addressing import address
from agents.template.intents import Intent
from agents.template.measures import moved
from agents.template.moves import BREATH
from agents.template.picking import pressed, sought
from agents.template.site_facts import HOLE, MOST_PAGES, Deed, SiteFacts, Way
from agents.template.values import meets
from agents.template.wanted import Wanted, conditions, query_for, wanted

# Pages are drawn by script: what is pressed before its script runs does nothing.
_SETTLING = wait(1)
# What a press sends off is on its way for a moment, and callers look at the last action's end for what came of it.
_SENT = wait(1.5)
# A press that stays on its page costs 3 s.
_MOST_TIMES = 10
# Long forms go beyond this with what is quick; a further look is not.
_ROOM_TO_LOOK = 28


def way_for(facts: SiteFacts, asked: Wanted) -> Way | None:
    """The first way that the prompt's words ask for."""
    return next((way for way in facts.ways if way.fits(asked.words)), None)


def by_facts(step: Step, intent: Intent, facts: SiteFacts) -> tuple[str, tuple[Action, ...]]:
    """The task's name and all actions after the first navigation; nothing where the site is known but not how this is done there."""
    asked = wanted(step.prompt, intent)
    way = way_for(facts, asked)
    if way is None:
        return "", ()
    logs_in = bool(facts.login) and (way.login or intent.logs_in)
    deeds = (*(facts.login if logs_in else ()), *way.deeds)
    for pages in range(MOST_PAGES, -1, -1):
        doing = _Doing(facts, asked, step.url, pages)
        actions = tuple(_spaced(action for deed in deeds for action in doing.actions(deed)))
        if len(actions) <= _ROOM_TO_LOOK:
            break
    return way.task, actions


def _spaced(actions: Iterator[Action]) -> Iterator[Action]:
    """Never two that may fail without a wait between them."""
    given = list(actions)
    for at, action in enumerate(given):
        yield action
        after = given[at + 1] if at + 1 < len(given) else None
        if after is not None and "WaitAction" not in {action.type, after.type}:
            yield _SETTLING if action.type == "NavigateAction" else _SENT if after.type == "NavigateAction" else BREATH
    if given and given[-1].type != "WaitAction":
        yield _SENT


@dataclass(frozen=True, slots=True)
class _Doing:
    facts: SiteFacts
    asked: Wanted
    url: str
    pages: int

    def actions(self, deed: Deed) -> list[Action]:
        """None where the deed is left out, or no caller would take it."""
        if deed.only_if and not self.asked.has(deed.only_if):
            return []
        if deed.each:
            once = replace(deed, each="")
            return [action for asked in self.asked.apart(deed.each) for action in replace(self, asked=asked).actions(once)]
        if deed.times:
            return self.actions(replace(deed, times="")) * (self._number(deed.times) - 1)
        try:
            made = getattr(self, f"_{deed.verb}")(deed)
        except InvalidAction:
            return []
        return made if isinstance(made, list) else [made] if made else []

    def _number(self, names: str) -> int:
        """The lowest that meets what is wanted of a field, 1 where nothing is or none does."""
        asked = self.asked.of(names)
        return next((number for number in range(1, _MOST_TIMES + 1) if all(meets(one, str(number)) for one in asked)), 1)

    def _open(self, deed: Deed) -> Action | None:
        route = self._filled(deed, deed.target, lambda value: quote(value, safe=""))
        return navigate(self._absolute(route)) if route else None

    def _list(self, deed: Deed) -> Action:
        item = self.facts.items[deed.target]
        query = urlencode(query_for(item, self.asked))
        joined = "&" if "?" in item.list else "?"
        return navigate(self._absolute(item.list + (joined + query if query else "")))

    def _item(self, deed: Deed) -> list[Action]:
        item = self.facts.items[deed.target]
        inside, tests = self._filled(deed, deed.inside, quoted) or item.link, conditions(item, self.asked)
        looks = [action for look in sought(item, inside, tests) for action in (look, _SETTLING)]
        return [*looks * min(item.pages, self.pages), pressed(item, inside, tests)]

    def _fill(self, deed: Deed) -> Action | None:
        value = self.asked.value(deed.names, deed.options, deed.default)
        if value and "email" in deed.names:
            value = address(value, self.asked.of(deed.names))
        return None if value is None else type_text(xpath(self._located(deed)), value)

    def _choose(self, deed: Deed) -> list[Action]:
        target, value = self._located(deed), self.asked.value(deed.names, deed.options, deed.default)
        if not target or value is None:
            return []
        return [select_option(xpath(target), one) for one in self._tried(deed, value)]

    def _tried(self, deed: Deed, value: str) -> list[str]:
        """The value, and its neighbours that are wanted as well."""
        near = [moved(value, by) for by in range(1, deed.tries) for by in (by, -by)]
        return [value, *(one for one in near if one and all(meets(each, one) for each in self.asked.of(deed.names)))][: deed.tries]

    def _press(self, deed: Deed) -> Action | None:
        target = self._located(deed)
        return click(xpath(target)) if target else None

    def _enter(self, deed: Deed) -> Action:
        return submit(xpath(self._located(deed)))

    def _keys(self, deed: Deed) -> Action:
        return send_keys(deed.target)

    def _wait(self, deed: Deed) -> Action:
        return wait(int(deed.target))

    def _located(self, deed: Deed) -> str:
        return self._filled(deed, deed.target, quoted)

    def _filled(self, deed: Deed, target: str, written: Callable[[str], str]) -> str:
        """The target with its holes filled; "" where one stays open."""
        for hole in HOLE.finditer(target):
            value = self.asked.value(hole[1], deed.options, deed.default)
            if value is None:
                return ""
            target = target.replace(hole[0], written(value))
        return target

    def _absolute(self, route: str) -> str:
        parts = split_http(self.url)
        return f"{parts.scheme}://{parts.netloc}{route}" if parts else route
