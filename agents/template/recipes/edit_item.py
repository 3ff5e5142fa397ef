"""Change an item: only what the criteria name."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind
from agents.template.leads import CHANGING

RECIPE = FormTask(
    "edit_item",
    frozenset({Kind.EDIT_ITEM}),
    leads=("edit", "modify", "change details"),
    verbs=CHANGING,
    sends=("save changes", "save", "update", "rename", "apply", "confirm"),
)
