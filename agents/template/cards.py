"""Items on a page: which of many links or buttons belongs to the item that is meant."""

from __future__ import annotations

from collections.abc import Sequence

from agents.page import Element, Page
from agents.page.matching import likeness, score, words
from agents.template.criteria import Criterion, Operator
from agents.template.intents import Intent
from agents.template.measures import number_in

# A shop's page shows some dozens of cards; in a list of thousands the first ones are as good as any.
_MOST_CARDS = 400
_LEAST = 0.55
_TIE = 0.05


def best_card(page: Page, intent: Intent, elements: Sequence[Element], verbs: Sequence[str]) -> Element | None:
    """The element whose card is best spoken of by the intent; among those of one card, the one that a verb names."""
    scored: list[tuple[float, int, Element]] = []
    for element in elements[:_MOST_CARDS]:
        merit = _merit(page, intent, element)
        if merit >= _LEAST:
            verb = max((score(element, verb) for verb in verbs), default=0.0)
            scored.append((merit + _TIE * verb, -element.place, element))
    return max(scored, key=lambda hit: hit[:2])[2] if scored else None


def _merit(page: Page, intent: Intent, element: Element) -> float:
    card = page.card(element)
    met = [_met(one, card) for one in intent.criteria]
    criteria = sum(met) / len(met) if met else 0.0
    name = _name(intent, element, card)
    return max(name, criteria) if not (met and name) else (name + criteria) / 2


def _name(intent: Intent, element: Element, card: str) -> float:
    subject = intent.subject
    if not subject:
        return 0.0
    if " ".join(words(subject)) in " ".join(words(element.label)):
        return 1.0
    return 0.9 if " ".join(words(subject)) in " ".join(words(card)) else likeness(subject, element.label) * 0.9


def _met(criterion: Criterion, card: str) -> float:
    """How far a card's text speaks for a criterion: 1 yes, 0 no, between where the text can't tell."""
    said = card.lower()
    holds = any(value.lower() in said for value in criterion.values)
    if criterion.operator.negative:
        return 0.0 if holds else 0.8
    if criterion.operator in {Operator.EQUALS, Operator.CONTAINS, Operator.ONE_OF}:
        return 1.0 if holds else 0.0
    return 0.6 if number_in(said) is not None else 0.5
