"""Like, follow, star, archive, mark …: press on an item what the prompt's verb says."""

from __future__ import annotations

import re

from agents.page import Page
from agents.template.deeds import deed, did, named
from agents.template.intents import Intent, Kind
from agents.template.moves import Move
from agents.template.on_item import deeds
from agents.template.past import Past
from agents.template.quest import quest_of

# The first pattern that a prompt's head fits says what the button may be called.
_VERBS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"unlike", ("unlike", "remove like", "liked")),
    (r"unfollow", ("unfollow", "following", "stop following")),
    (r"unhide", ("unhide", "show again", "restore", "undo")),
    (r"unarchive", ("unarchive", "move to inbox")),
    (r"unstar", ("unstar", "remove star", "starred")),
    (r"unread", ("mark as unread", "mark unread", "unread")),
    (r"all\b.*\bread", ("mark all as read", "mark all read", "read all")),
    (r"mark\b.*\bread", ("mark as read", "mark read", "read")),
    (r"spam", ("mark as spam", "report spam", "spam", "junk", "report")),
    (r"important", ("mark as important", "mark important", "important", "priority", "flag")),
    (r"like|upvote", ("like", "upvote", "thumbs up", "love")),
    (r"follow", ("follow", "follow page", "subscribe")),
    (r"subscribe", ("subscribe", "follow")),
    (r"hide", ("hide", "hide post", "not interested", "dismiss")),
    (r"star", ("star", "add star", "favorite", "star email")),
    (r"archive", ("archive", "archive matter", "move to archive")),
    (r"connect", ("connect", "add connection", "invite")),
    (r"endorse", ("endorse",)),
    (r"apply", ("apply", "apply now", "easy apply", "submit application")),
    (r"join", ("join", "join now")),
    (r"save", ("save", "save post", "bookmark", "save for later")),
    (r"snooze", ("snooze", "remind me later")),
    (r"pin", ("pin",)),
    (r"flag", ("flag", "report")),
    (r"label|tag", ("add label", "label", "labels", "tag")),
    (r"reopen", ("reopen", "mark as open", "undo")),
    (r"mark\b.*\b(?:done|complete)|complete|finish|(?:tick|check) off", ("mark as done", "complete", "mark complete", "done")),
)


def fits(intent: Intent) -> bool:
    return intent.kind in {Kind.REACT, Kind.MARK}


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return ()
    found = deeds(intent, page, _names(intent))
    if found or not quest_of(intent).open:
        return found
    button = named(page.elements, _names(intent))
    return (deed(page, button, _names(intent)),) if button else ()


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return did(past, _names(intent))


def _names(intent: Intent) -> tuple[str, ...]:
    head = re.split(r"\b(?:where|whose|that|which|with)\b", intent.words, maxsplit=1)[0]
    known = next((names for pattern, names in _VERBS if re.search(rf"\b(?:{pattern})\b", head, re.I)), ())
    return known or (" ".join(head.split()[:2]),)
