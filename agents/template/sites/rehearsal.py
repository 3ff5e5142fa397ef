"""One-shot plans of a site whose pages were seen in steps: the task is done step by step on those pages, and what was pressed is sent.

The site has other items, texts and ids by now. So a list's first entry and the page of an item stand in for the item that is wanted: what
is done to them is said by the item's criteria. All else is said as it was when it was seen or, where that is gone, by its place.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import lru_cache
from urllib.parse import urljoin

from agents.contract.actions import Action, InvalidAction, click, navigate, select_option, submit, type_text
from agents.contract.origins import path_of
from agents.contract.protocol import Form, PastAction, Step
from agents.contract.selectors import ATTRIBUTE, Selector, quoted, xpath
from agents.page import Element, Page, read
from agents.template.next_step import next_step
from agents.template.prompt import Criterion, Intent, Operator, Trait, target_of
from agents.template.recipes import LOGIN, recipe_for
from agents.template.sites.site_facts import Item
from agents.template.sites.site_map import AFTER, ANY, MEMBER, block_of, control_of, inside_of, place_of, route_of

MOST_STEPS, MOST_ACTIONS = 10, 26


class After(Enum):
    """What comes of an action: nothing that matters, another page, or what was never seen, which may be the end of the task."""

    SAME = auto()
    MOVED = auto()
    UNSEEN = auto()


@dataclass(frozen=True, slots=True)
class Pressed:
    """Of a list the item that meets the criteria: what leads to its `route`, or what is `inside` of its block."""

    route: str
    inside: str
    criteria: tuple[Criterion, ...]


@dataclass
class Rehearsal:
    """`out`: what is to be done, in order; `is_whole`: no page was missing on the way."""

    step: Step
    pages: Mapping[str, Mapping[str, str]]
    is_member: bool = False
    key: str = ""
    page: Page | None = None
    wanted: str = ""
    stand_in: str = ""
    criteria: tuple[Criterion, ...] = ()
    out: list[Action | Pressed] = field(default_factory=list)
    history: list[PastAction] = field(default_factory=list)

    def run(self, intent: Intent) -> bool:
        """Whether the whole task could be done on the pages that are known."""
        self._to(route_of(self.step.url))
        if intent.logs_in and not self._log_in(intent):
            return False
        stages = (replace(one, logs_in=False, then=()) for one in (intent, *intent.then))
        return self.page is not None and all(self._stage(stage) for stage in stages)

    def _log_in(self, intent: Intent) -> bool:
        for key in self.pages:
            page = self._read(key)
            if page is not None and AFTER not in key and ANY not in key and LOGIN.form(page):
                self.out.append(navigate(key.removesuffix(MEMBER)))
                self.key, self.page = key, page
                after = [self._do(move.alternatives[0]) for move in LOGIN.act(intent, page)]
                self.is_member = True
                if after and after[-1] is After.UNSEEN:
                    self.out.append(navigate(self.step.url))
                    self._to(route_of(self.step.url))
                return True
        return False

    def _stage(self, intent: Intent) -> bool:
        intent = self._with_stand_in(intent)
        self.history = []
        for index in range(MOST_STEPS):
            if self.page is None:
                # The site has it, and no step has shown it.
                self.out += [move.alternatives[0] for move in recipe_for(intent).blind_act(intent) if move.alternatives]
                return True
            if len(self.out) > MOST_ACTIONS:
                return False
            step = replace(self.step, form=Form.STEP, url=self.page.url, index=index, history=tuple(self.history))
            made = next_step(step, intent, self.page)
            if made.done or not made.actions:
                return True
            for action in made.actions:
                if (after := self._do(action)) is After.UNSEEN:
                    return True
                if after is After.MOVED:
                    break
        return False

    def _with_stand_in(self, intent: Intent) -> Intent:
        target = target_of(intent)
        self.wanted, self.stand_in, self.criteria = target.name, "", target.criteria
        if target.is_any or not intent.kind.has(Trait.OF_ITEM):
            return intent
        fields = {word for one in target.criteria for word in one.field.split()}
        about = [
            (page.subject, key) for key in self.pages if ANY in key and AFTER not in key and (page := self._read(key)) and page.subject
        ]
        best = max(about, key=lambda hit: len(fields & hit[0].attributes.keys()) + (target.thing in hit[1]), default=None)
        if best is None or best[0] is None:
            return intent
        self.stand_in = best[0].name
        rest = tuple(one for one in intent.criteria if one not in target.criteria)
        named = Criterion("name", Operator.EQUALS, (self.stand_in,))
        self._to(path_of(self.page.url) if self.page else "/")
        return replace(intent, criteria=(named, *rest), subject=self.stand_in if intent.subject else "", is_quoted=False)

    def _do(self, action: Action) -> After:
        self.history.append(PastAction(action.type, action.fields, succeeded=True, error="", url=self.page.url if self.page else ""))
        if action.type == "NavigateAction":
            self.out.append(action)
            return self._to(route_of(str(action.fields.get("url") or "/")))
        selector, page = action.fields.get("selector"), self.page
        element = page.element(selector) if page and isinstance(selector, dict) else None
        if page is None or element is None:
            return After.SAME
        if action.type == "ClickAction" and element.href.strip("#"):
            return self._follow(page, element)
        with suppress(InvalidAction):
            said = self._said(page, element)
            self.out.append(said if isinstance(said, Pressed) else self._again(action, said))
        if action.type not in {"ClickAction", "SubmitAction"}:
            return After.SAME
        then = self.key.split(AFTER)[0] + AFTER + control_of(page, element)
        if then not in self.pages:
            return After.UNSEEN
        return self._enter(then)

    def _follow(self, page: Page, element: Element) -> After:
        route = route_of(element.href)
        if ANY in route:
            self.out.append(Pressed(route, "", self.criteria))
        else:
            self.out.append(navigate(urljoin(page.url, element.href)))
        return self._to(route)

    def _said(self, page: Page, element: Element) -> Selector | Pressed:
        record = page.items.get(element.place)
        route = next((route_of(one.href) for one in record.elements if ANY in route_of(one.href)), "") if record else ""
        if record and (record.name == self.stand_in or (route and not self.stand_in and len(page.records) > 1)):
            return Pressed(route, inside_of(record, element), self.criteria)
        first, place = page.selector(element), place_of(page, element)
        seen = f"//*[@{first['attribute']}={quoted(first['value'])}]" if first["type"] == ATTRIBUTE else str(first["value"])
        # An XPath must begin with // or (//, which two parentheses would not.
        return xpath(f"({'//none | ' if seen.startswith('(') else ''}{seen} | {place}[not({seen})])[1]")

    def _again(self, action: Action, selector: Selector) -> Action:
        text = str(action.fields.get("text", ""))
        text = text.replace(self.stand_in, self.wanted) if self.stand_in else text
        make = {"TypeAction": lambda: type_text(selector, text), "SelectDropDownOptionAction": lambda: select_option(selector, text)}
        return make.get(action.type, lambda: submit(selector) if action.type == "SubmitAction" else click(selector))()

    def _to(self, route: str) -> After:
        either = (route + MEMBER, route) if self.is_member else (route, route + MEMBER)
        return self._enter(next((key for key in either if key in self.pages), route))

    def _enter(self, key: str) -> After:
        self.key = self.pages.get(key, {}).get("to", key)
        self.page = self._read(self.key)
        return After.MOVED

    def _read(self, key: str) -> Page | None:
        html = self.pages.get(key, {}).get("html", "")
        if not html:
            return None
        route = key.split(AFTER, maxsplit=1)[0].removesuffix(MEMBER).replace(ANY, "1")
        page = _page(html, urljoin(self.step.url, route))
        if not self.stand_in:
            return page
        linked = (one for one in page.records if any(ANY in route_of(each.href) for each in one.elements))
        item = page.subject or next(linked, None) or next(iter(page.records), None)
        return page if item is None or not item.name else _page(html.replace(item.name, self.stand_in), page.url)


@lru_cache(maxsize=64)
def _page(html: str, url: str) -> Page:
    return read(html, url)


def item_of(route: str, items: Mapping[str, Item]) -> Item:
    """As it was learned, or by its links alone."""
    learned = (item for item in items.values() if route and route.removesuffix(ANY) in item.card)
    return next(learned, Item("", *block_of(route)))
