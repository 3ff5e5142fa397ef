"""Changes of accounts: the only writer of an account's settings.

A key is None to be kept, "" to be removed, else it replaces the stored one; where its URL changes, it can't be kept. Keys are sealed
before they are stored, and the history has only their last characters. Each function raises ValidationError with a message per field;
then nothing is changed.
"""

import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings as environment
from django.core.exceptions import ValidationError
from django.db import transaction

from agents.configuration import Who, accounts, delete_as, provider_hosts, save, save_as
from agents.configuration.keys import admin_key_of, is_same_url, key_of, seal
from agents.contract.origins import split_http
from agents.ledger import actions, gate_rows
from agents.models import Account, Gate
from agents.models.settings import settings_of

ACCOUNT = settings_of(Account)
URLS = {"key": "base_url", "admin_key": "management_url"}  # each key with the URL that it is sent to
HINT_CHARS = 4
SHORTEST_HINTED = 8  # the last characters of a shorter key would reveal too much of it
LONGEST_KEY = 500  # Chutes' keys have 102 characters; other providers' have up to some 200


def add_account(name: str, changes: Mapping[str, Any], *, key: str = "", admin_key: str = "", by: Who, reason: str) -> Account:
    accounts()  # creates the account `default`, which is the first
    with transaction.atomic():
        order = list(Account.objects.select_for_update(no_key=True))
        row = Account(name=name, position=len(order) + 1)
        _change(row, [*order, row], changes, {"key": key or None, "admin_key": admin_key or None}, by, reason)
    return row


def change_account(
    account: Account, changes: Mapping[str, Any], *, key: str | None = None, admin_key: str | None = None, by: Who, reason: str
) -> Account:
    """Change an account. With a new key or base URL it is probed at once, and counts as never having worked."""
    with transaction.atomic():
        row, order = _locked(account)
        _change(row, order, changes, {"key": key, "admin_key": admin_key}, by, reason)
    return row


def move_account(account: Account, places: int, *, by: Who, reason: str) -> None:
    with transaction.atomic():
        row, order = _locked(account)
        position = min(max(1, order.index(row) + 1 + places), len(order))
        _change(row, order, {"position": position}, {}, by, reason)


def delete_account(account: Account, *, by: Who, reason: str) -> None:
    with transaction.atomic():
        row, order = _locked(account)
        gate_rows.locked(row)  # no step opens an attempt meanwhile
        if why := why_kept(row):
            raise ValidationError({"__all__": [why]})
        order.remove(row)
        delete_as(row, by, reason)
        _number(order, by, reason)


def why_kept(account: Account) -> str:
    if account.name == Account.DEFAULT:
        return "The account default stands for what the environment sets. Disable it instead."
    if account.attempts.exists():
        return f"LLM attempts of the account {account.name} are on record. Disable it instead."
    return ""


def _locked(account: Account) -> tuple[Account, list[Account]]:
    """The account, and all accounts in order. Steps that open attempts need not wait for this lock."""
    order = list(Account.objects.select_for_update(no_key=True))
    row = next((row for row in order if row.pk == account.pk), None)
    if row is None:
        raise ValidationError({"__all__": [f"The account {account.name} was deleted meanwhile. Reload the page."]})
    return row, order


def _change(row: Account, order: list[Account], changes: Mapping[str, Any], keys: Mapping[str, str | None], by: Who, reason: str) -> None:
    if faults := _faults(row, len(order), changes, keys):
        raise ValidationError(faults)
    before = row.base_url, row.key_sealed
    save(row, changes, ACCOUNT, by, reason)
    for name, key in keys.items():
        if key or (key == "" and getattr(row, f"{name}_sealed")):
            setattr(row, f"{name}_sealed", seal(key) if key else "")
            setattr(row, f"{name}_hint", key[-HINT_CHARS:] if len(key) >= SHORTEST_HINTED else "")
            save_as(row, by, reason)
    if (row.base_url, row.key_sealed) != before and Gate.objects.filter(account=row).exists():  # without a gate no request was ever sent
        actions.rekey(row, time.time())
    others = [other for other in order if other is not row]
    _number([*others[: row.position - 1], row, *others[row.position - 1 :]], by, reason)


def _number(order: list[Account], by: Who, reason: str) -> None:
    for position, row in enumerate(order, 1):
        if row.position != position:
            row.position = position
            save_as(row, by, reason)


def _faults(row: Account, count: int, changes: Mapping[str, Any], keys: Mapping[str, str | None]) -> dict[str, str]:
    faults = dict[str, str]()
    for name, url in URLS.items():
        key = keys.get(name)
        faults[name] = _missing_key(row, name, changes) if key is None else _key_fault(key)
        if changes.get(url, getattr(row, url)) != getattr(row, url):
            faults[url] = _address_fault(changes[url])
    if row.name == Account.DEFAULT and not row._state.adding and changes.get("name", row.name) != row.name:
        faults["name"] = "The account default keeps its name: it stands for what the environment sets."
    position = changes.get("position", row.position)
    if type(position) is not int or not 1 <= position <= count:
        faults["position"] = f"Give a place from 1 to {count}. 1 is tried first."
    if type(changes.get("enabled", True)) is not bool:
        faults["enabled"] = "Give true or false."
    return {name: fault for name, fault in faults.items() if fault}


def _missing_key(row: Account, name: str, changes: Mapping[str, Any]) -> str:
    """A key in use must be entered again before it is sent to another URL: only an admin who has the key may do that."""
    url = URLS[name]
    own = {"base_url": environment.CHUTES_BASE_URL, "management_url": environment.CHUTES_MANAGEMENT_URL}[url]
    new, old = changes.get(url, getattr(row, url)), getattr(row, url)
    if row._state.adding or not isinstance(new, str) or is_same_url(new or own, old or own):
        return ""
    has_key = getattr(row, f"{name}_sealed") or (key_of(row) if name == "key" else admin_key_of(row))
    return "Enter the key again: it is sent to another URL from now on." if has_key else ""


def _key_fault(key: str) -> str:
    if len(key) > LONGEST_KEY or any(not letter.isascii() or not letter.isprintable() or letter.isspace() for letter in key):
        return f"A key has no spaces, only plain characters and at most {LONGEST_KEY} of them. Copy it again."
    return ""


def _address_fault(address: object) -> str:
    if address == "":
        return ""
    parts = split_http(address) if isinstance(address, str) else None
    if parts is None or parts.port == 0:
        return "Give an http or https address, such as https://llm.chutes.ai/v1, or nothing for the environment's."
    if parts.username or parts.password or parts.query or parts.fragment:
        return "Give the address alone, without a user, a password or what follows ? or #."
    return provider_hosts.url_fault(parts)
