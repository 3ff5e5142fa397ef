"""Forms that filter lists; each field is a condition."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

# The choice without a condition.
ANY = ("", "Any")
RANGES = {
    "1h": (timedelta(hours=1), "Last hour"),
    "24h": (timedelta(days=1), "Last 24 hours"),
    "7d": (timedelta(days=7), "Last 7 days"),
    "30d": (timedelta(days=30), "Last 30 days"),
}


def range_field(label: str, *names: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[("", "Any time"), *((name, RANGES[name][1]) for name in names)])


def time_field(label: str, widget: forms.DateTimeInput | None = None) -> forms.DateTimeField:
    shown = widget or forms.DateTimeInput(attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, required=False, widget=shown, validators=[_check_year])


def _check_year(at: datetime) -> None:
    """At the ends of the calendar a time can't be converted to another zone. Raises ValidationError."""
    if not 1970 <= at.year <= 9000:
        raise ValidationError("Give a time from 1970 to 9000.")


class FilterForm(forms.Form):
    """The conditions of a list, from the query string. Invalid fields are reported and not applied."""

    def conditions(self, now: datetime) -> dict[str, Any]:
        """The valid, non-empty fields. A `range` becomes `since`, unless that is given too."""
        self.full_clean()
        conditions = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        if name := conditions.pop("range", ""):
            conditions.setdefault("since", now - RANGES[name][0])
        return conditions

    @property
    def is_set(self) -> bool:
        return any(self.data.get(name) for name in self.fields)
