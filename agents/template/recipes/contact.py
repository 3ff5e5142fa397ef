"""Write to the site by its contact form."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind

RECIPE = FormTask(
    "contact",
    frozenset({Kind.CONTACT}),
    leads=("contact us", "contact", "get in touch", "support", "reach us", "help"),
    sends=("send message", "send", "submit", "contact us", "get in touch", "send inquiry"),
    known_by=("message", "email"),
    fills=("name", "email", "subject", "message"),
    routes=("contact", "support"),
)
