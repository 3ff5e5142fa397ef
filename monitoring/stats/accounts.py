"""The accounts at a glance: may they be asked, with which key, which models, where?"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings as environment
from django.utils.translation import gettext as _

from agents.configuration import accounts, base_url_of, models_of
from agents.keys import UnreadableKey, key_of
from agents.models import Account


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account in the list. `state` in words, `tone` the colour that says the same; `key` and `admin_key` as `key_words` tells them."""

    account: Account
    state: str
    tone: str
    host: str
    key: str
    admin_key: str
    models: tuple[str, ...]
    is_first: bool
    is_last: bool


def account_rows() -> list[AccountRow]:
    """All accounts, in the order in which a step tries them."""
    found = accounts()
    return [_row(account, is_first=account is found[0], is_last=account is found[-1]) for account in found]


def key_words(account: Account) -> str:
    """Which key is in use, by its last four characters, and where it comes from; "" for none."""
    return _key_words(account, account.key_sealed, account.key_hint, "CHUTES_API_KEY")


def admin_key_words(account: Account) -> str:
    """The same of the admin key."""
    return _key_words(account, account.admin_key_sealed, account.admin_key_hint, "CHUTES_ADMIN_KEY")


def _key_words(account: Account, sealed: str, hint: str, variable: str) -> str:
    if sealed:
        return _("{key}, entered here").format(key=f"•••• {hint}".strip())
    key: str = getattr(environment, variable) if account.name == Account.DEFAULT else ""
    return _("{key}, from {variable}").format(key=f"•••• {key[-4:]}", variable=variable) if key else ""


def _row(account: Account, *, is_first: bool, is_last: bool) -> AccountRow:
    models = models_of(account)
    state, tone = _state(account, models)
    return AccountRow(
        account=account,
        state=state,
        tone=tone,
        host=urlsplit(base_url_of(account)).netloc,
        key=key_words(account),
        admin_key=admin_key_words(account),
        models=models,
        is_first=is_first,
        is_last=is_last,
    )


def _state(account: Account, models: tuple[str, ...]) -> tuple[str, str]:
    if not account.enabled:
        return _("Disabled"), "secondary"
    try:
        has_key = bool(key_of(account))
    except UnreadableKey:
        return _("Key can't be opened: enter it again"), "red"
    if not has_key:
        return _("No key"), "yellow"
    return (_("Enabled"), "green") if models else (_("No model known yet"), "yellow")
