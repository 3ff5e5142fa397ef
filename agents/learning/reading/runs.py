"""From a run that did its task to a solution: controls by what they are called, the item by the criteria, values by field."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.contract.action_history import WAITS, sign
from agents.contract.origins import path_of
from agents.page import Element, Page, Record
from agents.page.elements import OPTIONS, TICKED
from agents.page.matching import words
from agents.template.forms.filling import answers
from agents.template.forms.slots import Slot
from agents.template.items.matching import judge
from agents.template.prompt import Criterion, Intent, Kind, Trait, holds, meets, target_of
from agents.template.prompt.intents import understand
from agents.template.prompt.operators import POSITIVE
from agents.template.prompt.verbs import is_unasked
from agents.template.solutions import solution as kept

_ON_CONTROLS = frozenset({"ClickAction", "DoubleClickAction", "HoverAction", "SubmitAction"})
_FILLS = {"TypeAction": "text", "SelectDropDownOptionAction": "text", "SelectAction": "value"}
_KEYS = frozenset({"Enter", "Escape", "Tab", "ArrowDown", "ArrowUp", "Space"})
# What only closes what a site shows over its pages: the template agent closes that anyway, where it is shown.
_CLOSES = frozenset({("close",), ("dismiss",), ("got", "it"), ("no", "thank"), ("not", "now"), ("skip",), ("x",)})
_PLACEHOLDER = re.compile(r"<[a-z_]{2,40}>")
_SHORTEST = 2


class NotGeneral(ValueError):
    """The run holds something that is not known to be the same for another task of its kind. The text says what."""


@dataclass(frozen=True, slots=True)
class RunStep:
    """A step of a run: the page as it came, and what was executed on it, as one-shot lists have it."""

    page: Page
    actions: Sequence[Mapping[str, Any]]


def learned(prompt: str, run: Sequence[RunStep], step_id: int = 0) -> kept.Solution:
    """The run's solution. `step_id`: of the step that ended it. Raises NotGeneral."""
    intent = understand(prompt)
    if intent.kind is Kind.QUESTION:
        raise NotGeneral("A question is answered from its page.")
    signs = [sign(str(one["type"]), one) for step in run for one in step.actions if one["type"] not in WAITS]
    texts = [one.get("text") for step in run for one in step.actions if one["type"] not in WAITS]
    if len(set(zip(signs, texts, strict=True))) < len(signs):
        raise NotGeneral("The run repeats an action.")
    writer = _Writer(intent, prompt, [step.page for step in run])
    actions = [made for part, step in enumerate(run) for one in step.actions if (made := writer.action(step.page, part, one))]
    if not 0 < len(actions) <= kept.MOST_ACTIONS:
        raise NotGeneral(f"It has {len(actions)} actions.")
    return kept.Solution(kept.sign_of(intent), tuple(actions), tuple(dict.fromkeys(writer.by)), (step_id,) if step_id else ())


