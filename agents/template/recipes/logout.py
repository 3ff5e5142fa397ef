"""Log out: press what says so, if need be in the menu of the account."""

from __future__ import annotations

from agents.page import Page
from agents.page.elements import BUTTONS
from agents.template import blind
from agents.template.fields import link_to
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_press
from agents.template.past import Past

_NAMES = ("log out", "logout", "sign out", "log off")
_LOG_IN = ("log in", "login", "sign in")
_MENUS = ("account", "my account", "profile", "user menu", "menu")
# All words of the name, and hardly any besides: "Log out" must not be found in "Check out".
_SURE = 0.85


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.LOGOUT


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None or page.find(_NAMES, BUTTONS, _SURE) or page.find(_LOG_IN, BUTTONS, _SURE):
        return ()
    return link_to(page, _MENUS)


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return (blind_press(blind.pressed(_NAMES, ("logout", "signout", "sign-out"))),)
    return link_to(page, _NAMES, _SURE)


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """Something was pressed, and the page offers to log in instead of to log out."""
    return past.pressed and not page.find(_NAMES, BUTTONS, _SURE) and page.find(_LOG_IN, BUTTONS, _SURE) is not None
