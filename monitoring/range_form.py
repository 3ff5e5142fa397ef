"""Which range of time is wanted, from the query string."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from monitoring.stats.ranges import DEFAULT, RANGES, Range

NAMES = {"1h": "1 h", "6h": "6 h", "24h": "24 h", "7d": "7 d", "30d": "30 d"}
# The roll-ups' days are kept this long.
LONGEST = timedelta(days=730)
SHORTEST = timedelta(minutes=5)
MOMENT = {"type": "datetime-local", "class": "form-control"}


class RangeForm(forms.Form):
    """A named range, or times of one's own, in the reader's zone. What can't be read is named, and the default range shown."""

    range = forms.ChoiceField(required=False, choices=list(NAMES.items()))
    since = forms.DateTimeField(required=False, label=_("From"), widget=forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M"))
    until = forms.DateTimeField(required=False, label=_("Until"), widget=forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M"))

    def __init__(self, data: Any, now: datetime) -> None:
        super().__init__(data)
        self.now = now

    def clean(self) -> dict[str, Any]:
        """Both times or none, in order, and neither too near nor too far apart."""
        found = super().clean() or {}
        start, end = found.get("since"), found.get("until") or self.now
        if found.get("until") and not start and "since" not in self.errors:
            self.add_error("since", _("Give the time from which on."))
        if start and end - start < SHORTEST:
            self.add_error("until", _("Give a time at least 5 minutes after the first one."))
        if start and end - start > LONGEST:
            self.add_error("since", _("Give a time at most 730 days before the other one."))
        return found

    def asked(self) -> Range:
        """The range that is shown."""
        found = self.cleaned_data if self.is_valid() else {}
        if found.get("since"):
            return Range.between(found["since"], min(found.get("until") or self.now, self.now), self.now)
        return Range.named(found.get("range") or DEFAULT, self.now)

    @property
    def query(self) -> str:
        """The range as it stands in the URL."""
        kept = {name: self.data[name] for name in self.fields if self.data.get(name)}
        return urlencode(kept if self.is_valid() else {})

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Named ranges: name, words, whether it is the one shown."""
        shown = self.asked().name
        return [(name, NAMES[name], name == shown) for name in RANGES]

    @property
    def is_own(self) -> bool:
        """Whether times of one's own were asked for."""
        return bool(self.data.get("since") or self.data.get("until"))
