"""What a page shows besides its items: what went wrong, who is logged in, where its list goes on, what lies on top of it."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.page.elements import BUTTONS, OPTIONS, TEXT_FIELDS, Element
from agents.page.matching import words
from agents.page.outline import Outline

_LONGEST_ERROR = 200
_MOST_ERRORS = 10
# Texts that by themselves mean that something went wrong.
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
class Pagination:
    """How a list goes on: what leads to its next and previous page, to page n, and which page it is now, None where that is not marked."""

    next: Element | None
    previous: Element | None
    numbered: Mapping[int, Element]
    now: int | None


def errors(outline: Outline, described: Iterable[str]) -> tuple[str, ...]:
    """What went wrong by the page's own words, in document order, each text once. `described` are the texts beside invalid fields."""
    alerts = (outline.text(at, _LONGEST_ERROR) for at, node in enumerate(outline.nodes) if node.get("role") == "alert")
    pieces = (piece for piece in zip(outline.pieces, outline.owners, strict=True) if len(piece[0]) <= _LONGEST_ERROR)
    wrong = (text for text, at in pieces if _WRONG.search(text) or (_MAYBE_WRONG.search(text) and _is_marked(outline, at)))
    texts = dict.fromkeys([*described, *(text for text in alerts if not _ASIDE.search(text)), *wrong])
    return tuple(text for text in texts if text)[:_MOST_ERRORS]


def _is_marked(outline: Outline, at: int) -> bool:
    around = (at, outline.parents[at]) if outline.parents[at] >= 0 else (at,)
    nodes = (outline.nodes[place] for place in around)
    return any(_ERROR_MARKS.search(f"{node.get('class', '')} {node.get('id', '')}") for node in nodes)


def logged_in(elements: Sequence[Element]) -> bool | None:
    """Whether a user is logged in, judged by the links and buttons of the page; None where nothing shows it.

    A closed menu counts: what matters is that the page has a way out, not that it is to be seen.
    """
    if any(_is_one_of(element, _OUT) or _OUT_ROUTE.search(element.href) for element in elements):
        return True
    seen = [element for element in elements if element.usable and element.role in BUTTONS]
    if any(_is_one_of(element, _IN) or _IN_ROUTE.search(element.href) for element in seen):
        return False
    return True if any(_is_one_of(element, _OWN) for element in seen) else None


def _is_one_of(element: Element, names: Collection[str]) -> bool:
    return element.role in BUTTONS | OPTIONS and element.label.strip().lower() in names


def search_box(elements: Sequence[Element]) -> Element | None:
    fields = [one for one in elements if one.usable and one.role in TEXT_FIELDS and one.type not in _NOT_FOR_WORDS]
    if meant := next((one for one in fields if one.role == "searchbox"), None):
        return meant
    for field in fields:
        if not _SEARCHES.isdisjoint(words(field.label) + words(field.placeholder) + words(field.name) + words(field.hints)):
            return field
    is_alone = len(fields) == 1 and fields[0].tag == "input" and not any(one.type == "password" for one in elements)
    return fields[0] if is_alone else None


def pagination(elements: Sequence[Element]) -> Pagination:
    pressed = [one for one in elements if not one.hidden and one.role in BUTTONS]
    numbers = {one: int(found[1]) for one in pressed if (found := _NUMBERED.fullmatch(one.label.strip()))}
    now = next((number for one, number in numbers.items() if one.selected), None)
    following, previous = (
        next((one for one in pressed if one.usable and {one.label.strip().lower(), one.text.strip().lower()} & names), None)
        for names in (_NEXT, _PREVIOUS)
    )
    numbered = {}
    if len(numbers) > 1 or following or previous:
        numbered = {number: one for one, number in reversed(numbers.items()) if one.usable}
    return Pagination(following, previous, dict(sorted(numbered.items())), now)
