"""One-shot plans of a site whose pages were learned in steps: the task is done step by step on those pages, and its actions are sent.

The steps are planned by the rules, or by a learned solution. The site has other items, texts and ids by now. So a list's first entry and
the page of an item are used in place of the task's item: actions on them are sent with an XPath of the item's criteria. A form's controls
are located by the names learned over seeds, other controls by their recorded selector or, if that is gone, by their place."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import lru_cache
from html import escape
from urllib.parse import urljoin

from agents.contract.action_history import Past
from agents.contract.actions import FILLS, Action, InvalidAction, click, navigate, select_option, submit, type_text
from agents.contract.origins import path_of
from agents.contract.protocol import Form, PastAction, Plan, Step
from agents.contract.selectors import ATTRIBUTE, Selector, quoted, xpath
from agents.page import BUTTONS, FIELDS, TICKED, Element, Page, Record, read
from agents.page.past import action_in_words
from agents.template.blind_xpath import picked
from agents.template.forms.filling import LONG, by_name
from agents.template.moves import GUESS, NOTHING_LEFT
from agents.template.next_step import next_step
from agents.template.prompt import Criterion, Intent, Kind, Operator, Trait, besides_item, chosen, names_of, target_of
from agents.template.recipes import LOGIN, recipe_for
from agents.template.sites import site_map
from agents.template.sites.site_facts import Item, SiteFacts
from agents.template.sites.site_map import AFTER, ANY, MEMBER, route_of
from agents.template.solutions.solution import ITEM, Solution, criteria_for
from agents.template.solutions.using import by_solution

MOST_STEPS, MOST_ACTIONS = 10, 26
_SHORTEST_NAME = 3
# The least weight of a field's name; and labels of buttons that send a form.
_CALLED, _SENDING = 0.8, ("submit", "send", "save", "save changes", "confirm", "create", "add")
_REQUIRED = "*[@required][self::textarea or self::input[not(@type) or @type='text' or @type='email']][ancestor::form]"
_MOST_OTHERS, _ADDRESS, _TEXT = 4, "user@example.com", "Thank you, this is very well made."
_NEAR = 6  # levels from a field to what encloses it with its button, as in a dialog without a form
_DISABLED = re.compile(r' (?:disabled(?:="[^"]*")?|aria-disabled="true")(?=[ >])')


class After(Enum):
    """The page after an action: the same one, another one, or an unseen one, which may be the end of the task."""

    SAME = auto()
    MOVED = auto()
    UNSEEN = auto()


@dataclass(frozen=True, slots=True)
class ItemPress:
    """A press on the item that meets the criteria: its link to `route`, or the control `inside` its block. `list`: the list's key."""

    route: str
    list: str
    inside: str
    criteria: tuple[Criterion, ...]


