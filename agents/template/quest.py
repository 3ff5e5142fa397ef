"""Which item a task is about, and which of its criteria are about something else: what is written, how many, when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.page.matching import words
from agents.template.criteria import Criterion, Operator
from agents.template.intents import Intent, Kind

_WRITTEN = frozenset(
    """content comment message text body review commenter reviewer author feedback reply""".split()  # noqa: SIM905 (words read best as words)
)
_PLACED = frozenset(
    """quantity count people guest adult child date time checkin checkout occasion phone email note request payment card address
    preference size recipient username password reason""".split()  # noqa: SIM905
)
# The last word of a field tells what it is of: "comment text", "commenter name" are what is written.
_OF_A_FORM: dict[Kind, frozenset[str]] = {
    Kind.COMMENT: _WRITTEN,
    Kind.OWN_WORDS: _WRITTEN,
    Kind.EDIT_ITEM: _WRITTEN,
    Kind.DELETE_ITEM: frozenset({"review", "reviewer", "comment", "commenter"}),
    Kind.CART: frozenset({"quantity", "count", "new quantity", "previous quantity"}),
    Kind.SHARE: frozenset({"recipient", "email", "message", "platform", "note"}),
    Kind.BOOKING: _PLACED,
    Kind.CHECKOUT: _PLACED,
    Kind.MESSAGE: _WRITTEN - {"body", "content", "text"},
}
# Tasks that are about one item of the site's, if the prompt tells which.
ABOUT_ITEMS = frozenset(
    {
        Kind.OPEN_ITEM,
        Kind.PREVIEW,
        Kind.TRAILER,
        Kind.SHARE,
        Kind.CART,
        Kind.WISHLIST,
        Kind.READING_LIST,
        Kind.REACT,
        Kind.MARK,
        Kind.DELETE_ITEM,
        Kind.EDIT_ITEM,
        Kind.COMMENT,
        Kind.BOOKING,
        Kind.CHECKOUT,
        Kind.UNFOLD,
        Kind.BACK,
        Kind.OWN_WORDS,
    }
)
# What is left of a prompt that says its item without quotes: "Add the Smart Watch to my cart".
_NOISE = re.compile(
    r"\b(?:my|your|own|cart|basket|shopping|(?:watch|wish|reading) ?list|favou?rites?|trailer|add|remove|delete|share|edit|update|watch|"
    r"put|from|like|follow|it|is|one|first|then)\b",
    re.I,
)
_SETS = re.compile(r"\b(?:so|set|setting|changing|updating|modifying|to)\b", re.I)
# As in: edit your film where …
_OWN = re.compile(r"^\W*(?:\w+\W+){1,3}(?:my|your|our) [a-z]+ (?:where|whose|so that|with)\b", re.I)
_THING = re.compile(r"\b([a-z]+)(?: (?:details?|page|profile))*,? (?:where|whose|that|named|called)\b", re.I)
_WHERE = re.compile(r"\b(?:where|whose|with|named|called|titled)\b", re.I)
_NAMES = frozenset({"name", "title", "subject"})
_LONGEST_NAME = 8
_OF_PERSONS = frozenset({"commenter", "reviewer", "recipient", "patient", "first", "last", "user", "sender"})
_NAMING = frozenset({Operator.EQUALS, Operator.ONE_OF, Operator.CONTAINS})


@dataclass(frozen=True, slots=True)
class Quest:
    """The item that is looked for: its criteria, the name or part of a name to search for, and what it is ("book"); "" where not known."""

    criteria: tuple[Criterion, ...]
    name: str = ""
    thing: str = ""

    @property
    def open(self) -> bool:
        """Whether any item will do."""
        return not self.criteria and not self.name


def quest_of(intent: Intent) -> Quest:
    """What is told of the item that the intent is about."""
    own = tuple(one for one in intent.criteria if not _of_the_form(intent.kind, one) and not _is_set(intent, one))
    named = next((one.value for one in own if _names(one)), "")
    subject = intent.subject if intent.is_quoted else " ".join(_NOISE.sub(" ", intent.subject).split())
    if not named and subject and (intent.is_quoted or (not own and _is_name(intent, subject))):
        named = subject
        own = (*own, Criterion("name", Operator.CONTAINS, (named,)))
    return Quest(own, named, _thing(intent))


def _thing(intent: Intent) -> str:
    """What the item is, by the field for its name: "author name", or by the word before its criteria: "an author whose …"."""
    by_field = next((said[0] for one in intent.criteria if len(said := words(one.field)) == 2 and said[1] in _NAMES), "")
    found = _THING.search(intent.words)
    return by_field if by_field and by_field not in _OF_PERSONS else " ".join(words(found[1])) if found else ""


def _is_set(intent: Intent, criterion: Criterion) -> bool:
    """Whether a criterion says what an item is to be changed to: of an edit, what is said after the verb, or of one's own."""
    if intent.kind is not Kind.EDIT_ITEM:
        return False
    if _OWN.search(intent.words):
        return True
    return _SETS.search(intent.words) is not None and not (_names(criterion) and _WHERE.search(intent.words))


def _of_the_form(kind: Kind, criterion: Criterion) -> bool:
    known = _OF_A_FORM.get(kind, frozenset())
    said = words(criterion.field)
    return bool(said) and (said[-1] in known or said[0] in known)


def _names(criterion: Criterion) -> bool:
    said = set(words(criterion.field))
    return criterion.operator in _NAMING and bool(_NAMES & said) and not _OF_PERSONS & said


def _is_name(intent: Intent, subject: str) -> bool:
    """Whether a subject without quotes is a name, not what is left of the prompt's words: names begin with capitals."""
    if len(subject.split()) > _LONGEST_NAME:
        return False
    return (intent.words.find(subject) > 0 and subject[0].isupper()) or subject[0].isdigit()


def narrowing(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """The criteria that a site's own filters and search can narrow a list by."""
    return tuple(one for one in criteria if one.operator in _NAMING)
