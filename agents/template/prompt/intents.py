"""What a prompt asks for, and which item it is about."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from agents.page.matching import words
from agents.template.prompt.criteria import Criterion, Operator, criteria
from agents.template.prompt.masking import MARK, Masked, mask
from agents.template.prompt.questions import is_question
from agents.template.prompt.synonyms import names_of
from agents.template.prompt.task_kinds import Kind
from agents.template.prompt.task_rows import ASKING, MOVING, Trait, names

__all__ = ["Intent", "Kind", "understand"]


@dataclass(frozen=True, slots=True)
class Intent:
    """`criteria` are those of the task itself; `login` are the credentials when the prompt asks to log in first, else empty.

    `subject` is what it is about, as the prompt writes it: the item to open, the words to search for, the page to go to. `is_quoted`:
    whether it stands in quotes and no criterion has it. `words` are the prompt's own words about the task, with the values in them, and
    `head` those before the criteria. `then` is what follows, in order. `opened_as`: the name of the item that opened the page.
    """

    kind: Kind
    criteria: tuple[Criterion, ...] = ()
    login: tuple[Criterion, ...] = ()
    logs_in: bool = False
    subject: str = ""
    is_quoted: bool = False
    words: str = ""
    then: "tuple[Intent, ...]" = ()
    opened_as: str = ""

    @property
    def chain(self) -> tuple[Kind, ...]:
        return (*((Kind.LOGIN,) if self.logs_in else ()), self.kind, *(one.kind for one in self.then))

    @property
    def head(self) -> str:
        return _CRITERIA.split(self.words, maxsplit=1)[0]


_LOGIN = re.compile(
    r"(?i)\b(?:(?:log(?:ged|ging)?|sign(?:ed|ing)?)(?: me)?[ -]?in(?:to)?|authenticat\w+|(?:use|using|with) (?:the |your |"
    r"my )?credentials?|(?:initiat\w+|start|open|begin) (?:an? |the |my |your )?(?:new |user )?session)\b"
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
    r"(?i)(?:[,.;]\s*)?(?:\band\s+)?\b(?:then|after that|afterwards|finally|once (?:logged|signed) in)\b,?\s*"
    rf"|\s*,?\s*\band\s+(?=(?:{_DOING})\b)"
)
# As in: find and delete …, find the book … and delete it.
_FOUND_FIRST = re.compile(
    r"(?i)\b(?:find|locate|look up|search for)(?P<what> (?:(?!\b(?:and|then)\b).)+?)?,? (?:and then|and|then) "
    rf"(?P<do>{_DOING}|archive|cancel|star)\b(?P<it> (?:it|them)\b)?"
)
# What only leads to the words about logging out.
_LEADS_ON = re.compile(r"(?:[\s,.;]|\b(?:and|then|finally|after that|afterwards|lastly|please|to|me|user|the|click|press|also)\b)*$", re.I)
_NAMING = frozenset(names("name, title, query, search term, search query, film, movie, book, product, item, subject, keyword, term, from"))
# As in: the matter 'Holt', a new film called 'Salt'; the 'Holt' matter.
_NAMEABLE = (
    r"(?:films?|movies?|books?|novels?|products?|items?|restaurants?|dish(?:es)?|hotels?|matters?|clients?|documents?|files?|notes?|tasks?|"
    r"projects?|teams?|events?|meetings?|calendars?|jobs?|posts?|experts?|companies|company|doctors?|cars?|subnets?|servers?|channels?|labels?)"
)
_THING_NAMED = re.compile(rf"\b{_NAMEABLE},? (?P<name>[\ue000-\uf7ff])", re.I)
_NAMED_THING = re.compile(rf"(?P<name>[\ue000-\uf7ff]) {_NAMEABLE}\b", re.I)
_SEARCH = re.compile(rf"{ASKING}(?:search(?:es)?|look(?:ing)? (?:up|for)|find|query|type)\b", re.I)
_OPEN = re.compile(rf"{ASKING}(?:open|views?|show|see|visit|display|{MOVING}|check out|access|switch to|retrieve)\b", re.I)
_BROWSE = re.compile(rf"{ASKING}browse\b", re.I)
# As in: the next page of …, … on the previous page, the next set of …
_PAGE_TURNED = re.compile(
    r"\b(?:next|following|upcoming|later|prev(?:ious)?|earlier|preceding) (?:page|set|batch)\b|\b(?:page|move|go) (?:forward|backward)s?\b",
    re.I,
)
# Where something is put or taken from, if that is said after its criteria: … whose price is below 20 from my cart.
_PLACED = re.compile(
    r"(?i)\b(?:to|from|in|into|on|onto|off|out of) (?:the |my |your |our )?"
    r"(?P<place>(?:shopping )?(?:cart|basket|bag)|(?:wish|watch|reading)[ -]?list|favou?rites)\W*$"
)
# What follows these words are criteria, whose fields may be called like another kind of task.
_CRITERIA = re.compile(r"\b(?:where|whose|that|which|with|so that)\b", re.I)
_THINGS = (
    r"details?|preview|movies?|films?|books?|products?|items?|articles?|restaurants?|hotels?|stays?|property|matters?|clients?|doctors?|"
    r"jobs?|experts?|consultants?|profiles?|posts?|emails?|events?|tasks?|subnets?|validators?|blocks?|accounts?|rides?|trips?"
)
_DETAIL = re.compile(rf"\b(?:{_THINGS})\b", re.I)
# A list of one's own is a page, whatever is said of what is in it; a part that opens over the page is none, nor an item.
_OWN_LIST = re.compile(
    r"\b(?:shopping )?(?:cart|basket|bag|(?:wish|watch|reading)[ -]?list)\b|\b[a-z]+s (?:that )?I(?:['’]ve| have)? (?:[a-z]+ )?[a-z]{3,}",
    re.I,
)
# As in: all restaurants, the full list of films.
_ALL_OF_THEM = re.compile(
    r"\b(?:all|every|(?:full|whole|entire|complete) list of)(?: of)?(?: the| my| our)? [a-z]+s\b|\bfull [a-z]+ list\b", re.I
)
# As in: my saved posts, popular hotels.
_LIST_OF = re.compile(r"\b(?:popular|trending|latest|recent|(?:my|all|the) [a-z]+ed) [a-z]+s(?: list| page)?\W*$", re.I)
_CONTROL = re.compile(r"\b(?:forms?|modal|wizard|dialog|pop-?up|drop-?down|selector|picker)\b", re.I)
_CHOICE = re.compile(r"\b(?:drop-?down|selector|picker)\b", re.I)
_WIDGETS = frozenset({"dropdown", "picker", "selector", "option", "value", "menu", "one"})
_SURELY = 0.85
CHOSEN = re.compile(r"\b(?:select|choose|pick|set|specify)\b (?:an? |the |my |your )?(?P<what>[a-z]+)", re.I)
CHOSEN_THING = re.compile(r"\b(?:for|at|on|in|from|where|whose|that|which|with|as|ensuring|of|equals?|is|not)\b|[.,\ue000-\uf7ff]", re.I)
_ONE_THING = re.compile(r"\b([a-z]+(?<!s))\W*$", re.I)
_PLACE = re.compile(r"\b(?:page|tab|section|home|homepage|website|site)\b|/", re.I)
# As in: view the help page where page equals 'help'.
_ABOUT_PAGE = re.compile(r"\b(?:where|whose) (?:the )?page (?:is |not |does |equals|contains)", re.I)
_SUBJECT_NOISE = re.compile(
    rf"(?i)\b(?:please|i want to|search(?:es)?(?: for)?|look(?:ing)? (?:up|for)|find|query|open|views?|show|see|visit|display|{MOVING}|"
    r"access|switch to|(?:un|de)?select|(?:un)?check|choose|pick|hide|toggle|"
    r"me|the|an?|of|for|details?|information|info|page|preview|directly|called|named|titled|any|some|users?|tab|section|within|"
    r"movies?|films?|books?|products?|items?|restaurants?|calendars?|in the|database|catalog(?:ue)?|site|website|on|about|to|with)\b"
)


@lru_cache(maxsize=512)
def understand(prompt: str) -> Intent:
    masked = mask(prompt)
    if is_question(masked.text):
        return _question(masked)
    found = _FOUND_FIRST.search(masked.text)
    if found and bool(found["what"]) == bool(found["it"]):
        # Something is found only for something to be done to it.
        text = f"{masked.text[: found.start()]}{found['do']}{found['what'] or ''}{masked.text[found.end() :]}"
        masked = replace(masked, text=text)
    logout = _LOGOUT.search(masked.text)
    if not logout:
        return _understood(masked)
    out = Intent(Kind.LOGOUT, words="log out")
    before = _understood(replace(masked, text=_LEADS_ON.sub("", masked.text[: logout.start()])))
    if before.kind not in {Kind.LOGIN, Kind.OTHER}:
        return replace(before, then=(*before.then, out))
    credentials = criteria(masked)
    logs_in = _LOGIN.search(masked.text) or any(one.field in _CREDENTIALS for one in credentials)
    return _with_login(out, masked, credentials) if logs_in else out


def _question(masked: Masked) -> Intent:
    """What it says of its item is one, whatever words join it."""
    found = criteria(masked)
    name = _name(masked, masked.text, Kind.QUESTION, found)
    return Intent(Kind.QUESTION, found, subject=name, is_quoted=bool(name), words=" ".join(masked.plain(masked.text).split()))


def _understood(masked: Masked) -> Intent:
    found, text = criteria(masked), masked.text
    login, register = _LOGIN.search(text), _REGISTER.search(text)
    # As in: log in …, then register for the event.
    is_prior = login and register and login.start() < register.start() and "<signup" not in " ".join(masked.values)
    if register and not is_prior:
        return Intent(Kind.REGISTER, found or _account(masked), words="register")
    if not login:
        return _tasks(masked, (0, len(text)), found)
    before = _LOGIN_AT_END.sub("", text[: login.start()])
    if before != text[: login.start()] and re.search(r"\w+\W+\w", before):
        return _with_login(_tasks(masked, (0, len(before)), found), masked, found)
    rest = _AFTER_LOGIN.sub("", text[_end_of_login(masked, found, login) :])
    if re.search(r"[A-Za-z]+\W+[A-Za-z\ue000-\uf7ff]", rest):
        return _with_login(_tasks(masked, (len(text) - len(rest), len(text)), found), masked, found)
    return Intent(Kind.LOGIN, _credentials(masked, found), words="log in")


def _end_of_login(masked: Masked, found: tuple[Criterion, ...], login: re.Match[str]) -> int:
    """Where the words about logging in end: after the last credential, else at "then", else at the end."""
    text = masked.text
    ends = [one.end for one in found if one.field in _CREDENTIALS and one.end > login.start()][:3]
    ends += [hit.end() for hit in MARK.finditer(text) if masked.plain(hit[0]) in {"<username>", "<password>"}]
    if not ends:
        split = _SPLIT.search(text, login.end())
        return split.end() if split else len(text)
    # Behind the words that name the log-in after its credentials: with the credentials …, sign in and …
    at = max(ends)
    again = _LOGIN.search(text, at)
    return again.end() if again and not re.search(r"[\w\ue000-\uf7ff]", text[at : again.start()]) else at


def _tasks(masked: Masked, span: tuple[int, int], found: tuple[Criterion, ...]) -> Intent:
    gaps = [gap.span() for gap in _SPLIT.finditer(masked.text, *span)]
    spans = zip((span[0], *(end for _, end in gaps)), (*(start for start, _ in gaps), span[1]), strict=True)
    parts = [_task(masked, part, found) for part in spans]
    if len(parts) == 1 or any(part.kind is Kind.OTHER or " " not in part.words for part in parts[:-1]) or parts[-1].kind is Kind.OTHER:
        return _task(masked, span, found)
    return replace(parts[0], then=tuple(parts[1:]))


def _task(masked: Masked, span: tuple[int, int], whole: tuple[Criterion, ...]) -> Intent:
    found = tuple(one for one in whole if span[0] < one.end <= span[1])
    text = masked.text[slice(*span)].strip(" .!,")
    kind = _kind_of(text, tuple(map(masked.plain, MARK.findall(text))), criteria=bool(found))
    if kind is Kind.CHOOSE and found and (said := CHOSEN.search(text)):
        # As in: a country from the dropdown that is not …
        found = tuple(replace(one, field=said["what"].lower()) if one.field in _WIDGETS else one for one in found)
        chosen = CHOSEN_THING.split(text[said.start("what") :], maxsplit=1)[0]
        if not any(is_called(one.field, chosen) for one in found) and (noun := _ONE_THING.search(chosen)):
            # As in: an occasion for a booking at a restaurant where … – any will do.
            found = (Criterion(noun[1].lower(), Operator.NOT_EQUALS, ("none",)), *found)
    name = _name(masked, text, kind, found)
    is_quoted = bool(name) and not kind.has(Trait.CREATES)
    if name and not is_quoted:
        found = (Criterion("name", Operator.EQUALS, (name,)), *found)
    own = " ".join(masked.plain(text).split())
    return Intent(kind, found, subject=name or _subject(masked, text, found), is_quoted=is_quoted, words=own)


def is_called(field: str, said: str) -> bool:
    """Whether what is said names the field, by one of its names: a project's size is its scope."""
    names = (words(name) for name, weight in names_of(field) if weight > _SURELY)
    return any(not {*name[:1], *name[-1:]}.isdisjoint(words(said)) for name in names)


