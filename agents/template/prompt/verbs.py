"""Verbs of controls: their patterns in prompts, the controls' labels, and which controls are pressed only on request."""

import re
from dataclasses import dataclass
from functools import lru_cache

from agents.page import Element, word_set, words
from agents.template.prompt.intents import Intent
from agents.template.prompt.task_kinds import Kind, Trait, begins, names


@dataclass(frozen=True, slots=True)
class Verb:
    """`pattern` is searched in the prompt's head, and the first row that matches is used. `labels`: of its controls, or their icons,
    the most certain first. `undoes`: the verb that undoes it; the control has that one's label once it is done."""

    pattern: str
    labels: tuple[str, ...]
    undoes: str = ""


# fmt: off
# "Remove from the list" comes before "remove".
_OF_A_LIST = r"(?:wish|watch|reading)[ -]?list|favou?rites?|bookmarks?|saved|hire later|later"
VERBS: dict[str, Verb] = {
    "unlike": Verb(r"unlike", names("unlike, remove like, liked, heart off"), "like"),
    "unfollow": Verb(r"unfollow", names("unfollow, following, stop following"), "follow"),
    "unhide": Verb(r"unhide|restore", names("unhide, show again, restore, undo, eye"), "hide"),
    "unarchive": Verb(r"unarchive", names("unarchive, move to inbox"), "archive"),
    "unstar": Verb(r"unstar", names("unstar, remove star, starred, star"), "star"),
    "unread": Verb(r"unread", names("mark as unread, mark unread, set unread, unread, mail"), "read"),
    "read all": Verb(r"all\b.*\bread", names("mark all as read, mark all read, read all, read everything, mark all, check check")),
    "read": Verb(r"mark\b.*\bread", names("mark as read, mark read, read, mail open"), "unread"),
    "unselect": Verb(r"(?:clear|deselect|unselect|undo|reset)\b.*\bselect(?:ion|ions|ed)",
        names("clear selection, deselect all, unselect all, deselect, unselect, clear, x")),
    "spam": Verb(r"spam|junk", names("mark as spam, report spam, mark spam, spam, junk, report")),
    "unimportant": Verb(r"(?:un|not )important",
        names("mark as not important, mark not important, unmark important, not important"), "important"),
    "important": Verb(r"important", names("mark as important, mark important, important, priority, flag"), "unimportant"),
    "hire later": Verb(r"(?:hire|hiring|later)\b.*\blater(?! hire)|\bfor later",
        names("hire later, add to hire later, save for later, save"), "unhire later"),
    "unsave": Verb(rf"(?:remove|delete|clear|take|drop|unsave|cancel)\b.*\b(?:{_OF_A_LIST})",
        names("remove from watchlist, remove from wishlist, remove from list, remove from reading list, remove from favorites, "
        "remove bookmark, saved, in list, added, unsave, bookmark check, bookmark minus, bookmark x, heart, bookmark, remove"), "save"),
    "like": Verb(r"like|upvote", names("like, upvote, thumbs up, love, heart"), "unlike"),
    "follow": Verb(r"follow", names("follow, follow page, subscribe"), "unfollow"),
    "subscribe": Verb(r"subscribe", names("subscribe, follow")),
    "hide": Verb(r"hide", names("hide, hide post, not interested, dismiss, eye off"), "unhide"),
    "star": Verb(r"star", names("star, add star, favorite, star email"), "unstar"),
    "archive": Verb(r"archive", names("archive, archive matter, move to archive"), "unarchive"),
    "connect": Verb(r"connect", names("connect, add connection, invite, user plus")),
    "endorse": Verb(r"endorse", names("endorse")),
    "apply": Verb(r"apply", names("apply, apply now, easy apply, quick apply, submit application")),
    "join": Verb(r"join", names("join, join now")),
    "save": Verb(r"save|bookmark", names("save, save post, bookmark, save for later, bookmark plus, favorite, heart"), "unsave"),
    "snooze": Verb(r"snooze", names("snooze, remind me later, clock")),
    "pin": Verb(r"pin", names("pin")),
    "flag": Verb(r"flag", names("flag, report")),
    "label": Verb(r"label|tag|categori[sz]e", names("add label, label, labels, tag")),
    "search": Verb(r"search|find|look up", names("search, find, submit search, apply, go, look up, explore")),
    "complete": Verb(r"(?:complete|finish|tick|check)|mark\b.*\b(?:done|completed?|finished)",
        names("mark complete, complete, mark as done, done, finish, check off, tick")),
    "reopen": Verb(r"reopen", names("reopen, mark as open, undo")),
}

