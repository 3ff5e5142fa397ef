from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect

from agents.configuration import STORAGE
from agents.hybrid import spool
from agents.models import Settings
from monitoring.retention.pruning import BOUNDS, RULES, Rule, change_retention, rules_in_force
from monitoring.retention.storage import Use, space_now, spool_use, uses
from monitoring.settings.forms import RowForm, reason_field
from monitoring.web.access import CHANGE, PanelRequest
from monitoring.web.pages import page


class RetentionForm(forms.Form):
    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.rules = rules_in_force()
        for rule in self.rules:
            for part, (least, most) in BOUNDS.items():
                label, initial = f"{rule.label}: {part.replace('_', ' ')}", getattr(rule, part)
                self.fields[f"{rule.name}.{part}"] = forms.IntegerField(min_value=least, max_value=most, initial=initial, label=label)
        self.fields["reason"] = reason_field()

    def rows(self) -> Iterator[tuple[Rule, Any, Any, Rule]]:
        for rule, default in zip(self.rules, RULES, strict=True):
            yield rule, self[f"{rule.name}.days"], self[f"{rule.name}.most_rows"], default

    def save(self, by: User) -> bool:
        if not self.is_valid():
            return False
        changes = {rule.name: {part: self.cleaned_data[f"{rule.name}.{part}"] for part in BOUNDS} for rule in self.rules}
        change_retention(changes, by=by, reason=self.cleaned_data["reason"])
        return True


class StorageForm(RowForm):
    names = STORAGE
    prefix = "storage"  # as another form of the page has a reason too
    reason = reason_field()

    def rows_with_use(self) -> Iterator[tuple[dict[str, Any], Use | None]]:
        used = {use.setting: use for use in uses()}
        return ((row, used.get(row["field"].name)) for row in self.rows())


@page("retention/retention", post=CHANGE)
def retention(request: PanelRequest) -> HttpResponse | dict[str, Any]:
    is_storage = request.POST.get("part") == "storage"
    storage = StorageForm(Settings.current(), request.POST if is_storage else None)
    form = RetentionForm(request.POST if request.method == "POST" and not is_storage else None)
    if storage.is_bound and storage.save(request.user):
        messages.success(request, "Saved. It takes effect within a minute.")
        return redirect("retention")
    if form.is_bound and form.save(request.user):
        messages.success(request, "Saved. The next hourly job deletes what is too old or too much.")
        return redirect("retention")
    return {"form": form, "storage": storage, "spool": spool_use(), "lost": spool.lost(), "disk": space_now()}
