"""One-shot plans of a site whose pages were seen in steps: the task is done step by step on those pages, and what was pressed is sent.

The rules do it, or a solution that runs have shown. The site has other items, texts and ids by now. So a list's first entry and the page of
an item stand in for the item that is wanted: what is done to them is said by the item's criteria. A form's controls are said by the names
that seeds have shown. All else is said as it was when it was seen or, where that is gone, by its place.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import lru_cache
from urllib.parse import urljoin

from agents.contract.actions import FILLS, Action, InvalidAction, click, navigate, select_option, submit, type_text
from agents.contract.origins import path_of
from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.contract.selectors import ATTRIBUTE, Selector, quoted, xpath
from agents.page import Element, Page, Record, read
from agents.page.elements import BUTTONS, TICKED
from agents.page.matching import words
from agents.page.past import action_in_words
from agents.template.forms.filling import by_name
from agents.template.moves import NOTHING_LEFT
from agents.template.next_step import next_step
from agents.template.prompt import Criterion, Intent, Operator, Trait, besides_item, target_of
from agents.template.prompt.synonyms import names_of
from agents.template.prompt.values import chosen
from agents.template.recipes import LOGIN, recipe_for
from agents.template.sites.site_facts import Item, SiteFacts
from agents.template.sites.site_map import (
    AFTER,
    ANY,
    MEMBER,
    block_of,
    by_names,
    control_of,
    form_of,
    inside_of,
    item_at,
    item_key,
    items_of,
    labels_of,
    link_to,
    place_of,
    route_of,
)
from agents.template.solutions.solution import ITEM, Solution, criteria_of, given
from agents.template.solutions.using import by_solution

MOST_STEPS, MOST_ACTIONS = 10, 26
_SHORTEST_NAME = 3
# How surely a form calls a field so; and what buttons that send one are called.
_CALLED, _SENDING = 0.8, ("submit", "send", "save", "save changes", "confirm", "create", "add")


class After(Enum):
    """What comes of an action: nothing that matters, another page, or what was never seen, which may be the end of the task."""

    SAME = auto()
    MOVED = auto()
    UNSEEN = auto()


@dataclass(frozen=True, slots=True)
class Pressed:
    """Of a list the item that meets the criteria: what leads to its `route`, or what is `inside` of its block. `list`: the list's key."""

    route: str
    list: str
    inside: str
    criteria: tuple[Criterion, ...]


