import logging
from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from monitoring.logs import imports
from monitoring.logs import log_list as stats
from monitoring.logs.journal import Kind
from monitoring.models import JournalImport, LogEntry
from monitoring.reporting import file_exports
from monitoring.reporting.filter_form import ANY, FilterForm, range_field, time_field
from monitoring.reporting.pagination import Place
from monitoring.web.access import SUBMIT, VIEW, PanelRequest, guarded
from monitoring.web.middleware import zones
from monitoring.web.pages import page

LEVEL_CHOICES = [ANY, *((str(level), f"{logging.getLevelName(level)} and up") for level in (20, 30, 40))]
KIND_CHOICES = [ANY, *((kind.value, kind.sentence) for kind in Kind if kind)]
TEXT_HINT = "Text in a message’s first 8 kB"
IMPORTS_SHOWN = 20
QUEUED = "Uploaded. A worker imports the file; the result appears on this page."
MOST_MB = imports.LARGEST // imports.MEGABYTE
TOO_LARGE = f"The file is larger than {MOST_MB} MB. Compress it with gzip, or use manage.py import_log, which has no limit."
WRITERS: dict[str, tuple[str, Callable[[stats.Conditions], Iterator[str]]]] = {
    "log": ("text/plain; charset=utf-8", stats.as_text),
    "jsonl": ("application/x-ndjson", stats.as_json_lines),
}


class LogFilter(FilterForm):
    text = forms.CharField(required=False, max_length=200, widget=forms.TextInput({"type": "search", "placeholder": TEXT_HINT}))
    level = forms.TypedChoiceField(required=False, choices=LEVEL_CHOICES, coerce=int, empty_value=None)
    kind = forms.ChoiceField(required=False, choices=KIND_CHOICES)
    source = forms.ChoiceField(required=False, choices=[ANY, *LogEntry.Source.choices])
    logger = forms.CharField(required=False, max_length=200, widget=forms.TextInput(attrs={"placeholder": "agents.ledger"}))
    step = forms.UUIDField(required=False, label="Step id")
    journal = forms.IntegerField(required=False, min_value=1, max_value=2**31, label="Import no.")
    range = range_field("Time", "1h", "24h", "7d")
    since = time_field("From")
    until = time_field("Until")

    MAIN = ("text", "level", "kind", "source", "range")  # the others are behind “More conditions”

    @property
    def has_more(self) -> bool:
        return any(self.data.get(name) for name in self.fields if name not in self.MAIN)


class ImportForm(forms.Form):
    """`length`: of the request, in bytes; a file beyond the limit is discarded, and missing here."""

    file = forms.FileField(
        label="Journal",
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
        help_text=f"journalctl, syslog or Python logs, plain or gzipped, up to {MOST_MB} MB.",
    )
    year = forms.IntegerField(
        required=False,
        min_value=2,
        max_value=9998,
        help_text="Of the first line, if lines have no year. Empty: the latest in the past.",
        widget=forms.NumberInput(attrs={"placeholder": "2025"}),
    )
    zone = forms.CharField(label="Time zone", initial="UTC", max_length=60, help_text="Of times without one, such as Europe/Berlin.")

    def __init__(self, data: Any = None, files: Any = None, *, length: int = 0) -> None:
        super().__init__(data, files)
        if length > imports.LARGEST + imports.FORM_BYTES:
            self.fields["file"].error_messages["required"] = TOO_LARGE

    def clean_zone(self) -> str:
        name: str = self.cleaned_data["zone"]
        if name not in zones():
            raise forms.ValidationError(f"There is no time zone “{name}”. Write it as Europe/Berlin or UTC.")
        return name


@page("logs/logs")
def log_list(request: PanelRequest) -> dict[str, Any]:
    filters, place = LogFilter(request.GET), Place.parse(request.GET)
    logs = stats.logs(filters.conditions(timezone.now()), place)
    return {"filters": filters, "logs": logs, "searched": stats.SEARCHED, "is_live": place == Place()}


@page("logs/imports", post=SUBMIT)
def import_list(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    form = ImportForm()
    if request.method == "POST":
        form = ImportForm(request.POST, request.FILES, length=int(request.META.get("CONTENT_LENGTH") or 0))
        if form.is_valid():
            given = form.cleaned_data
            imports.keep(given["file"], by=request.user.get_username(), year=given["year"], zone=given["zone"])
            messages.success(request, QUEUED)
            return redirect("imports")
    return {"form": form, "imports": JournalImport.objects.order_by("-requested_at", "-id")[:IMPORTS_SHOWN]}


@guarded(get=VIEW, post=None)
def download(request: PanelRequest, form: str) -> HttpResponseBase:
    now = timezone.now()
    kind, lines = WRITERS[form]
    imports.open_all()
    return file_exports.download("miner", form, kind, lines(LogFilter(request.GET).conditions(now)), now)
