"""The accounts: the list, and the form of one, old or new, whose keys go in and never come out."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings as environment
from django.contrib.auth.models import AbstractBaseUser
from django.forms.boundfield import BoundField

from agents.configuration import accounts, base_url_of, models_of
from agents.configuration.account_changes import add_account, change_account
from agents.configuration.keys import UnreadableKey, admin_key_of, key_of
from agents.models import Account
from monitoring.settings.forms import ParsedField, RowForm, reason_field

# Only the account `default` has these behind it.
ENVIRONMENT = ("CHUTES_API_KEY", "CHUTES_ADMIN_KEY", "CHUTES_BASE_URL", "CHUTES_MANAGEMENT_URL", "CHUTES_MODELS")
OTHERS_MODELS = "Tried in this order. Empty: the three cheapest that list json_mode."
KEYS = {"key": ("CHUTES_API_KEY", key_of), "admin_key": ("CHUTES_ADMIN_KEY", admin_key_of)}
CALLS = "The miner calls with it. Kept encrypted and never shown again."


def account_rows() -> list[dict[str, Any]]:
    rows = []
    for account in accounts():
        models, host = models_of(account), urlsplit(base_url_of(account)).netloc
        status, tone = _status(account, models)
        keys = {name: key_in_words(account, name) for name in KEYS}
        rows.append({"account": account, "status": status, "tone": tone, "models": models, "host": host, **keys})
    return rows


def key_in_words(account: Account, name: str) -> str:
    """Which key is in use, by its last four characters, and where it comes from; "" for none. `name`: key or admin_key."""
    if getattr(account, f"{name}_sealed"):
        return f"•••• {getattr(account, f'{name}_hint')}".strip() + ", entered here"
    variable, read = KEYS[name]
    key = read(account)
    return f"•••• {key[-4:]}, from {variable}" if key else ""


def _status(account: Account, models: tuple[str, ...]) -> tuple[str, str]:
    if not account.enabled:
        return "Disabled", "secondary"
    try:
        if not key_of(account):
            return "No key", "yellow"
    except UnreadableKey:
        return "Key can't be opened: enter it again", "red"
    return ("Enabled", "green") if models else ("No model known yet", "yellow")


def _lines(name: str, label: str, rows: int, most: int = 5_000) -> ParsedField:
    area = forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})
    return ParsedField(name, label=label, required=False, max_length=most, widget=area)


def _key(label: str, help_text: str) -> forms.CharField:
    hidden = forms.PasswordInput(attrs={"autocomplete": "off", "placeholder": "Enter a key"})
    return forms.CharField(label=label, required=False, max_length=500, help_text=help_text, widget=hidden)


class AccountForm(RowForm):
    names: tuple[str, ...] = (
        "name",
        "enabled",
        "base_url",
        "model_names",
        "request_options",
        "price_overrides",
        "management_url",
        "miner_names",
    )
    name = forms.CharField(label="Name", max_length=50)
    model_names = _lines("model_names", "Models", 3)
    request_options = _lines("request_options", "Request options", 5)
    price_overrides = _lines("price_overrides", "Prices", 3, 20_000)
    miner_names = _lines("miner_names", "Miners", 2)
    key = _key("API key", f"{CALLS} Empty: it stays as it is. A new base URL needs it again.")
    remove_key = forms.BooleanField(label="Remove the API key that was entered here", required=False)
    admin_key = _key("Admin key", "Optional: a second key that may read balance, quota and caps. It sends no completions.")
    remove_admin_key = forms.BooleanField(label="Remove the admin key that was entered here", required=False)
    reason = reason_field()

    def __init__(self, row: Account, data: Any = None) -> None:
        is_default = row.name == Account.DEFAULT
        self.names = self.names[1:] if is_default else self.names
        if not (environment.MINER_NAME or row.miner_names):  # a miner alone needs no assignment
            self.names = tuple(name for name in self.names if name != "miner_names")
        super().__init__(row, data, {name: "\n".join(getattr(row, name)) for name in ("model_names", "miner_names")})
        self.fields["base_url"].widget.attrs["placeholder"] = environment.CHUTES_BASE_URL
        self.fields["management_url"].widget.attrs["placeholder"] = environment.CHUTES_MANAGEMENT_URL
        self.environment, self.is_new = ENVIRONMENT if is_default else (), row.pk is None
        if is_default:
            del self.fields["name"]
        else:
            self.fields["model_names"].help_text = OTHERS_MODELS
        if self.is_new:
            self.fields["key"].help_text = CALLS

    def keys(self) -> list[tuple[BoundField, BoundField | None, str]]:
        row = self.row
        return [(self[name], self[f"remove_{name}"] if getattr(row, f"{name}_sealed") else None, key_in_words(row, name)) for name in KEYS]

    def in_force(self, name: str) -> str:
        if self.is_new or getattr(self.row, name):
            return ""
        if name == "model_names":
            return ", ".join(models_of(self.row)) or "none yet: the worker reads the provider's list"
        return {"base_url": base_url_of(self.row), "management_url": environment.CHUTES_MANAGEMENT_URL}.get(name, "")

    def clean(self) -> dict[str, Any]:
        for name in KEYS:
            if self.cleaned_data.get(name) and self.cleaned_data.get(f"remove_{name}"):
                self.add_error(name, "Enter a new key or remove the old one, not both.")
        return self.cleaned_data

    def write(self, changes: dict[str, Any], by: AbstractBaseUser, reason: str) -> None:
        """Add the account, or change it. A key is None to stay, "" to be removed."""
        given = self.cleaned_data
        if self.is_new:
            name = changes.pop("name")
            self.row = add_account(name, changes, key=given["key"], admin_key=given["admin_key"], by=by, reason=reason)
        else:
            key, admin_key = ("" if given[f"remove_{name}"] else given[name] or None for name in KEYS)
            self.row = change_account(self.row, changes, key=key, admin_key=admin_key, by=by, reason=reason)