# The list that something is taken from, at the end of the prompt.
_PLACED = re.compile(r"\b(?:from|in|on|off|to) (?:the |my |your )?(?P<place>[\w -]{3,30})\W*$", re.I)

# Risks of controls that destroy, send, or bind: words of their labels or icons, and the pattern of prompts that request it.
_RISKS: dict[str, tuple[str, str]] = {
    "delete": ("delete erase discard destroy purge trash",
        r"delet\w+|eras\w+|discard\w*|destroy|purge|trash|remov\w+|get rid of|take down|withdraw|unregister|drop"),
    "remove": ("remove unregister withdraw", r"remov\w+|delet\w+|eras\w+|clear|take|drop|unsave|withdraw|cancel\w*|unregister|empty"),
    "archive": ("archive", r"archiv\w+"),
    "send": ("send deliver dispatch transmit",
        r"send\w*|sent|repl\w+|respond\w*|answer\w*|forward\w*|submit\w*|invit\w+|get in touch|reach out"),
    "pay": ("pay purchase buy checkout", r"pay\w*|purchas\w+|buy\w*|check-?out|order\w*|finali[sz]\w+|complete\b.*\bbooking"),
    "book": ("book reserve consult hold",
        r"hold|book\w*|reserv\w*|rent\w*|consult\w*|appointments?|hir(?:e|es|ed|ing)\b|stays?|visits?|tables?"),
    "spam": ("spam junk", r"spam|junk"),
    "unread": ("unread", r"unread"),
    "hire": ("hire rehire", r"hir(?:e|es|ed|ing)\b"),
    "hide": ("hide", r"(?:un)?hid\w+|restore|dismiss|not interested|collapse|fold"),
    "publish": ("publish", r"publish\w*|post\w*|add\w*|creat\w+|writ\w+|share|upload|launch"),
    "apply": ("apply", r"appl(?:y|ies|ied|ication)\b"),
    "cancel": ("", r"cancel\w*|withdraw\w*|drop|delet\w+|remov\w+|call off"),
    "submit": ("submit", r"submit\w*|send\w*|add\w*|creat\w+|click\w*|press\w*"),
    "confirm": ("confirm approve finalize finalise", r"confirm\w*|approv\w+|accept\w*|finali[sz]\w+|complet\w+|finish"),
    "log out": ("logout signout", r"log ?out|sign ?out|log off|end (?:my |the )?session"),
    "report": ("block report deactivate", r"block|report\w*|flag|deactivate|spam"),
    "keep": ("", r"sav\w+|keep|bookmark|lik\w+|lov\w+|favou?rit\w+|wish|watch|later|collection|star|add|put|remov\w+|unsave|unlike"),
}
# fmt: on
# Risks of controls that may only open the page where that is done.
_OPENS_FIRST = frozenset({"book", "hire"})
_NOT_BY_ADDING = frozenset({"pay", "book"})  # "Add to purchase" only adds it
_BEFORE_VERB = frozenset({"to", "and", "or", "now", "please"})
_ICONS = {"trash": "delete", "archive": "archive", "send": "send", "heart": "keep", "bookmark": "keep"}
# A control with one of these words only navigates, or chooses a view.
_LEADS = frozenset({"navigate", "view", "open", "show", "go", "sidebar", "nav", "filter", "folder", "tab", "about", "page"})
_FOLDERS = frozenset({"spam", "junk", "trash", "archive", "folder", "inbox"})
# Lists from which something may be removed without deleting it.
_LISTS = word_set("watchlist wishlist list favorite favourite bookmark cart basket saved later label filter")
_THINGS = frozenset({"film", "movie", "book", "product", "post", "email", "account", "task", "event", "matter", "client", "file", "item"})
# Objects of deleting and sending that must be in the prompt: "Delete comment" is not for deleting a post.
_OTHERS = tuple(
    frozenset(thing.split()) for thing in ("comment review", "message", "account profile", "team", "label", "draft", "post job")
)
_DRAFTS = re.compile(r"\b(?:save|keep|store|as)\b.*\bdrafts?\b", re.I)
# Verbs and nouns of buttons that complete a booking or an order.
BINDS = frozenset({"submit", "confirm", "complete", "approve", "finalize", "finalise", "place"})
_BOUND = frozenset({"booking", "reservation", "order", "appointment", "request", "trip", "ride", "purchase", "hire", "application"})
_ADDRESS = re.compile(r"\S+@\S+")
_QUESTION = 4  # words; shorter ones are "Delete?"
# A sign after a question says that it opens.
_ASKS = re.compile(r"\?\W*$")
# Buttons that apply filters, and apply for nothing.
_NARROWS = word_set("apply filter search change result all reset clear date setting code coupon promo")
# What a kind of task does, whatever the prompt's words.
_GRANTED = {
    Kind.CHECKOUT: frozenset({"pay", "send"}), Kind.LOGOUT: frozenset({"log out"}), Kind.DELETE_ITEM: frozenset({"confirm"}),
    Kind.OWN_COMMENT: frozenset({"submit", "publish"}),
}  # fmt: skip
_ALTERS = begins("edit|change|modify|update|adjust")  # of a booking: nothing new is booked
# What kinds and verbs do not request although a word of the prompt would: a job is not applied for to cancel an application.
_MADE = frozenset({"book", "hire", "pay", "apply", "submit", "publish"})
_WITHHELD = {
    Kind.DELETE_ITEM: _MADE,
    Kind.CANCEL: _MADE | {"remove"},
    Kind.CHOOSE: frozenset({"submit", "publish"}),
    "unsave": frozenset({"delete"}),
    "hire later": frozenset({"hire", "book"}),
}


