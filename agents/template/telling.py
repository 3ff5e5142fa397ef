"""What the template agent makes of a step, told to whoever improves a recipe."""

from __future__ import annotations

from collections.abc import Iterator

from agents.page import Element, Page
from agents.page.elements import BUTTONS, FIELDS
from agents.page.matching import score
from agents.selectors import in_words
from agents.template.cards import best_card
from agents.template.criteria import Criterion
from agents.template.fields import field_for
from agents.template.intents import Intent
from agents.template.recipes import recipe_for

_MOST_NAMED = 8
# What shares no word with the prompt at all is no candidate.
_LEAST = 0.15


def understanding(intent: Intent) -> Iterator[str]:
    """Lines on intent, chain, criteria and recipe."""
    yield f"intent: {intent.kind}" + (f", about {intent.subject!r}" if intent.subject else "")
    yield "chain: " + " → ".join(intent.chain)
    for name, stage in (("login", intent.login), ("criterion", intent.criteria)):
        yield from (f"{name}: {_said(one)}" for one in stage)
    for later in intent.then:
        yield from (f"then {later.kind}: {_said(one)}" for one in later.criteria)
    if not any((intent.login, intent.criteria, *(later.criteria for later in intent.then))):
        yield "criteria: none"
    yield "recipe: " + recipe_for(intent).__name__.rpartition(".")[2]


def candidates(intent: Intent, page: Page | None) -> Iterator[str]:
    """Lines on what answers to the intent on the page: a field for each criterion, the item that is meant, links and buttons by name."""
    if page is None or page.blank:
        yield "page: none, or nothing on it can be operated"
        return
    fields = page.usable(FIELDS)
    yield f"page: {len(page.elements)} elements, {len(fields)} fields, {len(page.usable(BUTTONS))} links and buttons"
    for one in (*intent.login, *intent.criteria):
        field = field_for(one, fields)
        yield f"field for {one.field}: {_shown(page, field) if field else 'none'}"
    card = best_card(page, intent, page.usable(BUTTONS), (intent.words,))
    yield f"item: {_shown(page, card) if card else 'none'}"
    named = sorted(((score(button, intent.words), button) for button in page.usable(BUTTONS)), key=lambda hit: (-hit[0], hit[1].place))
    yield from (f"named {merit:.2f}: {_shown(page, button)}" for merit, button in named[:_MOST_NAMED] if merit >= _LEAST)


def _said(one: Criterion) -> str:
    return f"{one.field} {one.operator} {', '.join(map(repr, one.values))}"


def _shown(page: Page, element: Element) -> str:
    return f"{element.role} {element.label or element.name or element.id!r} by {in_words(page.selector(element))}"
