import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from agents.configuration import parsed
from agents.configuration.account_changes import change_account, delete_account, move_account, why_kept
from agents.models import Account, AuditEntry, Settings
from agents.simulation.settings import TRIED, as_text
from monitoring.audit.audit_log import newest_entries
from monitoring.settings import transfer
from monitoring.settings.changes import HISTORIES
from monitoring.settings.forms import AccountForm, SettingsForm, account_rows
from monitoring.testruns.views import started
from monitoring.web.access import CHANGE, SUBMIT, VIEW, PanelRequest, guarded
from monitoring.web.pages import acted, page

SAVED = "Saved. It takes effect with the next step, in all processes."
ROTATED = "Saved. The new key takes effect with the next step. Test it to see whether it works."
RAISED = "The longest backoff was raised to the last pause of the list: it can't be shorter."


@page("settings/settings", post=CHANGE)
def settings(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """A POST changes the settings, or redirects to the what-if page with the entered values."""
    if "what_if" in request.POST:
        entered = {name: request.POST.get(name, "") for name in TRIED}
        entered["probe_after_pause"] = as_text("probe_after_pause" in request.POST)
        return redirect(f"{reverse('what_if')}?{urlencode(entered)}")
    form = SettingsForm(Settings.current(), request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user):
        messages.success(request, SAVED)
        if form.entered:
            messages.info(request, RAISED)
        return redirect("settings")
    return {"form": form, "accounts": account_rows(), "changes": newest_entries(kinds=("settings", "account", "retention"))}


@guarded(get=VIEW, post=None)
def settings_preview(request: PanelRequest) -> HttpResponse:
    return render(request, "settings/_settings_preview.html", {"form": SettingsForm(Settings.current(), request.GET)})


@page("settings/account", post=CHANGE)
def account(request: PanelRequest, pk: int) -> HttpResponse | dict[str, Any]:
    row = get_object_or_404(Account, pk=pk)
    form = AccountForm(row, request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user):
        messages.success(request, (ROTATED if form.cleaned_data["key"] else SAVED))
        return redirect("account", pk)
    return {"form": form, "account": row, "changes": newest_entries(kinds=("account",), account=row.pk), "why_kept": why_kept(row)}


@page("settings/new_account", get=CHANGE, post=CHANGE)
def new_account(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    form = AccountForm(Account(), request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user):
        messages.success(request, f"Account {form.row.name} is added. {SAVED}")
        return redirect("settings")
    return {"form": form}


@guarded(get=None, post=CHANGE)
def move(request: PanelRequest, pk: int) -> HttpResponse:
    places = {"up": -1, "down": 1}.get(request.POST.get("to", ""), 0)
    return acted(request, "settings", SAVED, lambda: move_account(get_object_or_404(Account, pk=pk), places, by=request.user, reason=""))


@guarded(get=None, post=CHANGE)
def switch(request: PanelRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Account, pk=pk)
    try:
        enabled = parsed("enabled", request.POST.get("enabled", ""))
    except ValueError as error:
        messages.warning(request, f"Enabled: {error}")
        return redirect("settings")
    return acted(request, "settings", SAVED, lambda: change_account(row, {"enabled": enabled}, by=request.user, reason=""))


@guarded(get=None, post=SUBMIT)
def test(request: PanelRequest, pk: int) -> HttpResponse:
    return started(request, ["key"], {"account": get_object_or_404(Account, pk=pk).name})


@guarded(get=None, post=CHANGE)
def delete(request: PanelRequest, pk: int) -> HttpResponse:
    return acted(request, "settings", SAVED, lambda: delete_account(get_object_or_404(Account, pk=pk), by=request.user, reason=""))


@guarded(get=VIEW, post=None)
def export_settings(request: PanelRequest) -> HttpResponse:
    body = json.dumps(transfer.exported(), indent=2, ensure_ascii=False) + "\n"
    headers = {"Content-Disposition": 'attachment; filename="minerpanel-settings.json"'}
    return HttpResponse(body, content_type="application/json", headers=headers)


@page("settings/import_settings", get=CHANGE, post=CHANGE)
def import_settings(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """A first POST shows what would change, a second one with `confirmed` changes it."""
    form, differences = transfer.ImportForm(request.POST or None, request.FILES or None), None
    if form.is_valid():
        try:
            if not request.POST.get("confirmed"):
                differences = transfer.preview(form.cleaned_data["document"])
            else:
                transfer.apply(form.cleaned_data["document"], by=request.user)
                action, by = AuditEntry.Action.SETTINGS_IMPORT, request.user.get_username()
                AuditEntry.record(action, "Each change is in the history.", by=by, now=timezone.now())
                messages.success(request, "Imported. It takes effect with the next step, in all processes. Keys are entered by hand.")
                return redirect("settings")
        except ValidationError as error:
            form.add_error(None, error)
    return {"form": form, "differences": differences, "text": form.cleaned_data.get("text", "") if form.is_bound else ""}


@guarded(get=None, post=CHANGE)
def revert_change(request: PanelRequest, kind: str, pk: int) -> HttpResponse:
    if kind not in HISTORIES:
        raise Http404(kind)
    reverted = "The change is reverted. This takes effect with the next step."
    return acted(request, "settings", reverted, lambda: transfer.revert(kind, pk, by=request.user))
