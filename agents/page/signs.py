"""What a page shows besides its items: what went wrong, who is logged in, where its list goes on, what lies on top of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agents.page.elements import BUTTONS, OPTIONS, TEXT_FIELDS, TICKED, Element
from agents.page.matching import words
from agents.page.outline import Outline

_LONGEST_ERROR = 200
_MOST_ERRORS = 10
# Texts that say by themselves that something went wrong.
_WRONG = re.compile(
    r"\b(?:invalid|incorrect|wrong) (?:user|pass|e-?mail|log|cred|input|value|name|code|date)|\b(?:is|are) (?:required|invalid|incorrect)\b"
    r"|\brequired field|\bfailed to\b|\bplease try again\b|\balready (?:exists|taken|in use|registered)\b|\bdo(?:es)? ?n[o']t match\b"
    r"|\bdo(?:es)? not (?:match|exist)\b|\bsomething went wrong\b"
    r"|\bpage (?:could )?not (?:be )?found\b|\bcan(?:not|'t) be (?:empty|blank)\b",
    re.I,
)
# Texts that do so where their markup is that of an error, too.
_MAYBE_WRONG = re.compile(
    r"\b(?:error|invalid|incorrect|wrong|required|must|please|failed|cannot|can't|not|too (?:short|long)|at least|already)\b", re.I
)
_ERROR_MARKS = re.compile(r"error|danger|destructive|invalid|(?:text|border|bg)-red|text-rose|alert", re.I)
_ASIDE = re.compile(r"\b(?:success|thank|saved|added|welcome)\b", re.I)

_OUT = frozenset({"log out", "logout", "sign out", "signout", "log off"})
_IN = frozenset({"log in", "login", "sign in", "signin", "sign up", "signup", "register", "create account"})
_OWN = frozenset({"profile", "my account", "my profile", "account menu", "user menu"})
_OUT_ROUTE = re.compile(r"/(?:logout|signout|sign-out|log-out)(?:[/?]|$)", re.I)
_IN_ROUTE = re.compile(r"/(?:login|signin|sign-in|log-in|register|signup|sign-up)(?:[/?]|$)", re.I)

_NEXT = frozenset({"next", "next page", "older", "›", "»", "→", ">", "go to next page", "next ›", "next »", "next →"})
_PREVIOUS = frozenset(
    {"previous", "prev", "previous page", "newer", "‹", "«", "←", "<", "go to previous page", "‹ previous", "« previous", "← previous"}
)
_NUMBERED = re.compile(r"(?:(?:go to )?page )?(\d{1,3})", re.I)
_NOT_FOR_WORDS = frozenset({"password", "email", "date", "number", "time", "tel", "url", "datetime-local"})
_SEARCHES = frozenset({"search", "query", "q", "find", "keyword", "discover", "lookup"})


@dataclass(frozen=True, slots=True)
class Dialog:
    """An open dialog. `elements` are its usable ones, in page order; `label` is its heading or name."""

    label: str
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Radio buttons or checkboxes that belong together. `several`: more than one of them may be on."""

    label: str
    elements: tuple[Element, ...]
    several: bool

    @property
    def chosen(self) -> tuple[str, ...]:
        return tuple(element.label for element in self.elements if element.value)


@dataclass(frozen=True, slots=True)
class Pagination:
    """How a list goes on: what leads to its next and previous page, to page n, and which page it is now, where the page says so."""

    next: Element | None
    previous: Element | None
    numbered: Mapping[int, Element]
    now: int | None


def errors(outline: Outline, described: Iterable[str]) -> tuple[str, ...]:
    """What the page says went wrong, in document order, each text once. `described` are the texts beside fields marked invalid."""
    texts = dict.fromkeys([*described, *_alerts(outline), *_wrong_texts(outline)])
    return tuple(text for text in texts if text)[:_MOST_ERRORS]


def _alerts(outline: Outline) -> Iterator[str]:
    for at, node in enumerate(outline.nodes):
        if node.get("role") == "alert":
            text = outline.text(at, _LONGEST_ERROR)
            if not _ASIDE.search(text):
                yield text


