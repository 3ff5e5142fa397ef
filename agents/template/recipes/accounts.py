"""Logging in, logging out and registering."""

from collections.abc import Sequence
from dataclasses import replace

from agents.contract.action_history import Past
from agents.contract.origins import path_of
from agents.page import BUTTONS, CHECKED, TEXT_FIELDS, Element, Page
from agents.template import blind_xpath
from agents.template.forms.filling import answers, fills_for
from agents.template.forms.forms import Form, form_of, passwords
from agents.template.forms.slots import Slot
from agents.template.moves import Move, blind_fill, blind_press, fill, link_to, press, send
from agents.template.prompt import Criterion, Intent, Operator, example
from agents.template.recipes.recipe import Recipe

_LOG_IN_BUTTONS = ("log in", "login", "sign in", "signin", "access account", "enter", "continue")
_LOG_OUT = ("log out", "logout", "sign out", "log off")
_SURE = 0.85  # all words of the name, and few others: "Log out" must not match "Check out"
_TERMS = frozenset({"agree", "accept", "terms", "consent"})
# For fields that the prompt doesn't name: callers replace these placeholders.
_DEMANDED = {"email": "<signup_email>", "username": "<signup_username>", "password": "<signup_password>"}
_PLACEHOLDERS = tuple(Criterion(field, Operator.EQUALS, (f"<{field}>",)) for field in ("username", "password"))
_KINDS = {"user": "username", "user name": "username", "pw": "password", "pass": "password", "e-mail": "email"}


class _AccountForm(Recipe):
    """Go to the form by one of `routes`, which are similar on all sites, or by its link; fill it, send it."""

    links: tuple[str, ...]
    routes: tuple[str, ...]
    blind_links: tuple[str, ...]

    def form(self, page: Page) -> Form | None:
        raise NotImplementedError

    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        if self.form(page):
            return ()
        link = next((link for link in page.usable({"link"}) if self.is_at(link.href)), None)
        return (press(page, link),) if link else link_to(page, self.links)

    def is_at(self, url: str) -> bool:
        path = path_of(url).lower()
        return any(f"/{route}" in path for route in self.routes)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        """The form was sent and is gone, or is still there after a wait."""
        after = past.after_sending()
        return after is not None and (self.form(page) is None or after.waits > 0)

    def blind_reach(self, intent: Intent) -> tuple[Move, ...]:
        return (blind_press(blind_xpath.pressed(self.blind_links, self.routes)),)


class Login(_AccountForm):
    links = ("log in", "login", "sign in", "signin", "access account", "my account")
    routes = ("login", "signin", "sign-in", "log-in")
    blind_links = links[:3]

    def form(self, page: Page) -> Form | None:
        forms = (form_of(page, field, _LOG_IN_BUTTONS) for field in passwords(page))
        return next((form for form in forms if len(_passwords_of(form)) == 1), None)

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        form = self.form(page)
        if form is None:
            return ()
        (password,), (name, secret) = _passwords_of(form), _credentials(intent)
        # The user's field by its label; else the last before the password, else the first after it: forms have them in any order.
        mates = [field for field in page.usable(TEXT_FIELDS) if field.form == password.form and field.type in {"text", "email", "tel", ""}]
        before = [field for field in mates if field.place < password.place]
        named = answers((name,), [Slot(field) for field in mates], None)
        user = named[0].slot.element if named else next(iter(before[-1:] or mates), None)
        fills = (fill(page, field, example(criterion)) for field, criterion in ((user, name), (password, secret)) if field)
        return (*fills, send(page, password, form.button))

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        typed = zip((blind_xpath.BESIDE_PASSWORD, blind_xpath.PASSWORD), _credentials(intent), strict=True)
        return (*(blind_fill(field, example(criterion)) for field, criterion in typed), blind_press(blind_xpath.SEND_PASSWORD))


