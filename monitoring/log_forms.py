"""What people enter on the Logs page."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from monitoring.forms import ANY, RANGE_NAMES, RANGES
from monitoring.models import LogEntry
from monitoring.stats.logs import LogQuery
from monitoring.uploads import FORM_BYTES, LARGEST, MEGABYTE

LEVEL_CHOICES = [
    ANY,
    (str(logging.INFO), _("INFO and up")),
    (str(logging.WARNING), _("WARNING and up")),
    (str(logging.ERROR), _("ERROR and up")),
]
KIND_CHOICES = [ANY, *((value, label) for value, label in LogEntry.Kind.choices if value)]
TOO_LARGE = format_lazy(
    _("The file is larger than {size} MB. Compress it with gzip, or use manage.py import_log, which takes any size."),
    size=LARGEST // MEGABYTE,
)


class LogFilter(forms.Form):
    """Which entries to list, from the query string. A field that can't be read is named and not applied."""

    text = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Text in the message")}),
    )
    level = forms.TypedChoiceField(label=_("Level"), required=False, choices=LEVEL_CHOICES, coerce=int, empty_value=None)
    kind = forms.ChoiceField(required=False, choices=KIND_CHOICES, label=_("Tells of"))
    source = forms.ChoiceField(label=_("Source"), required=False, choices=[ANY, *LogEntry.Source.choices])
    logger = forms.CharField(
        label=_("Logger"), required=False, max_length=200, widget=forms.TextInput(attrs={"placeholder": "agents.ledger"})
    )
    step = forms.UUIDField(required=False, label=_("Step id"))
    journal = forms.IntegerField(required=False, min_value=1, max_value=2**31, label=_("Import no."))
    range = forms.ChoiceField(required=False, choices=[("", _("Any time")), *RANGE_NAMES], label=_("Time"))
    since = forms.DateTimeField(required=False, label=_("From"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    until = forms.DateTimeField(required=False, label=_("Until"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))

    MAIN = ("text", "level", "kind", "source", "range")  # the others are asked for now and then

    def query(self, now: datetime) -> LogQuery:
        """The conditions that could be read."""
        self.full_clean()
        found = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        span = RANGES.get(found.pop("range", ""))
        if span and "since" not in found:
            found["since"] = now - span
        return LogQuery(**found)

    @property
    def is_set(self) -> bool:
        """Whether any condition is given."""
        return any(self.data.get(name) for name in self.fields)

    @property
    def has_more(self) -> bool:
        """Whether a condition is given that the page shows on demand."""
        return any(self.data.get(name) for name in self.fields if name not in self.MAIN)


class ImportForm(forms.Form):
    """A journal to import. `length`: the request's, in bytes: a file that is too large is not kept, and missing here."""

    file = forms.FileField(
        label=_("Journal"),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
        help_text=format_lazy(_("journalctl, syslog or Python logs, plain or gzipped, up to {size} MB."), size=LARGEST // MEGABYTE),
    )
    year = forms.IntegerField(
        label=_("Year"),
        required=False,
        min_value=2,
        max_value=9998,
        help_text=_("Of the first line, where lines have none. Empty: the latest in the past."),
        widget=forms.NumberInput(attrs={"placeholder": "2025"}),
    )
    zone = forms.CharField(label=_("Time zone"), initial="UTC", max_length=60, help_text=_("Of times without one, such as Europe/Berlin."))

    def __init__(self, data: Any = None, files: Any = None, *, length: int = 0) -> None:
        super().__init__(data, files)
        if length > LARGEST + FORM_BYTES:
            self.fields["file"].error_messages["required"] = TOO_LARGE

    def clean_zone(self) -> str:
        """The name of a zone that there is."""
        name: str = self.cleaned_data["zone"]
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise forms.ValidationError(_("There is no time zone “{name}”. Write it as Europe/Berlin or UTC.").format(name=name)) from None
        return name
