"""Register: to the form for a new account, fill it, the repeated password and the terms too, send it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from agents.page import Element, Page
from agents.page.elements import CHECKED
from agents.template import blind
from agents.template.criteria import Criterion, Operator
from agents.template.fields import Form, fill_for, fills_for, form_of, link_to, passwords
from agents.template.intents import Intent, Kind
from agents.template.moves import Move, blind_fill, blind_press, press, send
from agents.template.past import Past
from agents.template.recipes.login import by_route
from agents.template.values import example

_NAMES = ("register", "sign up", "signup", "create account", "create one", "join", "get started", "submit", "continue")
_ROUTES = ("register", "signup", "sign-up", "create-account", "join")
_TERMS = frozenset({"agree", "accept", "terms", "consent"})
# What a form demands and the prompt doesn't name: callers fill these in.
_DEMANDED = {"email": "<signup_email>", "username": "<signup_username>", "password": "<signup_password>"}


def fits(intent: Intent) -> bool:
    return intent.kind is Kind.REGISTER


def reach(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return (blind_press(blind.pressed(("register", "sign up", "create account"), _ROUTES)),)
    return () if _form(page) else by_route(page, _ROUTES) or link_to(page, _NAMES)


def act(intent: Intent, page: Page | None) -> tuple[Move, ...]:
    if page is None:
        return (*_blind_fills(intent), blind_press(blind.SEND_PASSWORD))
    form = _form(page)
    if form is None:
        return ()
    fills = (*fills_for(page, _account(intent), form.fields), *_repeated(page, intent, form))
    return (*fills, *_terms(page, form), send(page, _passwords_of(form)[-1], form.button))


def achieved(intent: Intent, page: Page, past: Past) -> bool:
    """The form was sent and is gone; where it stays, a wait has shown that it stays for good."""
    after = past.after_sending()
    return after is not None and (_form(page) is None or after.waits > 0)


def _blind_fills(intent: Intent) -> Iterator[Move]:
    """The address before the password: where there is no field for it, it lands there and is typed over."""
    values = {_kind(one): example(one) for one in _account(intent)}
    yield blind_fill(blind.NAME, values["username"])
    yield blind_fill(blind.EMAIL, values["email"])
    yield blind_fill(blind.PASSWORD, values["password"])
    yield blind_fill(blind.PASSWORD_AGAIN, values["password"])


def _account(intent: Intent) -> tuple[Criterion, ...]:
    """The criteria, and what else an account needs."""
    named = {_kind(one) for one in intent.criteria}
    missing = (Criterion(kind, Operator.EQUALS, (value,)) for kind, value in _DEMANDED.items() if kind not in named)
    return (*intent.criteria, *missing)


def _kind(criterion: Criterion) -> str:
    kind = criterion.field.removeprefix("signup ")
    return {"user": "username", "user name": "username", "pw": "password", "pass": "password", "e-mail": "email"}.get(kind, kind)


def _form(page: Page) -> Form | None:
    """The form for a new account: two passwords, or a password and more than a name; on a page that speaks of it, any with a password."""
    forms = [form_of(page, field, _NAMES) for field in passwords(page)]
    rich = [form for form in forms if len(_passwords_of(form)) > 1 or len(form.fields) > 2]
    if rich:
        return rich[0]
    spoken = any(f"/{route}" in page.url.lower().partition("?")[0] for route in _ROUTES)
    return forms[0] if forms and spoken else None


def _passwords_of(form: Form) -> list[Element]:
    return [field for field in form.fields if field.type == "password"]


def _repeated(page: Page, intent: Intent, form: Form) -> Iterator[Move]:
    secret = next(one for one in _account(intent) if _kind(one) == "password")
    for field in _passwords_of(form)[1:]:
        yield fill_for(page, field, replace(secret, operator=Operator.EQUALS, values=(example(secret),)))


def _terms(page: Page, form: Form) -> Iterator[Move]:
    for field in form.fields:
        if field.role == "checkbox" and _TERMS & set(field.label.lower().split()):
            yield replace(press(page, field), shown=field.value == CHECKED)
