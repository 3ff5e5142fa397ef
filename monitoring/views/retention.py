"""Retention: how long records are kept."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from monitoring.access import CHANGE
from monitoring.pages import page
from monitoring.requests import PanelRequest
from monitoring.retention_form import RetentionForm


@page("retention", post=CHANGE)
def retention(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """All rules; a POST changes them."""
    form = RetentionForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.save(request.user):
        messages.success(request, _("Saved. The next hourly job deletes what is too old or too much."))
        return redirect("retention")
    return {"form": form}
