"""Plans of whole tasks by facts about the task's site; in steps, `known_step` uses their routes and first presses."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from urllib.parse import quote, urlencode

from agents.contract.actions import Action, InvalidAction, click, navigate, select_option, send_keys, submit, type_text, wait
from agents.contract.origins import split_http
from agents.contract.protocol import Form, Plan, Step
from agents.contract.selectors import quoted, xpath
from agents.template.blind_xpath import folded
from agents.template.items.matching import are_synonyms
from agents.template.moves import BREATH, LOADING, Known, opened
from agents.template.prompt import ABOVE, BELOW, EXACT, LISTS, POSITIVE, Criterion, Intent, Operator
from agents.template.prompt.intents import CREDENTIALS, understand
from agents.template.prompt.measures import date_in, moved, number_in, time_in
from agents.template.prompt.targets import target_of
from agents.template.prompt.values import address, meets_all
from agents.template.sites.field_values import FieldValues, field_values
from agents.template.sites.rehearsal import Rehearsal, item_of
from agents.template.sites.site_facts import HOLE, MOST_PAGES, Item, SiteAction, SiteFacts, SitePlan, Sites
from agents.template.sites.site_map import AFTER
from agents.template.solutions.solution import best_for

logger = logging.getLogger(__name__)

_SETTLING = wait(1)  # pages are drawn by script: a press before the script runs has no effect
_SENT = wait(1.5)  # a press sends a request, which takes a moment, and callers check the result right after the last action
_ROOM_FOR_PAGES = 28  # further pages of a list are slow, so they are left out above this many actions; a long form may have more
_SHOWN = click(xpath("//*[0]"))  # in steps the rules press on the item: a placeholder that selects nothing
_KNOWN = "The plan is from facts about the site."
_COMPARED = {"equals": "=", "not equals": "!=", "greater than": ">", "less than": "<", "greater equal": ">=", "less equal": "<="}
# Number, date or time of a node as an XPath number, and of a value: 1930 for 19:30.
_NUMBER = ("number(translate({0},translate({0},'0123456789.',''),''))", lambda text: "" if (of := number_in(text)) is None else f"{of:f}")
_DATE = ("number(translate({0},'-/. ',''))", lambda text: f"{day:%Y%m%d}" if (day := date_in(text)) else "")
_TIME = ("number(translate({0},': ',''))", lambda text: "" if (at := time_in(text)) is None else f"{at // 60}{at % 60:02}")
_NO_NAME = re.compile(r"[._]+(?=[^\W\d])")  # the separator of names in an address: ann.berg@mail.example
_TITLE = "//*[self::h1 or self::h2][not(preceding::h1 or preceding::h2)]"
_BLOCK, _TELLING = ".", 5  # the whole text of an item's block; shorter values are in any
# Verbs with an XPath as target, and those with another text.
_BY_XPATH = {"press": click, "enter": submit}
_AS_IT_IS: dict[str, Callable[[str], Action]] = {"keys": send_keys, "wait": lambda seconds: wait(int(seconds))}


def by_facts(sites: Sites, learned: SiteFacts = SiteFacts()) -> Known:  # noqa: B008 (it is frozen)
    """The template agent's planner by the sites' facts, and by those learned of the task's own site."""
    return Known(partial(_stated, sites), partial(_seen, sites, learned))


def has_plan(step: Step, sites: Sites) -> bool:
    """Whether the facts have a plan for a one-shot task, so that no page is needed."""
    facts = sites.get(_project_of(step, sites)) if step.form is Form.ONE_SHOT else None
    return facts is not None and plan_for(facts, field_values(step.prompt, understand(step.prompt))) is not None


