"""Begin something and leave it: open its form, fill what the prompt names, then press what discards it."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind
from agents.template.leads import ADDING

RECIPE = FormTask(
    "cancelling",
    frozenset({Kind.CANCEL}),
    leads=("add new", "new", "create", "add", "post", "getting started", "start here", "quick start", "welcome", "begin"),
    verbs=ADDING,
    sends=("cancel", "discard", "dismiss", "nevermind", "never mind", "close", "back", "abort"),
)
