"""The row type of the table of kinds of task.

Rows with `sent_by` are done by `FormTask`, rows with `buttons` by `PressOnItem`; code in `recipes/` is for what a row cannot express."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Flag, auto

# Verbs of links and buttons that make something new, and that change something.
ADDING = frozenset("add new create register insert initiate start post launch make open record log begin generate".split())  # noqa: SIM905 (words read best as words)
CHANGING = frozenset("edit update modify change manage adjust revise amend alter rename".split())  # noqa: SIM905

_ADVERBS = r"permanently|completely|directly|quickly|simply|kindly|immediately|successfully|only|just"
LEAD_IN = (
    r"^\W*(?:(?:please|i want to|i would like to|i'd like to|i need to|can you|could you|help me|let me|let's|proceed to|go ahead and|"
    rf"decide to|make sure to|(?:triggered )?when|(?:the |a )?users?|now|also|finally|first|next|and|to|{_ADVERBS})\b[\s,:]*)*"
)
NAVIGATION = r"(?:nav(?:igation)?(?: ?bar| ?menu)?|menu|side ?bar|header|footer)"
# Items of sites, as a pattern.
ITEMS = (
    r"(?:films?|movies?|books?|novels?|products?|items?|articles?|restaurants?|dish(?:es)?|hotels?|stays?|property|places?|listings?|matters?|"
    r"clients?|documents?|files?|notes?|tasks?|projects?|teams?|events?|meetings?|calendars?|jobs?|posts?|emails?|mails?|experts?|consultants?|"
    r"compan(?:y|ies)|doctors?|persons?|users?|profiles?|accounts?|cars?|rides?|trips?|subnets?|validators?|blocks?|servers?|channels?|labels?)"
)
MOVING = r"(?:go|navigate|take|bring|get)(?: me)?(?: directly| straight)? to|navigate(?: me)?"


def begins(verbs: str, about: str = "") -> re.Pattern[str]:
    """Prompts that begin with one of the verbs, as in "add" or "the user adds", and contain one of the nouns later."""
    return re.compile(rf"{LEAD_IN}(?:{verbs})(?:e?[sd])?\b" + (rf".*\b(?:{about})\b" if about else ""), re.I)


def names(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


class Trait(Flag):
    NONE = 0
    OF_ITEM = auto()  # it is about one item of the site, which the prompt identifies
    ITEM_OPTIONAL = auto()  # it may be about no item
    ON_CARDS = auto()  # it can be done in a list, on the item's card
    ACCOUNT = auto()  # it is about logging in or out, or registering
    IN_SECTION = auto()  # it begins in the part of the site of such things
    ON_LIST = auto()  # it begins on the list of such things
    CREATES = auto()  # a quoted value beside a noun is the name of the new item
    SHOWS = auto()  # it only shows something: nothing is destroyed, sent or bound
    SENDS = auto()  # it sends something, whatever the prompt's words
    CHANGES = auto()  # a quoted value beside a noun is the name of the item that is changed


@dataclass(frozen=True, slots=True)
class TaskKind:
    """Names of links, buttons and fields are listed with the most certain first. `sentence`: the task, for operators. `prompts`: prompts
    that request it; `first_prompts`: those that would otherwise be read as a search or as opening an item. `buttons`: its button on an
    item. `form_fields`: first or last words of fields that are not the item's. A kind with `sent_by`, its form's button, is done by a form.
    `opened_by`: links, tabs and buttons that lead to it; `routes`: parts of their addresses; `known_by`: fields of such a form; `fills`:
    fields that are filled even if the prompt does not name them; `verbs`: verbs on its buttons, beside the prompt's own noun ("Add film");
    `purpose`: one of PURPOSES, "" for any form."""

    name: str
    sentence: str
    traits: Trait = Trait.NONE
    prompts: tuple[re.Pattern[str], ...] = ()
    first_prompts: re.Pattern[str] | None = None
    buttons: tuple[str, ...] = ()
    opened_by: tuple[str, ...] = ()
    sent_by: tuple[str, ...] = ()
    known_by: tuple[str, ...] = ()
    fills: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    verbs: frozenset[str] = frozenset()
    form_fields: str = ""
    purpose: str = ""


# By purpose of a form: words that may be in such a form, and those that are in no form for another purpose.
PURPOSES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    name: (frozenset(f"{surely} {maybe}".split()), frozenset(surely.split()))
    for name, surely, maybe in (
        ("message", "message chat inquiry enquiry contact question", "ask touch reach talk mail email reply forward compose host support"),
        ("review", "review rate rating experience stay testimonial", "star comment feedback thought opinion"),
        ("booking", "booking reservation appointment reserve", "book stay trip guest visit schedule request contact detail"),
    )
}


def is_for_other(purpose: str, *levels: Iterable[str]) -> bool:
    """Whether a form is for another purpose, by `levels` of words: those of its button, then of its heading and fields."""
    if not purpose:
        return False
    own = PURPOSES[purpose][0]
    others = frozenset().union(*(surely for name, (_, surely) in PURPOSES.items() if name != purpose))
    telling = next((level for level in map(frozenset, levels) if level & (own | others)), own)
    return telling.isdisjoint(own)
