"""The intent of a prompt: the kind of task, its criteria and its subject."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from agents.page.matching import words
from agents.template.prompt.criteria import Criterion, Operator, criteria
from agents.template.prompt.masking import MARK, Masked, mask
from agents.template.prompt.operators import OPERATOR
from agents.template.prompt.questions import is_question
from agents.template.prompt.synonyms import names_of
from agents.template.prompt.task_kinds import ITEMS, LEAD_IN, MOVING, ORDERED, Kind, Trait, names

__all__ = ["Intent", "Kind", "understand"]


@dataclass(frozen=True, slots=True)
class Intent:
    """`criteria` are those of the task itself; `login` are the credentials if the prompt requests a log-in first, else empty. `subject` is
    the item to open, the text to search for, or the page to go to, as in the prompt. `is_quoted`: it is in quotes and not in a criterion.
    `text` is the prompt's part about the task, with values, and `head` its part before the criteria. `then` are the tasks that follow, in
    order. `opened_as`: the name of the item that opened the page; `page_of`: the heading of a page that lists things of one item.
    `timed_by`: the fields of days and times that the page's list shows for each item."""

    kind: Kind
    criteria: tuple[Criterion, ...] = ()
    login: tuple[Criterion, ...] = ()
    logs_in: bool = False
    subject: str = ""
    is_quoted: bool = False
    text: str = ""
    then: "tuple[Intent, ...]" = ()
    opened_as: str = ""
    page_of: str = ""
    timed_by: tuple[str, ...] = ()

    @property
    def stages(self) -> "tuple[Intent, ...]":
        return (self, *self.then)

    @property
    def all_criteria(self) -> tuple[Criterion, ...]:
        return (*self.login, *(criterion for stage in self.stages for criterion in stage.criteria))

    @property
    def chain(self) -> tuple[Kind, ...]:
        return (*((Kind.LOGIN,) if self.logs_in else ()), *(stage.kind for stage in self.stages))

    @property
    def head(self) -> str:
        return _CRITERIA.split(self.text, maxsplit=1)[0]


