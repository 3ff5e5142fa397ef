"""Logs: what the miner and its panel logged, and imported journals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.phrases import phrase
from monitoring import uploads
from monitoring.access import SUBMIT, VIEW, guarded
from monitoring.journal_import import cancel
from monitoring.log_forms import ImportForm, LogFilter
from monitoring.models import JournalImport
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.sealed import open_all
from monitoring.stats import logs as stats
from monitoring.stats.keyset import Place
from monitoring.wording import translated

QUEUED = phrase("The file is here. A worker imports it in a moment; this page shows how far it is.")
WRITERS: dict[str, tuple[str, Callable[[stats.LogQuery], Iterator[str]]]] = {
    "log": ("text/plain; charset=utf-8", stats.as_text),
    "jsonl": ("application/x-ndjson", stats.as_json_lines),
}


@page("logs")
def log_list(request: PanelRequest) -> dict[str, Any]:
    """The entries that match the filter, newest first."""
    filters, place = LogFilter(request.GET), Place.parse(request.GET)
    logs = stats.logs(filters.query(timezone.now()), place)
    return {"filters": filters, "logs": logs, "searched": stats.SEARCHED, "is_live": place == Place()}


@page("imports", post=SUBMIT)
def import_list(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """The imports; a POST adds one."""
    form = ImportForm()
    if request.method == "POST":
        form = ImportForm(request.POST, request.FILES, length=int(request.META.get("CONTENT_LENGTH") or 0))
        if form.is_valid():
            asked = form.cleaned_data
            uploads.keep(asked["file"], by=request.user.get_username(), year=asked["year"], zone=asked["zone"])
            messages.success(request, translated(QUEUED))
            return redirect("imports")
    return {"form": form, "imports": stats.imports()}


@guarded(get=None, post=SUBMIT)
def cancel_import(request: PanelRequest, pk: int) -> HttpResponse:
    """Cancel it, where it is not over yet."""
    if not cancel(get_object_or_404(JournalImport, pk=pk).pk):
        messages.info(request, _("The import was over already."))
    return redirect("imports")


@guarded(get=VIEW, post=None)
def download(request: PanelRequest, form: str) -> HttpResponseBase:
    """All that the filter matches, as a file, streamed."""
    now = timezone.now()
    kind, lines = WRITERS[form]
    open_all()
    response = StreamingHttpResponse(lines(LogFilter(request.GET).query(now)), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="miner-{now:%Y%m%d-%H%M%S}.{form}"'
    return response
