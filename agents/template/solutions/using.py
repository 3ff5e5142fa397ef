"""The next actions of a task by a solution: how far the history has come in it, and its next controls on this page."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from agents.contract.action_history import PRESSES, WAITS, Past
from agents.contract.actions import FILLS, Action, navigate, send_keys, submit, validate
from agents.contract.origins import path_of
from agents.contract.protocol import PastAction, Plan, Step
from agents.page import BUTTONS, FIELDS, OPTIONS, PICKER, TEXT_FIELDS, TICKED, Element, Page, Record, likeness, word_set, words
from agents.template.blind_xpath import element_at
from agents.template.budget import in_time
from agents.template.explore import MOST_PRESSES
from agents.template.forms.filling import answers, filled
from agents.template.forms.slots import Slot, slots, value_for
from agents.template.items.finding import next_page, towards
from agents.template.items.matching import best
from agents.template.moves import LOADING, Move, breathing, fill, made, press
from agents.template.prompt import Criterion, Intent, Target, alike, besides_item, holds_all, target_of
from agents.template.prompt.verbs import is_unrequested
from agents.template.solutions.solution import (
    HOLE,
    ITEM,
    SENDS,
    SUBJECT,
    Control,
    LearnedAction,
    Solution,
    called,
    criteria_for,
    of_role,
    role_of,
)

_PRESSED = BUTTONS | OPTIONS | TICKED | {PICKER}
_FILLED = FIELDS | {PICKER, "switch"}
_SURE, _LIKELY, _FURTHEST, _MOST_ITEMS = 0.7, 0.6, 2, 5  # the least likeness of a control; and of the only similar one on the page
_PART = 0.75  # the likeness of a label that is a part of the known one, or contains it
_SMALL = word_set("the a to my your all")
_DIGITS = re.compile(r"\d+")
# The format of our records: click button "Add" in item "Copper Moon".
_IN_WORDS = re.compile(
    r'(?s)^(?:(?:type|select)(?: "(?:[^"]*)")? in(?:to)? |press Enter in |double-click |hover over |[a-z_]+ )(?P<role>[a-z]+) '
    r'"(?P<label>.*?)"(?: in (?P<part>\w+) "(?P<name>.*)")?$'
)


def by_solution(step: Step, intent: Intent, page: Page, solution: Solution) -> Plan | None:
    """The next actions; None if the solution has none on this page, or the history does not show what was done."""
    past = Past(step.history)
    presses = [entry for entry in past.entries if entry.type in PRESSES]
    is_unknown = past.is_nameless and any(entry.words is None for entry in presses)
    if page.blank or page.is_loading or is_unknown or len(presses) > MOST_PRESSES:
        return None
    return _SolutionRun(intent, page, past, solution).plan()


@dataclass(frozen=True)
class _SolutionRun:
    intent: Intent
    page: Page
    past: Past
    solution: Solution

    @cached_property
    def _filled(self) -> frozenset[str]:
        """The task's fields in the solution's holes."""
        return frozenset(criterion.field for hole in self.solution.holes - {ITEM} for criterion in criteria_for(hole, self.intent))

    @cached_property
    def _target(self) -> Target:
        """The task's item, by the criteria of fields that are not filled."""
        target, by = target_of(self.intent), self.solution.by
        among = target.criteria or self.intent.all_criteria
        chosen_by = (criterion for criterion in among if criterion.field not in self._filled or criterion.name in by)
        return replace(target, criteria=tuple(chosen_by))

    def plan(self) -> Plan | None:
        actions, at = self.solution.actions, self._reached()
        numbered, last = self._sent(at)
        sent = [action for action, _ in numbered] or (list(self._onward(actions[last])) if last < len(actions) else [])
        leading = [action for action, number in numbered if number and actions[number - 1].part < actions[-1].part]
        pressed = [action for action in sent if action.type not in FILLS and "selector" in action.fields]
        elements = ((self.page.element(action.fields["selector"]), action in leading) for action in pressed)
        if any(element is not None and is_unrequested(element, self.intent, leads_on=leads_on) for element, leads_on in elements):
            return None
        if sent:
            planned = self._planned(breathing(sent, after_failure=self.past.last_failed), f"action {at + 1} of {len(actions)}")
            reached = (next((number for sent, number in numbered if sent == action), 0) for action in planned.actions)
            return replace(planned, reached=tuple(reached))
        if last < len(actions):
            return None
        if not self.past.last_waited:
            return self._planned([LOADING], "all is done")
        return replace(self._planned([], "all is done"), done=True)

    def _planned(self, actions: Iterable[Action], where: str) -> Plan:
        solution, steps = self.solution, ", ".join(map(str, self.solution.steps))
        why = f"Learned solution {solution.id}, {where}; from the runs that ended with step {steps}."
        return Plan(tuple(actions), reasoning=f"Template: {why}", confidence=solution.confidence, confidence_why=why, solution=solution.id)

    def _reached(self) -> int:
        """How many of the actions were executed, or skipped by a later one."""
        actions, at, is_filled = self.solution.actions, 0, False
        for entry in self.past.entries:
            if entry.succeeded is False or entry.type in WAITS:
                continue
            if entry.learned[0] == self.solution.id != 0:
                at, is_filled = max(at, entry.learned[1]), entry.type in FILLS
                continue
            ahead = range(at, min(len(actions), at + 1 + _FURTHEST))
            if at < len(actions) and is_filled and entry.type == actions[at].type and actions[at].sends:
                at += 1
            else:
                at = next((number + 1 for number in ahead if self._is_of(entry, actions[number])), at)
            is_filled = entry.type in FILLS
        return at

    def _is_of(self, entry: PastAction, action: LearnedAction) -> bool:
        if (entry.type in FILLS) != (action.type in FILLS) or (action.type not in FILLS and entry.type != action.type):
            return False
        if action.control is None:
            target = entry.fields.get("keys") or path_of(str(entry.fields.get("url", "")))
            return target == action.text
        whole, text = HOLE.fullmatch(action.text), str(entry.fields.get("text", entry.fields.get("value", "")))
        if whole and text and (criteria := criteria_for(whole[1], self.intent)) and holds_all(criteria, text):
            return True
        match = _IN_WORDS.match(entry.words or "")
        if match is None:
            return False
        if action.control.in_item and match["part"] != "item":
            return False
        label, name = match["label"].rstrip("…"), match["name"] or ""
        if chosen := self._criteria(action.control):
            return holds_all(chosen, label)
        role = "password" if action.control.role == "password" else match["role"]
        return self._likeness(action.control, role, label, label, "", name) >= _LIKELY

    def _sent(self, at: int) -> tuple[list[tuple[Action, int]], int]:
        """The actions of the next part that are possible on this page, each with how many are done then, and the number of the first after
        them."""
        sent, actions, part = list[tuple[Action, int]](), self.solution.actions, -1
        while at < len(actions) and (part in (-1, actions[at].part)):
            moves = self._moves(actions[at])
            if moves is None and not sent and (later := self._later(at)) is not None:
                at, moves = later, self._moves(actions[later])
            if moves is None:
                break
            chosen = [self._untried(move) for move in moves if not (move.shown or self._is_done(move))]
            if None in chosen:
                break
            part = actions[at].part if chosen else part
            at += 1
            sent += [(action, at) for action in chosen if action]
        return (self._further_fills(sent) if any(action.type in FILLS for action, _ in sent) else sent), at

    def _untried(self, move: Move) -> Action | None:
        return next((action for action in move.alternatives if not self.past.failed(action)), None)

    def _is_done(self, move: Move) -> bool:
        return not move.fills and any(self.past.times(action) and not self.past.failed(action) for action in move.alternatives)

    def _later(self, at: int) -> int | None:
        """A later action, at most a few further, whose control is here: the actions before were not needed."""
        actions = self.solution.actions
        control = actions[at].control
        is_way = actions[at].type not in FILLS and not (control and control.in_item)
        ahead = range(at + 1, min(len(actions), at + 1 + _FURTHEST)) if is_way and self.past.last_waited else ()
        return next((number for number in ahead if actions[number].control and self._moves(actions[number])), None)

    def _moves(self, action: LearnedAction) -> tuple[Move, ...] | None:
        """None if its control is not here; empty if the task has no value for it."""
        control = action.control
        if control is None:
            make = send_keys if action.type == "SendKeysIWAAction" else navigate
            return (Move((make(action.text),), once=True),)
        if any(hole != ITEM and not criteria_for(hole, self.intent) for hole in control.holes):
            return ()
        records: Iterable[Record | None] = self._items() if control.in_item else (None,)
        for record in records:
            if element := self._element(action, record):
                return self._done_to(element, action, record)
        return None

    def _done_to(self, element: Element, action: LearnedAction, record: Record | None) -> tuple[Move, ...] | None:
        page, name = self.page, record.name if record else ""
        if action.type in FILLS:
            value = self._value(action, element, name)
            return () if value is None else (fill(page, element, value),)
        if action.type == "SubmitAction":
            return (Move(made(submit, page.selectors(element)[:1])),)
        if action.type == "ClickAction":
            return (press(page, element, beside=name),)
        return (Move(made(lambda selector: validate({"type": action.type, "selector": selector}), page.selectors(element))),)

    def _value(self, action: LearnedAction, element: Element, name: str) -> str | None:
        """The value for a field; None if the task has none and the field is not required."""
        whole = HOLE.fullmatch(action.text)
        if whole is None or whole[1] == ITEM:
            return (name or None) if whole else action.text
        criteria = criteria_for(whole[1], self.intent)
        return value_for(Slot(element), criteria, self.page) if criteria or element.required else None

    def _items(self) -> Iterator[Record]:
        """The items of this page that may be the task's, the likeliest first. Those without a value that the task states come after the
        list's further pages."""
        records, own = [record for record in self.page.records if record.elements], self._target.criteria
        ranked = [(record, verdict) for record, verdict in best(own, records) if verdict.met] if own else []
        stated = [record for record, verdict in ranked if verdict.open == verdict.hinted]
        others = () if next_page(self.page, self.past) else (record for record, _ in ranked)
        yield from islice((stated or others) if own else records, _MOST_ITEMS)

    def _element(self, action: LearnedAction, record: Record | None) -> Element | None:
        control = action.control
        assert control is not None
        family = _FILLED if action.type in FILLS or control.role in TEXT_FIELDS else _PRESSED
        among = record.elements if record else self.page.elements
        usable = [element for element in in_time(among) if element.usable and (element.role in family or role_of(element) == control.role)]
        if record is None:  # what several items have is of one of them
            often = Counter((role_of(element), called(element)) for element in usable if element.place in self.page.items)
            usable = [element for element in usable if element.place not in self.page.items or often[role_of(element), called(element)] < 2]
        chosen = self._criteria(control)
        if chosen:
            return next((element for element in usable if element.role == control.role and holds_all(chosen, called(element))), None)
        name = record.name if record else ""
        shown = ((element, *((called(element), "") if element.is_named else ("", element.icon))) for element in usable)
        ranked = ((self._likeness(control, role_of(one), label, icon, path_of(one.href), name), one) for one, label, icon in shown)
        scored = [(merit, -element.place, element) for merit, element in ranked]
        likely = sorted((hit for hit in scored if hit[0] >= _LIKELY), key=lambda hit: hit[:2], reverse=True)
        named = likely[0][2] if likely and (likely[0][0] >= _SURE or len(likely) == 1) else None
        if named and role_of(named) == control.role:
            return named
        other = self._by_field(action, usable) if action.type in FILLS else self._by_form(action, usable)
        return other or self._by_place(control, usable) or named

    def _by_place(self, control: Control, usable: Sequence[Element]) -> Element | None:
        """The control at the runs' place, if its label differs from theirs: a site may word it anew for each visitor."""
        same = of_role(usable, control.role)
        if control.in_item:
            return same[int(control.place)] if control.place.isdecimal() and int(control.place) < len(same) else None
        at = element_at(control.place, self.page) if control.place else None
        return at if at in same else None

    def _criteria(self, control: Control) -> tuple[Criterion, ...]:
        """The criteria of an option that is chosen by its label."""
        whole = HOLE.fullmatch(control.labels[0]) if control.labels else None
        return criteria_for(whole[1], self.intent) if whole and whole[1] not in (ITEM, SUBJECT) else ()

    def _by_form(self, action: LearnedAction, usable: Sequence[Element]) -> Element | None:
        """The only button that sends the form filled before, if its label differs from the runs'."""
        before = [earlier for earlier in self.solution.actions if earlier.part == action.part and earlier.type in FILLS]
        anchor = self._element(before[-1], None) if before and action.sends else None
        sending = [element for element in usable if anchor and element.form == anchor.form and role_of(element) == SENDS]
        return sending[0] if len(sending) == 1 else None

    def _by_field(self, action: LearnedAction, usable: Sequence[Element]) -> Element | None:
        """The field for a criterion by the usual names, if its label differs from the runs'."""
        whole = HOLE.fullmatch(action.text) if action.type in FILLS else None
        criteria = criteria_for(whole[1], self.intent) if whole else ()
        fitting = answers(criteria, slots(usable), self.page) if criteria else ()
        return fitting[0].slot.element if fitting and not fitting[0].slot.choices else None

    def _likeness(self, control: Control, role: str, label: str, icon: str, route: str, name: str) -> float:
        """How well a role, label, icon and route match the control, in an item of that name."""
        # With the task's and the item's values in their holes.
        values = {hole: criteria[0].value for hole in control.holes if (criteria := criteria_for(hole, self.intent))} | {ITEM: name}
        labels = (HOLE.sub(lambda hole: values.get(hole[1], ""), label) for label in control.labels)
        merit = max((_alike(text, label, is_field=role in FIELDS) for text in labels), default=0.0)
        if ITEM in control.holes and name and words(label) and set(words(label)) <= set(words(name)):
            merit = 0.95
        if (control.route and route == control.route) or (not control.labels and icon == control.icon):
            merit = max(merit, 0.9)
        is_other = "password" in (role, control.role) and role != control.role
        return 0.0 if is_other else merit - 0.05 * (role != control.role)

    def _further_fills(self, sent: list[tuple[Action, int]]) -> list[tuple[Action, int]]:
        """With fills for the task's further values, which the runs did not have, before the press that sends them."""
        left = [criterion for criterion in besides_item(self.intent) if criterion.field not in self._filled]
        left = [criterion for criterion in left if criterion.name not in self.solution.by]
        known = {str(action.fields.get("selector")) for action, _ in sent}
        moves = filled(self.page, answers(left, slots(self.page.elements), self.page)) if left else ()
        best_of = [move.alternatives[0] for move in moves if move.alternatives and not move.shown]
        more = [(action, 0) for action in best_of if str(action.fields.get("selector")) not in known and not self.past.did(action)]
        first = next((number for number, (action, _) in enumerate(sent) if action.type not in FILLS), len(sent))
        return [*sent[:first], *more, *sent[first:]]

    def _onward(self, action: LearnedAction) -> tuple[Action, ...]:
        """The actions to a control that is not here: wait for the page, or go to another page of the item's list."""
        if not self.past.last_waited:
            return (LOADING,)
        is_in_item = action.control is not None and action.control.in_item
        fits = is_in_item and any(verdict.met for _, verdict in best(self._target.criteria, self.page.records))
        further = next_page(self.page, self.past) if fits else ()
        moves = further or (towards(self._target, self.page, self.past) if is_in_item else ())
        return tuple(chosen for move in moves if not move.shown and (chosen := self._untried(move)))


def _alike(name: str, label: str, *, is_field: bool) -> float:
    if not words(name) or not words(label):
        return 1.0 if name.strip() == label.strip() and name.strip() else 0.0
    plain, own_label = _DIGITS.sub(" ", name).strip() or name, _DIGITS.sub(" ", label).strip() or label
    mine, own = words(plain), words(own_label)
    if mine == own:
        return 1.0
    at = -1 if is_field else 0  # "Pay now" has the verb of "Pay", "Your name" the noun of "Name"
    if mine[at] not in own or mine[at] in _SMALL:
        merit = 0.0
    elif set(mine) <= set(own) or set(own) <= set(mine):
        merit = _PART
    else:
        merit = _LIKELY + 0.05 if mine[at] == own[at] else 0.0
    return max(merit, 0.95 * max(alike(plain, own_label), likeness(plain, own_label)))
