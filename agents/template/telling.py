"""What the template agent makes of a step, told to whoever improves a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from agents.page import Element, Page
from agents.page.elements import BUTTONS, FIELDS
from agents.page.matching import score
from agents.phrases import phrase
from agents.selectors import in_words
from agents.template.cards import best_card
from agents.template.criteria import Criterion
from agents.template.fields import field_for
from agents.template.intents import Intent
from agents.template.operators import Operator
from agents.template.recipes import recipe_for

_MOST_NAMED = 8
# What shares no word with the prompt at all is no candidate.
_LEAST = 0.15
_CONDITIONS = {
    Operator.EQUALS: phrase("{field} equals {value}"),
    Operator.NOT_EQUALS: phrase("{field} does not equal {value}"),
    Operator.CONTAINS: phrase("{field} contains {value}"),
    Operator.NOT_CONTAINS: phrase("{field} does not contain {value}"),
    Operator.GREATER: phrase("{field} is greater than {value}"),
    Operator.LESS: phrase("{field} is less than {value}"),
    Operator.GREATER_EQUAL: phrase("{field} is at least {value}"),
    Operator.LESS_EQUAL: phrase("{field} is at most {value}"),
    Operator.ONE_OF: phrase("{field} is one of {value}"),
    Operator.NOT_ONE_OF: phrase("{field} is none of {value}"),
}


def understanding(intent: Intent) -> Iterator[str]:
    """Sentences on what is asked for, in which order, by which conditions, and on the recipe that answers."""
    wanted = intent.kind.sentence
    yield phrase("{wanted}: “{subject}”", wanted=wanted, subject=intent.subject) if intent.subject else wanted
    if len(intent.chain) > 1:
        yield phrase("In this order: {order}", order=reduce(_after, (kind.sentence for kind in intent.chain)))
    for one in intent.login:
        yield phrase("For the log-in: {condition}", condition=_said(one))
    for one in intent.criteria:
        yield phrase("Condition: {condition}", condition=_said(one))
    for later in intent.then:
        yield from (phrase("{wanted}, where {condition}", wanted=later.kind.sentence, condition=_said(one)) for one in later.criteria)
    if not any((intent.login, intent.criteria, *(later.criteria for later in intent.then))):
        yield phrase("No conditions")
    yield phrase("Answered by the recipe {name}", name=recipe_for(intent).__name__.rpartition(".")[2])


def candidates(intent: Intent, page: Page | None) -> Iterator[str]:
    """Sentences on what answers to the intent on the page: a field for each criterion, the item, links and buttons by name."""
    if page is None or page.blank:
        yield phrase("No page, or nothing on it can be operated")
        return
    fields, buttons = page.usable(FIELDS), page.usable(BUTTONS)
    counts = {"elements": len(page.elements), "fields": len(fields), "buttons": len(buttons)}
    yield phrase("Elements: {elements}. Fields: {fields}. Links and buttons: {buttons}", **counts)
    for one in (*intent.login, *intent.criteria):
        field = field_for(one, fields)
        yield phrase("Field for {name}: {found}", name=one.field, found=_shown(page, field))
    yield phrase("The item that is meant: {found}", found=_shown(page, best_card(page, intent, buttons, (intent.words,))))
    named = sorted(((score(button, intent.words), button) for button in buttons), key=lambda hit: (-hit[0], hit[1].place))
    for merit, button in named[:_MOST_NAMED]:
        if merit >= _LEAST:
            yield phrase("Fits by its name to {percent} %: {found}", percent=round(100 * merit), found=_shown(page, button))


def _after(first: str, then: str) -> str:
    return phrase("{first} → {then}", first=first, then=then)


def _said(one: Criterion) -> str:
    return phrase(_CONDITIONS[one.operator], field=one.field, value=", ".join(f"“{value}”" for value in one.values))


def _shown(page: Page, element: Element | None) -> str:
    if element is None:
        return phrase("none")
    name = element.label or element.name or element.id
    return phrase("{role} “{name}”, found by {selector}", role=element.role, name=name, selector=in_words(page.selector(element)))
