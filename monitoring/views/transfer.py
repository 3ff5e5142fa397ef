"""Settings as a file: export, import, and one change taken back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from monitoring import transfer
from monitoring.access import CHANGE, VIEW, guarded
from monitoring.audit import Deed, note
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.reverting import revert
from monitoring.stats.changes import HISTORIES
from monitoring.transfer_form import ImportForm


@guarded(get=VIEW, post=None)
def export_settings(request: PanelRequest) -> HttpResponse:
    """All settings as a JSON file, without keys."""
    body = transfer.as_text(transfer.exported())
    return HttpResponse(
        body, content_type="application/json", headers={"Content-Disposition": 'attachment; filename="minerpanel-settings.json"'}
    )


@page("import_settings", get=CHANGE, post=CHANGE)
def import_settings(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """A first POST shows what would change, a second one with `confirmed` changes it."""
    form, shown = ImportForm(request.POST or None, request.FILES or None), None
    if form.is_valid():
        try:
            if request.POST.get("confirmed"):
                return _imported(request, form.cleaned_data["document"])
            shown = transfer.preview(form.cleaned_data["document"])
        except ValidationError as error:
            form.add_error(None, error)
    return {"form": form, "differences": shown, "text": form.cleaned_data.get("text", "") if form.is_bound else ""}


@guarded(get=None, post=CHANGE)
def revert_change(request: PanelRequest, kind: str, pk: int) -> HttpResponse:
    """Take one change back, as a new change."""
    if kind not in HISTORIES:
        raise Http404(kind)
    try:
        revert(kind, pk, by=request.user)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
    else:
        messages.success(request, _("The change is taken back. It counts from the next step on."))
    return redirect("settings")


def _imported(request: PanelRequest, document: dict[str, Any]) -> HttpResponse:
    transfer.apply(document, by=request.user)
    note(Deed.SETTINGS_IMPORT, "Each change is in the history.", by=request.user.get_username(), now=timezone.now())
    messages.success(request, _("Imported. It counts from the next step on, in all processes. Keys are entered by hand."))
    return redirect("settings")
