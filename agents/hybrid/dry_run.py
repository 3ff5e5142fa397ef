"""The template agent's plan for a task, with its reasons, for authors of recipes. Nothing is written, sent or queued."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from agents.configuration.known_sites import known_sites
from agents.contract.protocol import Form, parse, render
from agents.contract.selectors import in_words
from agents.page import Element, Page, read
from agents.page.elements import BUTTONS, FIELDS, score
from agents.template import plan
from agents.template.forms.filling import answers
from agents.template.forms.slots import slots
from agents.template.items.finding import fitting
from agents.template.prompt import Intent, Operator, target_of
from agents.template.prompt.intents import understand
from agents.template.recipes import recipe_for
from agents.template.sites.site_plans import by_facts

_ENDPOINTS = {Form.ONE_SHOT: "/solve_task", Form.STEP: "/step"}
# Below this a control has no word in common with the prompt.
_LEAST = 0.15
_OPERATORS = {
    Operator.NOT_EQUALS: "does not equal",
    Operator.NOT_CONTAINS: "does not contain",
    Operator.GREATER: "is greater than",
    Operator.LESS: "is less than",
    Operator.GREATER_EQUAL: "is at least",
    Operator.LESS_EQUAL: "is at most",
    Operator.NOT_ONE_OF: "is none of",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """Lines of text; `answer`: the JSON that would be sent."""

    understanding: list[str]
    candidates: list[str]
    plan: list[str]
    actions: list[str]
    answer: str


def trial(prompt: str, url: str, *, page: str = "", project: str = "", form: Form = Form.STEP) -> Trial:
    """Plans the task as the first step of a caller. Raises BadRequest where the request is invalid."""
    request = {"id": "try", "task_id": "try", "prompt": prompt, "url": url, "html": page, "web_project_id": project}
    step = parse(_ENDPOINTS[form], json.dumps(request).encode())
    intent = understand(step.prompt)
    seen = read(step.page, step.url) if step.page else None
    made = plan(step, seen, by_facts(known_sites()))
    return Trial(
        understanding=list(understanding(intent)),
        candidates=list(candidates(intent, seen)),
        plan=[f"{made.reasoning}{' Done.' if made.done else ''}", f"Confidence {made.confidence:.2f}: {made.confidence_why}"],
        actions=[action.in_words() for action in made.actions],
        answer=json.dumps(render(step, made, agent_id="template"), ensure_ascii=False, indent=2),
    )


def understanding(intent: Intent) -> Iterator[str]:
    sentence = intent.kind.row.sentence
    yield f"{sentence}: “{intent.subject}”" if intent.subject else sentence
    if len(intent.chain) > 1:
        yield f"In this order: {' → '.join(kind.row.sentence for kind in intent.chain)}"
    conditions = [("For the log-in: ", each) for each in intent.login] + [("Condition: ", each) for each in intent.criteria]
    conditions += [(f"{later.kind.row.sentence}, where ", each) for later in intent.then for each in later.criteria]
    for prefix, criterion in conditions:
        operator = _OPERATORS.get(criterion.operator, criterion.operator)
        yield f"{prefix}{criterion.field} {operator} {', '.join(f'“{value}”' for value in criterion.values)}"
    if not conditions:
        yield "No conditions"
    yield f"Answered by the recipe {type(recipe_for(intent)).__name__}"


def candidates(intent: Intent, page: Page | None) -> Iterator[str]:
    if page is None or page.blank:
        yield "No page, or nothing on it can be operated"
        return
    buttons = page.usable(BUTTONS)
    yield f"Elements: {len(page.elements)}. Fields: {len(page.usable(FIELDS))}. Links and buttons: {len(buttons)}"
    criteria = (*intent.login, *intent.criteria)
    fields = {each: answer.slot.element for answer in answers(criteria, slots(page.elements), page) for each in answer.criteria}
    for criterion in criteria:
        yield f"Field for {criterion.field}: {_shown(page, fields.get(criterion))}"
    items = (element for record, _ in fitting(target_of(intent), page) for element in record.elements)
    yield f"The item of the task: {_shown(page, next(items, None))}"
    scored = sorted(((score(button, intent.text), button) for button in buttons), key=lambda hit: (-hit[0], hit[1].place))
    for merit, button in scored[:8]:
        if merit >= _LEAST:
            yield f"Fits by its name to {round(100 * merit)} %: {_shown(page, button)}"


def _shown(page: Page, element: Element | None) -> str:
    if element is None:
        return "none"
    return f"{element.role} “{element.label or element.name or element.id}”, found by {in_words(page.selector(element))}"