@dataclass
class Rehearsal:
    """`out`: the actions, in order, `known` of them up to the last that was no guess. `stand_in`: the name of the kept item that is used in
    place of the task's, named `name_sought`."""

    step: Step
    facts: SiteFacts
    solution: Solution | None = None
    is_member: bool = False
    is_unseen: bool = False
    key: str = ""
    page: Page | None = None
    name_sought: str = ""
    stand_in: str = ""
    criteria: tuple[Criterion, ...] = ()
    ticked: list[Action | ItemPress] = field(default_factory=list)
    out: list[Action | ItemPress] = field(default_factory=list)
    known: int = 0
    opened: Action | None = None
    turns_pages: bool = False
    history: list[PastAction] = field(default_factory=list)

    def run(self, intent: Intent) -> bool:
        """Whether the whole task could be done on the known pages."""
        self._to(route_of(self.step.url))
        if intent.logs_in and not self._log_in(intent):
            return False
        stages = (replace(stage, logs_in=False, then=()) for stage in intent.stages)
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
        """Whether all of the solution's actions could be done on the known pages."""
        self.solution = solution
        self._to(route_of(self.step.url))
        about = tuple(criterion for criterion in intent.all_criteria if criterion.name in solution.by)
        has_item = any(action.control and action.control.in_item for action in solution.actions)
        own = self._with_stand_in(intent, about) if has_item else intent
        if any(criteria_for(hole, intent) and not criteria_for(hole, own) for hole in solution.holes - {ITEM}):
            return False
        if not self._rehearsed(lambda step, page: by_solution(step, own, page, solution)) or self.page is None:
            return False
        waited = PastAction("WaitAction", {}, succeeded=True, error="", url=self.page.url, words="")
        rest = by_solution(replace(self.step, history=(*self.history, waited)), own, self.page, solution)
        return rest is not None and rest.done

    def _stage(self, intent: Intent) -> bool:
        target = target_of(intent)
        self.name_sought, self.stand_in, self.criteria = target.name, "", target.criteria
        own = intent if target.is_any or not intent.kind.has(Trait.OF_ITEM) else self._with_stand_in(intent, target.criteria)
        begun, self.turns_pages = len(self.out), own.kind is Kind.PAGE
        self.known = begun
        is_whole = self._rehearsed(lambda step, page: next_step(step, own, page))
        if self.page is not None and not is_whole:
            del self.out[self.known :]
        recipe = recipe_for(own)
        is_done = self.page and self.is_unseen and recipe.achieved(own, self.page, Past(tuple(self.history)))
        is_done = is_done or (own.kind is Kind.OPEN_ITEM and bool(self.out) and isinstance(self.out[-1], ItemPress))
        if (self.page is None or self.is_unseen or not is_whole) and not is_done:
            # The page exists, but was never sent; or the last press may have opened a form.
            acts = [move.alternatives[0] for move in recipe.blind_act(own) if move.alternatives]
            self.out += (self._blind_form(own) or acts) if self.is_unseen else (acts or self._blind_form(own))
        if self.out and self.out[-1] is self.opened:
            # The press of the link may be what counts. Where the link is not shown, its page is opened all the same.
            self.out.insert(-1, click(xpath(site_map.link_with(path_of(str(self.opened.fields["url"]))))))
        return is_whole or self.page is None or self.known > begun

    def _blind_form(self, intent: Intent) -> list[Action]:
        """Fill and send the form that the last press may have opened, by the usual names of its fields."""
        criteria, row = besides_item(intent), intent.kind.row
        if not row.sent_by or any(entry.type in FILLS for entry in self.history):
            return []
        named = [(unit[0].field, value) for unit in by_name(criteria) if (value := chosen(unit))]
        # Dialogs come last in most markup.
        usual = [name for name in row.fills if name not in {unit[0].field for unit in by_name(criteria)}]
        fields = named or [(name, _TEXT) for name in usual[-1:]]
        sends = site_map.by_names("", tuple(dict.fromkeys((*row.sent_by, *_SENDING)))[:12], presses=True)
        with suppress(InvalidAction):
            # An address is valid in every other field.
            required = [_found(f"//{_REQUIRED}[count(following::{_REQUIRED})={at}]") for at in range(_MOST_OTHERS)]
            others = [*(_last(name, 3) for name in usual[: None if criteria else -1]), *required][:_MOST_OTHERS]
            typed = (*((other, _ADDRESS) for other in others), *((_last(name), value) for name, value in fields))
            fills = [type_text(xpath(field), value) for field, value in typed]
            # Near the last field: elsewhere a button with such a label sends something else.
            near = f"({_usual(fields[-1][0], 3)})/ancestor::*[self::form or position()<{_NEAR}]" if fields else ""
            # Selectors have to begin with // or (//.
            return [*fills, click(xpath(f"(//*[false()] | {near}{sends[:-1]} or @type='submit'])[last()]"))] if near else []
        return []

    def _rehearsed(self, planned: Callable[[Step, Page], Plan | None]) -> bool:
        """Whether all steps were on known pages."""
        self.history, self.ticked, self.is_unseen = [], [], False
        for index in range(MOST_STEPS):
            if self.page is None or len(self.out) > MOST_ACTIONS:
                return False
            step = replace(self.step, form=Form.STEP, url=self.page.url, index=index, history=tuple(self.history))
            plan = planned(step, self.page)
            if plan is None or plan.done or not plan.actions:
                return plan is not None and plan.reasoning != NOTHING_LEFT
            before = len(self.out)
            for action in plan.actions:
                if (after := self._do(action)) is After.UNSEEN:
                    self.is_unseen = True
                    return True
                if after is After.MOVED:
                    break
            if len(self.out) > before and not plan.reasoning.startswith(GUESS):
                self.known = len(self.out)
        return False

    def _with_stand_in(self, intent: Intent, about: tuple[Criterion, ...]) -> Intent:
        """The task with an item of the known pages in place of the one that meets the criteria `about`."""
        self.name_sought, self.stand_in, self.criteria = target_of(intent).name, "", about
        best = max(self._items(), key=lambda hit: self._likeness(intent, *hit), default=None)
        # Without a field of the criteria it is another kind of entry, such as a question on a help page.
        is_other = intent.kind.has(Trait.ITEM_OPTIONAL) and best and best[0].attributes and not self._likeness(intent, *best)[0]
        if best is None or is_other:
            return intent
        self.stand_in = best[0].name
        rest = tuple(criterion for criterion in intent.criteria if criterion not in about)
        named = Criterion("name", Operator.EQUALS, (self.stand_in,))
        self._to(path_of(self.page.url) if self.page else "/")
        return replace(intent, criteria=(named, *rest), subject=self.stand_in if intent.subject else "", is_quoted=False)

    def _items(self) -> Iterator[tuple[Record, str]]:
        for key in self.facts.pages:
            page = self._read(key) if AFTER not in key else None
            if page and ANY in key and page.subject:
                yield page.subject, key
            elif page and ANY not in key and len(items := site_map.items_of(page)) > 1:
                yield from ((record, key) for record in items if record.elements and self._is_item(record))

    def _is_item(self, record: Record) -> bool:
        """Whether it is more than a way to another part of the site."""
        routes = {route_of(element.href) for element in record.elements if element.href.strip("#")}
        return len(record.name) >= _SHORTEST_NAME and (not routes or any(ANY in route for route in routes))

    def _likeness(self, intent: Intent, item: Record, key: str) -> tuple[int, bool]:
        fields = {word for criterion in self.criteria for word in criterion.field.split()}
        return len(fields & item.attributes.keys()) + (target_of(intent).thing in key), ANY in key

    def _do(self, action: Action) -> After:
        words_of_it, url = action_in_words(action, self.page), self.page.url if self.page else ""
        self.history.append(PastAction(action.type, action.fields, succeeded=True, error="", url=url, words=words_of_it))
        if action.type == "NavigateAction":
            self.out.append(action)
            return self._to(route_of(str(action.fields.get("url") or "/")))
        selector, page = action.fields.get("selector"), self.page
        element = picked(selector, page) if page and isinstance(selector, dict) else None
        if page is None or element is None or self._is_search_for_stand_in(selector):
            return After.SAME
        if action.type == "ClickAction" and element.href.strip("#"):
            return self._follow(page, element)
        with suppress(InvalidAction):
            target = self._target_of(page, element)
            done = target if isinstance(target, ItemPress) else self._repeated(action, target)
            if isinstance(target, ItemPress) and not target.inside:
                self.out = [action for action in self.out if action not in self.ticked]  # ticks in the list are lost with it
            self.ticked += [done] if element.role in TICKED and element.form is None else []
            self.out.append(done)
        if action.type not in {"ClickAction", "SubmitAction"}:
            if action.type in FILLS:  # many forms can be sent only then
                self.page = self._read(self.key, is_enabled=True)
            return After.SAME
        return self._press(page, element)

    def _press(self, page: Page, element: Element) -> After:
        if self.turns_pages:  # all pages of a list are alike
            self.page = self._read(self.key, is_enabled=True)
            return After.SAME
        then = self.key.split(AFTER)[0] + AFTER + site_map.control_of(page, element)
        if then in self.facts.pages:
            return self._enter(then)
        if element.overlay and AFTER in self.key:  # a menu closes once an entry is chosen
            return self._enter(self.key.split(AFTER)[0])
        return After.SAME if element.role in TICKED else After.UNSEEN

    def _is_search_for_stand_in(self, selector: object) -> bool:
        """Whether the last action types the name of the stand-in, or sends it: nothing to repeat for an item without a known name."""
        typed = {entry.fields.get("text") for entry in self.history[-3:] if entry.fields.get("selector") == selector}
        return self.stand_in in typed and not self.name_sought

    def _follow(self, page: Page, element: Element) -> After:
        route = route_of(element.href)
        if ANY in route:
            base = route.partition(ANY)[0] + ANY
            inside = "" if base == route else f"/descendant::{site_map.link_to(route)}"
            self.out.append(ItemPress(base, site_map.item_key(self.key), inside, self.criteria))
        else:
            self.opened = navigate(urljoin(page.url, element.href))
            self.out.append(self.opened)
        return self._to(route)

    def _target_of(self, page: Page, element: Element) -> Selector | ItemPress:
        record = site_map.item_at(page, element)
        route = next((route_of(element.href) for element in record.elements if ANY in route_of(element.href)), "") if record else ""
        is_known = route or site_map.item_key(self.key) in self.facts.items
        if record and (record.name == self.stand_in or (is_known and not self.stand_in)):
            return ItemPress(route, site_map.item_key(self.key), site_map.inside_of(record, element), self.criteria)
        first, place = page.selectors(element)[0], site_map.place_of(page, element)
        if named := self._by_names(page, element, place):
            return named
        seen = f"//*[@{first['attribute']}={quoted(first['value'])}]" if first["type"] == ATTRIBUTE else str(first["value"])
        # A selector without a text is no more certain than the place.
        return xpath(f"({seen} | {place}[not({seen})])[1]" if "'" in seen and not seen.startswith("(") else place)

    def _by_names(self, page: Page, element: Element, place: str) -> Selector | None:
        """The control with one of the learned names or, without one, at its place."""
        key, own = site_map.form_of(page, element), set(site_map.labels_of(element))
        controls = (action.control for action in self.solution.actions if action.control) if self.solution else ()
        general = (control for control in controls if not control.in_item and not control.holes and len(control.labels) > 1)
        by_runs = (tuple(map(str.lower, control.labels)) for control in general)
        known = next((names for names in (*(field.names for field in self.facts.forms.get(key, ())), *by_runs) if own & {*names}), None)
        if known is None:
            return None
        # A field may have another usual name by now.
        others = {name for field in self.facts.forms.get(key, ()) if field.names != known for name in field.names}
        usual = (
            [name for name, weight in names_of(element.label) if weight >= _CALLED and name not in others] if element.role in FIELDS else []
        )
        named = site_map.by_names(key, tuple(dict.fromkeys((*known, *usual))), presses=element.role in BUTTONS)
        with suppress(InvalidAction):  # the names are too long for a selector
            return xpath(f"({named} | {place}[not({named})])[1]")
        return None

    def _repeated(self, action: Action, selector: Selector) -> Action:
        text = str(action.fields.get("text", ""))
        text = text.replace(self.stand_in, self.name_sought) if self.stand_in else text
        make = {"TypeAction": lambda: type_text(selector, text), "SelectDropDownOptionAction": lambda: select_option(selector, text)}
        return make.get(action.type, lambda: submit(selector) if action.type == "SubmitAction" else click(selector))()

    def _to(self, route: str) -> After:
        either = (route + MEMBER, route) if self.is_member else (route, route + MEMBER)
        return self._enter(next((key for key in either if key in self.facts.pages), route))

    def _enter(self, key: str) -> After:
        self.key = self.facts.pages.get(key, {}).get("to", key)
        self.page = self._read(self.key)
        return After.MOVED

    def _read(self, key: str, *, is_enabled: bool = False) -> Page | None:
        html = self.facts.pages.get(key, {}).get("html", "")
        html = _DISABLED.sub("", html) if is_enabled else html
        if not html:
            return None
        route = key.split(AFTER, maxsplit=1)[0].removesuffix(MEMBER).replace(ANY, "1")
        page = _page(html, urljoin(self.step.url, route))
        if not self.stand_in:
            return page
        name = _own_name(page, key)
        return _page(html.replace(escape(name, quote=False), escape(self.stand_in, quote=False)), page.url) if name else page


