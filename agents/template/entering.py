"""Logging in where a prompt doesn't ask for it and the page does."""

from __future__ import annotations

from dataclasses import replace

from agents.page import Page
from agents.template.criteria import Criterion, Operator
from agents.template.intents import Intent
from agents.template.moves import Move
from agents.template.recipes import login

# Callers fill these in.
_PLACEHOLDERS = tuple(Criterion(field, Operator.EQUALS, (f"<{field}>",)) for field in ("username", "password"))


def log_in(intent: Intent, page: Page) -> tuple[Move, ...]:
    """The moves to the log-in form, or those that fill and send it."""
    own = replace(intent, login=intent.login or _PLACEHOLDERS)
    return login.reach(own, page) or login.act(own, page)