def _wrong_texts(outline: Outline) -> Iterator[str]:
    for place, text in enumerate(outline.pieces):
        if len(text) > _LONGEST_ERROR:
            continue
        if _WRONG.search(text) or (_MAYBE_WRONG.search(text) and _is_marked(outline, outline.owners[place])):
            yield text


def _is_marked(outline: Outline, at: int) -> bool:
    for _ in range(2):
        node = outline.nodes[at]
        if _ERROR_MARKS.search(f"{node.get('class', '')} {node.get('id', '')}"):
            return True
        at = outline.parents[at]
        if at < 0:
            return False
    return False


def logged_in(elements: Sequence[Element]) -> bool | None:
    """Whether somebody is logged in, by what the page offers; None where nothing tells.

    A closed menu counts: what matters is that the page has a way out, not that it is to be seen.
    """
    if any(_says(element, _OUT) or _OUT_ROUTE.search(element.href) for element in elements):
        return True
    seen = [element for element in elements if element.usable and element.role in BUTTONS]
    if any(_says(element, _IN) or _IN_ROUTE.search(element.href) for element in seen):
        return False
    return True if any(_says(element, _OWN) for element in seen) else None


def _says(element: Element, texts: Collection[str]) -> bool:
    return element.role in BUTTONS | OPTIONS and element.label.strip().lower() in texts


def search_box(elements: Sequence[Element]) -> Element | None:
    """The field to search in: by type, else by name; else the page's only field for words."""
    fields = [one for one in elements if one.usable and one.role in TEXT_FIELDS and one.type not in _NOT_FOR_WORDS]
    typed = next((one for one in fields if one.role == "searchbox"), None)
    if typed is not None or not fields:
        return typed
    named = next(
        (one for one in fields if _SEARCHES & {*words(one.label), *words(one.placeholder), *words(one.name), *words(one.hints)}), None
    )
    is_alone = len(fields) == 1 and fields[0].tag == "input" and not any(one.type == "password" for one in elements)
    return named or (fields[0] if is_alone else None)


def pagination(elements: Sequence[Element]) -> Pagination:
    """The way through the pages of a list; all None where the page has no such thing."""
    pressed = [one for one in elements if not one.hidden and one.role in BUTTONS]
    numbers = {one: int(found[1]) for one in pressed if (found := _NUMBERED.fullmatch(one.label.strip()))}
    now = next((number for one, number in numbers.items() if one.selected), None)
    ways = {name: next((one for one in pressed if one.usable and _goes(one, texts)), None) for name, texts in _WAYS.items()}
    numbered = {number: one for one, number in reversed(numbers.items()) if one.usable} if len(numbers) > 1 or any(ways.values()) else {}
    return Pagination(ways["next"], ways["previous"], dict(sorted(numbered.items())), now)


_WAYS = {"next": _NEXT, "previous": _PREVIOUS}


def _goes(element: Element, texts: Collection[str]) -> bool:
    return any(said.strip().lower() in texts for said in (element.label, element.text) if said)


def choices(elements: Sequence[Element]) -> tuple[Choice, ...]:
    """The page's groups of radio buttons and of checkboxes, in document order."""
    groups: dict[tuple[str, str, int | None], list[Element]] = {}
    for element in elements:
        if element.role in TICKED and element.usable:
            several = element.role != "radio"
            named = element.group or (element.name if not several else "")
            groups.setdefault((element.role, named, element.form), []).append(element)
    return tuple(Choice(named, tuple(some), role != "radio") for (role, named, _), some in groups.items())


def options_of(picker: Element, elements: Sequence[Element], listed: Collection[int]) -> tuple[Element, ...]:
    """The options that an open picker or menu shows. `listed` are the places inside of what it controls, empty where it doesn't say."""
    offered = [one for one in elements if one.usable and one.role in OPTIONS]
    inside = tuple(one for one in offered if one.place in listed)
    return inside or (tuple(offered) if picker.expanded is not False else ())
