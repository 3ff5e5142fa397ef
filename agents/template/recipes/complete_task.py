"""Complete a task of a to-do list: press what says so on the task that is meant."""

from __future__ import annotations

import re

from agents.page import Page
from agents.template.deeds import deed, did, named
from agents.template.finding import fitting
from agents.template.intents import Intent, Kind
from agents.template.kinds import ASKING
from agents.template.moves import Move
from agents.template.on_item import deeds
from agents.template.past import Past
from agents.template.quest import quest_of

_NAMES = ("mark complete", "complete", "mark as done", "done", "finish", "check off", "tick")
_ENDS = re.compile(rf"{ASKING}(?:(?:complete|finish|tick|check)\b|mark\b.*\b(?:done|completed?|finished)\b)", re.I)


def fits(intent: Intent) -> bool:
    return intent.kind in {Kind.TODO, Kind.MARK} and _ENDS.search(intent.words) is not None


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return ()
    return deeds(intent, page, _NAMES) or _likely(intent, page)


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return did(past, _NAMES)


def _likely(intent: Intent, page: Page) -> tuple[Move, ...]:
    """Of the tasks that fail no criterion the likeliest, where a list doesn't show all that the prompt speaks of."""
    pairs = ((record, named(record.elements, _NAMES)) for record, _ in fitting(quest_of(intent), page))
    return next(((deed(page, one, _NAMES, record.name),) for record, one in pairs if one), ())
