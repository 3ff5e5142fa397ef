"""The item that a prompt is about, and the criteria that identify it."""

import re
from dataclasses import dataclass, replace

from agents.page.matching import words
from agents.template.prompt.criteria import Criterion, Operator
from agents.template.prompt.intents import CHOSEN, CHOSEN_THING, Intent, is_called
from agents.template.prompt.measures import number_in
from agents.template.prompt.operators import ABOVE, BELOW, POSITIVE
from agents.template.prompt.task_kinds import ORDERED, Kind, Trait, begins
from agents.template.prompt.values import holds

# Words that are not part of an item's name without quotes: "Add the Smart Watch to my cart".
_NOISE = re.compile(
    r"(?i)\b(?:my|your|own|cart|basket|shopping|(?:watch|wish|reading) ?list|favou?rites?|trailer|add|remove|delete|share|edit|update|"
    r"watch|put|from|like|follow|it|is|one|first|then)\b"
)
# As in: edit the year to 2021 – but not: edit the draft where to equals …
_SETS = re.compile(r"\b(?:so|set|setting|changing|updating|modifying|(?<!where )(?<!and )to)\b", re.I)
_OWN = re.compile(r"^\W*(?:\w+\W+){1,3}(?:my|your|our) [a-z]+ (?:where|whose|so that|with)\b", re.I)  # as in: edit your film where …
# The list or state in "add a book to my cart where …" is not the thing.
_NO_THING = r"(?:cart|basket|bag|(?:wish|watch)?list|favou?rites?|important|(?:un)?read|spam|junk|done)\b"
_THING = re.compile(rf"(?<!\bas )\b(?!{_NO_THING})([a-z]+)(?: (?:details?|page|profile|form))*,? (?:where|whose|that|named|called)\b", re.I)
_WHERE = re.compile(r"\b(?:where|whose|with|named|called|titled)\b", re.I)
_ANSWERED = re.compile(r"^\s*(?:re|fwd?): *", re.I)  # prefixes of the subjects of replies and forwarded messages
_WHOLE = re.compile(r"[1-5](?:\.0)?")
_NAMED_BY = frozenset({"name", "title", "subject"})
_LISTED = "item"  # how prompts call what the page of its seller lists: a dish of a restaurant
_OF_LISTS = ("filter", "sort")  # fields of how a list is shown, which no item has
_PAID_BY = frozenset({"card", "cvv"})  # beside one of these a country is the payer's
_WRITTEN = frozenset({"comment", "review", "feedback", "message", "reply", "form"})
_OF_PERSONS = frozenset({"commenter", "reviewer", "recipient", "patient", "first", "last", "user", "sender", "host"})


_FORM = r"(?:forms?|dialogs?|modals?|windows?|popups?|wizards?)"
_OPENS = begins("open|views?|show|see|display", _FORM)
_OPENED = re.compile(rf"\b{_FORM} (?:is )?(?:open|opens|opened)\b", re.I)
_SENDS = re.compile(r"\b(?:submit|send|fill|post|save|complete)", re.I)


@dataclass(frozen=True, slots=True)
class Target:
    """The item of a task: its criteria, a name or part of it to search for, and the kind of thing ("book"); "" if unknown."""

    criteria: tuple[Criterion, ...]
    name: str = ""
    thing: str = ""
    is_open: bool = False
    is_listed: bool = False

    @property
    def is_any(self) -> bool:
        return not self.criteria and not self.name


def target_of(intent: Intent) -> Target:
    own = tuple(criterion for criterion in intent.criteria if _is_of_item(intent, criterion))
    listed = _of_list(own, intent.page_of) if intent.page_of else ()
    own = listed or own
    if intent.kind in (Kind.REPLY, Kind.FORWARD):
        own = tuple(replace(criterion, values=tuple(_ANSWERED.sub("", value) for value in criterion.values)) for criterion in own)
    named = next((criterion.value for criterion in own if _is_name_of_item(criterion)), "")
    subject = intent.subject if intent.is_quoted else " ".join(_NOISE.sub(" ", intent.subject).split())
    if subject in {value for criterion in intent.criteria if criterion not in own for value in criterion.values}:
        subject = ""
    if not named and subject and (intent.is_quoted or (not own and _is_name(intent, subject))):
        named = subject
        own = (*own, Criterion("name", Operator.CONTAINS, (named,)))
    # The kind of thing, by the word before its criteria, "an author whose …", or by the field of its name: "author name".
    things = {field[0] for criterion in own if len(field := words(criterion.field)) == 2 and field[1] in _NAMED_BY} - _OF_PERSONS
    match = _THING.search(intent.text)
    thing = next(iter(things), "") if len(things) == 1 else ""
    if match and thing not in words(intent.head):
        thing = " ".join(words(match[1]))
    # The heading of an item's page may differ from the name by which it was opened.
    met = [criterion for criterion in own if _is_name_of_item(criterion) and _is_opened(criterion, intent.opened_as)]
    kept = tuple(criterion for criterion in own if criterion not in met)
    named_otherwise = (one for one in own if one.operator.negative and _NAMED_BY & set(words(one.field)))
    is_open = bool(intent.opened_as) and all(holds(one, intent.opened_as) for one in named_otherwise)
    return Target(kept, "" if met else named, thing, is_open, is_listed=bool(listed))


def _is_opened(criterion: Criterion, opened_as: str) -> bool:
    """Whether that is the item's name, or has the name in it: a link's label is often the item's whole text."""
    label = f" {' '.join(words(opened_as))} "
    return bool(opened_as) and (holds(criterion, opened_as) or any(f" {' '.join(words(value))} " in label for value in criterion.values))


