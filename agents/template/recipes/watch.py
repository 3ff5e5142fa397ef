"""Watch an item's trailer, or open its preview."""

from __future__ import annotations

from agents.page import Page
from agents.template import blind
from agents.template.deeds import did
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_press
from agents.template.on_item import deeds
from agents.template.past import Past

_NAMES = {
    Kind.TRAILER: ("watch trailer", "play trailer", "view trailer", "see trailer", "trailer", "watch now", "play", "watch"),
    Kind.PREVIEW: (
        "open preview", "preview", "read preview", "preview book", "look inside", "read sample", "sample", "read excerpt", "excerpt",
        "read now", "quick view", "peek inside", "start reading", "read",
    ),
}  # fmt: skip


def fits(intent: Intent) -> bool:
    return intent.kind in _NAMES


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    return ()


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return (blind_press(blind.pressed(_NAMES[intent.kind][:5])),)
    return deeds(intent, page, _NAMES[intent.kind])


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    return did(past, _NAMES[intent.kind])
