"""Change settings."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind

RECIPE = FormTask(
    "settings",
    frozenset({Kind.SETTINGS}),
    leads=("settings", "preferences", "options", "account settings"),
    sends=("save settings", "save changes", "save", "apply", "update"),
    routes=("settings", "preferences"),
)
