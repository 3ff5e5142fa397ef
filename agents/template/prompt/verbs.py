"""What controls do, in families: how prompts ask for it, what the controls are called, and what must not be pressed unasked."""

import re
from dataclasses import dataclass
from functools import lru_cache

from agents.page import Element
from agents.page.matching import words
from agents.template.prompt.intents import Intent
from agents.template.prompt.task_kinds import Kind
from agents.template.prompt.task_rows import names


@dataclass(frozen=True, slots=True)
class Verb:
    """`asks` is searched in the prompt's head, the first row that fits counts. `labels`: what its controls say, or the names of their
    icons, the surest first. `undoes`: the family that takes it back; its label is what the control says once it is done."""

    asks: str
    labels: tuple[str, ...]
    undoes: str = ""


# "Remove from the list" comes before "remove".
_OF_A_LIST = r"(?:wish|watch|reading)[ -]?list|favou?rites?|bookmarks?|saved|hire later|later"
VERBS: dict[str, Verb] = {
    "unlike": Verb(r"unlike", names("unlike, remove like, liked, heart off"), "like"),
    "unfollow": Verb(r"unfollow", names("unfollow, following, stop following"), "follow"),
    "unhide": Verb(r"unhide|restore", names("unhide, show again, restore, undo, eye"), "hide"),
    "unarchive": Verb(r"unarchive", names("unarchive, move to inbox"), "archive"),
    "unstar": Verb(r"unstar", names("unstar, remove star, starred, star"), "star"),
    "unread": Verb(r"unread", names("mark as unread, mark unread, set unread, unread, mail"), "read"),
    "read all": Verb(r"all\b.*\bread", names("mark all as read, mark all read, read all, read everything, check check")),
    "read": Verb(r"mark\b.*\bread", names("mark as read, mark read, read, mail open"), "unread"),
    "unselect": Verb(
        r"(?:clear|deselect|unselect|undo|reset)\b.*\bselect(?:ion|ions|ed)",
        names("clear selection, deselect all, unselect all, deselect, unselect, clear, x"),
    ),
    "spam": Verb(r"spam|junk", names("mark as spam, report spam, mark spam, spam, junk, report")),
    "important": Verb(r"important", names("mark as important, mark important, important, priority, flag"), "unimportant"),
    "hire later": Verb(
        r"(?:hire|hiring|later)\b.*\blater(?! hire)|\bfor later",
        names("hire later, add to hire later, save for later, save"),
        "unhire later",
    ),
    "unsave": Verb(
        rf"(?:remove|delete|clear|take|drop|unsave|cancel)\b.*\b(?:{_OF_A_LIST})",
        names(
            "remove from watchlist, remove from wishlist, remove from list, remove from reading list, remove from favorites, "
            "remove bookmark, saved, in list, added, unsave, bookmark check, bookmark minus, bookmark x, heart, bookmark, remove"
        ),
        "save",
    ),
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
    "save": Verb(
        r"save|bookmark",
        names("save, save post, bookmark, save for later, bookmark plus, favorite, heart"),
        "unsave",
    ),
    "snooze": Verb(r"snooze", names("snooze, remind me later, clock")),
    "pin": Verb(r"pin", names("pin")),
    "flag": Verb(r"flag", names("flag, report")),
    "label": Verb(r"label|tag|categori[sz]e", names("add label, label, labels, tag")),
    "search": Verb(r"search|find|look up", names("search, find, submit search, apply, go, look up, explore")),
    "complete": Verb(
        r"(?:complete|finish|tick|check)|mark\b.*\b(?:done|completed?|finished)",
        names("mark complete, complete, mark as done, done, finish, check off, tick"),
    ),
    "reopen": Verb(r"reopen", names("reopen, mark as open, undo")),
}

# Where something is taken from, said after what it is.
_PLACED = re.compile(r"\b(?:from|in|on|off|to) (?:the |my |your )?(?P<place>[\w -]{3,30})\W*$", re.I)

