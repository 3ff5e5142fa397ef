"""How long records are kept, as a form over all rules. Kept where it differs from the default, with a history."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import transaction

from agents.configuration.recorded import save_as
from agents.phrases import phrase
from monitoring.models import Retention
from monitoring.retention import RULES, Rule, rules_in_force
from monitoring.settings_forms import reason_field
from monitoring.wording import translated

PARTS = {"days": phrase("days"), "most_rows": phrase("most rows")}
BOUNDS = {"days": (1, 3_650), "most_rows": (100, 100_000_000)}


class RetentionForm(forms.Form):
    """Two fields a rule, `steps.days` and `steps.most_rows`."""

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.rules = rules_in_force()
        for rule in self.rules:
            for part, (least, most) in BOUNDS.items():
                field = forms.IntegerField(min_value=least, max_value=most, initial=getattr(rule, part))
                field.label = f"{translated(rule.label)}: {translated(PARTS[part])}"
                self.fields[f"{rule.name}.{part}"] = field
        self.fields["reason"] = reason_field()

    def rows(self) -> list[tuple[Rule, Any, Any, Rule]]:
        """Each rule in force with its two fields, and its defaults."""
        return [
            (rule, self[f"{rule.name}.days"], self[f"{rule.name}.most_rows"], default)
            for rule, default in zip(self.rules, RULES, strict=True)
        ]

    def save(self, by: User) -> bool:
        """Change what differs. False where the form then shows why not."""
        if not self.is_valid():
            return False
        wanted = {rule.name: {part: self.cleaned_data[f"{rule.name}.{part}"] for part in BOUNDS} for rule in self.rules}
        change_retention(wanted, by=by, reason=self.cleaned_data["reason"])
        return True


def change_retention(wanted: dict[str, dict[str, Any]], *, by: User | None, reason: str) -> None:
    """Change what differs from what is in force. Raises ValidationError with a message per field; then nothing is changed."""
    with transaction.atomic():
        kept = {row.name: row for row in Retention.objects.select_for_update()}
        for rule in rules_in_force():
            values = {part: getattr(rule, part) for part in BOUNDS} | wanted.get(rule.name, {})
            if values == {part: getattr(rule, part) for part in BOUNDS}:
                continue
            row = kept.get(rule.name) or Retention(name=rule.name)
            row.days, row.most_rows = values["days"], values["most_rows"]
            row.full_clean()
            save_as(row, by, reason)