def verb_of(intent: Intent) -> tuple[str, Verb] | None:
    placed = _PLACED.search(_without_values(intent))
    head = f"{intent.head} {placed['place'] if placed else ''}"
    name = next((name for name, verb in VERBS.items() if re.search(rf"\b(?:{verb.pattern})\b", head, re.I)), None)
    if name is None:
        return None
    # As in: mark the mail as important where is_important equals 'False', which is the result.
    is_off = any(one.name == f"is {name}" and (one.value.lower() == "false") != one.operator.negative for one in intent.criteria)
    name = VERBS[name].undoes if is_off and VERBS[name].undoes in VERBS else name
    return name, VERBS[name]


@lru_cache(maxsize=256)
def _requested_risks(intent: Intent) -> frozenset[str]:
    verb = verb_of(intent)
    withheld = _WITHHELD.get(verb[0] if verb else "", frozenset())
    return frozenset().union(*map(_requested_by, intent.stages)) - withheld


def _requested_by(stage: Intent) -> frozenset[str]:
    if stage.kind.has(Trait.SHOWS):
        return frozenset()
    prompt = _without_values(stage)
    requested = {risk for risk, (_, pattern) in _RISKS.items() if re.search(rf"\b(?:{pattern})", prompt, re.I)}
    requested |= _GRANTED.get(stage.kind, frozenset()) | ({"send"} if stage.kind.has(Trait.SENDS) else set())
    if stage.kind.row.sent_by:
        requested |= {"confirm", "submit"}
    if _DRAFTS.search(prompt) and not re.search(r"\b(?:send|deliver)\b", prompt, re.I):
        requested.discard("send")
    if stage.kind is Kind.BOOKING and _ALTERS.search(stage.text):
        requested -= {"book", "hire", "confirm"}
    return frozenset(requested) - _WITHHELD.get(stage.kind, frozenset())


