"""What a prompt asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from agents.template.criteria import Criterion, Operator, criteria
from agents.template.kinds import SUBJECT_NOISE, Kind, kind_of
from agents.template.masking import Masked, mask

__all__ = ["Intent", "Kind", "understand"]


@dataclass(frozen=True, slots=True)
class Intent:
    """`criteria` are those of the task itself; `login` are the credentials when the prompt asks to log in first, else empty.

    `subject` is what it is about, as the prompt writes it: the item to open, the words to search for, the page to go to. `is_quoted`:
    whether it stands in quotes and no criterion has it. `words` are the prompt's own words about the task, with the values in them.
    `then` is what is to be done after it, in order.
    """

    kind: Kind
    criteria: tuple[Criterion, ...] = ()
    login: tuple[Criterion, ...] = ()
    logs_in: bool = False
    subject: str = ""
    is_quoted: bool = False
    words: str = ""
    then: tuple[Intent, ...] = ()

    @property
    def chain(self) -> tuple[Kind, ...]:
        """All that the prompt asks for, in order."""
        return (*((Kind.LOGIN,) if self.logs_in else ()), self.kind, *(one.kind for one in self.then))


_LOGIN = re.compile(
    r"\b(?:(?:log(?:ged|ging)?|sign(?:ed|ing)?)(?: me)?[ -]?in(?:to)?|authenticat\w+|(?:use|using|with) (?:the |your |my )?credentials?|"
    r"(?:initiat\w+|start|open|begin) (?:an? |the |my |your )?(?:new |user )?session)\b",
    re.I,
)
_LOGOUT = re.compile(
    r"\b(?:log(?:ging)?(?: me)?[ -]?out|log(?:ging)? off|sign(?:ing)?(?: me)?[ -]?(?:out|off)|end (?:my |the )?session)\b", re.I
)
_NEW_ACCOUNT = r"create[ -](?:a |an |the |my )?(?:new )?(?:user )?account"
# "Register a film" is about a film, not about oneself.
_REGISTERED = r"regist(?:er|ration)\b(?! (?:an?|the|this|my) (?!(?:new )?(?:user|account|member|customer|profile|person|one)\b)(?!form))"
_REGISTER = re.compile(rf"\b(?:{_REGISTERED}|sign(?:ing)?[ -]?up|{_NEW_ACCOUNT}|join the (?:site|website|platform))\b", re.I)
_BEING_IN = (
    r"(?:once|after|when) (?:(?:you|i|being|having|are|am|have|a|the|successfully|successful) )*"
    r"(?:(?:logg|sign)(?:ed|ing) in|log-?in|sign-?in|authenticat\w+)"
)
_AFTER_LOGIN = re.compile(rf"^\W*(?:(?:and|then|after that|afterwards|next|{_BEING_IN}|please|,|\.|\s)+)", re.I)
_LOGIN_AT_END = re.compile(
    r"[\s,]*(?:\b(?:but|and)\b )?\b(?:after|once|when|while)\s+(?:(?:you|i|being|having|are|am|have|successfully|successful)\s+)*$", re.I
)
_CREDENTIALS = frozenset({"username", "user", "user name", "email", "password", "pw", "pass", "login"})
# Sending a form is the end of what went before, not a task after it.
_FORM_SENT = r"(?:it|them|(?:an? |the |my |your )?(?:\w+ )?form)\b"
_DOING = (
    r"open|view|watch|delete|remove|share|add|proceed|check ?out(?! (?:dates?|times?)\b)|go to|edit|update|sort|filter|"
    rf"submit(?! {_FORM_SENT})|book|mark|send(?! {_FORM_SENT})"
)
_SPLIT = re.compile(
    r"(?:[,.;]\s*)?(?:\band\s+)?\b(?:then|after that|afterwards|finally|once (?:logged|signed) in)\b,?\s*"
    rf"|\s*,?\s*\band\s+(?=(?:{_DOING})\b)",
    re.I,
)
# As in: find and delete …, find the book … and delete it.
_FOUND_FIRST = re.compile(
    r"\b(?:find|locate|look up|search for)(?P<what> (?:(?!\b(?:and|then)\b).)+?)?,? (?:and then|and|then) "
    rf"(?P<do>{_DOING}|archive|cancel|star)\b(?P<it> (?:it|them)\b)?",
    re.I,
)
# What only leads to the words about logging out.
_LEADS_ON = re.compile(r"(?:[\s,.;]|\b(?:and|then|finally|after that|afterwards|lastly|please|to|me|user|the|click|press|also)\b)*$", re.I)
_NAMING = frozenset(
    {
        "name",
        "title",
        "query",
        "search term",
        "search query",
        "film",
        "movie",
        "book",
        "product",
        "item",
        "subject",
        "keyword",
        "term",
        "from",
    }
)
# As in: the matter 'Holt', a new film called 'Salt'; the 'Holt' matter.
_NAMEABLE = (
    r"(?:films?|movies?|books?|novels?|products?|items?|restaurants?|dish(?:es)?|hotels?|matters?|clients?|documents?|files?|notes?|tasks?|"
    r"projects?|teams?|events?|meetings?|calendars?|jobs?|posts?|experts?|companies|company|doctors?|cars?|subnets?|servers?|channels?|labels?)"
)
_THING_NAMED = re.compile(rf"\b{_NAMEABLE},? (?P<name>[\ue000-\uf7ff])", re.I)
_NAMED_THING = re.compile(rf"(?P<name>[\ue000-\uf7ff]) {_NAMEABLE}\b", re.I)
_CREATING = frozenset({Kind.ADD_ITEM, Kind.TODO, Kind.CALENDAR})
_CHANGING = frozenset({Kind.EDIT_ITEM, Kind.DELETE_ITEM, Kind.MARK})


@lru_cache(maxsize=512)
def understand(prompt: str) -> Intent:
    """The intent of a prompt; what is in none of the known kinds is OTHER, with the criteria and words that it has."""
    masked = _what_is_done(mask(prompt))
    logout = _LOGOUT.search(masked.text)
    return _before_logout(masked, logout) if logout else _understood(masked)


def _what_is_done(masked: Masked) -> Masked:
    """The prompt without the finding, where something is found only for something to be done to it."""
    found = _FOUND_FIRST.search(masked.text)
    if not found or bool(found["what"]) != bool(found["it"]):
        return masked
    done = f"{found['do']}{found['what'] or ''}"
    return replace(masked, text=masked.text[: found.start()] + done + masked.text[found.end() :])


def _before_logout(masked: Masked, logout: re.Match[str]) -> Intent:
    """A prompt that speaks of logging out: after what it asks for besides, or by itself."""
    out = Intent(Kind.LOGOUT, words="log out")
    before = _understood(replace(masked, text=_LEADS_ON.sub("", masked.text[: logout.start()])))
    if before.kind not in {Kind.LOGIN, Kind.OTHER}:
        return replace(before, then=(*before.then, out))
    found = criteria(masked)
    logs_in = bool(_LOGIN.search(masked.text)) or any(_is_credential(one) for one in found)
    return _with_login(out, masked, found) if logs_in else out


def _understood(masked: Masked) -> Intent:
    found = criteria(masked)
    if _REGISTER.search(masked.text) and not _is_prior(masked):
        return Intent(Kind.REGISTER, found or _account(masked), words="register")
    login = _LOGIN.search(masked.text)
    return _after_login(masked, found, login) if login else _tasks(masked, (0, len(masked.text)), found)


def _is_prior(masked: Masked) -> bool:
    """Whether a log-in is asked for before the word that would mean registering: "log in …, then register for the event"."""
    login, register = _LOGIN.search(masked.text), _REGISTER.search(masked.text)
    return bool(login and register and login.start() < register.start() and "<signup" not in " ".join(masked.values))


def _after_login(masked: Masked, found: tuple[Criterion, ...], login: re.Match[str]) -> Intent:
    """A prompt that speaks of logging in: the task is what it asks for besides, or the log-in itself."""
    before = _LOGIN_AT_END.sub("", masked.text[: login.start()])
    if before != masked.text[: login.start()] and re.search(r"\w+\W+\w", before):
        return _with_login(_tasks(masked, (0, len(before)), found), masked, found)
    start = _end_of_login(masked, found, login)
    rest = _AFTER_LOGIN.sub("", masked.text[start:])
    if re.search(r"[A-Za-z]+\W+[A-Za-z\ue000-\uf7ff]", rest):
        return _with_login(_tasks(masked, (len(masked.text) - len(rest), len(masked.text)), found), masked, found)
    return Intent(Kind.LOGIN, _credentials(masked, found), words="log in")


def _end_of_login(masked: Masked, found: tuple[Criterion, ...], login: re.Match[str]) -> int:
    """Where the words about logging in end: after the last credential, else at "then", else at the end."""
    credentials = [one.end for one in found if _is_credential(one) and one.end > login.start()]
    marks = [at + 1 for at, sign in enumerate(masked.text) if "\ue000" <= sign <= "\uf7ff" and _placeholder(masked.plain(sign))]
    ends = [*credentials[:3], *marks]
    if ends:
        return _past_login(masked.text, max(ends))
    split = _SPLIT.search(masked.text, login.end())
    return split.end() if split else len(masked.text)


def _past_login(text: str, at: int) -> int:
    """Behind the words that name the log-in after its credentials: with the credentials …, sign in and …"""
    said = _LOGIN.search(text, at)
    return said.end() if said and not re.search(r"[\w\ue000-\uf7ff]", text[at : said.start()]) else at


def _tasks(masked: Masked, span: tuple[int, int], found: tuple[Criterion, ...]) -> Intent:
    """The task of a stretch of the prompt, and those that it asks for after it: each part must say what is to be done."""
    starts, ends = [span[0]], []
    for gap in _SPLIT.finditer(masked.text, *span):
        ends.append(gap.start())
        starts.append(gap.end())
    parts = [_task(masked, (start, end), found) for start, end in zip(starts, [*ends, span[1]], strict=True)]
    if len(parts) == 1 or any(part.kind is Kind.OTHER or " " not in part.words for part in parts[:-1]) or parts[-1].kind is Kind.OTHER:
        return _task(masked, span, found)
    return replace(parts[0], then=tuple(parts[1:]))


def _task(masked: Masked, span: tuple[int, int], whole: tuple[Criterion, ...]) -> Intent:
    found = tuple(one for one in whole if span[0] < one.end <= span[1])
    text = masked.text[slice(*span)].strip(" .!,")
    marked = tuple(masked.plain(mark) for mark in re.findall("[\ue000-\uf7ff]", text))
    kind = kind_of(text, marked, criteria=bool(found))
    name = _name(masked, text, kind, found)
    is_quoted = bool(name) and kind not in _CREATING
    if name and not is_quoted:
        found = (Criterion("name", Operator.EQUALS, (name,)), *found)
    words = " ".join(masked.plain(text).split())
    return Intent(kind, found, subject=name or _subject(masked, text, found), is_quoted=is_quoted, words=words)


def _name(masked: Masked, text: str, kind: Kind, found: tuple[Criterion, ...]) -> str:
    """The quoted value that no criterion claims and that stands beside what it is the name of: edit the matter 'Holt' to …; else ""."""
    if any(one.field in _NAMING for one in found):
        return ""
    if not found and kind not in _CREATING:
        return masked.plain(first[0]) if (first := re.search("[\ue000-\uf7ff]", text)) else ""
    claimed = {value for one in found for value in one.values}
    beside = (_THING_NAMED, _NAMED_THING) if kind in _CHANGING else (_THING_NAMED,)
    named = (masked.plain(hit["name"]) for pattern in beside for hit in pattern.finditer(text))
    return next((name for name in named if name not in claimed), "")


def _subject(masked: Masked, text: str, found: tuple[Criterion, ...]) -> str:
    """What a prompt without a quoted name is about: a naming criterion, else its words without the usual ones."""
    named = next((one for one in found if one.field in _NAMING and not one.operator.negative), None)
    if named:
        return named.value
    head = re.split(r"\b(?:where|whose|that|which|with)\b", text, maxsplit=1)[0] if found else text
    left = " ".join(SUBJECT_NOISE.sub(" ", head).split()).strip(" .,!?:")
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
