"""Which item a prompt is about, and which of its criteria say so."""

import re
from dataclasses import dataclass, replace

from agents.page.matching import words
from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.intents import CHOSEN, CHOSEN_THING, Intent, is_called
from agents.template.prompt.operators import POSITIVE
from agents.template.prompt.task_kinds import Kind
from agents.template.prompt.task_rows import Trait
from agents.template.prompt.values import holds

# What is left of a prompt that says its item without quotes: "Add the Smart Watch to my cart".
_NOISE = re.compile(
    r"(?i)\b(?:my|your|own|cart|basket|shopping|(?:watch|wish|reading) ?list|favou?rites?|trailer|add|remove|delete|share|edit|update|"
    r"watch|put|from|like|follow|it|is|one|first|then)\b"
)
# As in: edit the year to 2021 – but not: edit the draft where to equals …
_SETS = re.compile(r"\b(?:so|set|setting|changing|updating|modifying|(?<!where )(?<!and )to)\b", re.I)
# As in: edit your film where …
_OWN = re.compile(r"^\W*(?:\w+\W+){1,3}(?:my|your|our) [a-z]+ (?:where|whose|so that|with)\b", re.I)
# What something is put into, or is to become, is not the thing: a book of "add a book to my cart where …".
_NO_THING = r"(?:cart|basket|bag|(?:wish|watch)?list|favou?rites?|important|(?:un)?read|spam|junk|done)\b"
_THING = re.compile(rf"(?<!\bas )\b(?!{_NO_THING})([a-z]+)(?: (?:details?|page|profile))*,? (?:where|whose|that|named|called)\b", re.I)
_WHERE = re.compile(r"\b(?:where|whose|with|named|called|titled)\b", re.I)
# What a reply and what is forwarded put before the subject of the message itself.
_ANSWERED = re.compile(r"^\s*(?:re|fwd?): *", re.I)
_NAMED_BY = frozenset({"name", "title", "subject"})
_OF_PERSONS = frozenset({"commenter", "reviewer", "recipient", "patient", "first", "last", "user", "sender", "host"})


@dataclass(frozen=True, slots=True)
class Target:
    """The item that is to be found: its criteria, the name or part of a name to search for, and what it is ("book"); "" where not known."""

    criteria: tuple[Criterion, ...]
    name: str = ""
    thing: str = ""
    is_open: bool = False

    @property
    def is_any(self) -> bool:
        return not self.criteria and not self.name


def target_of(intent: Intent) -> Target:
    own = tuple(one for one in intent.criteria if _is_of_item(intent, one))
    if intent.kind in (Kind.REPLY, Kind.FORWARD):
        own = tuple(replace(one, values=tuple(_ANSWERED.sub("", value) for value in one.values)) for one in own)
    named = next((one.value for one in own if _is_name_of_item(one)), "")
    subject = intent.subject if intent.is_quoted else " ".join(_NOISE.sub(" ", intent.subject).split())
    if subject in {value for one in intent.criteria if one not in own for value in one.values}:
        subject = ""
    if not named and subject and (intent.is_quoted or (not own and _is_name(intent, subject))):
        named = subject
        own = (*own, Criterion("name", Operator.CONTAINS, (named,)))
    # What the item is, by the field for its name ("author name"), or by the word before its criteria: "an author whose …".
    things = {said[0] for one in own if len(said := words(one.field)) == 2 and said[1] in _NAMED_BY}
    thing = next(iter(things), "")
    if len(things) != 1 or thing in _OF_PERSONS:
        found = _THING.search(intent.words)
        thing = " ".join(words(found[1])) if found else ""
    # The page of an item may be headed by something else than the name by which it was opened.
    met = [one for one in own if intent.opened_as and _is_name_of_item(one) and holds(one, intent.opened_as)]
    return Target(tuple(one for one in own if one not in met), "" if met else named, thing, bool(intent.opened_as))


def to_choose(intent: Intent) -> tuple[Criterion, ...]:
    """Of a task to choose something: the criteria of what is to be chosen, which its words name first; all where they name none of them."""
    said = CHOSEN.search(intent.words)
    named = CHOSEN_THING.split(intent.words[said.start("what") :], maxsplit=1)[0] if said else ""
    field = next((one.field for one in intent.criteria if is_called(one.field, named)), "")
    return tuple(one for one in intent.criteria if not field or one.field == field)


def besides_item(intent: Intent) -> tuple[Criterion, ...]:
    """The criteria that don't say which item is meant."""
    is_about = intent.kind.has(Trait.OF_ITEM)
    return tuple(one for one in intent.criteria if not (is_about and _is_of_item(intent, one)))


def _is_of_item(intent: Intent, criterion: Criterion) -> bool:
    """Not what is filled into a form, nor what an item is changed to: of an edit, what is said after the verb, or of one's own."""
    said = words(criterion.field)
    has_own_name = any(len(own := words(one.field)) == 2 and own[1] == "name" for one in intent.criteria)
    if intent.kind is Kind.CANCEL and not has_own_name:
        return False
    if intent.kind is Kind.MARK and said[:1] == ("is",) and set(said) & set(words(intent.head)):
        return False  # as in: mark as spam … where is_spam equals True – that is what it is to become
    if said == ("subject",) and has_own_name:
        return True
    if {*said[:1], *said[-1:]} & set(intent.kind.row.form_fields.split()):
        return False
    if intent.kind is Kind.CHOOSE and criterion in to_choose(intent):
        return False
    if intent.kind is not Kind.EDIT_ITEM:
        return True
    is_named = _is_name_of_item(criterion) and _WHERE.search(intent.words)
    return not _OWN.search(intent.words) and bool(is_named or not _SETS.search(intent.words))


def _is_name_of_item(criterion: Criterion) -> bool:
    said = set(words(criterion.field))
    return criterion.operator in POSITIVE and bool(_NAMED_BY & said) and not _OF_PERSONS & said


def _is_name(intent: Intent, subject: str) -> bool:
    """Whether a subject without quotes is a name, not what is left of the prompt's words: names begin with capitals."""
    begins = subject[0].isdigit() or (subject[0].isupper() and intent.words.find(subject) > 0)
    return begins and len(subject.split()) <= 8