_LOGIN = re.compile(
    r"(?i)\b(?:(?:log(?:ged|ging)?|sign(?:ed|ing)?)(?: me)?[ -]?in(?:to)?|authenticat\w+|(?:use|using|with) (?:the |your |"
    r"my )?credentials?|(?:initiat\w+|start|open|begin) (?:an? |the |my |your )?(?:new |user )?session)\b"
)
_LOGOUT = re.compile(
    r"\b(?:log(?:ging)?(?: me)?[ -]?out|log(?:ging)? off|sign(?:ing)?(?: me)?[ -]?(?:out|off)|end (?:my |the )?session)\b", re.I
)
_NEW_ACCOUNT = r"create[ -](?:a |an |the |my )?(?:new )?(?:user )?account"
# "Register a film" is no registration of a user.
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
CREDENTIALS = frozenset({"username", "user", "user name", "email", "password", "pw", "pass", "login"})
_FORM_SENT = r"(?:it|them|(?:an? |the |my |your )?(?:\w+ )?form)\b"  # sending a form is the end of the task before, not a task after it
_DOING = (
    r"open|view|watch|delete|remove|share|add|proceed|check ?out(?! (?:dates?|times?)\b)|go to|edit|update|sort|filter|"
    rf"submit(?! {_FORM_SENT})|book|mark|send(?! {_FORM_SENT})"
)
_SPLIT = re.compile(
    r"(?i)(?:[,.;]\s*)?(?:\band\s+)?\b(?:then|after that|afterwards|finally|once (?:logged|signed) in)\b,?\s*"
    rf"|\s*,?\s*\band\s+(?=(?:{_DOING})\b)"
)
_FIELD_AFTER = re.compile(rf"(?:the )?[a-z_]+ (?:{OPERATOR.pattern})\s", re.I)  # a verb may be a field's name too: … and checkout equals …
# As in: find and delete …, find the book … and delete it.
_FOUND_FIRST = re.compile(
    r"(?i)\b(?:find|locate|look up|search for)(?P<what> (?:(?!\b(?:and|then)\b).)+?)?,? (?:and then|and|then) "
    rf"(?P<do>{_DOING}|archive|cancel|star)\b(?P<it> (?:it|them)\b)?"
)
# Words before a log-out.
_LEADS_ON = re.compile(r"(?:[\s,.;]|\b(?:and|then|finally|after that|afterwards|lastly|please|to|me|user|the|click|press|also)\b)*$", re.I)
_NAMING = frozenset(names("name, title, query, search term, search query, film, movie, book, product, item, subject, keyword, term, from"))
# As in: the matter 'Holt', a new film called 'Salt'; the 'Holt' matter.
_THING_NAMED = re.compile(rf"\b{ITEMS},? (?P<name>[\ue000-\uf7ff])", re.I)
_NAMED_THING = re.compile(rf"(?P<name>[\ue000-\uf7ff]) {ITEMS}\b", re.I)
_SEARCH = re.compile(rf"{LEAD_IN}(?:search(?:es)?|look(?:ing)? (?:up|for)|find|query|type)\b", re.I)
# A form that is only opened is one of the kind that its name says: open the add-to-cart dialog, open the appointment form.
_SHOWN_FORM = re.compile(
    rf"(?i){LEAD_IN}(?:open|show|display) (?:the |an? |my )?(?:(?P<what>[a-z]+-[a-z-]+)|(?P<booked>appointment|booking|reservation)) "
    r"(?:modal|dialog|popup|window|form)\b"
)
_OPEN = re.compile(rf"{LEAD_IN}(?:open|views?|show|see|visit|display|{MOVING}|check out|access|switch to|retrieve)\b", re.I)
_BROWSE = re.compile(rf"{LEAD_IN}browse\b", re.I)
# As in: the next page of …, … on the previous page, the next set of …
_PAGE_TURNED = re.compile(
    r"\b(?:next|following|upcoming|later|prev(?:ious)?|earlier|preceding) (?:page|set|batch)\b|\b(?:page|move|go) (?:forward|backward)s?\b",
    re.I,
)
# The list that something is put on or taken from, after the criteria: … whose price is below 20 from my cart.
_PLACED = re.compile(
    r"(?i)\b(?:to|from|in|into|on|onto|off|out of) (?:the |my |your |our )?"
    r"(?P<place>(?:shopping )?(?:cart|basket|bag)|(?:wish|watch|reading)[ -]?list|favou?rites)\W*$"
)
# After these words come criteria, whose fields may have the name of another kind of task.
_CRITERIA = re.compile(r"\b(?:where|whose|that|which|with|so that)\b", re.I)
_DETAIL = re.compile(rf"\b(?:details?|preview|{ITEMS})\b", re.I)
# A list of the user's is a page, even with criteria; a dialog is neither a page nor an item.
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
# As in: the email templates page.
# As in: the help page to see the prices.
_PURPOSE = re.compile(r"(?<=\bpage)(?: in order)? to (?:view|see|read|learn|find|check)\b.*", re.I)
_PAGE_OF_LIST = re.compile(r"\b(?:the|my|our) (?:[a-z]+ ){0,3}(?!details|previews)[a-z]+[^s\W]s page\W*$")
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
    match = _FOUND_FIRST.search(masked.text)
    if match and bool(match["what"]) == bool(match["it"]):
        # Finding an item is not a task of its own before an action on it.
        text = f"{masked.text[: match.start()]}{match['do']}{match['what'] or ''}{masked.text[match.end() :]}"
        masked = replace(masked, text=text)
    logout = _LOGOUT.search(masked.text)
    if not logout:
        return _understood(masked)
    out = Intent(Kind.LOGOUT, text="log out")
    before = _understood(replace(masked, text=_LEADS_ON.sub("", masked.text[: logout.start()])))
    if before.kind not in {Kind.LOGIN, Kind.OTHER}:
        return replace(before, then=(*before.then, out))
    credentials = criteria(masked)
    logs_in = _LOGIN.search(masked.text) or any(criterion.field in CREDENTIALS for criterion in credentials)
    return _with_login(out, masked, credentials) if logs_in else out


def _question(masked: Masked) -> Intent:
    """All criteria of a question are about one item, even after "and" or "then"."""
    stated = criteria(masked)
    name = _name(masked, masked.text, Kind.QUESTION, stated)
    return Intent(Kind.QUESTION, stated, subject=name, is_quoted=bool(name), text=" ".join(masked.plain(masked.text).split()))


def _understood(masked: Masked) -> Intent:
    stated, text = criteria(masked), masked.text
    login, register = _LOGIN.search(text), _REGISTER.search(text)
    # As in: log in …, then register for the event.
    is_prior = login and register and login.start() < register.start() and "<signup" not in " ".join(masked.values)
    if register and not is_prior:
        return Intent(Kind.REGISTER, stated or _account(masked), text="register")
    if not login:
        task = _tasks(masked, (0, len(text)), stated)
        # As in: connect me where username equals … and password equals …
        is_login = task.kind in (Kind.OTHER, Kind.REACT) and {criterion.field for criterion in stated} == {"username", "password"}
        return Intent(Kind.LOGIN, stated, text="log in") if is_login else task
    before = _LOGIN_AT_END.sub("", text[: login.start()])
    if before != text[: login.start()] and re.search(r"\w+\W+\w", before):
        return _with_login(_tasks(masked, (0, len(before)), stated), masked, stated)
    rest = _AFTER_LOGIN.sub("", text[_end_of_login(masked, stated, login) :])
    if re.search(r"[A-Za-z]+\W+[A-Za-z\ue000-\uf7ff]", rest) and not _FIELD_AFTER.match(rest):
        return _with_login(_tasks(masked, (len(text) - len(rest), len(text)), stated), masked, stated)
    return Intent(Kind.LOGIN, _credentials(masked, stated), text="log in")