def _stated(sites: Sites, step: Step, intent: Intent, title: str = "") -> tuple[Plan, bool] | None:
    project = _project_of(step, sites)
    facts, values = sites.get(project, SiteFacts()), field_values(step.prompt, intent)
    if not (plan := plan_for(facts, values)):
        return None
    planned = Plan(_by_facts(step, intent, facts, values, plan), reasoning=plan.task, confidence=facts.confidence)
    made = _from_start(planned, step, project)
    is_of_site = bool(facts.title) and facts.title in title
    return (made, is_of_site and _is_whole(facts, plan, intent, values)) if made else None


def _is_loose(item: Item, values: FieldValues) -> bool:
    """Whether a few letters are tested on the whole text of an item, which nearly any contains."""
    blocks = (criterion for names, path in item.lists.items() if path == _BLOCK for criterion in values.of(names))
    return any(len(value) < _TELLING for criterion in blocks if criterion.operator in POSITIVE for value in criterion.values)


def _is_whole(facts: SiteFacts, plan: SitePlan, intent: Intent, values: FieldValues) -> bool:
    """Whether it uses all values that the task states and, if it presses an item, tests all criteria of the task's item."""
    items = [facts.items[entry.target] for entry in plan.actions if entry.verb in ("list", "item")]
    tested = [names for item in items for names in (*item.texts, *item.lists, *item.numbers, *item.dates, *item.times)]
    searched = [names for item in items for names in (*item.filters.values(), *item.search.values())]
    used = [name for entry in plan.actions for name in (entry.names, entry.only_if.removeprefix("+"), entry.each, entry.times)]
    used += [hole for entry in plan.actions for hole in HOLE.findall(f"{entry.target} {entry.inside}")]
    about = {criterion.field for criterion in target_of(intent).criteria} if items else set[str]()
    stated = {criterion.field for criterion in values.criteria if criterion.operator in POSITIVE} - CREDENTIALS
    covered = values.fields([*tested, *used])
    # If it ends within an item of the list, no page of the item was seen.
    is_loose = any(entry.inside and _is_loose(facts.items[entry.target], values) for entry in plan.actions[-1:])
    return not is_loose and about <= covered and stated <= covered | values.fields(searched)


def _seen(sites: Sites, seen: SiteFacts, step: Step, intent: Intent) -> Plan | None:
    project = _project_of(step, sites)
    facts, values = sites.get(project, SiteFacts()), field_values(step.prompt, intent)
    items, pages, forms = {**seen.items, **facts.items}, {**seen.pages, **facts.pages}, {**seen.forms, **facts.forms}
    return _from_start(_by_pages(step, intent, replace(seen, items=items, pages=pages, forms=forms), values), step, project)


def _from_start(planned: Plan, step: Step, project: str) -> Plan | None:
    """With the task's own page opened first; None without actions."""
    if not planned.actions:
        return None
    reasoning = f"Template: {planned.reasoning}, by facts about {project or 'the site'}."
    why = planned.confidence_why or _KNOWN
    return replace(planned, actions=(*opened(step.url), LOADING, *planned.actions), reasoning=reasoning, confidence_why=why)


def _project_of(step: Step, sites: Sites) -> str:
    """`/step` names no project, not even for a one-shot plan: then the port identifies the site."""
    parts = None if step.project else split_http(step.url)
    return next((name for name, site in sites.items() if parts and site.port and site.port == parts.port), step.project)


def plan_for(facts: SiteFacts, values: FieldValues) -> SitePlan | None:
    return next((plan for plan in facts.plans if plan.fits(values.text)), None)


def _by_facts(step: Step, intent: Intent, facts: SiteFacts, values: FieldValues, plan: SitePlan) -> tuple[Action, ...]:
    entries = (*(facts.login if plan.login or intent.logs_in else ()), *plan.actions)
    for pages in range(MOST_PAGES, -1, -1):
        doing = _ActionBuilder(facts, values, pages, step.form)
        actions = tuple(_spaced([action for entry in entries for action in doing.actions(entry)]))
        if len(actions) <= _ROOM_FOR_PAGES:
            break
    return actions


