"""What admins changed: who, when, which field from what to what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from agents.hybrid import Mode
from agents.models import Account, Settings

SHOWN = 20


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's change, in words."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """One saved change. `by` "": not by a person of the panel."""

    at: datetime
    by: str
    reason: str
    fields: list[FieldChange]


def changes() -> list[Change]:
    """The newest changes of the settings and the accounts, newest first."""
    found = [*_changes(Settings, "settings", DEFAULTS), *_changes(Account, "account", {})]
    return sorted(found, key=lambda change: change.at, reverse=True)[:SHOWN]


