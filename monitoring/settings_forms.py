"""The settings' forms: read from the models, written through `agents.configuration`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings as environment
from django.contrib.auth.models import AbstractBaseUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms.boundfield import BoundField

from agents.configuration import ACCOUNT, SETTINGS, change, change_account, parsed, values
from agents.governor import Pacing
from agents.hybrid import Mode
from agents.models import Account, Settings
from monitoring.stats.changes import in_words, model_field

RANGES = {
    "backoff_seconds": "1 to 12 pauses, each 1 to 86,400, none shorter than the one before",
    "llm_callers": "networks such as 10.0.0.0/8 or 203.0.113.7",
    "model_names": "at most 20",
}


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting on the page: its field, its value in words, and what to know about it."""

    field: BoundField
    value: str
    help: str
    unit: str
    default: str
    range: str


class _ModelForm(forms.Form):
    """A form over some fields of one row, with a reason for the history."""

    names: tuple[str, ...]

    def __init__(self, row: Any, data: Any, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial)
        self.row = row
        for name in self.names:
            self.fields[name].help_text = model_field(row, name).help_text

    def rows(self) -> Iterator[SettingRow]:
        """The settings in order, each with its meaning from the model."""
        for name in self.names:
            of = model_field(self.row, name)
            yield SettingRow(
                field=self[name],
                value=in_words(name, getattr(self.row, name)),
                help=of.help_text,
                unit=next((unit for unit in ("seconds", "minutes") if name.endswith(f"_{unit}")), ""),
                default=in_words(name, of.get_default()),
                range=_range(of),
            )

    def _adopt(self, error: forms.ValidationError) -> None:
        """Show a refusal at the fields that it names."""
        for name, messages in error.message_dict.items():
            self.add_error(name if name in self.fields else None, messages)

    def _parsed(self, name: str) -> Any:
        try:
            return parsed(name, self.cleaned_data[name])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


def _reason() -> forms.CharField:
    return forms.CharField(label="Reason", required=False, max_length=100, help_text="Kept in the history. Optional.")


class SettingsForm(_ModelForm):
    """Pacing, spacing, backoff, deadline, mode and the callers that may use the LLM."""

    names = SETTINGS
    spacing_seconds = forms.FloatField(label="Spacing", min_value=0, max_value=3600)
    backoff_seconds = forms.CharField(label="Backoff", max_length=200)
    pacing = forms.ChoiceField(label="Pacing", choices=[(pacing.value, pacing.sentence) for pacing in Pacing])
    backoff_max_seconds = forms.FloatField(label="Longest backoff", min_value=1, max_value=86_400)
    key_check_minutes = forms.FloatField(label="Key check", min_value=1, max_value=1440)
    probe_after_pause = forms.BooleanField(label="Probe after a pause", required=False)
    deadline_seconds = forms.FloatField(label="Deadline", min_value=3, max_value=180)
    agent_mode = forms.ChoiceField(label="Agent mode", choices=[(mode.value, mode.sentence) for mode in Mode])
    llm_callers = forms.CharField(label="LLM callers", required=False, max_length=5_000)
    reason = _reason()

    def __init__(self, row: Settings, data: Any = None) -> None:
        lists = {name: _listed(getattr(row, name)) for name in ("backoff_seconds", "llm_callers")}
        super().__init__(row, data, values(row) | lists)
        for name in ("spacing_seconds", "backoff_max_seconds", "key_check_minutes", "deadline_seconds"):
            self.fields[name].widget.attrs.update(step="any", inputmode="decimal")
            self.initial[name] = f"{self.initial[name]:g}"

    def clean_backoff_seconds(self) -> Any:
        """The ladder as a list of numbers."""
        return self._parsed("backoff_seconds")

    def clean_llm_callers(self) -> Any:
        """The networks as a list."""
        return self._parsed("llm_callers")

    def save(self, by: AbstractBaseUser) -> bool:
        """Change what differs. False where the form then shows why not."""
        if not self.is_valid():
            return False
        try:
            change({name: self.cleaned_data[name] for name in SETTINGS}, by=by, reason=self.cleaned_data["reason"])
        except forms.ValidationError as error:
            self._adopt(error)
        return not self.errors


class AccountForm(_ModelForm):
    """The default account: models, base URL, key and whether it is in use. The key goes in and never comes out."""

    names = ("enabled", "model_names", "base_url")
    prefix = "account"
    enabled = forms.BooleanField(label="Enabled", required=False)
    model_names = forms.CharField(
        label="Models", required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})
    )
    base_url = forms.CharField(label="Base URL", required=False, max_length=200, widget=forms.TextInput(attrs={"inputmode": "url"}))
    key = forms.CharField(
        label="API key",
        required=False,
        max_length=500,
        help_text="Kept encrypted and never shown again. Empty: the key stays as it is.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "placeholder": "Enter a new key to replace it"}),
    )
    reason = _reason()

    def __init__(self, row: Account, data: Any = None) -> None:
        initial = {"enabled": row.enabled, "base_url": row.base_url, "model_names": "\n".join(row.model_names)}
        super().__init__(row, data, initial)
        self.fields["base_url"].widget.attrs["placeholder"] = environment.CHUTES_BASE_URL

    @property
    def key_known(self) -> str:
        """Which key is in use, by its last four characters."""
        if self.row.key_sealed:
            return f"•••• {self.row.key_hint}, entered here"
        if environment.CHUTES_API_KEY:
            return f"•••• {environment.CHUTES_API_KEY[-4:]}, from CHUTES_API_KEY"
        return "none"

    def clean_model_names(self) -> list[str]:
        """The models, one a line or between commas."""
        names = self.cleaned_data["model_names"].replace(",", "\n").splitlines()
        return list(dict.fromkeys(name.strip() for name in names if name.strip()))

    def clean_key(self) -> str:
        """A key is one word: anything else went astray while copying."""
        key: str = self.cleaned_data["key"]
        if any(not letter.isascii() or not letter.isprintable() or letter.isspace() for letter in key):
            raise forms.ValidationError("A key has no spaces and only plain characters. Copy it again.")
        return key

    def save(self, by: AbstractBaseUser) -> bool:
        """Change what differs, and the key where one is entered. False where the form then shows why not."""
        if not self.is_valid():
            return False
        changes = {name: self.cleaned_data[name] for name in ACCOUNT}
        try:
            change_account(self.row, changes, key=self.cleaned_data["key"] or None, by=by, reason=self.cleaned_data["reason"])
        except forms.ValidationError as error:
            self._adopt(error)
        return not self.errors


def _listed(items: list[Any]) -> str:
    return ", ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in items)


def _range(field: Any) -> str:
    bounds = {type(validator): validator.limit_value for validator in field.validators if hasattr(validator, "limit_value")}
    if MinValueValidator in bounds and MaxValueValidator in bounds:
        return f"{bounds[MinValueValidator]:,} to {bounds[MaxValueValidator]:,}"
    return RANGES.get(field.name, "")
