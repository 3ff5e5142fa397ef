"""The forms of the miner's settings and accounts, which are written by `agents.configuration`. Stored keys are never shown."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings as environment
from django.contrib.auth.models import AbstractBaseUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.forms.boundfield import BoundField
from django.utils.text import capfirst

from agents.common.text import length
from agents.configuration import SETTINGS, STORAGE, accounts, base_url_of, change, field_of, models_of, parsed, values
from agents.configuration.account_changes import add_account, change_account
from agents.configuration.keys import UnreadableKey, admin_key_of, key_of
from agents.models import Account
from agents.models.settings import about
from agents.policy.modes import Pacing, Use
from agents.policy.routing import MARGIN
from monitoring.settings.changes import model_field, value_text


class RowForm(forms.Form):
    """A form for some fields of a row."""

    names: tuple[str, ...]

    def __init__(self, row: Any, data: Any = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={name: _initial(getattr(row, name)) for name in self.names} | (initial or {}))
        self.row = row
        for name in self.names:
            of = model_field(row, name)
            if name not in self.fields:
                self.fields[name] = form_field(of)
            self.fields[name].help_text = of.help_text

    def in_force(self, name: str) -> str:
        """The value in force for an empty field; "" if the field has one."""
        return ""

    def rows(self) -> Iterator[dict[str, Any]]:
        for name in self.names:
            of = model_field(self.row, name)
            shown, bounds = about(of), _bounds(of)
            yield {
                "field": self[name],
                "value": value_text(name, getattr(self.row, name)),
                "unit": shown.unit,
                "default": value_text(name, of.get_default()),
                "range": shown.accepts if None in bounds.values() else f"{bounds['min_value']:,} to {bounds['max_value']:,}",
                "effect": shown.takes_effect,
                "in_force": self.in_force(name),
                "section": shown.section,
            }

    def sections(self) -> list[tuple[str, list[dict[str, Any]]]]:
        return [(heading, list(rows)) for heading, rows in groupby(self.rows(), lambda row: str(row["section"]))]

    def save(self, by: AbstractBaseUser) -> bool:
        if not self.is_valid():
            return False
        try:
            self.write({name: self.cleaned_data[name] for name in self.names}, by, self.cleaned_data["reason"])
        except forms.ValidationError as error:
            for name, messages in error.message_dict.items():
                self.add_error(name if name in self.fields else None, messages)
        return not self.errors

    def write(self, changes: dict[str, Any], by: AbstractBaseUser, reason: str) -> None:
        change(changes, by=by, reason=reason)


class ParsedField(forms.CharField):
    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(**options)
        self.name = name

    def clean(self, value: Any) -> Any:
        try:
            return parsed(self.name, super().clean(value))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


def form_field(of: "models.Field[Any, Any]") -> forms.Field:
    label = capfirst(str(of.verbose_name))
    match of:
        case models.JSONField():
            return ParsedField(of.name, label=label, required=not of.blank, max_length=5_000)
        case models.BooleanField():
            return forms.BooleanField(label=label, required=False)
        case models.URLField():
            return forms.CharField(label=label, required=False, max_length=200, widget=forms.TextInput(attrs={"inputmode": "url"}))
        case models.FloatField():
            return forms.FloatField(label=label, **_bounds(of), widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}))
        case models.IntegerField():
            return forms.IntegerField(label=label, **_bounds(of))
    return forms.ChoiceField(label=label, choices=of.flatchoices)


def _bounds(of: "models.Field[Any, Any]") -> dict[str, Any]:
    limits = {type(rule): rule.limit_value for rule in of.validators if isinstance(rule, MinValueValidator | MaxValueValidator)}
    return {"min_value": limits.get(MinValueValidator), "max_value": limits.get(MaxValueValidator)}


def bounds_text(name: str) -> str:
    """What a setting accepts, such as “0 to 3,600 s”; "" if it has no bounds or does not exist."""
    of = field_of(name)
    if of is None:
        return ""
    shown, bounds = about(of), _bounds(of)
    if of.choices:
        return f"one of {', '.join(str(value) for value, _ in of.flatchoices)}"
    return shown.accepts if None in bounds.values() else f"{bounds['min_value']:,} to {bounds['max_value']:,} {shown.unit}".strip()


def reason_field() -> forms.CharField:
    text = forms.TextInput(attrs={"placeholder": "Reason, for the history"})
    return forms.CharField(label="Reason", required=False, max_length=100, help_text="Kept in the history. Optional.", widget=text)


class SettingsForm(RowForm):
    names = tuple(name for name in SETTINGS if name not in STORAGE)
    reason = reason_field()
    entered: dict[str, Any] = {}  # values as entered that are raised when saved

    def previews(self) -> list[tuple[str, str]]:
        if self.is_bound:
            self.full_clean()
        lines = previews({**self.cleaned_data, **self.entered} if self.is_bound else values(self.row))
        return [(str(self.fields[name].label), line) for name, line in lines.items()]

    def clean(self) -> dict[str, Any]:
        """Raises the longest backoff to the last pause of the list, so that no pause is shorter than the one before."""
        ladder, longest = self.cleaned_data.get("backoff_seconds"), self.cleaned_data.get("backoff_max_seconds")
        if ladder and longest is not None and longest < ladder[-1]:
            self.entered = {"backoff_max_seconds": longest}
            self.cleaned_data["backoff_max_seconds"] = float(ladder[-1])
        return self.cleaned_data


def _initial(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, indent=2, ensure_ascii=False)
    if isinstance(value, list):
        return ", ".join(str(_initial(item)) for item in value)
    return f"{value:g}" if isinstance(value, float) else value


def previews(values: Mapping[str, Any]) -> dict[str, str]:
    """Sentences about the results of settings, by the setting's name. A value of None is invalid and has none."""
    of, unlimited = values.get, "No cap: the accounts may be used up in a day"
    usd, sure_from, hosts = of("max_task_usd"), of("sure_from"), of("fetch_hosts")
    lines = {"spacing_seconds": _rate(of("spacing_seconds"), of("pacing"))}
    lines |= _ladder(of("backoff_seconds"), of("backoff_max_seconds"), of("pacing"))
    lines["deadline_seconds"] = _deadline(of("deadline_seconds"), 0 if of("pacing") == Pacing.AUTO else of("spacing_seconds"))
    if sure_from is not None and of("llm_use") in {Use.WHEN_UNSURE, Use.AFTER_TEMPLATE}:
        sure = f"Steps of which the template agent is at least {sure_from * 100:g} % sure take no slot"
        lines["sure_from"] = sure if sure_from else "The template agent answers every step: it is always at least 0 % sure"
    if usd is not None:
        lines["max_task_usd"] = f"1,000 tasks cost at most {usd * 1000:,.2f} USD" if usd else "No cap: a task may cost anything"
    lines |= {name: unlimited for name in ("daily_attempts", "daily_usd") if of(name) == 0}
    if of("fetch_pages") and hosts is not None:
        some = f"Pages on {', '.join(hosts[:3])}{' …' if len(hosts) > 3 else ''} are read first"
        lines["fetch_pages"] = some if hosts else "No host is listed: nothing is fetched"
    return {name: line for name, line in lines.items() if line}


