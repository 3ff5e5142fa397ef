"""Change an item: only what the criteria name."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind

RECIPE = FormTask(
    "edit_item",
    frozenset({Kind.EDIT_ITEM}),
    leads=("edit", "update", "modify", "rename", "change", "edit items"),
    sends=("save changes", "save", "update", "rename", "apply", "confirm"),
)
