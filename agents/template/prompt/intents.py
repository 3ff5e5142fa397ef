"""What a prompt asks for, and which item it is about."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from agents.page.matching import words
from agents.template.prompt.criteria import Criterion, Operator, criteria
from agents.template.prompt.masking import MARK, Masked, mask
from agents.template.prompt.operators import POSITIVE
from agents.template.prompt.questions import is_question
from agents.template.prompt.task_kinds import Kind
from agents.template.prompt.task_rows import ASKING, MOVING, Trait, names

__all__ = ["Intent", "Kind", "understand"]


@dataclass(frozen=True, slots=True)
class Intent:
    """`criteria` are those of the task itself; `login` are the credentials when the prompt asks to log in first, else empty.

    `subject` is what it is about, as the prompt writes it: the item to open, the words to search for, the page to go to. `is_quoted`:
    whether it stands in quotes and no criterion has it. `words` are the prompt's own words about the task, with the values in them, and
    `head` those before the criteria. `then` is what is to be done after it, in order.
    """

    kind: Kind
    criteria: tuple[Criterion, ...] = ()
    login: tuple[Criterion, ...] = ()
    logs_in: bool = False
    subject: str = ""
    is_quoted: bool = False
    words: str = ""
    then: "tuple[Intent, ...]" = ()

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
_CHOSEN = re.compile(r"\b(?:select|choose|pick|set|specify)\b (?:an? |the |my |your )?(?P<what>[a-z]+)", re.I)
_CHOSEN_THING = re.compile(r"\b(?:for|at|on|in|from|where|whose|that|which|with|as|ensuring|of|equals?|is|not)\b|[.,\ue000-\uf7ff]", re.I)
_ONE_THING = re.compile(r"\b([a-z]+(?<!s))\W*$", re.I)
_PLACE = re.compile(r"\b(?:page|tab|section|home|homepage|website|site)\b|/", re.I)
_SUBJECT_NOISE = re.compile(
    rf"(?i)\b(?:please|i want to|search(?:es)?(?: for)?|look(?:ing)? (?:up|for)|find|query|open|views?|show|see|visit|display|{MOVING}|"
    r"access|switch to|(?:un|de)?select|(?:un)?check|choose|pick|hide|toggle|"
    r"me|the|an?|of|for|details?|information|info|page|preview|directly|called|named|titled|any|some|users?|tab|section|within|"
    r"movies?|films?|books?|products?|items?|restaurants?|calendars?|in the|database|catalog(?:ue)?|site|website|on|about|to|with)\b"
)
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
    if kind is Kind.CHOOSE and found and (said := _CHOSEN.search(text)):
        # As in: a country from the dropdown that is not …
        found = tuple(replace(one, field=said["what"].lower()) if one.field in _WIDGETS else one for one in found)
        chosen = _CHOSEN_THING.split(text[said.start("what") :], maxsplit=1)[0]
        if not any(set(words(one.field)) & set(words(chosen)) for one in found) and (noun := _ONE_THING.search(chosen)):
            # As in: an occasion for a booking at a restaurant where … – any will do.
            found = (Criterion(noun[1].lower(), Operator.NOT_EQUALS, ("none",)), *found)
    name = _name(masked, text, kind, found)
    is_quoted = bool(name) and not kind.has(Trait.CREATES)
    if name and not is_quoted:
        found = (Criterion("name", Operator.EQUALS, (name,)), *found)
    own = " ".join(masked.plain(text).split())
    return Intent(kind, found, subject=name or _subject(masked, text, found), is_quoted=is_quoted, words=own)


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
    things = {said[0] for one in intent.criteria if len(said := words(one.field)) == 2 and said[1] in _NAMED_BY}
    thing = next(iter(things), "")
    if len(things) != 1 or thing in _OF_PERSONS:
        found = _THING.search(intent.words)
        thing = " ".join(words(found[1])) if found else ""
    return Target(own, named, thing)


def to_choose(intent: Intent) -> tuple[Criterion, ...]:
    """Of a task to choose something: the criteria of what is to be chosen, which its words name first; all where they name none of them."""
    said = _CHOSEN.search(intent.words)
    named = set(words(_CHOSEN_THING.split(intent.words[said.start("what") :], maxsplit=1)[0])) if said else set[str]()
    field = next((one.field for one in intent.criteria if named & set(words(one.field))), "")
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
