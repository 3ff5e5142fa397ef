"""Which entries of the audit to list, from the query string."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from agents.models import Account
from monitoring.forms import ANY, RANGE_NAMES, RANGES
from monitoring.stats.trail import KINDS, MACHINE, OUTSIDE, TrailQuery
from monitoring.wording import translated_lazy


class AuditFilter(forms.Form):
    """A field that can't be read is named and not applied."""

    who = forms.ChoiceField(label=_("Who"), required=False)
    what = forms.ChoiceField(
        label=_("What"), required=False, choices=[ANY, *((kind, translated_lazy(words)) for kind, words in KINDS.items())]
    )
    account = forms.ChoiceField(label=_("Account"), required=False)
    range = forms.ChoiceField(required=False, choices=[("", _("Any time")), *RANGE_NAMES], label=_("Time"))
    since = forms.DateTimeField(required=False, label=_("From"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    until = forms.DateTimeField(required=False, label=_("Until"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        people = [(name, name) for name in User.objects.order_by("username").values_list("username", flat=True)]
        accounts = [(str(pk), name) for pk, name in Account.objects.values_list("pk", "name")]
        self.fields["who"].choices = [ANY, (MACHINE, _("The machine")), (OUTSIDE, _("Outside the panel")), *people]  # type: ignore[attr-defined]
        self.fields["account"].choices = [ANY, *accounts]  # type: ignore[attr-defined]

    def query(self, now: datetime) -> TrailQuery:
        """The conditions that could be read."""
        self.full_clean()
        found = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        span = RANGES.get(found.pop("range", ""))
        if span and "since" not in found:
            found["since"] = now - span
        if "account" in found:
            found["account"] = int(found["account"])
        return TrailQuery(**found)

    @property
    def is_set(self) -> bool:
        """Whether any condition is given."""
        return any(self.data.get(name) for name in self.fields)