def _rate(spacing: float | None, pacing: str | None) -> str:
    if spacing is None:
        return ""
    start = "Until the first answer: " if pacing == Pacing.AUTO else ""
    if not spacing:
        return f"{start}no spacing: requests go as fast as steps come"
    if spacing <= 60:
        return f"{start}{60 / spacing:.3g} requests a minute at most"
    return f"{start}{3600 / spacing:.3g} requests an hour at most"


def _ladder(ladder: list[float] | None, longest: float | None, pacing: str | None) -> dict[str, str]:
    if not ladder:
        return {}
    pauses, last = ", ".join(map(length, ladder)), length(ladder[-1])
    raised = f"Is raised to {last}: it can't be shorter than the last pause" if longest is not None and longest < ladder[-1] else ""
    if pacing == Pacing.AUTO:
        line = (
            f"First pause: at least {length(ladder[0])}, until it is known how long the account's blocks last; the other pauses are"
            " not used"
        )
        return {"backoff_seconds": line, "backoff_max_seconds": raised}
    if longest is not None and longest > ladder[-1]:
        return {"backoff_seconds": f"Pauses: {pauses}, then doubling up to {length(longest)}"}
    return {"backoff_seconds": f"Pauses: {pauses}, then {last} each time", "backoff_max_seconds": raised}


def _deadline(deadline: float | None, spacing: float | None) -> str:
    if deadline is None:
        return ""
    left = deadline - MARGIN
    line = f"The agent has {left:g} s; {MARGIN:g} s are kept for sending the answer"
    if spacing and spacing > left:
        line += f". With {length(spacing)} between requests, of steps that come at once only the first can wait for the LLM"
    return line


# Used for empty fields, by the account `default` only.
ENVIRONMENT = ("CHUTES_API_KEY", "CHUTES_ADMIN_KEY", "CHUTES_BASE_URL", "CHUTES_MANAGEMENT_URL", "CHUTES_MODELS")
OTHERS_MODELS = "Tried in this order. Empty: the three cheapest that list json_mode."
KEYS = {"key": ("CHUTES_API_KEY", key_of), "admin_key": ("CHUTES_ADMIN_KEY", admin_key_of)}
CALLS = "The miner calls with it. Kept encrypted and never shown again."


def account_rows() -> list[dict[str, Any]]:
    rows = []
    for account in accounts():
        models, host = models_of(account), urlsplit(base_url_of(account)).netloc
        status, tone = _status(account, models)
        keys = {name: key_text(account, name) for name in KEYS}
        rows.append({"account": account, "status": status, "tone": tone, "models": models, "host": host, **keys})
    return rows


def key_text(account: Account, name: str) -> str:
    """The key in use, by its last four characters, and its origin; "" for none. `name`: key or admin_key."""
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
        return "Key can't be decrypted: enter it again", "red"
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
        if not (environment.MINER_NAME or row.miner_names):  # a single miner needs no assignment
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
        return [(self[name], self[f"remove_{name}"] if getattr(row, f"{name}_sealed") else None, key_text(row, name)) for name in KEYS]

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
        """Add or change the account. A key of None stays, "" removes it."""
        given = self.cleaned_data
        if self.is_new:
            name = changes.pop("name")
            self.row = add_account(name, changes, key=given["key"], admin_key=given["admin_key"], by=by, reason=reason)
        else:
            key, admin_key = ("" if given[f"remove_{name}"] else given[name] or None for name in KEYS)
            self.row = change_account(self.row, changes, key=key, admin_key=admin_key, by=by, reason=reason)