def _without_values(stage: Intent) -> str:
    """A value may contain any verb."""
    text = stage.text
    for value in sorted({value for criterion in stage.criteria for value in criterion.values}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", " ", text)  # a letter is in other words too
    return text


def _is_of_other(label: frozenset[str], risks: set[str], intent: Intent) -> bool:
    """Whether it completes a booking where a value is only to be chosen, or deletes or sends something that the prompt does not name."""
    if intent.kind is Kind.CHOOSE and label & BINDS and label & _BOUND:
        return True
    prompt = {word for stage in intent.stages for word in words(stage.text if risks & {"delete", "remove"} else stage.head)}
    does = risks & {"delete", "remove", "send"} or label & {"submit", "publish"}
    return bool(does) and any(
        label & thing and not prompt & thing for thing in _OTHERS if thing != {"message"} or risks & {"delete", "remove"}
    )


def is_unrequested(element: Element, intent: Intent, *, leads_on: bool = False) -> bool:
    """Whether pressing it would destroy, send or bind something that the task does not request. `leads_on`: in runs that completed such a
    task, it opened another page, where they went on."""
    named = words(element.label or element.text)
    label = frozenset((*named, "".join(named)))
    risks = _risks_of(element, named, label)
    shown = element.label or element.text or element.icon or element.hints or element.href
    if not shown and element.role == "button" and _only_shows(intent):
        return True
    # In a dialog with several people, the one who would be removed.
    is_dismissal = named == ("cancel",) and element.layer > 0 and intent.kind is Kind.DELETE_ITEM
    is_of_person = bool(element.layer) and "remove" in risks and any(text not in intent.text for text in _ADDRESS.findall(element.label))
    if is_dismissal or is_of_person or _is_of_other(label, risks, intent):
        return not element.href.strip("#")
    if not risks or element.opens in {"menu", "listbox", "dialog", "item"} or element.role in {"checkbox", "radio", "option", "switch"}:
        return False
    if label & _LEADS or (element.href.strip("#") and "log out" not in risks) or element.is_open_tab:
        return False
    requested = _requested_risks(intent)
    if "remove" in risks and "remove" in requested and "delete" not in requested:
        things = _THINGS - {"item"} if intent.kind is Kind.CART else _THINGS
        return bool(label & things) and not label & _LISTS  # removing a film from a list must not remove the film
    return not (risks - _OPENS_FIRST if leads_on else risks) <= requested


def _only_shows(intent: Intent) -> bool:
    return all(stage.kind.has(Trait.SHOWS) for stage in intent.stages)


def _risks_of(element: Element, named: tuple[str, ...], label: frozenset[str]) -> set[str]:
    if _ASKS.search(element.label or element.text) and len(named) >= _QUESTION:
        return set()
    risks = {risk for risk, (does, _) in _RISKS.items() if not label.isdisjoint(does.split())}
    if not element.is_named or not named:
        risks |= {_ICONS[word] for word in element.icon.split() if word in _ICONS}
    if "cancel" in label and label & _BOUND:
        risks.add("cancel")
    harmless = {
        "apply": _NARROWS.issuperset(named),
        "hire": "later" in label,
        # "Unread (7)" chooses those, and "Clear unread" marks them as read.
        "unread": "clear" in label or (named[:1] == ("unread",) and any(map(str.isdigit, named))),
        "send": not label.isdisjoint(_FOLDERS),  # "Send to trash" moves it
        **dict.fromkeys(_NOT_BY_ADDING, named[:2] == ("add", "to") or named[:1] == ("cancel",)),
    }
    # As in: read book.
    at = named.index("book") if "book" in named else 0
    harmless["book"] |= at > 0 and named[at - 1] not in _BEFORE_VERB and label.isdisjoint({"reserve", "consult"})
    return {risk for risk in risks if not harmless.get(risk)}