def _end_of_login(masked: Masked, stated: tuple[Criterion, ...], login: re.Match[str]) -> int:
    """The end of the part about logging in: after the last credential, else at "then", else at the end."""
    text = masked.text
    ends = [criterion.end for criterion in stated if criterion.field in CREDENTIALS and criterion.end > login.start()][:3]
    ends += [hit.end() for hit in MARK.finditer(text) if masked.plain(hit[0]) in {"<username>", "<password>"}]
    if not ends:
        split = _SPLIT.search(text, login.end())
        return split.end() if split else len(text)
    at = max(ends)  # the log-in may come after its credentials: with the credentials …, sign in and …
    again = _LOGIN.search(text, at)
    return again.end() if again and not re.search(r"[\w\ue000-\uf7ff]", text[at : again.start()]) else at


def _tasks(masked: Masked, span: tuple[int, int], stated: tuple[Criterion, ...]) -> Intent:
    gaps = [gap.span() for gap in _SPLIT.finditer(masked.text, *span) if not _FIELD_AFTER.match(masked.text, gap.end())]
    spans = zip((span[0], *(end for _, end in gaps)), (*(start for start, _ in gaps), span[1]), strict=True)
    parts = [_task(masked, part, stated) for part in spans]
    if len(parts) == 1 or any(part.kind is Kind.OTHER or " " not in part.text for part in parts[:-1]) or parts[-1].kind is Kind.OTHER:
        return _task(masked, span, stated)
    return replace(parts[0], then=tuple(parts[1:]))


def _task(masked: Masked, span: tuple[int, int], whole: tuple[Criterion, ...]) -> Intent:
    stated = tuple(criterion for criterion in whole if span[0] < criterion.end <= span[1])
    text = masked.text[slice(*span)].strip(" .!,")
    kind = _kind_of(text, tuple(map(masked.plain, MARK.findall(text))), criteria=bool(stated))
    of_list = [criterion for criterion in stated if criterion.field.startswith(("filter ", "sort "))]
    if kind is Kind.FILTER and 0 < len(of_list) < len(stated):
        kind = Kind.OPEN_ITEM  # as in: filter the reviews of a lamp where lamp name … and filter rating …
    if kind is Kind.SETTINGS and any(criterion.field in ORDERED for criterion in stated):
        kind = Kind.CHOOSE  # a preference of an order is no setting of the site
    if kind is Kind.CHOOSE and stated and (choosing := CHOSEN.search(text)):
        what = choosing["what"].lower()  # As in: a country from the dropdown that is not …
        stated = tuple(replace(criterion, field=what) if criterion.field in _WIDGETS else criterion for criterion in stated)
        chosen = CHOSEN_THING.split(text[choosing.start("what") :], maxsplit=1)[0]
        if not any(is_called(criterion.field, chosen) for criterion in stated) and (noun := _ONE_THING.search(chosen)):
            # As in: an occasion for a booking at a restaurant where … – any will do.
            stated = (Criterion(noun[1].lower(), Operator.NOT_EQUALS, ("none",)), *stated)
    name = _name(masked, text, kind, stated)
    is_quoted = bool(name) and not kind.has(Trait.CREATES)
    if name and not is_quoted:
        stated = (Criterion("name", Operator.EQUALS, (name,)), *stated)
    own = " ".join(masked.plain(text).split())
    return Intent(kind, stated, subject=name or _subject(masked, text, stated), is_quoted=is_quoted, text=own)


def is_called(field: str, text: str) -> bool:
    """Whether the text contains one of the field's names: a project's size is its scope."""
    names = (words(name) for name, weight in names_of(field) if weight > _SURELY)
    return any(not {*name[:1], *name[-1:]}.isdisjoint(words(text)) for name in names)


