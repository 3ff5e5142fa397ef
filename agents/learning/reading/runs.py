"""Makes a solution of a run that completed its task: controls by name, the item by criteria, values by field."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.contract.action_history import WAITS, sign
from agents.contract.origins import path_of
from agents.page import Element, Page, Record
from agents.page.elements import OPTIONS, TICKED
from agents.page.matching import words
from agents.template.blind_xpath import picked
from agents.template.forms.filling import answers
from agents.template.forms.slots import Slot
from agents.template.items.matching import judge
from agents.template.prompt import Criterion, Intent, Kind, holds, meets, target_of
from agents.template.prompt.intents import understand
from agents.template.prompt.operators import POSITIVE
from agents.template.prompt.verbs import is_unrequested
from agents.template.sites.site_map import place_of
from agents.template.solutions import solution as kept

_ON_CONTROLS = frozenset({"ClickAction", "DoubleClickAction", "HoverAction", "SubmitAction"})
_FILLS = {"TypeAction": "text", "SelectDropDownOptionAction": "text", "SelectAction": "value"}
_KEYS = frozenset({"Enter", "Escape", "Tab", "ArrowDown", "ArrowUp", "Space"})
# Labels of controls that only close an overlay, which the template agent closes anyway.
_CLOSES = frozenset({("close",), ("dismiss",), ("got", "it"), ("no", "thank"), ("not", "now"), ("skip",), ("x",)})
_PLACEHOLDER = re.compile(r"<[a-z_]{2,40}>")
_SHORTEST = 2


class NotGeneral(ValueError):
    """A part of the run may not apply to other tasks of its kind. The message names it."""


@dataclass(frozen=True, slots=True)
class RunStep:
    """A step of a run: the page as received, and the executed actions, in the form of one-shot lists."""

    page: Page
    actions: Sequence[Mapping[str, Any]]


def learned(prompt: str, run: Sequence[RunStep], step_id: int = 0) -> kept.Solution:
    """The run's solution. `step_id`: of the step that ended it. Raises NotGeneral."""
    intent = understand(prompt)
    if intent.kind is Kind.QUESTION:
        raise NotGeneral("A question is answered from its page.")
    typed = [str(raw[_FILLS[raw["type"]]]) for step in run for raw in step.actions if raw["type"] in _FILLS]
    writer = _Writer(intent, prompt, [step.page for step in run], typed)
    done = [(step.page, part, raw) for part, step in enumerate(run) for raw in step.actions if raw["type"] not in WAITS]
    executed = [(page, part, raw) for page, part, raw in done if raw is done[-1][2] or not writer.is_to_next_page(page, raw)]
    signs = {(sign(str(action["type"]), action), action.get("text")) for *_, action in executed}
    if len(signs) < len(executed):
        raise NotGeneral("The run repeats an action.")
    actions = [made for page, part, raw in executed if (made := writer.action(page, part, raw))]
    if not 0 < len(actions) <= kept.MOST_ACTIONS:
        raise NotGeneral(f"It has {len(actions)} actions.")
    # A value that must differ from what is typed is of the form.
    filled = writer.excluding & {hole for action in actions for hole in kept.HOLE.findall(action.text)}
    by = tuple(name for name in dict.fromkeys(writer.by) if name not in filled)
    return kept.Solution(kept.sign_of(intent), tuple(actions), by, (step_id,) if step_id else ())


