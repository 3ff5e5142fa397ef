"""What people enter about accounts' gates and rate-limit events."""

from __future__ import annotations

from typing import Any

from django import forms

from agents.models import RateLimitEvent
from agents.refusals import RefusalClass
from monitoring.forms import ANY
from monitoring.stats.events import OPEN, EventQuery, EventScope
from monitoring.stats.standing import CAUSES

OWN = "own"
# A pause beyond a week is a switch: accounts are disabled in the settings.
MOST_MINUTES = 7 * 24 * 60
LENGTHS = [("5", "5 min"), ("15", "15 min"), ("60", "1 h"), ("360", "6 h"), (OWN, "Minutes of your own")]
CLASSES = [(kind.value, CAUSES[kind].capitalize()) for kind in RefusalClass]


class PauseForm(forms.Form):
    """For how long an account is paused."""

    length = forms.ChoiceField(
        label="Pause for", choices=LENGTHS, initial="15", widget=forms.RadioSelect(attrs={"class": "form-check-input"})
    )
    minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_MINUTES,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text="Only with “Minutes of your own”: 1 to 10080, a week.",
    )

    def clean(self) -> dict[str, Any]:
        """The minutes are needed where no ready length is chosen."""
        found: dict[str, Any] = super().clean() or {}
        if found.get("length") == OWN and found.get("minutes") is None and "minutes" not in self.errors:
            self.add_error("minutes", "Enter how many minutes, or choose a length above.")
        return found

    @property
    def seconds(self) -> float:
        """The length that was chosen."""
        chosen = self.cleaned_data["length"]
        return 60.0 * (self.cleaned_data["minutes"] if chosen == OWN else int(chosen))


class EventFilter(forms.Form):
    """Which rate-limit events to list, from the query string. A field that can't be read is named and not applied."""

    account = forms.ChoiceField(required=False)
    refusal = forms.ChoiceField(required=False, choices=[ANY, *CLASSES], label="Class")
    scope = forms.ChoiceField(required=False, choices=[ANY, *((scope.value, scope.sentence) for scope in EventScope)])
    ended = forms.ChoiceField(required=False, choices=[ANY, (OPEN, "Still open"), *RateLimitEvent.Ended.choices], label="How it ended")

    def __init__(self, data: Any, accounts: list[str]) -> None:
        super().__init__(data)
        self.fields["account"].choices = [ANY, *((name, name) for name in accounts)]  # type: ignore[attr-defined]

    def query(self) -> EventQuery:
        """The conditions that could be read."""
        self.full_clean()
        return EventQuery(**{name: value for name, value in self.cleaned_data.items() if value})

    @property
    def is_set(self) -> bool:
        """Whether any condition is given."""
        return any(self.data.get(name) for name in self.fields)
