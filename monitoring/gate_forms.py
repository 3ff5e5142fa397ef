"""What people enter about accounts' gates and rate-limit events."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agents.models import RateLimitEvent
from agents.refusals import RefusalClass
from monitoring.forms import ANY
from monitoring.stats.events import OPEN, EventQuery, EventScope
from monitoring.stats.standing import CAUSES
from monitoring.wording import translated_lazy

# A pause beyond a week is a switch: accounts are disabled in the settings.
MOST_MINUTES = 7 * 24 * 60
LENGTHS = [("5", "5 min"), ("15", "15 min"), ("60", "1 h"), ("360", "6 h")]
CLASSES = [(kind.value, translated_lazy(CAUSES[kind])) for kind in RefusalClass]


class PauseForm(forms.Form):
    """For how long an account is paused."""

    length = forms.ChoiceField(
        label=_("Pause for"), choices=LENGTHS, initial="15", widget=forms.RadioSelect(attrs={"class": "form-check-input"})
    )
    minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_MINUTES,
        label=_("Or minutes of your own"),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=_("1 to 10,080, which is a week. What is entered here counts instead of the choice above."),
    )

    @property
    def seconds(self) -> float:
        """The length that was chosen."""
        return 60.0 * (self.cleaned_data["minutes"] or int(self.cleaned_data["length"]))


class EventFilter(forms.Form):
    """Which rate-limit events to list, from the query string. A field that can't be read is named and not applied."""

    account = forms.ChoiceField(label=_("Account"), required=False)
    refusal = forms.ChoiceField(required=False, choices=[ANY, *CLASSES], label=_("Class"))
    scope = forms.ChoiceField(
        label=_("Scope"), required=False, choices=[ANY, *((scope.value, translated_lazy(scope.sentence)) for scope in EventScope)]
    )
    ended = forms.ChoiceField(
        required=False, choices=[ANY, (OPEN, _("Still open")), *RateLimitEvent.Ended.choices], label=_("How it ended")
    )

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
