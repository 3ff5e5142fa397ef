"""What only the panel keeps."""

from __future__ import annotations

from django.db import models


class Panel(models.Model):
    """The panel as a whole: carries its permissions and has no table."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_panel", "Can look at every page"),
            ("submit_task", "Can submit tasks"),
            ("control_account", "Can probe, pause, resume and clear accounts"),
            ("change_settings", "Can change settings and keys"),
        ]

    def __str__(self) -> str:
        return "Panel"
