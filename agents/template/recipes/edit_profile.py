"""Change one's own profile: only what the criteria name."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind

RECIPE = FormTask(
    "edit_profile",
    frozenset({Kind.EDIT_PROFILE}),
    leads=("edit profile", "profile", "my profile", "account settings", "my account", "account", "settings"),
    sends=("save profile", "save changes", "update profile", "save", "update"),
    routes=("profile", "account", "settings"),
)