def _by_pages(step: Step, intent: Intent, facts: SiteFacts, values: FieldValues) -> Plan:
    """On the learned pages, by a solution or by the rules; without actions if these pages do not suffice."""
    try:
        solution = best_for(facts.solutions, intent) if facts.pages else None
        rehearsal = Rehearsal(step, facts)
        if solution and rehearsal.run_solution(intent, solution):
            why = f"Learned solution {solution.id}; all its steps were possible on the stored pages."
            actions = _for_item(rehearsal, facts, values)
            return Plan(actions, reasoning=why, confidence=solution.confidence, confidence_why=why, solution=solution.id)
        rehearsal = Rehearsal(step, facts)
        if facts.pages and rehearsal.run(intent):
            return Plan(_for_item(rehearsal, facts, values), reasoning=str(intent.kind), confidence=facts.confidence)
    except Exception:
        # The pages came from callers: whatever is wrong with them, the task is planned as on an unknown site.
        logger.exception("Task %s could not be planned by facts about its site.", step.task_id)
    return Plan(())


def _for_item(rehearsal: Rehearsal, facts: SiteFacts, values: FieldValues) -> tuple[Action, ...]:
    """The rehearsed actions, with presses on items by their criteria."""
    actions = list[Action]()
    for action in rehearsal.out:
        if isinstance(action, Action):
            actions.append(action)
            continue
        if rehearsal.step.form is Form.STEP:
            actions.append(_SHOWN)
            continue
        item = item_of(action, facts.items)
        fields = (*item.texts, *item.lists, *item.numbers, *item.dates, *item.times)
        known = {name for names in fields for name in names.split("|")}
        # Criteria of fields without a known place are tested on the block's whole text.
        criteria = _as_listed(
            (_renamed(criterion, known) for criterion in action.criteria),
            facts.pages.get(action.list.partition(AFTER)[0], {}).get("html", "@"),
        )
        others = "|".join(sorted({criterion.field for criterion in criteria} - known))
        item = replace(item, lists={**item.lists, **dict.fromkeys(others.split("|") if others else (), _BLOCK)})
        if item.list and not actions:
            actions.append(navigate(item.list))
        # A press within an entry must not be repeated on the list's next page.
        item = replace(item, next="") if action.inside else item
        builder = _ActionBuilder(facts, replace(values, criteria=criteria), 1, rehearsal.step.form)
        actions += builder.press(item, action.inside or item.link)
    return tuple(_spaced(actions))


def _renamed(criterion: Criterion, known: Set[str]) -> Criterion:
    """With the name that the list has for its field: the hours are a "duration" there."""
    alike = (name for name in sorted(known) if are_synonyms(name, criterion.field))
    return criterion if criterion.field in known else replace(criterion, field=next(alike, criterion.field))


def _as_listed(criteria: Iterable[Criterion], shown: str) -> tuple[Criterion, ...]:
    """As the list with the text `shown` may show them: without true or false; only names if it shows no e-mail addresses."""
    stated = [criterion for criterion in criteria if not {value.lower() for value in criterion.values} & {"true", "false"}]
    if "@" in shown:
        return tuple(stated)
    return tuple(replace(criterion, values=tuple(map(_name_in, criterion.values))) for criterion in stated)


def _name_in(value: str) -> str:
    name, at, _ = value.partition("@")
    return _NO_NAME.sub(" ", name) if at and name else value


def _spaced(actions: list[Action]) -> Iterator[Action]:
    for at, action in enumerate(actions):
        yield action
        after = actions[at + 1] if at + 1 < len(actions) else None
        if after is not None and "WaitAction" not in {action.type, after.type}:
            yield _SETTLING if action.type == "NavigateAction" else _SENT if after.type == "NavigateAction" else BREATH
    if actions and actions[-1].type != "WaitAction":
        yield _SENT


