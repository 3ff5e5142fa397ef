"""What a prompt asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from agents.template.criteria import Criterion, Masked, Operator, criteria, mask


class Kind(StrEnum):
    LOGIN = "login"
    LOGOUT = "logout"
    REGISTER = "register"
    SEARCH = "search"
    OPEN_ITEM = "open an item"
    NAVIGATE = "navigate"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Intent:
    """`criteria` are those of the task itself; `login` are the credentials when the prompt asks to log in first, else empty.

    `subject` is what it is about, as the prompt writes it: the item to open, the words to search for, the page to go to.
    `words` are the prompt's own words about the task, with the values in them.
    """

    kind: Kind
    criteria: tuple[Criterion, ...] = ()
    login: tuple[Criterion, ...] = ()
    logs_in: bool = False
    subject: str = ""
    words: str = ""


_ASKING = r"^\W*(?:(?:please|i want to|i would like to|i'd like to|can you|let me|let's|user)\s+)*"
_MOVING = r"(?:go|navigate|take|bring|get)(?: me)?(?: directly| straight)? to|navigate(?: me)?"
_LOGIN = re.compile(
    r"\b(?:log(?:ged|ging)?[ -]?in(?:to)?|sign(?:ed|ing)?[ -]?in(?:to)?|authenticat\w+|(?:use|using|with) (?:the )?credentials?)\b", re.I
)
_LOGOUT = re.compile(
    r"\b(?:log(?:ging)?(?: me)?[ -]?out|log(?:ging)? off|sign(?:ing)?(?: me)?[ -]?(?:out|off)|end (?:my |the )?session)\b", re.I
)
_NEW_ACCOUNT = r"create[ -](?:a |an |the |my )?(?:new )?(?:user )?account"
_REGISTER = re.compile(rf"\b(?:regist(?:er|ration)|sign(?:ing)?[ -]?up|{_NEW_ACCOUNT}|join the (?:site|website|platform))\b", re.I)
_SEARCH = re.compile(rf"{_ASKING}(?:search(?:es)?|look(?:ing)? (?:up|for)|find|query|type)\b", re.I)
_OPEN = re.compile(rf"{_ASKING}(?:open|views?|show|see|visit|display|{_MOVING}|check out|access|switch to|retrieve)\b", re.I)
_THINGS = (
    r"details?|preview|movies?|films?|books?|products?|items?|articles?|restaurants?|hotels?|stays?|property|matters?|clients?|doctors?|"
    r"jobs?|experts?|consultants?|profiles?|posts?|emails?|events?|tasks?|subnets?|validators?|blocks?|accounts?|rides?|trips?"
)
_DETAIL = re.compile(rf"\b(?:{_THINGS})\b", re.I)
_PLACE = re.compile(r"\b(?:page|tab|section|home|homepage|website|site)\b|/", re.I)
_AFTER_LOGIN = re.compile(r"^\W*(?:(?:and|then|after that|afterwards|next|once (?:logged|signed) in|please|,|\.|\s)+)", re.I)
_LOGIN_AT_END = re.compile(
    r"[\s,]*(?:\b(?:but|and)\b )?\b(?:after|once|when|while)\s+(?:(?:you|i|being|having|are|am|have|successfully|successful)\s+)*$", re.I
)
_CREDENTIALS = frozenset({"username", "user", "user name", "email", "password", "pw", "pass", "login"})
_SPLIT = re.compile(r"(?:,|\.|\band)?\s*\b(?:then|after that|afterwards|once (?:logged|signed) in)\b,?\s*", re.I)
_NAMING = frozenset(
    {"name", "title", "query", "search term", "search query", "film", "movie", "book", "product", "item", "subject", "keyword", "term"}
)
_SUBJECT_NOISE = re.compile(
    rf"\b(?:please|i want to|search(?:es)?(?: for)?|look(?:ing)? (?:up|for)|find|query|open|views?|show|see|visit|display|{_MOVING}|access|"
    r"switch to|me|the|an?|of|for|details?|information|info|page|preview|directly|called|named|titled|any|some|users?|tab|section|within|"
    r"movies?|films?|books?|products?|items?|restaurants?|in the|database|catalog(?:ue)?|site|website|on|about|to|with)\b",
    re.I,
)


def understand(prompt: str) -> Intent:
    """The intent of a prompt; what is in none of the known kinds is OTHER, with the criteria and words that it has."""
    masked = mask(prompt)
    found = criteria(masked)
    if _LOGOUT.search(masked.text):
        logs_in = bool(_LOGIN.search(masked.text)) or any(_is_credential(one) for one in found)
        return _with_login(Intent(Kind.LOGOUT, words="log out"), masked, found) if logs_in else Intent(Kind.LOGOUT, words="log out")
    if _REGISTER.search(masked.text) and not _is_prior(masked):
        return Intent(Kind.REGISTER, found or _account(masked), words="register")
    login = _LOGIN.search(masked.text)
    return _after_login(masked, found, login) if login else _task(masked, masked.text, found)


def _is_prior(masked: Masked) -> bool:
    """Whether a log-in is asked for before the word that would mean registering: "log in …, then register for the event"."""
    login, register = _LOGIN.search(masked.text), _REGISTER.search(masked.text)
    return bool(login and register and login.start() < register.start() and "<signup" not in " ".join(masked.values))


def _after_login(masked: Masked, found: tuple[Criterion, ...], login: re.Match[str]) -> Intent:
    """A prompt that speaks of logging in: the task is what it asks for besides, or the log-in itself."""
    before = _LOGIN_AT_END.sub("", masked.text[: login.start()])
    if before != masked.text[: login.start()] and re.search(r"\w+\W+\w", before):
        return _with_login(_task(masked, before, tuple(one for one in found if one.end <= login.start())), masked, found)
    start = _end_of_login(masked, found, login)
    rest = _AFTER_LOGIN.sub("", masked.text[start:]).strip(" .!,")
    if re.search(r"[A-Za-z]+\W+[A-Za-z\ue000-\uf7ff]", rest):
        return _with_login(_task(masked, rest, tuple(one for one in found if one.end > start)), masked, found)
    return Intent(Kind.LOGIN, _credentials(masked, found), words="log in")


def _end_of_login(masked: Masked, found: tuple[Criterion, ...], login: re.Match[str]) -> int:
    """Where the words about logging in end: after the last credential, else at "then", else at the end."""
    credentials = [one.end for one in found if _is_credential(one) and one.end > login.start()]
    marks = [at + 1 for at, sign in enumerate(masked.text) if "\ue000" <= sign <= "\uf7ff" and _placeholder(masked.plain(sign))]
    ends = [*credentials[:3], *marks]
    if ends:
        return max(ends)
    split = _SPLIT.search(masked.text, login.end())
    return split.end() if split else len(masked.text)


def _task(masked: Masked, text: str, found: tuple[Criterion, ...]) -> Intent:
    kind = _kind(masked, text, found)
    return Intent(kind, found, subject=_subject(masked, text, found), words=" ".join(masked.plain(text).split()))


def _kind(masked: Masked, text: str, found: tuple[Criterion, ...]) -> Kind:
    if _SEARCH.search(text):
        return Kind.SEARCH
    if not _OPEN.search(text):
        return Kind.OTHER
    marked = [masked.plain(mark) for mark in re.findall("[\ue000-\uf7ff]", text)]
    if not found and any("://" in value for value in marked):
        return Kind.NAVIGATE
    named = bool(marked or found or _DETAIL.search(text))
    return Kind.OPEN_ITEM if named and not _goes_to_place(text, found) else Kind.NAVIGATE


def _goes_to_place(text: str, found: tuple[Criterion, ...]) -> bool:
    """Whether a page of the site is meant ("the jobs page", "the Jobs tab"), not one of its items."""
    if found or not _PLACE.search(text):
        return False
    if re.search(r"\btab\b", text, re.I):
        return True
    named = _SUBJECT_NOISE.sub(" ", text)
    return not re.search(r"[A-Za-z\d\ue000-\uf7ff]{2}|[\ue000-\uf7ff]", named) or not _DETAIL.search(text)


def _subject(masked: Masked, text: str, found: tuple[Criterion, ...]) -> str:
    """The name that a prompt is about: a naming criterion, else its first quoted value, else its words without the usual ones."""
    named = next((one for one in found if one.field in _NAMING and not one.operator.negative), None)
    if named:
        return named.value
    if not found and (mark := re.search("[\ue000-\uf7ff]", text)):
        return masked.plain(mark[0])
    head = re.split(r"\b(?:where|whose|that|which|with)\b", text, maxsplit=1)[0] if found else text
    left = " ".join(_SUBJECT_NOISE.sub(" ", head).split()).strip(" .,!?:")
    return masked.plain(left) or (masked.plain(" ".join(text.split())) if not found else "")


def _with_login(intent: Intent, masked: Masked, found: tuple[Criterion, ...]) -> Intent:
    return replace(intent, login=_credentials(masked, found), logs_in=True)


def _is_credential(one: Criterion) -> bool:
    return one.field in _CREDENTIALS


def _placeholder(value: str) -> bool:
    return value in {"<username>", "<password>"}


def _credentials(masked: Masked, found: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
    """The criteria of a log-in, each field once; where a prompt names none, its quoted pair, else the placeholders that callers fill in."""
    named = {one.field: one for one in reversed(found) if _is_credential(one)}
    if named:
        return tuple(sorted(named.values(), key=lambda one: one.end))
    pair = masked.values[:2] if len(masked.values) == 2 else ("<username>", "<password>")
    return tuple(Criterion(field, Operator.EQUALS, (value,)) for field, value in zip(("username", "password"), pair, strict=True))


def _account(masked: Masked) -> tuple[Criterion, ...]:
    """A new account's fields where a prompt says none: the placeholders that callers fill in."""
    said = [value for value in masked.values if value.startswith("<signup_")]
    names = said or ["<signup_username>", "<signup_email>", "<signup_password>"]
    return tuple(Criterion(value.strip("<>").removeprefix("signup_").replace("_", " "), Operator.EQUALS, (value,)) for value in names)
