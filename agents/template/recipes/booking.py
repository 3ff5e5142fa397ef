"""Book a table, a stay, a ride or an appointment."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind

RECIPE = FormTask(
    "booking",
    frozenset({Kind.BOOKING}),
    leads=("book now", "reserve", "book", "book appointment", "make a reservation", "book a table", "request booking", "schedule"),
    sends=(
        "confirm booking",
        "complete reservation",
        "confirm reservation",
        "book appointment",
        "confirm",
        "reserve",
        "book now",
        "book",
        "request",
    ),
    known_by=("guests", "date", "time"),
    routes=("book", "reserve", "appointment"),
)