def _kind_of(text: str, values: tuple[str, ...], *, criteria: bool) -> Kind:
    """By the task's words, in which each quoted value is one mark; `values` are these, `criteria` is whether the words hold any."""
    head = _CRITERIA.split(text, maxsplit=1)[0]
    for kind in Kind:
        if kind.row.asks_first and kind.row.asks_first.search(head):
            return kind
    if not criteria and _PAGE_TURNED.search(text):
        return Kind.PAGE
    if _SEARCH.search(text):
        return Kind.SEARCH
    if criteria and _BROWSE.search(text):
        return Kind.FILTER
    if _OPEN.search(text):
        return _opened(text, head, values, criteria=criteria)
    if placed := _PLACED.search(text):
        head = f"{head} {placed['place']}"
    asked = (kind for part in (head, text) for kind in Kind if any(pattern.search(part) for pattern in kind.row.asks))
    return next(asked, Kind.OTHER)


def _opened(text: str, head: str, values: tuple[str, ...], *, criteria: bool) -> Kind:
    """Whether a page of the site is to be opened ("the jobs page", "the Jobs tab"), or one of its items."""
    if _LIST_OF.search(head) and not values[: not criteria]:
        return Kind.NAVIGATE
    if criteria and _ABOUT_PAGE.search(text) and _PLACE.search(head):
        return Kind.NAVIGATE
    if criteria:
        form = Kind.CHOOSE if _CHOICE.search(head) else Kind.OTHER
        return form if _CONTROL.search(head) else Kind.OPEN_ITEM
    if any("://" in value for value in values) or _CONTROL.search(head):
        return Kind.NAVIGATE
    if not values and (_OWN_LIST.search(text) or _ALL_OF_THEM.search(text) or not _DETAIL.search(text)):
        return Kind.NAVIGATE
    if not _PLACE.search(text):
        return Kind.OPEN_ITEM
    named = re.search(r"[A-Za-z\d\ue000-\uf7ff]{2}|[\ue000-\uf7ff]", _SUBJECT_NOISE.sub(" ", text))
    is_item = not re.search(r"\btab\b", text, re.I) and named and _DETAIL.search(text)
    return Kind.OPEN_ITEM if is_item else Kind.NAVIGATE