class Logout(Recipe):
    def reach(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        is_there = page.find(_LOG_OUT, BUTTONS, _SURE) or _offers_log_in(page)
        return () if is_there else link_to(page, ("account", "my account", "profile", "user menu", "menu"))

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        return link_to(page, _LOG_OUT, _SURE)

    def achieved(self, intent: Intent, page: Page, past: Past) -> bool:
        return past.pressed and _offers_log_in(page) and not page.find(_LOG_OUT, BUTTONS, _SURE)

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        return (blind_press(blind_xpath.pressed(_LOG_OUT, ("logout", "signout", "sign-out"))),)


class Register(_AccountForm):
    links = ("register", "sign up", "signup", "create account", "create one", "join", "get started", "submit", "continue")
    routes = ("register", "signup", "sign-up", "create-account", "join")
    blind_links = ("register", "sign up", "create account")

    def form(self, page: Page) -> Form | None:
        """Two passwords, or a password and more than a name; at a route of registration any form with a password."""
        forms = [form_of(page, field, self.links) for field in passwords(page)]
        rich = [form for form in forms if len(_passwords_of(form)) > 1 or len(form.fields) > 2]
        return next(iter(rich or (forms if self.is_at(page.url) else ())), None)

    def act(self, intent: Intent, page: Page) -> tuple[Move, ...]:
        form = self.form(page)
        if form is None:
            return ()
        account, secrets = _account(intent), _passwords_of(form)
        secret = next(example(criterion) for criterion in account if _kind(criterion) == "password")
        others = [criterion for criterion in account if _kind(criterion) != "password"]
        boxes = (field for field in form.fields if field.role == "checkbox" and _TERMS & set(field.label.lower().split()))
        return (
            *fills_for(page, others, [field for field in form.fields if field not in secrets]),
            *(fill(page, field, secret) for field in secrets),
            *(replace(press(page, box), shown=box.value == CHECKED) for box in boxes),
            send(page, secrets[-1], form.button),
        )

    def blind_act(self, intent: Intent) -> tuple[Move, ...]:
        """The e-mail address before the password: without a field for it, it is typed into the password's and then overwritten."""
        values = {_kind(criterion): example(criterion) for criterion in _account(intent)}
        fields = ((blind_xpath.NAME, "username"), (blind_xpath.EMAIL, "email"))
        secrets = ((blind_xpath.PASSWORD, "password"), (blind_xpath.PASSWORD_AGAIN, "password"))
        fills = (blind_fill(field, values[kind]) for field, kind in (*fields, *secrets))
        return (*fills, blind_press(blind_xpath.SEND_PASSWORD))


LOGIN, LOGOUT, REGISTER = Login(), Logout(), Register()


def log_in(intent: Intent, page: Page) -> tuple[Move, ...]:
    """Where a page requires a log-in that the prompt does not mention: the moves to its form, or those that fill and send it."""
    own = replace(intent, login=intent.login or _PLACEHOLDERS)
    return LOGIN.reach(own, page) or LOGIN.act(own, page)


def _offers_log_in(page: Page) -> bool:
    return page.find(_LOG_IN_BUTTONS[:3], BUTTONS, _SURE) is not None


def _credentials(intent: Intent) -> tuple[Criterion, Criterion]:
    """Name and password; callers replace the placeholders of those that the prompt does not state."""
    criteria = intent.login or intent.criteria
    name, secret = _PLACEHOLDERS
    secret = next((criterion for criterion in criteria if _kind(criterion) == "password"), secret)
    # A name that is only excluded can't be guessed.
    return next((criterion for criterion in criteria if criterion is not secret and not criterion.operator.negative), name), secret


def _account(intent: Intent) -> tuple[Criterion, ...]:
    named = {_kind(criterion) for criterion in intent.criteria}
    missing = (Criterion(kind, Operator.EQUALS, (value,)) for kind, value in _DEMANDED.items() if kind not in named)
    return (*intent.criteria, *missing)


def _kind(criterion: Criterion) -> str:
    kind = criterion.field.removeprefix("signup ")
    return _KINDS.get(kind, kind)


def _passwords_of(form: Form) -> Sequence[Element]:
    return [field for field in form.fields if field.type == "password"]