def to_choose(intent: Intent) -> tuple[Criterion, ...]:
    """Of a task to choose a value: the criteria of the field that the prompt names first; all criteria if it names none."""
    choosing = CHOSEN.search(intent.text)
    named = CHOSEN_THING.split(intent.text[choosing.start("what") :], maxsplit=1)[0] if choosing else ""
    field = next((criterion.field for criterion in intent.criteria if is_called(criterion.field, named)), "")
    return tuple(criterion for criterion in intent.criteria if not field or criterion.field == field)


def is_itself_chosen(intent: Intent) -> bool:
    """Whether the item is what is to be chosen, as in: select the template where …"""
    choosing = CHOSEN.search(intent.text) if intent.kind is Kind.CHOOSE else None
    return choosing is not None and target_of(intent).thing in words(choosing["what"])


# Chosen in the dialog of an item, or fields of what is in a cart.
_OF_ITS_ITEM = frozenset({"size", "option", "extra"}) | ORDERED


def is_of_order(intent: Intent) -> bool:
    """Whether a value is chosen for an order as a whole, as in: select the payment where item equals …"""
    if intent.kind is not Kind.CHOOSE or _OF_ITS_ITEM & _words_of(to_choose(intent)):
        return False
    return not ORDERED.isdisjoint(_words_of(intent.criteria))


def _words_of(criteria: tuple[Criterion, ...]) -> set[str]:
    return {word for one in criteria for word in words(one.field)}


def only_opens(intent: Intent) -> bool:
    """Whether a form is only to be opened, not sent."""
    return bool(_OPENS.search(intent.head) or _OPENED.search(intent.head)) and not _SENDS.search(intent.head)


def besides_item(intent: Intent) -> tuple[Criterion, ...]:
    """The criteria that do not identify the item."""
    is_about = intent.kind.has(Trait.OF_ITEM)
    return tuple(criterion for criterion in intent.criteria if not (is_about and _is_of_item(intent, criterion)))


def _is_of_item(intent: Intent, criterion: Criterion) -> bool:
    """Whether a criterion identifies the item, rather than a value to fill in or to change it to."""
    field = words(criterion.field)
    has_own_name = any(len(own := words(other.field)) == 2 and own[1] == "name" for other in intent.criteria)
    if intent.kind is Kind.CANCEL and not has_own_name:
        return False
    if intent.kind is Kind.BOOKING and (only_opens(intent) or criterion.field in intent.timed_by):
        return True  # nothing is filled in, or the list shows it
    if intent.kind is Kind.MARK and field[:1] == ("is",) and set(field) & set(words(intent.head)):
        return False  # as in: mark as spam … where is_spam equals True, which is the result
    if (field == ("subject",) and has_own_name) or (intent.kind is Kind.COMMENT and _is_of_thing(intent, field)):
        return True
    if {*field[:1], *field[-1:]} & {*intent.kind.row.form_fields.split(), *_OF_LISTS} or _is_given(intent, criterion):
        return False
    if intent.kind is Kind.CHOOSE and criterion in to_choose(intent):
        return False
    if intent.kind is not Kind.EDIT_ITEM:
        return True
    is_named = _is_name_of_item(criterion) and _WHERE.search(intent.text)
    return not _OWN.search(intent.text) and bool(is_named or not _SETS.search(intent.text))


def _is_of_thing(intent: Intent, field: tuple[str, ...]) -> bool:
    """Whether the field is one of the thing that is commented on, as in: the post where poster content contains …"""
    thing = _THING.search(intent.text) if len(field) > 1 else None
    return thing is not None and thing[1].lower() not in _WRITTEN and field[0].startswith(words(thing[1]))


def _is_given(intent: Intent, criterion: Criterion) -> bool:
    """Whether it is the payer's country, or the rating that a review gives: a whole number or a bound, and the only rating."""
    if criterion.field == "country" and any(_PAID_BY & set(words(other.field)) for other in intent.criteria):
        return True
    ratings = [other for other in intent.criteria if "rating" in words(other.field)]
    is_only = intent.kind is Kind.COMMENT and ratings == [criterion]
    is_possible = criterion.operator in ABOVE | BELOW or _WHOLE.fullmatch(criterion.value) is not None
    return is_only and criterion.field == "rating" and is_possible


def _is_name_of_item(criterion: Criterion) -> bool:
    field = set(words(criterion.field))
    return criterion.operator in POSITIVE and bool(_NAMED_BY & field) and not _OF_PERSONS & field


def _of_list(criteria: tuple[Criterion, ...], owner: str) -> tuple[Criterion, ...]:
    """On the page of a restaurant all dishes are that restaurant's: the criteria that are left for an item of its list; none elsewhere."""
    of_owner = [one for one in criteria if number_in(one.value) is None and not {*_NAMED_BY, _LISTED} & set(words(one.field))]
    is_listed = any(one.field == _LISTED for one in criteria)
    met = [one for one in of_owner if holds(one, owner)]
    is_owner = any(one.operator in POSITIVE for one in met) or (is_listed and len(met) == len(of_owner))
    left = tuple(one for one in criteria if one not in met) if is_owner else ()
    return tuple(replace(one, field="name") if one.field == _LISTED else one for one in left)


def _is_name(intent: Intent, subject: str) -> bool:
    """Whether a subject without quotes is a name: names begin with capitals or digits."""
    begins = subject[0].isdigit() or (subject[0].isupper() and intent.text.find(subject) > 0)
    return begins and len(subject.split()) <= 8
