"""Put an event into a calendar, or make a calendar."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind
from agents.template.leads import ADDING

RECIPE = FormTask(
    "calendar",
    frozenset({Kind.CALENDAR}),
    leads=("create event", "new event", "add event", "create", "add", "calendar"),
    verbs=ADDING,
    sends=("save event", "save", "create event", "add event", "create", "add"),
    fills=("title",),
    routes=("calendar",),
)
