"""Write a message or an e-mail."""

from __future__ import annotations

from agents.template.form_task import FormTask
from agents.template.intents import Kind

RECIPE = FormTask(
    "message",
    frozenset({Kind.MESSAGE}),
    leads=("compose", "new message", "new email", "write email", "message", "send message", "chat", "write"),
    sends=("send", "send message", "send email", "send reply", "submit", "reply"),
    known_by=("message", "body", "to"),
    fills=("to", "subject", "message"),
    routes=("compose", "messages", "chat"),
)
