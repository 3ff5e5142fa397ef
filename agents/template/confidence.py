"""How sure the template agent is of a plan, and why: by what it understood, what the page shows, and how the history went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from agents.actions import Action
from agents.page import Element, Page
from agents.page.elements import FIELDS
from agents.page.matching import likeness, words
from agents.protocol import Form, Plan, Step
from agents.template.criteria import Criterion
from agents.template.fields import field_for
from agents.template.intents import Intent, Kind
from agents.template.judging import Verdict, judge
from agents.template.masking import mask
from agents.template.moves import FILLS, GIVEN_UP
from agents.template.past import PRESSES, WAITS, Past
from agents.template.quest import quest_of
from agents.template.recipes import best_guess, recipe_for

SURE = "The task is understood, and the page shows what it needs."
# A task has at most 12 steps: who has pressed so often is lost, or nearly done.
MANY_PRESSES = 8
_TOLD = 2
# Their recipes know what they press by many names; a prompt's own words are another matter.
_BY_NAME = frozenset({Kind.LOGIN, Kind.LOGOUT, Kind.REGISTER, Kind.SEARCH})
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Doubt:
    """What speaks against a plan: how much of the confidence is left, from 0 to 1, and why, as a sentence."""

    left: float
    why: str


def rated(plan: Plan, step: Step, intent: Intent, page: Page | None) -> Plan:
    """The plan with its confidence: 1 less what each doubt takes away, and the strongest doubts as the reason.

    `page` is the step's page as read, None where none came along.
    """
    doubts = [*_of_words(step.prompt, intent), *_of_page(plan, step, page)]
    if page and not page.blank and step.form is Form.STEP:
        doubts += [*_of_fills(plan, intent, page), *_of_press(plan, intent, page), *_of_repetition(plan, step, page)]
    doubts += _of_history(Past(step.history))
    told = sorted(doubts, key=lambda doubt: doubt.left)[:_TOLD]
    confidence = round(prod((doubt.left for doubt in doubts), start=1.0), 2)
    return replace(plan, confidence=confidence, confidence_why=" ".join(one.why for one in told) or SURE)


def _of_words(prompt: str, intent: Intent) -> Iterator[Doubt]:
    stages = (intent, *intent.then)
    if any(stage.kind is Kind.OTHER for stage in stages):
        yield Doubt(0.35, "The kind of task is not known.")
    elif any(recipe_for(stage) is best_guess for stage in stages):
        yield Doubt(0.75, f"There is no recipe for this kind of task ({intent.kind}).")
    heeded = {value for one in _all_criteria(intent) for value in one.values} | {stage.subject for stage in stages}
    unheeded = [value for value in mask(prompt).quoted if value not in heeded]
    if unheeded:
        yield Doubt(0.6, f"What “{unheeded[0][:40]}” is for is not understood.")


def _all_criteria(intent: Intent) -> tuple[Criterion, ...]:
    return (*intent.login, *intent.criteria, *(one for later in intent.then for one in later.criteria))


def _of_page(plan: Plan, step: Step, page: Page | None) -> Iterator[Doubt]:
    if plan.done:
        yield _of_end(plan)
    elif page is None or page.blank:
        yield Doubt(0.6, "Nobody has seen the page.") if step.form is Form.ONE_SHOT else Doubt(0.3, "No page came along.")
    elif all(action.type in WAITS for action in plan.actions):
        yield Doubt(0.2, "Nothing on the page answers to the task.")


def _of_end(plan: Plan) -> Doubt:
    if plan.reasoning in GIVEN_UP:
        return Doubt(0.1, "Nothing is left to try on this page.")
    return Doubt(0.9, "The page looks as if the task were done.")


def _of_fills(plan: Plan, intent: Intent, page: Page) -> Iterator[Doubt]:
    """A form that is filled for some criteria should have a field for each of its task's."""
    filled = [element for action in _of_types(plan, FILLS) if (element := _target(page, action))]
    fields = page.usable(FIELDS)
    for stage in (intent.login, intent.criteria, *(later.criteria for later in intent.then)):
        known = [field_for(one, fields) for one in stage]
        missing = [one.field for one, field in zip(stage, known, strict=True) if field is None]
        if missing and any(field in filled for field in known):
            yield Doubt(0.5 + 0.4 * (1 - len(missing) / len(stage)), f"The form has no field for {missing[0]}.")


def _of_press(plan: Plan, intent: Intent, page: Page) -> Iterator[Doubt]:
    """What is pressed by itself should be called as the prompt calls it, or stand beside words that do."""
    pressed = _of_types(plan, PRESSES)
    if not pressed or _of_types(plan, FILLS) or intent.logs_in or intent.kind in _BY_NAME:
        return
    element = _target(page, pressed[0])
    record = next((one for one in page.records if element in one.elements), None) if element else None
    criteria = quest_of(intent).criteria
    if record and criteria:
        yield from _of_item(judge(criteria, record))
        return
    wanted = [value for one in intent.criteria if not one.operator.negative for value in one.values] or [intent.subject or intent.words]
    if element is None or not _says(element, page, wanted):
        yield Doubt(0.7, "What is pressed is not called as the task calls it.")


def _of_item(verdict: Verdict) -> Iterator[Doubt]:
    if not verdict.fits:
        yield Doubt(0.4, "What is shown of the item does not meet the criteria.")
    elif not verdict.certain:
        yield Doubt(0.5, "What is shown of the item does not tell whether it meets all criteria.")


def _says(element: Element, page: Page, wanted: Sequence[str]) -> bool:
    card = set(words(page.card(element)))
    return all(likeness(one, element.label) >= _ALIKE or set(words(one)) <= card for one in wanted)


def _of_repetition(plan: Plan, step: Step, page: Page) -> Iterator[Doubt]:
    """Pressing one thing again, by whatever selector, has led nowhere before."""
    pressed = [_way(entry.fields.get("selector")) for entry in step.history if entry.type in PRESSES]
    targets = [element for action in _of_types(plan, PRESSES) if (element := _target(page, action))] if pressed else []
    if any(_way(selector) in pressed for element in targets for selector in page.selectors(element)):
        yield Doubt(0.5, "The same was pressed before.")


def _way(selector: object) -> tuple[object, ...]:
    return tuple(selector.get(key) for key in ("type", "attribute", "value")) if isinstance(selector, Mapping) else ()


def _of_history(past: Past) -> Iterator[Doubt]:
    if past.last_failed:
        yield Doubt(0.7, "The last action failed.")
    elif any(entry.succeeded is False for entry in past.entries):
        yield Doubt(0.85, "An action failed before.")
    if sum(entry.type in PRESSES for entry in past.entries) >= MANY_PRESSES:
        yield Doubt(0.3, "Many actions have not ended the task.")


def _of_types(plan: Plan, types: frozenset[str]) -> list[Action]:
    return [action for action in plan.actions if action.type in types]


def _target(page: Page, action: Action) -> Element | None:
    selector = action.fields.get("selector")
    return page.element(selector) if selector else None
