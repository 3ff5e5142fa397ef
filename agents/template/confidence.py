"""The confidence of a plan and its reason: by how much of the prompt is understood, by the page, and by the history."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod

from agents.contract.action_history import PRESSES, WAITS, Past
from agents.contract.actions import FILLS
from agents.contract.protocol import Form, Plan, Step
from agents.page import Element, Page, likeness, words
from agents.template.forms.filling import answers
from agents.template.forms.forms import passwords
from agents.template.forms.slots import slots
from agents.template.items.matching import judge
from agents.template.moves import GUESS, NO_PAGE, NOTHING_LEFT
from agents.template.prompt import Criterion, Intent, Kind, Trait, besides_item, holds, target_of, without_exclusions
from agents.template.prompt.masking import mask
from agents.template.recipes import BEST_GUESS, recipe_for
from agents.template.recipes.recipe import quoted_in

SURE = "The task is understood, and the page shows what it needs."
MANY_PRESSES = 8  # a task has at most 12 steps: after so many presses it is probably lost
Doubt = tuple[float, str]  # a reason against a plan: the factor of the confidence, from 0 to 1, and the reason as a sentence


def rated(plan: Plan, step: Step, intent: Intent, page: Page | None) -> Plan:
    """The plan with its confidence, the product of all doubts' factors, and the strongest doubts as the reason."""
    doubts = [*_of_words(step.prompt, intent), *_of_page(plan, step, page)]
    if page and not page.blank and step.form is Form.STEP:
        doubts += [*_of_fills(plan, intent, page, Past(step.history)), *_of_press(plan, intent, page), *_of_repetition(plan, step, page)]
    doubts += _of_history(Past(step.history))
    strongest = sorted(doubts, key=lambda doubt: doubt[0])[:2]
    confidence = round(prod((left for left, _ in doubts), start=1.0), 2)
    return replace(plan, confidence=confidence, confidence_why=" ".join(why for _, why in strongest) or SURE)


def is_guessed(plan: Plan) -> bool:
    return plan.reasoning == NOTHING_LEFT or plan.reasoning.startswith(GUESS)


def is_certain(plan: Plan, intent: Intent, page: Page, past: Past) -> bool:
    """Whether a rule made the plan, and all values of the task are filled in by it or were before."""
    # A log-in form takes only some of the task's values.
    return not is_guessed(plan) and (bool(passwords(page)) or not any(_of_fills(plan, intent, page, past)))


def _of_words(prompt: str, intent: Intent) -> Iterator[Doubt]:
    if any(stage.kind is Kind.OTHER for stage in intent.stages):
        yield 0.35, "The kind of task is not known."
    elif any(recipe_for(stage) is BEST_GUESS for stage in intent.stages):
        yield 0.75, f"There is no recipe for this kind of task ({intent.kind})."
    used = {value for criterion in intent.all_criteria for value in criterion.values} | {stage.subject for stage in intent.stages}
    unused = [value for value in mask(prompt).quoted if value not in used]
    if unused:
        yield 0.6, f"The purpose of “{unused[0][:40]}” is not understood."


def _of_page(plan: Plan, step: Step, page: Page | None) -> Iterator[Doubt]:
    if plan.done:
        is_given_up = plan.reasoning in {NOTHING_LEFT, NO_PAGE}
        yield (0.1, "Nothing is left to try on this page.") if is_given_up else (0.9, "The page shows the task as done.")
    elif page is None or page.blank:
        yield (0.6, "The page is unknown.") if step.form is Form.ONE_SHOT else (0.3, "No page was sent.")
    elif all(action.type in WAITS for action in plan.actions):
        yield 0.2, "Nothing on the page matches the task."


def _of_fills(plan: Plan, intent: Intent, page: Page, past: Past) -> Iterator[Doubt]:
    filled = _targets(plan, FILLS, page)
    offered = slots(page.elements) if filled else []
    for stage in (intent.login, besides_item(intent) or intent.criteria, *(later.criteria for later in intent.then)):
        given = answers(stage, offered, page)
        covered = {criterion for answer in given for criterion in answer.criteria}
        left = (criterion for criterion in stage if criterion not in covered and not criterion.operator.negative)
        missing = [criterion.field for criterion in left if not (_is_counted(criterion, page) or _was_set(criterion, past))]
        if missing and any(answer.slot.element in filled for answer in given):
            yield 0.5 + 0.4 * (1 - len(missing) / len(stage)), f"The form has no field for {missing[0]}."


def _was_set(criterion: Criterion, past: Past) -> bool:
    """Whether it was typed or pressed before, by our records: a choice in a dialog, before the order's form."""
    set_ = [quoted_in(entry) for entry in past.entries if entry.type in PRESSES | FILLS and entry.succeeded is not False]
    return any(holds(criterion, text) for text in set_)


def _is_counted(criterion: Criterion, page: Page) -> bool:
    """Whether the number between two buttons for it meets it already."""
    counters = (button for button in page.usable({"button"}) if button.group.isdecimal() and holds(criterion, button.group))
    return any(set(words(criterion.field)) & set(words(button.label)) for button in counters)


def _of_press(plan: Plan, intent: Intent, page: Page) -> Iterator[Doubt]:
    types = {action.type for action in plan.actions}
    if not types & PRESSES or types & FILLS or intent.logs_in or intent.kind.has(Trait.ACCOUNT) or intent.kind is Kind.SEARCH:
        return
    element = next(iter(_targets(plan, PRESSES, page)), None)
    record = next((record for record in page.records if element in record.elements), None) if element else None
    criteria = target_of(intent).criteria
    if record and criteria:
        verdict = judge(criteria, record)
        if not verdict.fits:
            yield 0.4, "The item does not meet the criteria, as far as it is shown."
        elif not verdict.certain:
            yield 0.5, "The page does not show whether the item meets all criteria."
        return
    values = [value for criterion in without_exclusions(intent.criteria) for value in criterion.values] or [intent.subject or intent.text]
    card = set(words(page.card(element))) if element else set[str]()
    if element is None or not all(likeness(value, element.label) >= 0.6 or set(words(value)) <= card for value in values):
        yield 0.7, "The pressed control's label is not in the task."


def _of_repetition(plan: Plan, step: Step, page: Page) -> Iterator[Doubt]:
    pressed = [_way(entry.fields.get("selector")) for entry in step.history if entry.type in PRESSES]
    targets = _targets(plan, PRESSES, page) if pressed else []
    if any(_way(selector) in pressed for element in targets for selector in page.selectors(element)):
        yield 0.5, "The same control was pressed before."


def _way(selector: object) -> tuple[object, ...]:
    return tuple(selector.get(key) for key in ("type", "attribute", "value")) if isinstance(selector, Mapping) else ()


def _of_history(past: Past) -> Iterator[Doubt]:
    if past.last_failed:
        yield 0.7, "The last action failed."
    elif any(entry.succeeded is False for entry in past.entries):
        yield 0.85, "An action failed before."
    if sum(entry.type in PRESSES for entry in past.entries) >= MANY_PRESSES:
        yield 0.3, "Many presses have not completed the task."


def _targets(plan: Plan, types: frozenset[str], page: Page) -> list[Element]:
    selectors = (action.fields.get("selector") for action in plan.actions if action.type in types)
    return [element for selector in selectors if selector and (element := page.element(selector))]
