"""The accounts: added, changed, put in order, switched off, deleted. Nothing else in the miner writes an account's settings.

A key is None to stay as it is, "" to be removed, anything else to replace the stored one. Keys are sealed before they are stored, and
the history has their last characters alone. Each function raises ValidationError with a message per field; then nothing is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from agents import gates
from agents.configuration.reading import accounts
from agents.configuration.recorded import delete_as, save, save_as
from agents.keys import seal
from agents.ledger import actions
from agents.models import Account, Gate

ACCOUNT = ("name", "position", "enabled", "base_url", "model_names", "request_options", "price_overrides", "management_url")
HINT_CHARS = 4
# Of a shorter key the last characters would tell too much.
SHORTEST_HINTED = 8
# Chutes' keys have 102 characters; other providers' have up to some 200.
LONGEST_KEY = 500


def add_account(
    name: str, changes: Mapping[str, Any], *, key: str = "", admin_key: str = "", by: AbstractBaseUser | None, reason: str
) -> Account:
    """A new account, the last in order unless `changes` say otherwise."""
    accounts()  # the account `default` comes first
    with transaction.atomic():
        order = _locked()
        row = Account(name=name, position=len(order) + 1)
        _change(row, [*order, row], changes, {"key": key or None, "admin_key": admin_key or None}, by, reason)
    return row


def change_account(
    account: Account,
    changes: Mapping[str, Any],
    *,
    key: str | None = None,
    admin_key: str | None = None,
    by: AbstractBaseUser | None,
    reason: str,
) -> Account:
    """Change an account. With another key or base URL it is looked at again at once, and has not worked yet."""
    with transaction.atomic():
        order = _locked()
        row = _found(account, order)
        _change(row, order, changes, {"key": key, "admin_key": admin_key}, by, reason)
    return row


def move_account(account: Account, places: int, *, by: AbstractBaseUser | None, reason: str) -> None:
    """Ask the account so many places later, or earlier where negative; never beyond the ends."""
    with transaction.atomic():
        order = _locked()
        row = _found(account, order)
        position = min(max(1, order.index(row) + 1 + places), len(order))
        _change(row, order, {"position": position}, {}, by, reason)


def delete_account(account: Account, *, by: AbstractBaseUser | None, reason: str) -> None:
    """Delete an account that no record needs."""
    with transaction.atomic():
        order = _locked()
        row = _found(account, order)
        gates.locked(row)  # no step opens an attempt meanwhile
        if why := why_kept(row):
            raise ValidationError({"__all__": [why]})
        order.remove(row)
        delete_as(row, by, reason)
        _number(order, by, reason)


def why_kept(account: Account) -> str:
    """Why the account can't be deleted; "" where it can."""
    if account.name == Account.DEFAULT:
        return _("The account default stands for what the environment sets. Disable it instead.")
    if account.attempts.exists():
        return _("LLM attempts of the account {name} are on record. Disable it instead.").format(name=account.name)
    return ""


def _locked() -> list[Account]:
    """All accounts in order. A step that opens an attempt refers to its account and need not wait for this lock."""
    return list(Account.objects.select_for_update(no_key=True))


def _found(account: Account, order: list[Account]) -> Account:
    found = next((each for each in order if each.pk == account.pk), None)
    if found is None:
        raise ValidationError({"__all__": [_("The account {name} was deleted meanwhile. Reload the page.").format(name=account.name)]})
    return found


def _change(
    row: Account,
    order: list[Account],
    changes: Mapping[str, Any],
    keys: Mapping[str, str | None],
    by: AbstractBaseUser | None,
    reason: str,
) -> None:
    """Change a row of `order`, in the caller's transaction."""
    faults = _faults(row, len(order), changes, keys)
    if faults:
        raise ValidationError(faults)
    now, base_url = timezone.now(), row.base_url
    save(row, changes, ACCOUNT, by, reason)
    for name, key in keys.items():
        if key is not None:
            _replace(row, name, key, now, by, reason)
    is_another = row.base_url != base_url or row.key_changed_at == now
    if is_another and Gate.objects.filter(account=row).exists():  # without a gate it has never been asked
        actions.rekey(row, now.timestamp())
    others = [each for each in order if each is not row]
    _number([*others[: row.position - 1], row, *others[row.position - 1 :]], by, reason)


def _replace(row: Account, name: str, key: str, now: datetime, by: AbstractBaseUser | None, reason: str) -> None:
    """Store another key, or none for ""."""
    if not key and not getattr(row, f"{name}_sealed"):
        return
    setattr(row, f"{name}_sealed", seal(key) if key else "")
    setattr(row, f"{name}_hint", key[-HINT_CHARS:] if len(key) >= SHORTEST_HINTED else "")
    if name == "key":
        row.key_changed_at = now
    save_as(row, by, reason)


def _number(order: list[Account], by: AbstractBaseUser | None, reason: str) -> None:
    """Positions from 1, without gaps."""
    for position, row in enumerate(order, 1):
        if row.position != position:
            row.position = position
            save_as(row, by, reason)


def _faults(row: Account, count: int, changes: Mapping[str, Any], keys: Mapping[str, str | None]) -> dict[str, str]:
    """What the model's own validation does not know, by field."""
    faults = {name: _key_fault(key) for name, key in keys.items() if key}
    if row.name == Account.DEFAULT and not row._state.adding and changes.get("name", row.name) != row.name:
        faults["name"] = _("The account default keeps its name: it stands for what the environment sets.")
    position = changes.get("position", row.position)
    if type(position) is not int or not 1 <= position <= count:
        faults["position"] = _("Give a place from 1 to {count}. 1 is tried first.").format(count=count)
    faults |= {name: _address_fault(changes[name]) for name in ("base_url", "management_url") if name in changes}
    if type(changes.get("enabled", True)) is not bool:
        faults["enabled"] = _("Give true or false.")
    return {name: fault for name, fault in faults.items() if fault}


def _key_fault(key: str) -> str:
    """A key is one word: anything else went astray while copying."""
    if len(key) > LONGEST_KEY or any(not letter.isascii() or not letter.isprintable() or letter.isspace() for letter in key):
        return _("A key has no spaces, only plain characters and at most {most} of them. Copy it again.").format(most=LONGEST_KEY)
    return ""


def _address_fault(address: object) -> str:
    """A password or a key in an address would show on pages and in logs."""
    if address == "":
        return ""
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        return _("Give an http or https address, such as https://llm.chutes.ai/v1, or nothing for the environment's.")
    if parts.username or parts.password or parts.query or parts.fragment:
        return _("Give the address alone, without a user, a password or what follows ? or #.")
    return ""
