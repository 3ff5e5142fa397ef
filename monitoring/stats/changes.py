"""What admins changed: who, when, which field from what to what."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.text import capfirst

from agents.hybrid import Mode
from agents.models import Account, Settings
from agents.text import shorten

SHOWN = 20
# The library leaves out what no form edits.
HINTS = {"key_hint": "API key", "admin_key_hint": "Admin key"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's change, in words."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """One saved change. `by` "": not by a person of the panel. `account`: the one that was changed, "" for the miner's settings."""

    at: datetime
    by: str
    reason: str
    account: str
    fields: list[FieldChange]

    @property
    def summary(self) -> str:
        """In one line, as a chart's mark tells it."""
        told = ", ".join(
            f"{each.field} {each.old} → {each.new}" if each.old else f"{each.field} {each.new}".strip() for each in self.fields
        )
        of = f"Account {self.account}: " if self.account else ""
        return shorten(f"{of}{told}", 120) + (f", by {self.by}" if self.by else "")


def changes() -> list[Change]:
    """The newest changes of the settings and the accounts, newest first."""
    found = [change for model in (Settings, Account) for change in _changes(model.history)]
    return sorted(found, key=lambda change: change.at, reverse=True)[:SHOWN]


def changes_between(start: datetime, end: datetime) -> list[Change]:
    """The newest changes between two times, newest first."""
    within = {"history_date__gte": start, "history_date__lt": end}
    found = [change for model in (Settings, Account) for change in _changes(model.history.filter(**within))]
    return sorted(found, key=lambda change: change.at, reverse=True)[:SHOWN]


def account_changes(account: Account) -> list[Change]:
    """The newest changes of one account, newest first."""
    return _changes(Account.history.filter(id=account.pk))


def _changes(history: Any) -> list[Change]:
    """Each record against the one before it of the same row, a row's first one against the defaults."""
    kept = history.model
    before = kept.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id").values("history_id")[:1]
    newest = list(history.select_related("history_user").annotate(before=Subquery(before)).order_by("-history_id")[:SHOWN])
    earlier = kept.objects.in_bulk([record.before for record in newest if record.before])
    told = [_change(record, earlier.get(record.before) or _defaults(kept)) for record in newest]
    return [change for change in told if change.fields]


def _defaults(kept: Any) -> Any:
    row = kept.instance_type()
    return kept(**{field.attname: getattr(row, field.attname) for field in kept.tracked_fields})


def _change(newer: Any, older: Any) -> Change:
    name, user = getattr(newer, "name", ""), newer.history_user
    fields = {"+": _added, "-": _deleted, "~": _changed}[newer.history_type](newer, older)
    return Change(newer.history_date, user.get_username() if user else "", newer.history_change_reason or "", name, fields)


def _added(newer: Any, older: Any) -> list[FieldChange]:
    """The settings and the account `default` are there from the start: their first record tells what differs from the defaults."""
    differences = _differences(newer, older, {"id", "name"})
    if getattr(newer, "name", Account.DEFAULT) == Account.DEFAULT:
        return differences
    return [FieldChange("Added", "", ""), *(replace(each, old="") for each in differences)]


def _deleted(newer: Any, older: Any) -> list[FieldChange]:
    return [FieldChange("Deleted", "", "")]


def _changed(newer: Any, older: Any) -> list[FieldChange]:
    return _differences(newer, older, {"id"}) or [
        FieldChange("A key", "", "replaced; its last characters are the same, or too few to be shown")
    ]


def _differences(newer: Any, older: Any, but: set[str]) -> list[FieldChange]:
    found = [_field_change(newer, delta.field, delta.old, delta.new) for delta in newer.diff_against(older, excluded_fields=but).changes]
    hints = [(words, getattr(older, name, ""), getattr(newer, name, "")) for name, words in HINTS.items()]
    return found + [FieldChange(words, "", _of_key(old, new)) for words, old, new in hints if old != new]


def _of_key(old: str, new: str) -> str:
    if old and new:
        return f"replaced: •••• {old} → •••• {new}"
    return f"entered: •••• {new}" if new else f"removed: •••• {old}"


def _field_change(record: Any, field: str, old: Any, new: Any) -> FieldChange:
    return FieldChange(capfirst(model_field(record, field).verbose_name), in_words(field, old), in_words(field, new))


def model_field(row: Any, name: str) -> Any:
    """A field of a row's model, with its label, help, default and validators."""
    return row._meta.get_field(name)  # noqa: SLF001 -- Django's documented way to a model's fields


def in_words(field: str, value: Any) -> str:
    """A field's value as the history and the read-only page show it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ("", [], {}, None):
        return "none"
    if field == "agent_mode":
        return Mode(value).sentence
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    text = ", ".join(_number(item) for item in value) if isinstance(value, list) else _number(value)
    return f"{text} s" if field.endswith("_seconds") else text


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
