"""The plan of backups as a form."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from monitoring import cron
from monitoring.backup import plan
from monitoring.models import BackupPlan


class BackupForm(forms.ModelForm):  # type: ignore[type-arg] # it takes its type for checkers alone
    """When, where to, and how many stay."""

    class Meta:
        model = BackupPlan
        fields = plan.FIELDS
        labels = {"enabled": _("Back up by itself"), "cron": _("When"), "folder": _("Folder"), "keep": _("Keep the newest")}
        help_texts = {
            "cron": _("Minute, hour, day, month, weekday, in UTC. 17 4 * * *: each day at 04:17."),
            "folder": _("On the machine whose worker takes it; better on another disk. Empty: backups in the data folder."),
            "keep": _("Older ones are deleted. Each takes about as much space as the database."),
        }

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, instance=plan.plan())

    def clean_cron(self) -> str:
        """The five fields."""
        try:
            return cron.checked(self.cleaned_data["cron"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean_folder(self) -> str:
        """A folder that is there and can be written to."""
        folder: str = self.cleaned_data["folder"].strip()
        if folder and not Path(folder).is_absolute():
            raise forms.ValidationError(_("folder: write the whole path, such as /var/backups/minerpanel."))
        if folder and not (Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            raise forms.ValidationError(
                _("folder: {folder} is not there or can't be written to. Make it, and give it to the miner's user.").format(folder=folder)
            )
        return folder

    def store(self, by: str, now: datetime) -> bool:
        """Change the plan. False where the form then shows why not."""
        if not self.is_valid():
            return False
        plan.change(self.cleaned_data, by=by, now=now)
        return True