class _Writer:
    def __init__(self, intent: Intent, prompt: str, pages: Sequence[Page], typed: Sequence[str]) -> None:
        self.intent, self.prompt_text = intent, prompt.lower()
        self.by, self._items = list[str](), frozenset[str]()
        self.excluding = set[str]()
        self._paths = [path_of(page.url) for page in pages]
        self._names = {record.name.lower() for page in pages for record in page.records} - {""}
        among = target_of(intent).criteria or intent.all_criteria
        filled = {one for one in among if one.operator in POSITIVE and any(holds(one, text) for text in typed)}
        self._of_item = tuple(criterion for criterion in among if criterion not in filled)

    def is_to_next_page(self, page: Page, raw: Mapping[str, Any]) -> bool:
        """Whether an action leads to another page of a list with the task's item, which each task has on a page of its own."""
        pages = page.pagination
        element = picked(raw["selector"], page) if self._of_item and raw.get("selector") else None
        return element is not None and element in (pages.next, pages.previous, *pages.numbered.values())

    def action(self, page: Page, part: int, raw: Mapping[str, Any]) -> kept.LearnedAction | None:
        """None for actions that are no part of a solution, such as opening the task's own page."""
        kind = str(raw["type"])
        if kind == "NavigateAction":
            return self._opening(part, raw)
        if kind == "SendKeysIWAAction" and raw.get("keys") in _KEYS:
            return kept.LearnedAction(kind, part, text=str(raw["keys"]))
        element = picked(raw["selector"], page) if kind in _ON_CONTROLS | _FILLS.keys() and raw.get("selector") else None
        if element is None:
            raise NotGeneral(f"The element of a {kind} is not on its page.")
        return self._on(element, page, part, raw)

    def _on(self, element: Element, page: Page, part: int, raw: Mapping[str, Any]) -> kept.LearnedAction | None:
        kind = str(raw["type"])
        if kind in _FILLS:
            return kept.LearnedAction(kind, part, self._control(element, page, ()), self._value(str(raw[_FILLS[kind]]), element, page))
        after = self._paths[part + 1 :]
        if is_unrequested(element, self.intent, leads_on=bool(after) and after[0] != self._paths[part]):
            raise NotGeneral("It presses a control that the task does not request.")
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
        place = "" if chosen or "{" in "".join(labels) else place_of(page, element)
        if record and place:
            place = str(kept.of_role(record.elements, kept.role_of(element)).index(element))
        return kept.Control(kept.role_of(element), labels, element.icon, route, in_item=record is not None, place=place)

    def _record(self, element: Element, page: Page) -> Record | None:
        """The item of a list that a control belongs to, if it is the task's; None for a control outside of items."""
        record = page.items.get(element.place)
        if record is None or (len(page.records) < 2 and page.subject is not None):
            return None
        label = kept.called(element)
        same = [other for other in page.elements if other.usable and kept.called(other) == label]
        if record.name in self._items:
            return record
        if (reasons := self._reasons(record, is_first=record is page.records[0], is_repeated=len(same) > 1)) is not None:
            self.by += reasons
            self._items |= {record.name} - {""}
            return record
        if len(same) > 1 or (set(words(label)) & set(words(record.name)) and label.lower() not in self.prompt_text):
            raise NotGeneral("The item does not show why it was chosen.")
        return None

    def _reasons(self, record: Record, *, is_first: bool, is_repeated: bool) -> list[str] | None:
        """The criteria that the item was chosen by, empty where any item may be; None if they do not show. `is_repeated`: other items have
        the control, too."""
        verdict = judge(self._of_item, record)
        if not verdict.fits:
            return None
        shown = [_hole(criterion.field) for criterion, result in zip(self._of_item, verdict.results, strict=True) if result]
        # A criterion that excludes values may be about one that no item shows.
        excluding = [_hole(criterion.field) for criterion in self._of_item if criterion.operator.negative][: verdict.met]
        self.excluding |= set(excluding)
        is_any = not self._of_item and (is_first or (is_repeated and record.name.lower() not in self.prompt_text))
        return shown or (excluding if is_repeated else []) or ([] if is_any else None)

    def _chosen(self, element: Element) -> tuple[Criterion, ...]:
        """The criteria that an option of a list was chosen for, where its label is not a value of theirs."""
        label = kept.called(element)
        if element.role not in OPTIONS | TICKED - {"checkbox", "switch"} or self._general(label, "") != label:
            return ()
        criteria = self.intent.all_criteria
        fields = {criterion.field for criterion in criteria if criterion.operator not in POSITIVE and holds(criterion, label)}
        return tuple(criterion for criterion in criteria if criterion.field in fields) if len(fields) == 1 else ()

    def _value(self, text: str, element: Element, page: Page) -> str:
        if _PLACEHOLDER.search(text) and text.lower() in self.prompt_text:
            return text
        criteria = self.intent.all_criteria
        stated = (criterion for criterion in criteria if criterion.operator in POSITIVE)
        if equal := next((criterion for criterion in stated if _folded(text) in map(_folded, criterion.values)), None):
            return f"{{{_hole(equal.field)}}}"
        if text.strip() and _folded(text) == _folded(self.intent.subject):
            return f"{{{kept.SUBJECT}}}"
        for answer in answers(criteria, [Slot(element)], page):
            if all(holds(criterion, text) or meets(criterion, text) for criterion in answer.criteria):
                return f"{{{_hole(answer.criteria[0].field)}}}"
        is_of_prompt = len(text) > _SHORTEST and text.lower() in self.prompt_text
        if is_of_prompt or text.lower() in self._names or "{" in text or len(text) > kept.LONGEST_TEXT:
            raise NotGeneral("A text may be about this task alone.")
        return text

    def _general(self, label: str, name: str) -> str:
        """A label with holes in the place of the task's values and the item's name."""
        if name and words(label) and (set(words(label)) <= set(words(name)) or label.lower().startswith(name.lower())):
            return f"{{{kept.ITEM}}}"
        for hole, value in self._values(name):
            label = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", f"{{{hole}}}", label, flags=re.I)
        return label

    def _values(self, name: str) -> Iterator[tuple[str, str]]:
        if name:
            yield kept.ITEM, name
        positive = (criterion for criterion in self.intent.all_criteria if criterion.operator in POSITIVE)
        stated = [(_hole(criterion.field), value) for criterion in positive for value in criterion.values]
        subject = [(kept.SUBJECT, self.intent.subject)] if self.intent.is_quoted else []
        yield from sorted((pair for pair in (*stated, *subject) if len(pair[1]) >= _SHORTEST), key=lambda pair: -len(pair[1]))


def _hole(field: str) -> str:
    return " ".join(words(field))


def _folded(text: str) -> str:
    return text.strip().lower()
