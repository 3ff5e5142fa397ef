"""What if: other pacing settings, simulated on the last hours."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import capfirst

from agents.configuration import change
from agents.models import Settings, WhatIf
from agents.models.settings import about
from agents.operator_jobs.leased_job import cancel
from agents.operator_jobs.what_if import start
from agents.simulation.settings import TRIED, as_text
from monitoring.settings.changes import model_field
from monitoring.settings.forms import RowForm
from monitoring.web.access import CHANGE, SUBMIT, PanelRequest, guarded
from monitoring.web.pages import acted, page
from monitoring.what_if.offer import NAMES
from monitoring.what_if.result import SPANS, latest_what_if


class WhatIfForm(RowForm):
    """Prefilled with `preset` settings, else with those in force."""

    names = TRIED
    hours = forms.TypedChoiceField(
        label="Time", coerce=int, choices=[(hours, capfirst(text.removeprefix("the "))) for hours, text in SPANS.items()], initial=24
    )

    def __init__(self, in_force: Settings, data: Any = None, preset: Mapping[str, str] | None = None) -> None:
        super().__init__(in_force, data, {name: (preset or {}).get(name) or as_text(getattr(in_force, name)) for name in self.names})
        for name in self.names:
            field, unit = self.fields[name], about(model_field(in_force, name)).unit
            if isinstance(field, forms.BooleanField):
                field = forms.ChoiceField(label=field.label, help_text=field.help_text, choices=[("true", "Yes"), ("false", "No")])
                self.fields[name] = field
            field.label = f"{field.label}, {unit}" if unit else field.label

    def clean(self) -> dict[str, Any]:
        """Runs the model's validators too."""
        for name in set(self.names) & set(self.cleaned_data):
            try:
                for validate in model_field(self.row, name).validators:
                    validate(self.cleaned_data[name])
            except forms.ValidationError as error:
                self.add_error(name, error)
        return self.cleaned_data

    def settings(self) -> dict[str, str]:
        return {name: as_text(self.cleaned_data[name]) for name in self.names}


@page("what_if/what_if", post=SUBMIT)
def what_if(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    form = WhatIfForm(Settings.current(), request.POST if request.method == "POST" else None, request.GET)
    if form.is_bound and form.is_valid():
        hours, tried = form.cleaned_data["hours"], form.settings()
        run = start(hours=hours, settings=tried, by=request.user.get_username())
        if (run.hours, run.settings) != (hours, tried):
            messages.warning(request, "Another run is active; it is shown below. Yours was not started.")
        return redirect("what_if")
    return {"form": form, "what_if": latest_what_if()}


@guarded(get=None, post=SUBMIT)
def cancel_what_if(request: PanelRequest, pk: int) -> HttpResponse:
    if not cancel(get_object_or_404(WhatIf, pk=pk)):
        messages.info(request, "The run has already ended.")
    return redirect("what_if")


@guarded(get=None, post=CHANGE)
def switch_pacing(request: PanelRequest) -> HttpResponse:
    """Switch the pacing, and redirect back to the page with the offer."""
    pacing, place = request.POST.get("pacing", ""), "overview" if request.POST.get("from") == "overview" else "rate_limit"
    name = NAMES.get(pacing, pacing)
    reason = f"Switched to {name} pacing from {'Overview' if place == 'overview' else 'Rate limit'}"
    saved = f"Pacing is {name}. This takes effect with the next step."
    return acted(request, place, saved, lambda: change({"pacing": pacing}, by=request.user, reason=reason))
