"""Actions in words, whatever version of the miner wrote them down."""

from __future__ import annotations

from agents.actions import InvalidAction, validate


def action_words(raw: object) -> str:
    """One action that is on record."""
    try:
        return validate(raw).in_words()
    except InvalidAction:
        return str(raw.get("type", "Unknown action")) if isinstance(raw, dict) else "Unknown action"