# What a control does that destroys, sends, or binds, by words of its label or its icon; and how a prompt asks for it.
_RISKS: dict[str, tuple[str, str]] = {
    "delete": (
        "delete erase discard destroy purge trash",
        r"delet\w+|eras\w+|discard\w*|destroy|purge|trash|remov\w+|get rid of|take down|withdraw|unregister|drop",
    ),
    "remove": ("remove unregister withdraw", r"remov\w+|delet\w+|eras\w+|clear|take|drop|unsave|withdraw|cancel\w*|unregister|empty"),
    "archive": ("archive", r"archiv\w+"),
    "send": (
        "send deliver dispatch transmit",
        r"send\w*|sent|repl\w+|respond\w*|answer\w*|forward\w*|submit\w*|invit\w+|get in touch|reach out",
    ),
    "pay": (
        "pay purchase buy checkout",
        r"pay\w*|purchas\w+|buy\w*|check-?out|order\w*|finali[sz]\w+|complete\b.*\bbooking",
    ),
    "book": ("book reserve consult", r"book\w*|reserv\w*|rent\w*|consult\w*|appointments?|hir(?:e|es|ed|ing)\b|stays?|visits?|tables?"),
    "spam": ("spam junk", r"spam|junk"),
    "hire": ("hire", r"hir(?:e|es|ed|ing)\b"),
    "log out": ("logout signout", r"log ?out|sign ?out|log off|end (?:my |the )?session"),
    "report": ("block report deactivate", r"block|report\w*|flag|deactivate|spam"),
}
# "Add to purchase" only puts it there.
_NOT_BY_ADDING = frozenset({"pay", "book"})
_ICONS = {"trash": "delete", "archive": "archive", "send": "send"}
# A control of one of these only leads there, or chooses what is shown.
_LEADS = frozenset({"navigate", "view", "open", "show", "go", "sidebar", "nav", "filter", "folder", "tab", "about", "page"})
_FOLDERS = frozenset({"spam", "junk", "trash", "archive", "folder", "inbox"})
# What may be removed without harm to the thing itself.
_LISTS = frozenset(
    {"watchlist", "wishlist", "list", "favorite", "favourite", "bookmark", "cart", "basket", "saved", "later", "label", "filter"}
)
_THINGS = frozenset({"film", "movie", "book", "product", "post", "email", "account", "task", "event", "matter", "client", "file", "item"})
# What is deleted or removed by a button that says so, where the prompt speaks of something else: "Delete comment" deletes no post.
_OTHERS = tuple(
    frozenset(thing.split()) for thing in ("comment review", "message", "account profile", "team", "label", "draft", "post job")
)
_DRAFTS = re.compile(r"\b(?:save|keep|store|as)\b.*\bdrafts?\b", re.I)
# What ends a booking or an order, by a verb and a noun on its button.
_BINDS = frozenset({"submit", "confirm", "complete", "approve", "finalize", "finalise", "place"})
_BOUND = frozenset({"booking", "reservation", "order", "appointment", "request", "trip", "ride", "purchase"})
# Kinds of task whose own form is sent, whatever their words are.
_SENT = frozenset(
    {
        Kind.CONTACT,
        Kind.SHARE,
        Kind.COMMENT,
        Kind.OWN_COMMENT,
        Kind.LOGIN,
        Kind.REGISTER,
        Kind.MESSAGE,
        Kind.PERSON,
        Kind.REPLY,
        Kind.FORWARD,
        Kind.BOOKING,
    }
)


def verb_of(intent: Intent) -> tuple[str, Verb] | None:
    placed = _PLACED.search(intent.words)
    head = f"{intent.head} {placed['place'] if placed else ''}"
    return next(((name, verb) for name, verb in VERBS.items() if re.search(rf"\b(?:{verb.asks})\b", head, re.I)), None)


@lru_cache(maxsize=256)
def _asked(intent: Intent) -> frozenset[str]:
    stages = (intent, *intent.then)
    said = " ".join(stage.words for stage in stages)
    asked = {risk for risk, (_, asks) in _RISKS.items() if re.search(rf"\b(?:{asks})", said, re.I)}
    if any(stage.kind in _SENT for stage in stages):
        asked.add("send")
    if any(stage.kind is Kind.CHECKOUT for stage in stages):
        asked |= {"pay", "send"}
    if any(stage.kind is Kind.LOGOUT for stage in stages):
        asked.add("log out")
    if _DRAFTS.search(said) and not re.search(r"\b(?:send|deliver)\b", said, re.I):
        asked.discard("send")
    verb = verb_of(intent)
    if verb and verb[0] == "unsave":
        asked.discard("delete")
    if verb and verb[0] == "hire later":
        asked.discard("hire")
    return frozenset(asked)


def _is_of_other(said: frozenset[str], risks: set[str], intent: Intent) -> bool:
    """Whether it ends a booking for which a value is only to be chosen, or deletes or sends what the prompt does not speak of."""
    if intent.kind is Kind.CHOOSE and said & _BINDS and said & _BOUND:
        return True
    stages = (intent, *intent.then)
    spoken = {word for one in stages for word in words(one.words if risks & {"delete", "remove"} else one.head)}
    does = risks & {"delete", "remove", "send"} or said & {"submit", "publish"}
    return bool(does) and any(said & thing and not spoken & thing for thing in _OTHERS if thing != {"message"} or "send" not in risks)


def is_unasked(element: Element, intent: Intent) -> bool:
    """Whether pressing it would destroy, send or bind something that the task does not ask for."""
    named = words(element.label or element.text)
    said = frozenset((*named, "".join(named)))
    exempt = _NOT_BY_ADDING if named[:2] == ("add", "to") else frozenset()
    risks = {risk for risk, (does, _) in _RISKS.items() if not said.isdisjoint(does.split())} - exempt
    if not element.is_named or not named:
        risks |= {_ICONS[word] for word in element.icon.split() if word in _ICONS}
    if _is_of_other(said, risks, intent):
        return not element.href.strip("#")
    if not risks or element.opens in {"menu", "listbox", "dialog", "item"} or element.role in {"checkbox", "radio", "option", "switch"}:
        return False
    if said & _LEADS or (element.href.strip("#") and "log out" not in risks) or element.is_open_tab:
        return False
    if "later" in said:
        risks.discard("hire")
    if not said.isdisjoint(_FOLDERS):
        risks.discard("send")  # "Send to trash" moves it
    asked = _asked(intent)
    if "remove" in risks and "remove" in asked and "delete" not in asked:
        # A film is not to be removed where it is to be removed from a list.
        return bool(said & _THINGS) and not said & _LISTS
    return not risks <= asked