@dataclass(frozen=True, slots=True)
class _ActionBuilder:
    facts: SiteFacts
    values: FieldValues
    pages: int
    form: Form

    def actions(self, entry: SiteAction) -> list[Action]:
        if entry.only_if and not self.values.has(entry.only_if):
            return []
        if entry.each:
            once = replace(entry, each="")
            return [action for values in self.values.apart(entry.each) for action in replace(self, values=values).actions(once)]
        if entry.times:
            # The lowest number that meets the criteria, else 1: each press costs 3 s.
            criteria = self.values.of(entry.times)
            numbers = (number for number in range(1, 11) if meets_all(criteria, str(number)))
            return self.actions(replace(entry, times="")) * (next(numbers, 1) - 1)
        with suppress(InvalidAction):
            if on_element := _BY_XPATH.get(entry.verb):
                return [on_element(xpath(self._filled(entry, entry.target)))]
            if simple := _AS_IT_IS.get(entry.verb):
                return [simple(entry.target)]
            return list(getattr(self, f"_{entry.verb}")(entry))
        return []

    def _open(self, entry: SiteAction) -> list[Action]:
        route = self._filled(entry, entry.target, lambda value: quote(value, safe=""))
        return [navigate(route)] if route else []

    def _list(self, entry: SiteAction) -> list[Action]:
        item = self.facts.items[entry.target]
        query = urlencode(query_for(item, self.values))
        joined = "&" if "?" in item.list else "?"
        return [navigate(item.list + (joined + query if query else ""))]

    def _item(self, entry: SiteAction) -> list[Action]:
        """Press within a card that meets the conditions or, if a page of the list has none, the control to the next page. In steps only the
        former: `known_step` presses what the rules can't recognise as an item."""
        item = self.facts.items[entry.target]
        inside = self._filled(entry, entry.inside) or item.link
        if self.form is not Form.STEP:
            return self.press(item, inside)
        tests = conditions(item, self.values, is_strict=True)
        return [click(xpath(f"({item.card}{''.join(tests)}{inside})[1]"))] if tests else [_SHOWN]

    def press(self, item: Item, inside: str) -> list[Action]:
        tests = conditions(item, self.values)
        # A predicate that is true on the list's page alone, and a heading to press elsewhere, which does nothing.
        here, left = (f"[{item.here}]", f" | //*[self::h1 or self::h2 or self::h3][not({item.here})]") if item.here else ("", "")
        further = list[Action]()
        if item.next and tests:
            fitting = item.card + "".join(tests)
            with suppress(InvalidAction):  # the conditions are too long for a selector
                either = f"({fitting}{inside}{here} | {item.next}{here}[not({fitting})]{left})[1]"
                # The list's title, which does nothing, once an entry fits: it stands before the control to the next page.
                either = either if here else f"({_TITLE} | {item.next}[not({fitting})])[last()]"
                further = [click(xpath(either)), _SETTLING]
        return [*further * min(item.pages, self.pages), _pressed(item, inside, tests, here, left)]

    def _fill(self, entry: SiteAction) -> list[Action]:
        value = self.values.value(entry.names, entry.options, entry.default)
        if value and "email" in entry.names:
            value = address(value, self.values.of(entry.names))
        return [] if value is None else [type_text(xpath(self._filled(entry, entry.target)), value)]

    def _choose(self, entry: SiteAction) -> list[Action]:
        value = self.values.value(entry.names, entry.options, entry.default)
        if value is None:
            return []
        near = [moved(value, by) for by in range(1, entry.tries) for by in (by, -by)]
        others = [candidate for candidate in near if candidate and meets_all(self.values.of(entry.names), candidate)]
        selector = xpath(self._filled(entry, entry.target))
        return [select_option(selector, candidate) for candidate in [value, *others][: entry.tries]]

    def _filled(self, entry: SiteAction, target: str, written: Callable[[str], str] = quoted) -> str:
        """The target with its holes filled; "" if one can't be."""
        for hole in HOLE.finditer(target):
            value = self.values.value(hole[1], entry.options, entry.default)
            if value is None:
                return ""
            target = target.replace(hole[0], written(value))
        return target