def _name(masked: Masked, text: str, kind: Kind, found: tuple[Criterion, ...]) -> str:
    """The quoted value that no criterion claims and that stands beside what it is the name of: edit the matter 'Holt' to …; else ""."""
    if any(one.field in _NAMING for one in found):
        return ""
    if not found and not kind.has(Trait.CREATES):
        return masked.plain(first[0]) if (first := MARK.search(text)) else ""
    claimed = {value for one in found for value in one.values}
    beside = (_THING_NAMED, _NAMED_THING) if kind.has(Trait.CHANGES) else (_THING_NAMED,)
    named = (masked.plain(hit["name"]) for pattern in beside for hit in pattern.finditer(text))
    return next((name for name in named if name not in claimed), "")


def _subject(masked: Masked, text: str, found: tuple[Criterion, ...]) -> str:
    named = next((one for one in found if one.field in _NAMING and not one.operator.negative), None)
    if named:
        return named.value
    head = _CRITERIA.split(text, maxsplit=1)[0] if found else text
    left = " ".join(_SUBJECT_NOISE.sub(" ", head).split()).strip(" .,!?:")
    return masked.plain(left) or (masked.plain(" ".join(text.split())) if not found else "")


def _with_login(intent: Intent, masked: Masked, found: tuple[Criterion, ...]) -> Intent:
    return replace(intent, login=_credentials(masked, found), logs_in=True)


def _credentials(masked: Masked, found: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
    """The criteria of a log-in, each field once; where a prompt names none, its quoted pair, else the placeholders that callers fill in."""
    named = {one.field: one for one in reversed(found) if one.field in _CREDENTIALS}
    if named:
        # As in: sign in to the website username:<username> …
        given = {value.strip("<>"): value for value in masked.values if value in {"<username>", "<password>"}}
        named |= {name: Criterion(name, Operator.EQUALS, (value,)) for name, value in given.items() if name not in named}
        return tuple(sorted(named.values(), key=lambda one: one.end))
    pair = masked.values[:2] if len(masked.values) == 2 else ("<username>", "<password>")
    return tuple(Criterion(field, Operator.EQUALS, (value,)) for field, value in zip(("username", "password"), pair, strict=True))


def _account(masked: Masked) -> tuple[Criterion, ...]:
    said = [value for value in masked.values if value.startswith("<signup_")]
    names = said or ["<signup_username>", "<signup_email>", "<signup_password>"]
    return tuple(Criterion(value.strip("<>").removeprefix("signup_").replace("_", " "), Operator.EQUALS, (value,)) for value in names)
