"""Log in: to the form with one password, fill it, send it."""

from __future__ import annotations

from agents.page import Element, Page
from agents.page.elements import TEXT_FIELDS
from agents.template import blind
from agents.template.criteria import Criterion
from agents.template.fields import field_for, fill_for, form_of, link_to, passwords
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_fill, blind_press, press, send
from agents.template.past import Past
from agents.template.values import example

NAMES = ("log in", "login", "sign in", "signin", "access account", "enter", "continue")
_LINKS = ("log in", "login", "sign in", "signin", "access account", "my account")
_ROUTES = ("login", "signin", "sign-in", "log-in")


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.LOGIN


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return (blind_press(blind.pressed(("log in", "login", "sign in"), _ROUTES)),)
    return () if _password(page) else by_route(page, _ROUTES) or link_to(page, _LINKS)


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    name, secret = pair(intent)
    if page is None:
        typed = ((blind.BESIDE_PASSWORD, name), (blind.PASSWORD, secret))
        return (*(blind_fill(field, example(one)) for field, one in typed if one), blind_press(blind.SEND_PASSWORD))
    password = _password(page)
    if password is None:
        return ()
    form = form_of(page, password, NAMES)
    user = _user_field(page, password, name)
    found = ((user, name), (password, secret))
    return (*(fill_for(page, field, one) for field, one in found if field and one), send(page, password, form.button))


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """The form was sent and is gone; where it stays, a wait has shown that it stays for good."""
    after = past.after_sending()
    return after is not None and (not passwords(page) or after.waits > 0)


def pair(intent: Intent) -> tuple[Criterion | None, Criterion | None]:
    """The criteria for the name and for the password."""
    criteria = intent.login or intent.criteria
    secret = next((one for one in criteria if one.field.removeprefix("signup ") in {"password", "pw", "pass"}), None)
    return next((one for one in criteria if one is not secret), None), secret


def by_route(page: Page, routes: tuple[str, ...]) -> tuple[Move, ...]:
    """Press the first link to one of the routes: they are alike on all sites, unlike the links' texts."""
    links = page.usable({"link"})
    found = next((link for route in routes for link in links if f"/{route}" in link.href.lower().partition("?")[0]), None)
    return (press(page, found),) if found else ()


def _password(page: Page) -> Element | None:
    """The password field of a log-in form: of two in one form, the second repeats a new password."""
    found = passwords(page)
    forms = [field.form for field in found]
    return next((field for field in found if forms.count(field.form) == 1), None)


def _user_field(page: Page, password: Element, name: Criterion | None) -> Element | None:
    """The field that is called like it; else the last before the password, else the first after it: forms have them in any order."""
    mates = [field for field in page.usable(TEXT_FIELDS) if field.form == password.form and field.type in {"text", "email", "tel", ""}]
    called = field_for(name, mates) if name else None
    before = [field for field in mates if field.place < password.place]
    return called or next(iter(before[-1:] or mates), None)
