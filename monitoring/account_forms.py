"""The form of an account, old or new. Its keys go in and never come out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings as environment
from django.contrib.auth.models import AbstractBaseUser
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from agents.configuration import add_account, base_url_of, change_account, models_of
from agents.models import Account
from monitoring.settings_forms import RowForm, reason_field
from monitoring.stats.accounts import admin_key_words, key_words

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Where only the account `default` has the environment behind it, another one's empty field means something else.
OTHERS_HELP = {"model_names": _("Tried in this order. Empty: the three cheapest that list json_mode.")}
ENVIRONMENT = ("CHUTES_API_KEY", "CHUTES_ADMIN_KEY", "CHUTES_BASE_URL", "CHUTES_MANAGEMENT_URL", "CHUTES_MODELS")


def _lines(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})


def _address() -> forms.CharField:
    return forms.CharField(required=False, max_length=200, widget=forms.TextInput(attrs={"inputmode": "url"}))


def _key(help_text: StrOrPromise) -> forms.CharField:
    hidden = forms.PasswordInput(attrs={"autocomplete": "off", "placeholder": _("Enter a key")})
    return forms.CharField(required=False, max_length=500, help_text=help_text, widget=hidden)


class AccountForm(RowForm):
    """All that an admin sets of an account but its place in the order, which the list has buttons for."""

    names: tuple[str, ...] = ("name", "enabled", "base_url", "model_names", "request_options", "price_overrides", "management_url")
    name = forms.CharField(label=_("Name"), max_length=50)
    enabled = forms.BooleanField(label=_("Enabled"), required=False)
    base_url = _address()
    model_names = forms.CharField(label=_("Models"), required=False, max_length=5_000, widget=_lines(3))
    request_options = forms.CharField(label=_("Request options"), required=False, max_length=5_000, widget=_lines(5))
    price_overrides = forms.CharField(label=_("Prices"), required=False, max_length=20_000, widget=_lines(3))
    management_url = _address()
    key = _key(_("The miner calls with it. Kept encrypted and never shown again. Empty: it stays as it is."))
    remove_key = forms.BooleanField(label=_("Remove the API key that was entered here"), required=False)
    admin_key = _key(_("Optional: a second key that may read balance, quota and caps. It sends no completions."))
    remove_admin_key = forms.BooleanField(label=_("Remove the admin key that was entered here"), required=False)
    reason = reason_field()

    def __init__(self, row: Account, data: Any = None) -> None:
        if row.name == Account.DEFAULT:
            self.names = tuple(name for name in self.names if name != "name")
        super().__init__(row, data, _initial(row))
        labels = {"base_url": _("Base URL"), "management_url": _("Management URL"), "key": _("API key"), "admin_key": _("Admin key")}
        for name, label in labels.items():
            self.fields[name].label = label
        for name in set(AccountForm.names) - set(self.names):
            del self.fields[name]
        self.fields["base_url"].widget.attrs["placeholder"] = environment.CHUTES_BASE_URL
        self.fields["management_url"].widget.attrs["placeholder"] = environment.CHUTES_MANAGEMENT_URL
        self.fields["enabled"].help_text = _("A disabled account gets no request. Nobody but an admin enables it again.")
        if row.name != Account.DEFAULT:
            self.fields["model_names"].help_text = OTHERS_HELP["model_names"]
        if self.is_new:
            self.fields["key"].help_text = _("The miner calls with it. Kept encrypted and never shown again.")

    @property
    def is_new(self) -> bool:
        """Whether the account is yet to be added."""
        return self.row.pk is None

    @property
    def environment(self) -> tuple[str, ...]:
        """The names of the environment that stand behind this account."""
        return ENVIRONMENT if self.row.name == Account.DEFAULT else ()

    def keys(self) -> list[tuple[BoundField, BoundField | None, str]]:
        """Each key's field, the switch that removes it where there is one to remove, and which key is in use."""
        row = self.row
        return [
            (self["key"], self["remove_key"] if row.key_sealed else None, key_words(row)),
            (self["admin_key"], self["remove_admin_key"] if row.admin_key_sealed else None, admin_key_words(row)),
        ]

    def in_force(self, name: str) -> str:
        """What an empty address or list of models comes to."""
        if self.is_new or getattr(self.row, name):
            return ""
        if name == "model_names":
            return ", ".join(models_of(self.row)) or str(_("none yet: the worker reads the provider's list"))
        addresses = {"base_url": base_url_of(self.row), "management_url": environment.CHUTES_MANAGEMENT_URL}
        return addresses.get(name, "")

    def clean_model_names(self) -> Any:
        """The models, one a line or between commas."""
        return self.parsed("model_names")

    def clean_request_options(self) -> Any:
        """A JSON object."""
        return self.parsed("request_options")

    def clean_price_overrides(self) -> Any:
        """A JSON object."""
        return self.parsed("price_overrides")

    def clean(self) -> dict[str, Any]:
        """A key can't be replaced and removed at once."""
        for name in ("key", "admin_key"):
            if self.cleaned_data.get(name) and self.cleaned_data.get(f"remove_{name}"):
                self.add_error(name, _("Enter a new key or remove the old one, not both."))
        return self.cleaned_data

    def save(self, by: AbstractBaseUser) -> bool:
        """Add the account, or change what differs. False where the form then shows why not."""
        if not self.is_valid():
            return False
        try:
            self._write(by)
        except forms.ValidationError as error:
            self.adopt(error)
        return not self.errors

    def _write(self, by: AbstractBaseUser) -> None:
        given = self.cleaned_data
        changes = {name: given[name] for name in self.names}
        if self.is_new:
            name, key, admin_key = changes.pop("name"), given["key"], given["admin_key"]
            self.row = add_account(name, changes, key=key, admin_key=admin_key, by=by, reason=given["reason"])
        else:
            key, admin_key = (self._new_key(name) for name in ("key", "admin_key"))
            self.row = change_account(self.row, changes, key=key, admin_key=admin_key, by=by, reason=given["reason"])

    def _new_key(self, name: str) -> str | None:
        return "" if self.cleaned_data[f"remove_{name}"] else self.cleaned_data[name] or None


def _initial(row: Account) -> dict[str, Any]:
    plain = {name: getattr(row, name) for name in ("name", "enabled", "base_url", "management_url")}
    listed = {name: json.dumps(getattr(row, name), indent=2, ensure_ascii=False) for name in ("request_options", "price_overrides")}
    return {**plain, **listed, "model_names": "\n".join(row.model_names)}