@dataclass
class Rehearsal:
    """`out`: what is to be done, in order; `is_whole`: no page was missing on the way."""

    step: Step
    facts: SiteFacts
    solution: Solution | None = None
    is_member: bool = False
    is_unseen: bool = False
    key: str = ""
    page: Page | None = None
    wanted: str = ""
    stand_in: str = ""
    criteria: tuple[Criterion, ...] = ()
    ticked: list[Action | Pressed] = field(default_factory=list)
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
        for key in self.facts.pages:
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

    def run_solution(self, intent: Intent, solution: Solution) -> bool:
        """Whether all of the solution's actions could be done on the pages that are known."""
        self.solution = solution
        self._to(route_of(self.step.url))
        about = tuple(one for one in criteria_of(intent) if " ".join(words(one.field)) in solution.by)
        has_item = any(action.control and action.control.in_item for action in solution.actions)
        own = self._with_stand_in(intent, about) if has_item else intent
        if any(given(hole, intent) and not given(hole, own) for hole in solution.holes - {ITEM}):
            return False
        if not self._rehearsed(lambda step, page: by_solution(step, own, page, solution)) or self.page is None:
            return False
        waited = PastAction("WaitAction", {}, succeeded=True, error="", url=self.page.url, words="")
        made = by_solution(replace(self.step, history=(*self.history, waited)), own, self.page, solution)
        return made is not None and made.done

    def _stage(self, intent: Intent) -> bool:
        target = target_of(intent)
        self.wanted, self.stand_in, self.criteria = target.name, "", target.criteria
        own = intent if target.is_any or not intent.kind.has(Trait.OF_ITEM) else self._with_stand_in(intent, target.criteria)
        is_whole = self._rehearsed(lambda step, page: next_step(step, own, page))
        if self.page is None or self.is_unseen:
            # The site has it, and no step has shown it.
            self.out += [move.alternatives[0] for move in recipe_for(own).blind_act(own) if move.alternatives] or self._blind_form(own)
        return is_whole or self.page is None

    def _blind_form(self, intent: Intent) -> list[Action]:
        """The form that what was pressed last may have opened, by what forms call such fields."""
        asked, row = besides_item(intent), intent.kind.row
        if not row.sent_by or any(one.type in FILLS for one in self.history):
            return []
        named = [(chosen(unit), [name for name, weight in names_of(unit[0].field) if weight >= _CALLED][:8]) for unit in by_name(asked)]
        # Dialogs come last in most markup.
        fields = [(f"({by_names('', names, presses=False)})[last()]", value) for value, names in named if value]
        sends = by_names("", tuple(dict.fromkeys((*row.sent_by, *_SENDING)))[:12], presses=True)
        with suppress(InvalidAction):
            fills = [type_text(xpath(field), value) for field, value in fields]
            return [*fills, click(xpath(f"({sends} | {fields[-1][0]}/ancestor::form[1]//button[@type='submit'])[last()]"))] if fills else []
        return []

    def _rehearsed(self, planned: Callable[[Step, Page], Plan | None]) -> bool:
        """Whether it came to its end on pages that are known."""
        self.history, self.ticked, self.is_unseen = [], [], False
        for index in range(MOST_STEPS):
            if self.page is None or len(self.out) > MOST_ACTIONS:
                return False
            step = replace(self.step, form=Form.STEP, url=self.page.url, index=index, history=tuple(self.history))
            made = planned(step, self.page)
            if made is None or made.done or not made.actions:
                return made is not None and made.reasoning != NOTHING_LEFT
            for action in made.actions:
                if (after := self._do(action)) is After.UNSEEN:
                    self.is_unseen = True
                    return True
                if after is After.MOVED:
                    break
        return False

    def _with_stand_in(self, intent: Intent, about: tuple[Criterion, ...]) -> Intent:
        """The task with an item of the kept pages in place of the one that meets the criteria `about`."""
        self.wanted, self.stand_in, self.criteria = target_of(intent).name, "", about
        best = max(self._items(), key=lambda hit: self._likeness(intent, *hit), default=None)
        if best is None:
            return intent
        self.stand_in = best[0].name
        rest = tuple(one for one in intent.criteria if one not in about)
        named = Criterion("name", Operator.EQUALS, (self.stand_in,))
        self._to(path_of(self.page.url) if self.page else "/")
        return replace(intent, criteria=(named, *rest), subject=self.stand_in if intent.subject else "", is_quoted=False)

    def _items(self) -> Iterator[tuple[Record, str]]:
        for key in self.facts.pages:
            page = self._read(key) if AFTER not in key else None
            if page and ANY in key and page.subject:
                yield page.subject, key
            elif page and ANY not in key and len(items := items_of(page)) > 1:
                yield from ((one, key) for one in items if one.elements and len(one.name) >= _SHORTEST_NAME)

    def _likeness(self, intent: Intent, item: Record, key: str) -> tuple[int, bool]:
        fields = {word for one in self.criteria for word in one.field.split()}
        return len(fields & item.attributes.keys()) + (target_of(intent).thing in key), ANY in key

    def _do(self, action: Action) -> After:
        words_of_it, url = action_in_words(action, self.page), self.page.url if self.page else ""
        self.history.append(PastAction(action.type, action.fields, succeeded=True, error="", url=url, words=words_of_it))
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
            made = said if isinstance(said, Pressed) else self._again(action, said)
            if isinstance(said, Pressed) and not said.inside:
                # What was marked in the list is left behind with it.
                self.out = [one for one in self.out if one not in self.ticked]
            self.ticked += [made] if element.role in TICKED and element.form is None else []
            self.out.append(made)
        if action.type not in {"ClickAction", "SubmitAction"}:
            return After.SAME
        then = self.key.split(AFTER)[0] + AFTER + control_of(page, element)
        if then not in self.facts.pages:
            return After.SAME if element.role in TICKED else After.UNSEEN
        return self._enter(then)

    def _follow(self, page: Page, element: Element) -> After:
        route = route_of(element.href)
        if ANY in route:
            base = route.partition(ANY)[0] + ANY
            inside = "" if base == route else f"/descendant::{link_to(route)}"
            self.out.append(Pressed(base, item_key(self.key), inside, self.criteria))
        else:
            self.out.append(navigate(urljoin(page.url, element.href)))
        return self._to(route)

    def _said(self, page: Page, element: Element) -> Selector | Pressed:
        record = item_at(page, element)
        route = next((route_of(one.href) for one in record.elements if ANY in route_of(one.href)), "") if record else ""
        if record and (record.name == self.stand_in or (route and not self.stand_in)):
            return Pressed(route, item_key(self.key), inside_of(record, element), self.criteria)
        first, place = page.selectors(element)[0], place_of(page, element)
        if named := self._by_names(page, element, place):
            return named
        seen = f"//*[@{first['attribute']}={quoted(first['value'])}]" if first["type"] == ATTRIBUTE else str(first["value"])
        # What says no word of it is its place too, and less surely.
        return xpath(f"({seen} | {place}[not({seen})])[1]" if "'" in seen and not seen.startswith("(") else place)

    def _by_names(self, page: Page, element: Element, place: str) -> Selector | None:
        """What goes by one of the names that seeds or runs have shown or, where nothing does, stands in its place."""
        key, own = form_of(page, element), set(labels_of(element))
        controls = (action.control for action in self.solution.actions if action.control) if self.solution else ()
        by_runs = (tuple(map(str.lower, one.labels)) for one in controls if not one.in_item and not one.holes and len(one.labels) > 1)
        known = next((names for names in (*(one.names for one in self.facts.forms.get(key, ())), *by_runs) if own & {*names}), None)
        if known is None:
            return None
        named = by_names(key, known, presses=element.role in BUTTONS)
        with suppress(InvalidAction):  # names that are too long to say
            return xpath(f"({named} | {place}[not({named})])[1]")
        return None

    def _again(self, action: Action, selector: Selector) -> Action:
        text = str(action.fields.get("text", ""))
        text = text.replace(self.stand_in, self.wanted) if self.stand_in else text
        make = {"TypeAction": lambda: type_text(selector, text), "SelectDropDownOptionAction": lambda: select_option(selector, text)}
        return make.get(action.type, lambda: submit(selector) if action.type == "SubmitAction" else click(selector))()

    def _to(self, route: str) -> After:
        either = (route + MEMBER, route) if self.is_member else (route, route + MEMBER)
        return self._enter(next((key for key in either if key in self.facts.pages), route))

    def _enter(self, key: str) -> After:
        self.key = self.facts.pages.get(key, {}).get("to", key)
        self.page = self._read(self.key)
        return After.MOVED

    def _read(self, key: str) -> Page | None:
        html = self.facts.pages.get(key, {}).get("html", "")
        if not html:
            return None
        route = key.split(AFTER, maxsplit=1)[0].removesuffix(MEMBER).replace(ANY, "1")
        page = _page(html, urljoin(self.step.url, route))
        if not self.stand_in:
            return page
        name = _own_name(page, key)
        return _page(html.replace(name, self.stand_in), page.url) if name else page


def _own_name(page: Page, key: str) -> str:
    """What the item is called that a page is about, or the first one that it lists."""
    if page.subject or ANY in key or (AFTER in key and not items_of(page)):
        return page.subject.name if page.subject else next(iter(page.headings), "")
    linked = (one for one in page.records if any(ANY in route_of(each.href) for each in one.elements))
    item = next(linked, None) or next(iter(items_of(page)), None)
    return item.name if item and len(item.name) >= _SHORTEST_NAME else ""


@lru_cache(maxsize=64)
def _page(html: str, url: str) -> Page:
    return read(html, url)


def item_of(pressed: Pressed, items: Mapping[str, Item]) -> Item:
    """As it was learned, or by its links alone."""
    listed = (item for item in items.values() if pressed.route and pressed.route.removesuffix(ANY) in item.card)
    known = items.get(pressed.route or pressed.list) or next(listed, None)
    return known or Item("", *block_of(pressed.route))