def _last(field: str, most_names: int = 8) -> str:
    return _found(_usual(field, most_names))


def _found(expression: str) -> str:
    """The last match. Without any, typing fails at once on the body, where it would wait ten seconds for a match."""
    return f"(//body | {expression})[last()]"


def _usual(field: str, most_names: int) -> str:
    """An XPath of a field by its usual names or, for addresses and long texts, by its kind."""
    named = site_map.by_names("", [name for name, weight in names_of(field) if weight >= _CALLED][:most_names], presses=False)
    kind = "//textarea" if field in LONG else "//input[@type='email']" if "email" in field else ""
    return f"{named} | {kind}" if kind else named


def _own_name(page: Page, key: str) -> str:
    """The name of the item that a page is about, or of the first one in its list."""
    if page.subject or ANY in key or (AFTER in key and not site_map.items_of(page)):
        return page.subject.name if page.subject else next(iter(page.headings), "")
    linked = (record for record in page.records if any(ANY in route_of(each.href) for each in record.elements))
    item = next(linked, None) or next(iter(site_map.items_of(page)), None)
    return item.name if item and len(item.name) >= _SHORTEST_NAME else ""


@lru_cache(maxsize=64)
def _page(html: str, url: str) -> Page:
    return read(html, url)


def item_of(pressed: ItemPress, items: Mapping[str, Item]) -> Item:
    """As learned, or by its links alone."""
    listed = (item for item in items.values() if pressed.route and pressed.route.removesuffix(ANY) in item.card)
    known = items.get(pressed.route or pressed.list) or next(listed, None)
    return known or Item("", *site_map.block_of(pressed.route))
