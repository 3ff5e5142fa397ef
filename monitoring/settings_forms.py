"""The form of the miner's settings, and what the account's form shares with it. Written through `agents.configuration`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from agents.configuration import SETTINGS, change, parsed, values
from agents.governor import Pacing
from agents.hybrid import Mode, Use
from agents.models import Settings
from monitoring.previews import previews
from monitoring.stats.changes import in_words, model_field
from monitoring.wording import translated_lazy

RANGES = {
    "backoff_seconds": _("1 to 12 pauses, each 1 to 86,400, none shorter than the one before"),
    "llm_callers": _("networks such as 10.0.0.0/8 or 203.0.113.7"),
    "look_hosts": _("at most 100, such as demo.example.com, *.example.com, localhost:8000-8016 or 10.0.0.0/8:80"),
    "model_names": _("at most 20, one a line"),
    "request_options": _("at most 2,000 characters; not model, messages, max_tokens, stream, which the miner sets"),
    "price_overrides": _("at most 50 models"),
    "name": _("at most 50 characters"),
}
UNITS = {"seconds": _("seconds"), "minutes": _("minutes"), "percent": _("percent"), "usd": _("USD")}
# What the model says nothing of.
MEANINGS = {"agent_mode": _("Who answers. Hybrid asks the LLM where the account allows it, and else answers by the template agent.")}
NEXT_STEP = _("counts from the next step on")
NEXT_LOOK = _("counts from the next look on")
NEXT_CHECK = _("counts within a minute")
# When a change takes effect, where it is not with the next step. All processes read the settings anew each time.
EFFECTS = {
    "backoff_seconds": _("counts from the next refusal on; a pause that runs stays"),
    "backoff_max_seconds": _("counts from the next refusal on; a pause that runs stays"),
    "key_check_minutes": _("counts from the next refusal on"),
    "probe_after_pause": _("counts at the end of the next pause"),
    "miner_api_url": _("counts from the next test run and health check on"),
    "retest_after_pause": _("counts from the next pause on"),
    "health_seconds": NEXT_LOOK,
    "failures_before_down": NEXT_LOOK,
    "silence_minutes": NEXT_CHECK,
    "least_llm_percent": NEXT_CHECK,
    "keep_info_logs": _("counts within seconds"),
}
# Above the first setting of a section.
HEADINGS = {"pacing": _("Pacing and backoff"), "deadline_seconds": _("Deadlines and agent"), "miner_api_url": _("Watching")}


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting on the page: its field, its value in words, and what to know about it. `effect`: from when on a change counts.

    `in_force`: what an empty one comes to; `heading`: what the settings from here on are about.
    """

    field: BoundField
    value: str
    help: str
    unit: str
    default: str
    range: str
    effect: str
    in_force: str
    heading: str


@dataclass(frozen=True, slots=True)
class Section:
    """Settings that belong together. `heading` "": the form has but one section."""

    heading: str
    rows: list[SettingRow]


class RowForm(forms.Form):
    """A form over some fields of one row: each with its meaning, unit, default and range."""

    names: tuple[str, ...]

    def __init__(self, row: Any, data: Any, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial)
        self.row = row
        for name in self.names:
            self.fields[name].help_text = MEANINGS.get(name) or model_field(row, name).help_text

    def in_force(self, name: str) -> str:
        """What an empty field comes to; "" where it needs no word."""
        return ""

    def rows(self) -> Iterator[SettingRow]:
        """The settings in order, each with its meaning from the model."""
        for name in self.names:
            of = model_field(self.row, name)
            yield SettingRow(
                field=self[name],
                value=in_words(name, getattr(self.row, name)),
                help=str(self.fields[name].help_text),
                unit=next((str(words) for unit, words in UNITS.items() if name.endswith(f"_{unit}")), ""),
                default=in_words(name, of.get_default()),
                range=_range(of),
                effect=str(EFFECTS.get(name, NEXT_STEP)),
                in_force=self.in_force(name),
                heading=str(HEADINGS.get(name, "")),
            )

    def sections(self) -> list[Section]:
        """The settings by what they are about."""
        found: list[Section] = []
        for row in self.rows():
            if row.heading or not found:
                found.append(Section(row.heading, []))
            found[-1].rows.append(row)
        return found

    def adopt(self, error: forms.ValidationError) -> None:
        """Show a refusal at the fields that it names."""
        for name, messages in error.message_dict.items():
            self.add_error(name if name in self.fields else None, messages)

    def parsed(self, name: str) -> Any:
        """The field's text as its value. Raises ValidationError with the remedy."""
        try:
            return parsed(name, self.cleaned_data[name])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


def reason_field() -> forms.CharField:
    """Why something is changed."""
    asked = forms.TextInput(attrs={"placeholder": _("Reason, for the history")})
    return forms.CharField(label=_("Reason"), required=False, max_length=100, help_text=_("Kept in the history. Optional."), widget=asked)


