"""What leads to the form of a task: links, tabs and buttons, by verb and noun, by name or by route."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.page import Element, Page
from agents.page.elements import BUTTONS
from agents.page.matching import score, words
from agents.sites import path_of
from agents.template.intents import Intent
from agents.template.thesaurus import alike

# Surely meant: by the prompt's own verb and noun. From SECTION down it is the part of the site that the form may be in.
# Between the two is what only the markup calls so: "Submit" with the id "team-add-button".
OWN, MARKED, SECTION, NAMED = 1.5, 1.2, 0.9, 0.55
_MOST_WORDS = 5
ADDING = frozenset("add new create register insert initiate start post launch make open record log begin generate".split())  # noqa: SIM905 (words read best as words)
CHANGING = frozenset("edit update modify change manage adjust revise amend alter rename".split())  # noqa: SIM905
# What else sites call the things that prompts speak of.
_ALIKE = tuple(
    frozenset(line.split())
    for line in (
        "film movie title picture",
        "book title novel volume",
        "matter case project engagement file",
        "client customer account contact",
        "log entry time hour timesheet billing",
        "event appointment meeting calendar schedule",
        "task todo",
        "document file",
        "team group",
        "channel room",
        "post update status",
        "job position gig",
        "expense cost receipt",
        "server community",
        "address location",
        "review comment feedback note rating",
    )
)
# What a lead, or a form's button, of another task is about.
FOREIGN = frozenset(
    """profile account password list watchlist wishlist cart filter search login setting preference help support about
    home""".split()  # noqa: SIM905
)
_THINGS = frozenset().union(*_ALIKE) | {"project"}
_LEADS_IN = r"(?:(?:then|next|and|please|now|also|first|finally|i want to|i need to|can you|could you)\b\W*)*"
_BEFORE_NOUN = r"(?:(?:an?|the|my|your|new|another|one|this|any|existing|user|calendar)\s+)*"
# As in: add members to the team.
_INTO = re.compile(r"^[^'\"]{0,40}?\b(?:in|on)?to (?:the|my|a|an) ([a-z]+)\b", re.I)
_NOUN = re.compile(rf"^\W*{_LEADS_IN}[a-z]+(?: up)?\s+{_BEFORE_NOUN}((?:time )?[a-z-]+)", re.I)


@dataclass(frozen=True, slots=True)
class Lead:
    element: Element
    merit: float


def named_alike(noun: str) -> frozenset[str]:
    """What else sites call a thing."""
    return frozenset().union(*(group for group in _ALIKE if noun in group))


def nouns_of(intent: Intent) -> frozenset[str]:
    """What the prompt's verb is about, by all its names: film and movie of "Add a film where …"; nothing where it says none."""
    found = _NOUN.match(intent.words)
    into = _INTO.search(intent.words)
    own = frozenset(words(f"{found[1]} {into[1] if into else ''}")) if found else frozenset()
    return own.union(*(group for group in _ALIKE if own & group))


def leads(page: Page, nouns: frozenset[str], verbs: frozenset[str], names: Sequence[str], routes: Sequence[str]) -> list[Lead]:
    """What may lead to the form, the likeliest first."""
    short = [one for one in page.usable(BUTTONS) if len(words(one.label or one.text)) <= _MOST_WORDS and not _leads_nowhere(one, page)]
    merits = ((one, max(_by_words(one, page, nouns, verbs), *_by_names(one, page, names, routes))) for one in short)
    found = (Lead(one, min(merit, NAMED) if makes_another(one, nouns, verbs) else merit) for one, merit in merits if merit >= NAMED - 0.05)
    return sorted(found, key=lambda lead: (lead.element.footer, -lead.merit, lead.element.place))


def _leads_nowhere(element: Element, page: Page) -> bool:
    """Whether it leads to the page itself, or is a footer's button: that is only another way around the site."""
    if element.href:
        return path_of(element.href) == path_of(page.url) and not element.href.startswith("#") and path_of(page.url) != "/"
    return element.footer


def makes_another(element: Element, nouns: frozenset[str], verbs: frozenset[str]) -> bool:
    """Whether it is marked as being about another thing, whatever it says."""
    marked = set(words(element.hints))
    return bool(nouns and marked & _THINGS and marked & verbs) and not marked & nouns


def _by_words(element: Element, page: Page, nouns: frozenset[str], verbs: frozenset[str]) -> float:
    said = set(words(element.label or element.text))
    if said & FOREIGN - nouns:
        return 0.0
    about = bool(said & nouns)
    marked = set(words(element.hints))
    if said & verbs and about:
        return OWN
    if marked & verbs and marked & nouns and not element.submits:
        return MARKED
    if said & verbs:
        return NAMED
    path = words(path_of(element.href)) if element.href else ()
    elsewhere = element.role == "tab" or (bool(element.href) and path_of(element.href) != path_of(page.url))
    return SECTION if elsewhere and (about or set(path[-1:]) & nouns) and len(path) <= 2 else 0.0


def _by_names(element: Element, page: Page, names: Sequence[str], routes: Sequence[str]) -> Iterator[float]:
    said = element.label or element.text
    yield max((max(score(element, name), 0.95 * alike(name, said)) - 0.01 * rank for rank, name in enumerate(names)), default=0.0)
    path = path_of(element.href).lower() if element.href else ""
    yield 0.8 if any(f"/{route}" in path for route in routes) and path != path_of(page.url) else 0.0
