from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from agents.configuration import rules
from agents.export import exports, replica
from agents.models import Export, Settings
from agents.policy.modes import Mode, Use
from agents.standalone.options import Options
from monitoring.web.access import CHANGE, PanelRequest, guarded
from monitoring.web.pages import page

MOST_MODELS, LONGEST_NAME = 10, 200


class ExportForm(forms.Form):
    """`exports.Refused` becomes an error of the form."""

    mode = forms.ChoiceField(label="Agent mode", choices=[(mode.value, mode.sentence) for mode in Mode])
    llm_use = forms.ChoiceField(label="LLM use", choices=[(use.value, use.sentence) for use in Use])
    models = forms.CharField(
        required=False,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false"}),
        help_text="One a line, named as by the validators' gateway, in the order of use. Empty: only the rules answer.",
    )
    seconds = forms.FloatField(label="Time budget", min_value=3, max_value=180, help_text="Seconds in which a step is answered, 3 to 180.")

    def clean_models(self) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(self.cleaned_data["models"].split()))
        if len(names) > MOST_MODELS or any(len(name) > LONGEST_NAME or not name.isprintable() for name in names):
            raise ValidationError(f"Name at most {MOST_MODELS} models, each with at most {LONGEST_NAME} characters.")
        return names

    def export(self, by: str) -> bool:
        if not self.is_valid():
            return False
        try:
            exports.export(Options(**self.cleaned_data), by)
        except exports.Refused as error:
            self.add_error(None, [f"A reviewer would reject this: {finding}" for finding in error.findings[:20]])
        return self.is_valid()


@page("deployment/deployment", get=CHANGE, post=CHANGE)
def deployment(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    """A POST exports this version."""
    form = ExportForm(request.POST if request.method == "POST" else None, initial=_in_force())
    if form.is_bound and form.export(request.user.get_username()):
        messages.success(request, "Exported. Download it below.")
        return redirect("deployment")
    rows = list(Export.objects.defer("archive"))
    newest = rows[0] if rows else None
    details = {"facts": exports.facts(newest), "steps": exports.steps(newest), "replica": replica.lines(newest)} if newest else {}
    return {"form": form, "newest": newest, "earlier": rows[1:], **details}


@guarded(get=CHANGE, post=None)
def download(request: PanelRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Export, pk=pk)
    headers = {"Content-Disposition": f'attachment; filename="{row.name}.tar.gz"'}
    return HttpResponse(bytes(row.archive), content_type="application/gzip", headers=headers)


def _in_force() -> dict[str, Any]:
    in_force = rules(Settings.current())
    return {"mode": in_force.mode.value, "llm_use": in_force.llm_use.value, "seconds": in_force.deadline_seconds}