def _pressed(item: Item, inside: str, tests: list[str], here: str, left: str) -> Action:
    """Press within the first card that meets the conditions, else within the first card; with as many conditions as fit a selector."""
    for most in range(len(tests), 0, -1):
        fitting = item.card + "".join(tests[:most])
        # Tested on the first card alone: for each card browsers would repeat the search, which takes minutes.
        either = f"{fitting}{inside}{here} | ({item.card})[1][not({fitting})]{inside}{here}{left}"
        for expression in (f"({either})[1]", f"({fitting}{inside}{here}{left})[1]"):
            with suppress(InvalidAction):
                return click(xpath(expression))
    return click(xpath(f"({item.card}{inside})[1]"))


def query_for(item: Item, values: FieldValues) -> list[tuple[str, str]]:
    query: list[tuple[str, str]] = []
    for name, names in item.filters.items():
        query += [(name, criterion.value) for criterion in values.of(names) if criterion.operator in {Operator.EQUALS, Operator.ONE_OF}][:1]
    for name, names in item.search.items():
        stated = (criterion for field in names.split("|") for criterion in values.of(field) if criterion.operator in POSITIVE)
        query += [(name, criterion.value) for criterion in islice(stated, 1)]
    bounds = ((ends, criterion.operator) for names, ends in item.sort.items() if names != "by" for criterion in values.of(names))
    orders = [(item.sort["by"], ends[operator in BELOW]) for ends, operator in bounds if operator in ABOVE | BELOW]
    return [*query, *orders[:1]]


def conditions(item: Item, values: FieldValues, *, is_strict: bool = False) -> list[str]:
    """XPath predicates for the item's card, except for values that are in the list's query. Most lists do not show all fields of an item:
    unless `is_strict`, any item may have a text that the page does not show."""
    by_query = [names for names in item.filters.values() if any(criterion.operator is Operator.EQUALS for criterion in values.of(names))]
    measured = ((_NUMBER, item.numbers), (_DATE, item.dates), (_TIME, item.times))
    shown = partial(_listed, is_strict=is_strict)
    kinds: list[tuple[Callable[[str, Criterion], str], Mapping[str, str]]] = [(partial(_text, shown), item.texts), (shown, item.lists)]
    kinds += [(partial(_compared, measure), fields) for measure, fields in measured]
    read = ((kind, names, path) for kind, fields in kinds for names, path in fields.items() if names not in by_query)
    tests = (kind(path, criterion) for kind, names, path in read for criterion in values.of(names))
    return [f"[{condition}]" for condition in tests if condition]


def _text(listed: Callable[[str, Criterion, str], str], path: str, criterion: Criterion) -> str:
    return listed(path, criterion, "{}={}" if criterion.operator in EXACT else "contains({},{})")


def _listed(path: str, criterion: Criterion, test: str = "contains({},{})", *, is_strict: bool = False) -> str:
    values = [" ".join(value.lower().split()) for value in criterion.values]

    def shown_in(path: str) -> str:
        return " or ".join(test.format(folded(f"normalize-space({path})", value), quoted(value)) for value in values)

    is_optional = path == _BLOCK and criterion.operator in POSITIVE and not is_strict
    return _signed(criterion, shown_in(path) + (f" or not({shown_in('/*')})" if is_optional else ""))


def _signed(criterion: Criterion, tests: str) -> str:
    if criterion.operator.negative:
        return f"not({tests})"
    return tests if criterion.operator in POSITIVE else ""


def _compared(measure: tuple[str, Callable[[str], str]], path: str, criterion: Criterion) -> str:
    template, read = measure
    shown, values = template.format(path), list(filter(None, map(read, criterion.values)))
    if not values:
        return ""
    if criterion.operator in LISTS:
        return _signed(criterion, " or ".join(f"{shown}={value}" for value in values))
    sign = _COMPARED.get(criterion.operator)
    return f"{shown}{sign}{values[0]}" if sign else ""