def _kind_of(text: str, values: tuple[str, ...], *, criteria: bool) -> Kind:
    """By the task's text, in which each quoted value is one mark; `values` are these, `criteria`: whether the text contains any."""
    head = _CRITERIA.split(text, maxsplit=1)[0]
    if shown := _SHOWN_FORM.search(head):
        return _kind_of((shown["what"] or f"book {shown['booked']}").replace("-", " "), (), criteria=False)
    for kind in Kind:
        if kind.row.first_prompts and kind.row.first_prompts.search(head):
            return kind
    if (criteria and _BROWSE.search(text)) or _SEARCH.search(text):
        return Kind.SEARCH if _SEARCH.search(text) else Kind.FILTER
    if not criteria and _PAGE_TURNED.search(text):
        return Kind.PAGE
    if _OPEN.search(text):
        return _opened(text, head, values, criteria=criteria)
    if placed := _PLACED.search(text):
        head = f"{head} {placed['place']}"
    kinds = (kind for part in (head, text) for kind in Kind if any(pattern.search(part) for pattern in kind.row.prompts))
    return next(kinds, Kind.OTHER)


def _opened(text: str, head: str, values: tuple[str, ...], *, criteria: bool) -> Kind:
    """Whether the task opens a page of the site ("the jobs page", "the Jobs tab"), or one of its items."""
    if _LIST_OF.search(head) and not values[: not criteria]:
        return Kind.NAVIGATE
    if _PAGE_OF_LIST.search(text) and not values:
        return Kind.NAVIGATE
    if criteria and _ABOUT_PAGE.search(text) and _PLACE.search(head):
        return Kind.NAVIGATE
    if criteria:
        form = Kind.CHOOSE if _CHOICE.search(head) else Kind.OTHER
        return form if _CONTROL.search(head) else Kind.OPEN_ITEM
    text = _PURPOSE.sub("", text)
    if any("://" in value for value in values) or _CONTROL.search(head):
        return Kind.NAVIGATE
    if not values and (_OWN_LIST.search(text) or _ALL_OF_THEM.search(text) or not _DETAIL.search(text)):
        return Kind.NAVIGATE
    if not _PLACE.search(text):
        return Kind.OPEN_ITEM
    named = re.search(r"[A-Za-z\d\ue000-\uf7ff]{2}|[\ue000-\uf7ff]", _SUBJECT_NOISE.sub(" ", text))
    is_item = not re.search(r"\btab\b", text, re.I) and named and _DETAIL.search(text)
    return Kind.OPEN_ITEM if is_item else Kind.NAVIGATE


def _name(masked: Masked, text: str, kind: Kind, stated: tuple[Criterion, ...]) -> str:
    """The quoted value of no criterion, next to the noun that it names: edit the matter 'Holt' to …; else ""."""
    if any(criterion.field in _NAMING for criterion in stated):
        return ""
    if not stated and not kind.has(Trait.CREATES):
        return masked.plain(first[0]) if (first := MARK.search(text)) else ""
    claimed = {value for criterion in stated for value in criterion.values}
    beside = (_THING_NAMED, _NAMED_THING) if kind.has(Trait.CHANGES) else (_THING_NAMED,)
    named = (masked.plain(hit["name"]) for pattern in beside for hit in pattern.finditer(text))
    return next((name for name in named if name not in claimed), "")


def _subject(masked: Masked, text: str, stated: tuple[Criterion, ...]) -> str:
    named = next((criterion for criterion in stated if criterion.field in _NAMING and not criterion.operator.negative), None)
    if named:
        return named.value
    head = _CRITERIA.split(text, maxsplit=1)[0] if stated else text
    left = " ".join(_SUBJECT_NOISE.sub(" ", head).split()).strip(" .,!?:")
    return masked.plain(left) or (masked.plain(" ".join(text.split())) if not stated else "")


def _with_login(intent: Intent, masked: Masked, stated: tuple[Criterion, ...]) -> Intent:
    return replace(intent, login=_credentials(masked, stated), logs_in=True)


def _credentials(masked: Masked, stated: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
    """The criteria of a log-in, each field once; without any, the prompt's two quoted values, else placeholders that callers replace."""
    named = {criterion.field: criterion for criterion in reversed(stated) if criterion.field in CREDENTIALS}
    if named:
        # As in: sign in to the website username:<username> …
        given = {value.strip("<>"): value for value in masked.values if value in {"<username>", "<password>"}}
        named |= {name: Criterion(name, Operator.EQUALS, (value,)) for name, value in given.items() if name not in named}
        return tuple(sorted(named.values(), key=lambda criterion: criterion.end))
    pair = masked.values[:2] if len(masked.values) == 2 else ("<username>", "<password>")
    return tuple(Criterion(field, Operator.EQUALS, (value,)) for field, value in zip(("username", "password"), pair, strict=True))


def _account(masked: Masked) -> tuple[Criterion, ...]:
    placeholders = [value for value in masked.values if value.startswith("<signup_")]
    names = placeholders or ["<signup_username>", "<signup_email>", "<signup_password>"]
    return tuple(Criterion(value.strip("<>").removeprefix("signup_").replace("_", " "), Operator.EQUALS, (value,)) for value in names)
