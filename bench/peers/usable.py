"""Whether a model's reply could be answered to a validator."""

from __future__ import annotations

import json


def usable(text: object) -> list[object]:
    """The reply's actions. Raises ValueError where there are none."""
    reply = json.loads(text) if isinstance(text, str) else None
    actions = reply.get("actions") if isinstance(reply, dict) else None
    if not isinstance(actions, list) or not actions:
        raise ValueError("The reply holds no actions.")
    return actions
