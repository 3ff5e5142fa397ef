"""Put a task onto a to-do list."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind
from agents.template.leads import ADDING

RECIPE = FormTask(
    "todo",
    frozenset({Kind.TODO}),
    leads=("add task", "new task", "create task", "add to-do", "add", "getting started", "start here", "quick start", "welcome", "begin"),
    verbs=ADDING,
    sends=("add task", "save task", "create task", "save", "add", "create"),
    fills=("task name",),
)
