"""The action catalogue of the validators' contract, and its validation.

An `Action` that exists is valid: `validate` is the only way in from foreign data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Action:
    """One browser action: `type` is the canonical name ("ClickAction"), `fields` its JSON fields without the type."""

    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)
