"""What admins changed: who, when, which field from what to what."""

from __future__ import annotations

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
    """The newest changes of the settings and the account, newest first."""
    found = [change for model in (Settings, Account) for change in _changes(model)]
    return sorted(found, key=lambda change: change.at, reverse=True)[:SHOWN]


def _changes(model: Any) -> list[Change]:
    """A row's changes by its history: each record against the one before it, the first one against the defaults."""
    kept = model.history.model
    records = list(model.history.select_related("history_user").order_by("-history_id")[: SHOWN + 1])
    if len(records) <= SHOWN:
        defaults = model()
        records.append(kept(**{field.attname: getattr(defaults, field.attname) for field in kept.tracked_fields}))
    told = [_change(newer, older) for newer, older in pairwise(records)]
    return [change for change in told if change.fields]


def _change(newer: Any, older: Any) -> Change:
    deltas = newer.diff_against(older, excluded_fields={"id", "name"}).changes
    fields = [_field_change(newer, delta.field, delta.old, delta.new) for delta in deltas]
    # The library leaves out what no form edits, such as a key's last characters.
    old_hint, new_hint = (getattr(record, "key_hint", "") for record in (older, newer))
    if old_hint != new_hint:
        fields.append(_field_change(newer, "key_hint", old_hint, new_hint))
    if not fields and newer.history_type == "~":
        fields = [FieldChange("API key", "", "replaced by one with the same last characters")]
    user = newer.history_user
    return Change(newer.history_date, user.get_username() if user else "", newer.history_change_reason or "", fields)


def _field_change(record: Any, field: str, old: Any, new: Any) -> FieldChange:
    return FieldChange(_label(record, field), in_words(field, old), in_words(field, new))


def model_field(row: Any, name: str) -> Any:
    """A field of a row's model, with its label, help, default and validators."""
    return row._meta.get_field(name)  # noqa: SLF001 -- Django's documented way to a model's fields


def _label(record: Any, field: str) -> str:
    return "API key" if field == "key_hint" else str(model_field(record, field).verbose_name)


def in_words(field: str, value: Any) -> str:
    """A field's value as the history and the read-only page show it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ("", [], None):
        return "none"
    if field == "key_hint":
        return f"•••• {value}"
    if field == "agent_mode":
        return Mode(value).sentence
    text = ", ".join(_number(item) for item in value) if isinstance(value, list) else _number(value)
    return f"{text} s" if field.endswith("_seconds") else text


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
