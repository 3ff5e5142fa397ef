"""Which settings an operator wants to try out on the last hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agents.configuration import parsed
from agents.governor import Pacing
from agents.models import Settings
from agents.models.settings import valid_ladder
from monitoring.stats.changes import model_field
from monitoring.wording import translated_lazy

HOURS = [(1, _("Last hour")), (6, _("Last 6 hours")), (24, _("Last 24 hours")), (168, _("Last 7 days"))]
DEFAULT_HOURS = 24
NUMBERS = ("spacing_seconds", "backoff_max_seconds", "deadline_seconds")
NAMES = ("pacing", "spacing_seconds", "backoff_seconds", "backoff_max_seconds", "deadline_seconds", "probe_after_pause")


class WhatIfForm(forms.Form):
    """The settings to try, prefilled with those wished for, else with those in force."""

    hours = forms.TypedChoiceField(label=_("Time"), coerce=int, choices=HOURS, initial=DEFAULT_HOURS)
    pacing = forms.ChoiceField(label=_("Pacing"), choices=[(pacing.value, translated_lazy(pacing.sentence)) for pacing in Pacing])
    spacing_seconds = forms.FloatField(label=_("Spacing, s"), min_value=0, max_value=3600)
    backoff_seconds = forms.CharField(label=_("Backoff, s"), max_length=200)
    backoff_max_seconds = forms.FloatField(label=_("Longest backoff, s"), min_value=1, max_value=86_400)
    deadline_seconds = forms.FloatField(label=_("Deadline, s"), min_value=3, max_value=180)
    probe_after_pause = forms.ChoiceField(label=_("Probe after a pause"), choices=[("true", _("Yes")), ("false", _("No"))])

    def __init__(self, in_force: Settings, data: Any = None, wished: Mapping[str, str] | None = None) -> None:
        filled = {name: (wished or {}).get(name) or as_text(getattr(in_force, name)) for name in NAMES}
        super().__init__(data, initial=filled)
        for name in NAMES:
            self.fields[name].help_text = model_field(in_force, name).help_text
        for name in NUMBERS:
            self.fields[name].widget.attrs.update(step="any", inputmode="decimal")

    def clean_backoff_seconds(self) -> list[float]:
        """The ladder as a list of numbers."""
        try:
            ladder: list[float] = parsed("backoff_seconds", self.cleaned_data["backoff_seconds"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        valid_ladder(ladder)
        return ladder

    def asked(self) -> dict[str, str]:
        """The settings as the simulation takes them."""
        return {name: as_text(self.cleaned_data[name]) for name in NAMES}


def as_text(value: Any) -> str:
    """A setting's value as a form and the simulation take it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(as_text(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
