"""Actions and kinds of task in words, whatever version of the miner wrote them down."""

from __future__ import annotations

from django.utils.translation import gettext as _

from agents.actions import InvalidAction, validate
from agents.template.intents import Kind
from monitoring.wording import translated


def action_words(raw: object) -> str:
    """One action that is on record."""
    try:
        return translated(validate(raw).in_words())
    except InvalidAction:
        return str(raw.get("type", _("Unknown action"))) if isinstance(raw, dict) else _("Unknown action")


def kind_words(kind: str) -> str:
    """What a task on record asks for, as it was understood; a kind that is no longer told keeps its name."""
    return translated(Kind(kind).sentence) if kind in list(Kind) else kind
