"""Which item a task is about, and which of its criteria are about something else: what is written, how many, when."""

import re
from dataclasses import dataclass

from agents.page.matching import words
from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.intents import Intent
from agents.template.prompt.operators import POSITIVE
from agents.template.prompt.task_kinds import Kind, Trait

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
_OF_PERSONS = frozenset({"commenter", "reviewer", "recipient", "patient", "first", "last", "user", "sender"})


@dataclass(frozen=True, slots=True)
class Target:
    """The item that is to be found: its criteria, the name or part of a name to search for, and what it is ("book"); "" where not known."""

    criteria: tuple[Criterion, ...]
    name: str = ""
    thing: str = ""

    @property
    def is_any(self) -> bool:
        return not self.criteria and not self.name


def target_of(intent: Intent) -> Target:
    own = tuple(one for one in intent.criteria if _is_of_item(intent, one))
    named = next((one.value for one in own if _is_name_of_item(one)), "")
    subject = intent.subject if intent.is_quoted else " ".join(_NOISE.sub(" ", intent.subject).split())
    if not named and subject and (intent.is_quoted or (not own and _is_name(intent, subject))):
        named = subject
        own = (*own, Criterion("name", Operator.CONTAINS, (named,)))
    # What the item is, by the field for its name ("author name"), or by the word before its criteria: "an author whose …".
    thing = next((said[0] for one in intent.criteria if len(said := words(one.field)) == 2 and said[1] in _NAMES), "")
    if not thing or thing in _OF_PERSONS:
        found = _THING.search(intent.words)
        thing = " ".join(words(found[1])) if found else ""
    return Target(own, named, thing)


def besides_item(intent: Intent) -> tuple[Criterion, ...]:
    """The criteria that don't say which item is meant."""
    of_item = target_of(intent).criteria if intent.kind.has(Trait.OF_ITEM) else ()
    return tuple(one for one in intent.criteria if one not in of_item)


def _is_of_item(intent: Intent, criterion: Criterion) -> bool:
    """Not what is filled into a form, nor what an item is changed to: of an edit, what is said after the verb, or of one's own."""
    said = words(criterion.field)
    if {*said[:1], *said[-1:]} & set(intent.kind.row.form_fields.split()):
        return False
    if intent.kind is not Kind.EDIT_ITEM:
        return True
    is_named = _is_name_of_item(criterion) and _WHERE.search(intent.words)
    return not _OWN.search(intent.words) and bool(is_named or not _SETS.search(intent.words))


def _is_name_of_item(criterion: Criterion) -> bool:
    said = set(words(criterion.field))
    return criterion.operator in POSITIVE and bool(_NAMES & said) and not _OF_PERSONS & said


def _is_name(intent: Intent, subject: str) -> bool:
    """Whether a subject without quotes is a name, not what is left of the prompt's words: names begin with capitals."""
    begins = subject[0].isdigit() or (subject[0].isupper() and intent.words.find(subject) > 0)
    return begins and len(subject.split()) <= 8