class SettingsForm(RowForm):
    """How the miner answers: pacing, backoff, deadline, mode, callers. And how it is watched: tests, health checks, notifications, logs."""

    names = SETTINGS
    spacing_seconds = forms.FloatField(label=_("Spacing"), min_value=0, max_value=3600)
    backoff_seconds = forms.CharField(label=_("Backoff"), max_length=200)
    pacing = forms.ChoiceField(label=_("Pacing"), choices=[(pacing.value, translated_lazy(pacing.sentence)) for pacing in Pacing])
    backoff_max_seconds = forms.FloatField(label=_("Longest backoff"), min_value=1, max_value=86_400)
    key_check_minutes = forms.FloatField(label=_("Key check"), min_value=1, max_value=1440)
    probe_after_pause = forms.BooleanField(label=_("Probe after a pause"), required=False)
    deadline_seconds = forms.FloatField(label=_("Deadline"), min_value=3, max_value=180)
    agent_mode = forms.ChoiceField(label=_("Agent mode"), choices=[(mode.value, translated_lazy(mode.sentence)) for mode in Mode])
    llm_use = forms.ChoiceField(label=_("LLM is asked"), choices=[(use.value, translated_lazy(use.sentence)) for use in Use])
    sure_from = forms.FloatField(label=_("Sure from"), min_value=0, max_value=1)
    max_task_usd = forms.FloatField(label=_("Cost of a task"), min_value=0, max_value=100)
    llm_callers = forms.CharField(label=_("LLM callers"), required=False, max_length=5_000)
    look_before_planning = forms.BooleanField(label=_("Look before planning"), required=False)
    look_hosts = forms.CharField(label=_("Hosts to look at"), required=False, max_length=5_000)
    miner_api_url = forms.CharField(
        label=_("Miner API"), required=False, max_length=200, widget=forms.TextInput(attrs={"inputmode": "url"})
    )
    retest_after_pause = forms.BooleanField(label=_("Test after a pause"), required=False)
    health_seconds = forms.IntegerField(label=_("Health checks"), min_value=10, max_value=3600)
    failures_before_down = forms.IntegerField(label=_("Failures before down"), min_value=1, max_value=20)
    silence_minutes = forms.IntegerField(label=_("Silence"), min_value=0, max_value=10_080)
    least_llm_percent = forms.IntegerField(label=_("Least LLM share"), min_value=0, max_value=100)
    keep_info_logs = forms.BooleanField(label=_("Keep INFO records"), required=False)
    reason = reason_field()

    def __init__(self, row: Settings, data: Any = None) -> None:
        self.entered: dict[str, Any] = {}  # what is raised when it is saved, as it was entered
        lists = {name: _listed(getattr(row, name)) for name in ("backoff_seconds", "llm_callers", "look_hosts")}
        super().__init__(row, data, values(row) | lists)
        for name in ("spacing_seconds", "backoff_max_seconds", "key_check_minutes", "deadline_seconds", "sure_from", "max_task_usd"):
            self.fields[name].widget.attrs.update(step="any", inputmode="decimal")
            self.initial[name] = f"{self.initial[name]:g}"

    def previews(self) -> list[tuple[str, str]]:
        """What is entered comes to, or what is in force: each setting's label with a line."""
        if self.is_bound:
            self.full_clean()
        told = previews({**self.cleaned_data, **self.entered} if self.is_bound else values(self.row))
        return [(str(self.fields[name].label), line) for name, line in told.items()]

    def clean_backoff_seconds(self) -> Any:
        """The ladder as a list of numbers."""
        return self.parsed("backoff_seconds")

    def clean_llm_callers(self) -> Any:
        """The networks as a list."""
        return self.parsed("llm_callers")

    def clean_look_hosts(self) -> Any:
        """The hosts as a list."""
        return self.parsed("look_hosts")

    def clean(self) -> dict[str, Any]:
        """The longest backoff is raised to the last pause of the list: a pause can't be cut shorter than the one before it."""
        ladder, longest = self.cleaned_data.get("backoff_seconds"), self.cleaned_data.get("backoff_max_seconds")
        if ladder and longest is not None and longest < ladder[-1]:
            self.entered = {"backoff_max_seconds": longest}
            self.cleaned_data["backoff_max_seconds"] = float(ladder[-1])
        return self.cleaned_data

    def save(self, by: AbstractBaseUser) -> bool:
        """Change what differs. False where the form then shows why not."""
        if not self.is_valid():
            return False
        try:
            change({name: self.cleaned_data[name] for name in SETTINGS}, by=by, reason=self.cleaned_data["reason"])
        except forms.ValidationError as error:
            self.adopt(error)
        return not self.errors


def _listed(items: list[Any]) -> str:
    return ", ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in items)


def _range(field: Any) -> str:
    bounds = {type(validator): validator.limit_value for validator in field.validators if hasattr(validator, "limit_value")}
    if MinValueValidator in bounds and MaxValueValidator in bounds:
        return _("{least:,} to {most:,}").format(least=bounds[MinValueValidator], most=bounds[MaxValueValidator])
    return str(RANGES.get(field.name, ""))