class _Writer:
    def __init__(self, intent: Intent, prompt: str, pages: Sequence[Page]) -> None:
        self.intent, self.said = intent, prompt.lower()
        self.by = list[str]()
        self._names = {record.name.lower() for page in pages for record in page.records} - {""}
        target = target_of(intent).criteria
        # A task may be about an item even if its kind has none.
        self._of_item = target if target or intent.kind.has(Trait.OF_ITEM) else kept.criteria_of(intent)

    def action(self, page: Page, part: int, raw: Mapping[str, Any]) -> kept.LearnedAction | None:
        """None for what is no part of a solution: waits, and what opens the task's own page."""
        kind = str(raw["type"])
        if kind in WAITS:
            return None
        if kind == "NavigateAction":
            return self._opening(part, raw)
        if kind == "SendKeysIWAAction" and raw.get("keys") in _KEYS:
            return kept.LearnedAction(kind, part, text=str(raw["keys"]))
        element = page.element(raw["selector"]) if kind in _ON_CONTROLS | _FILLS.keys() and raw.get("selector") else None
        if element is None:
            raise NotGeneral(f"What {kind} is done to was not found on its page.")
        return self._on(element, page, part, raw)

    def _on(self, element: Element, page: Page, part: int, raw: Mapping[str, Any]) -> kept.LearnedAction | None:
        kind = str(raw["type"])
        if kind in _FILLS:
            return kept.LearnedAction(kind, part, self._control(element, page, ()), self._value(str(raw[_FILLS[kind]]), element, page))
        if is_unasked(element, self.intent):
            raise NotGeneral("It presses what the task does not ask for.")
        if element.layer and words(element.label) in _CLOSES:
            return None
        return kept.LearnedAction(kind, part, self._control(element, page, self._chosen(element)))

    def _opening(self, part: int, raw: Mapping[str, Any]) -> kept.LearnedAction | None:
        path = path_of(str(raw.get("url", "")))
        if path in ("", "/") and not part and "go_back" not in raw:
            return None
        if "go_back" in raw or "go_forward" in raw or any(map(str.isdigit, path)):
            raise NotGeneral("It opens an address that may be of this task alone.")
        return kept.LearnedAction("NavigateAction", part, text=path)

    def _control(self, element: Element, page: Page, chosen: Sequence[Criterion]) -> kept.Control:
        record = self._record(element, page)
        label = kept.called(element)
        hole = f"{{{_hole(chosen[0].field)}}}" if chosen else self._general(label, record.name if record else "")
        labels = (hole[: kept.LONGEST_LABEL],) if hole and (element.is_named or chosen) else ()
        if not labels and not element.icon:
            raise NotGeneral("A control has no name.")
        path = path_of(element.href)
        route = "" if record or path in ("", "/") or any(map(str.isdigit, path)) else path
        return kept.Control(kept.role_of(element), labels, element.icon, route, in_item=record is not None)

    def _record(self, element: Element, page: Page) -> Record | None:
        """The item of a list that a control belongs to, where that is the one that is meant; None for what is no part of an item."""
        record = page.items.get(element.place)
        if record is None or (len(page.records) < 2 and page.subject is not None):
            return None
        results = judge(self._of_item, record).results
        met = [_hole(one.field) for one, result in zip(self._of_item, results, strict=True) if result]
        if met and False not in results:
            self.by += met
            return record
        label = kept.called(element)
        if not self._of_item and record is page.records[0]:
            return record
        alone = [one for one in page.elements if one.usable and kept.called(one) == label]
        if len(alone) > 1 or (set(words(label)) & set(words(record.name)) and label.lower() not in self.said):
            raise NotGeneral("The item does not show why it was chosen.")
        return None

    def _chosen(self, element: Element) -> tuple[Criterion, ...]:
        """The criteria that an option of a list was chosen for where it is not called as one of them says."""
        label = kept.called(element)
        if element.role not in OPTIONS | TICKED - {"checkbox", "switch"} or self._general(label, "") != label:
            return ()
        fields = {one.field for one in kept.criteria_of(self.intent) if one.operator not in POSITIVE and holds(one, label)}
        return tuple(one for one in kept.criteria_of(self.intent) if one.field in fields) if len(fields) == 1 else ()

    def _value(self, text: str, element: Element, page: Page) -> str:
        if _PLACEHOLDER.search(text) and text.lower() in self.said:
            return text
        known = kept.criteria_of(self.intent)
        stated = (one for one in known if one.operator in POSITIVE)
        if equal := next((one for one in stated if _folded(text) in map(_folded, one.values)), None):
            return f"{{{_hole(equal.field)}}}"
        if text.strip() and _folded(text) == _folded(self.intent.subject):
            return f"{{{kept.SUBJECT}}}"
        for answer in answers(known, [Slot(element)], page):
            if all(holds(one, text) or meets(one, text) for one in answer.criteria):
                return f"{{{_hole(answer.criteria[0].field)}}}"
        is_said = len(text) > _SHORTEST and text.lower() in self.said
        if is_said or text.lower() in self._names or "{" in text or len(text) > kept.LONGEST_TEXT:
            raise NotGeneral("A text may be about this task alone.")
        return text

    def _general(self, label: str, name: str) -> str:
        """A label with holes where it says something of the task or the item's name."""
        if name and words(label) and (set(words(label)) <= set(words(name)) or label.lower().startswith(name.lower())):
            return f"{{{kept.ITEM}}}"
        for hole, value in self._values(name):
            label = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", f"{{{hole}}}", label, flags=re.I)
        return label

    def _values(self, name: str) -> Iterator[tuple[str, str]]:
        if name:
            yield kept.ITEM, name
        stated = [(_hole(one.field), value) for one in kept.criteria_of(self.intent) if one.operator in POSITIVE for value in one.values]
        subject = [(kept.SUBJECT, self.intent.subject)] if self.intent.is_quoted else []
        yield from sorted((pair for pair in (*stated, *subject) if len(pair[1]) >= _SHORTEST), key=lambda pair: -len(pair[1]))


def _hole(field: str) -> str:
    return " ".join(words(field))


def _folded(text: str) -> str:
    return text.strip().lower()
