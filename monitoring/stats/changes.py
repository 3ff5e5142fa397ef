"""What admins changed: who, when, which field from what to what."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from agents.configuration import ACCOUNT, SETTINGS
from agents.governor import Pacing
from agents.hybrid import Mode, Use
from agents.models import Account, Settings
from agents.phrases import phrase
from agents.text import shorten
from monitoring.models import Retention
from monitoring.retention import RULES
from monitoring.wording import translated

SHOWN = 20
# The library leaves out what no form edits.
HINTS = {"key_hint": phrase("API key"), "admin_key_hint": phrase("Admin key")}


CHOSEN: dict[str, type[Mode] | type[Use] | type[Pacing]] = {"agent_mode": Mode, "llm_use": Use, "pacing": Pacing}
UNITS = {"_seconds": "s", "_minutes": "min", "_percent": "%", "_usd": "USD"}
# The models, once: each look through `history` makes a manager's class anew, a third of a millisecond.
HISTORIES: dict[str, Any] = {
    kind: model.history.model for kind, model in (("settings", Settings), ("account", Account), ("retention", Retention))
}
RULE_LABELS = {rule.name: rule.label for rule in RULES}
REVERTIBLE: dict[str, tuple[str, ...]] = {"settings": SETTINGS, "account": ACCOUNT, "retention": ("days", "most_rows")}
KINDS = {model: kind for kind, model in HISTORIES.items()}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's change, in words."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """One saved change. `by` "": not by a person of the panel. `account`: the one that was changed, "" for other settings.

    `kind` and `pk`: which history holds it and under what number.
    """

    kind: str
    pk: int
    at: datetime
    by: str
    reason: str
    account: str
    fields: list[FieldChange]
    can_be_reverted: bool

    @property
    def summary(self) -> str:
        """In one line, as a chart's mark tells it."""
        told = ", ".join(
            f"{each.field} {each.old} → {each.new}" if each.old else f"{each.field} {each.new}".strip() for each in self.fields
        )
        of = _("Account {account}: {told}").format(account=self.account, told=told) if self.account else told
        return _("{told}, by {by}").format(told=shorten(of, 120), by=self.by) if self.by else shorten(of, 120)


def changes() -> list[Change]:
    """The newest changes of the settings, the accounts and the retention, newest first."""
    found = [change for model in HISTORIES.values() for change in _changes(model.objects.all())]
    return sorted(found, key=lambda change: change.at, reverse=True)[:SHOWN]


def changes_between(start: datetime, end: datetime) -> list[Change]:
    """The newest changes between two times, newest first."""
    within = {"history_date__gte": start, "history_date__lt": end}
    found = [change for kind in ("settings", "account") for change in _changes(HISTORIES[kind].objects.filter(**within))]
    return sorted(found, key=lambda change: change.at, reverse=True)[:SHOWN]


def account_changes(account: Account) -> list[Change]:
    """The newest changes of one account, newest first."""
    return _changes(HISTORIES["account"].objects.filter(id=account.pk))


def _changes(history: Any) -> list[Change]:
    return [change for change in told(list(with_before(history).order_by("-history_id")[:SHOWN])) if change.fields]


def with_before(history: Any) -> Any:
    """A history's records, each with the number of the one before it of the same row."""
    earlier = history.model.objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    return history.select_related("history_user").annotate(before=Subquery(earlier.values("history_id")[:1]))


def told(records: list[Any]) -> list[Change]:
    """What each record of one history changed, against the one before it of the same row; a row's first one against the defaults."""
    return [_change(newer, older) for newer, older in pairs(records)]


def pairs(records: list[Any]) -> list[tuple[Any, Any]]:
    """Each record of one history with the one before it of the same row, or with the defaults."""
    earlier = records[0].__class__.objects.in_bulk([record.before for record in records if record.before]) if records else {}
    return [(record, earlier.get(record.before) or _defaults(record)) for record in records]


def _defaults(record: Any) -> Any:
    kept = record.__class__
    row = kept.instance_type()
    values = {field.attname: getattr(row, field.attname) for field in kept.tracked_fields}
    if kept is HISTORIES["retention"]:
        rule = next((rule for rule in RULES if rule.name == record.name), None)
        values |= {"days": rule.days, "most_rows": rule.most_rows} if rule else {}
    return kept(**values)


def _change(newer: Any, older: Any) -> Change:
    kind, user = KINDS[newer.__class__], newer.history_user
    name = newer.name if kind == "account" else ""
    fields = {"+": _added, "-": _deleted, "~": _changed}[newer.history_type](newer, older)
    by, reason = user.get_username() if user else "", newer.history_change_reason or ""
    return Change(kind, newer.history_id, newer.history_date, by, reason, name, fields, bool(former(newer, older)))


def former(newer: Any, older: Any) -> dict[str, Any]:
    """What a change replaced, by field; {} where nothing can be taken back: keys, and accounts that were added or deleted."""
    kind = KINDS[newer.__class__]
    is_new = newer.history_type == "+" and kind == "account" and newer.name != Account.DEFAULT
    if newer.history_type == "-" or is_new:
        return {}
    return {name: getattr(older, name) for name in REVERTIBLE[kind] if getattr(older, name) != getattr(newer, name)}


def _added(newer: Any, older: Any) -> list[FieldChange]:
    """The settings and the account `default` are there from the start: their first record tells what differs from the defaults."""
    differences = _differences(newer, older, {"id", "name"})
    if KINDS[newer.__class__] != "account" or newer.name == Account.DEFAULT:
        return differences
    return [FieldChange(_("Added"), "", ""), *(replace(each, old="") for each in differences)]


def _deleted(newer: Any, older: Any) -> list[FieldChange]:
    return [FieldChange(_("Deleted"), "", "")]


def _changed(newer: Any, older: Any) -> list[FieldChange]:
    return _differences(newer, older, {"id"}) or [
        FieldChange(_("A key"), "", _("replaced; its last characters are the same, or too few to be shown"))
    ]


def _differences(newer: Any, older: Any, but: set[str]) -> list[FieldChange]:
    found = [_field_change(newer, delta.field, delta.old, delta.new) for delta in newer.diff_against(older, excluded_fields=but).changes]
    hints = [(words, getattr(older, name, ""), getattr(newer, name, "")) for name, words in HINTS.items()]
    return found + [FieldChange(translated(words), "", _of_key(old, new)) for words, old, new in hints if old != new]


def _of_key(old: str, new: str) -> str:
    if old and new:
        return _("replaced: •••• {old} → •••• {new}").format(old=old, new=new)
    return _("entered: •••• {new}").format(new=new) if new else _("removed: •••• {old}").format(old=old)


def _field_change(record: Any, field: str, old: Any, new: Any) -> FieldChange:
    label = capfirst(model_field(record, field).verbose_name)
    if KINDS[record.__class__] == "retention":
        label = _("{records} kept, {part}").format(records=translated(RULE_LABELS.get(record.name, record.name)), part=label.lower())
    return FieldChange(label, in_words(field, old), in_words(field, new))


def model_field(row: Any, name: str) -> Any:
    """A field of a row's model, with its label, help, default and validators."""
    return row._meta.get_field(name)  # noqa: SLF001 -- Django's documented way to a model's fields


def in_words(field: str, value: Any) -> str:
    """A field's value as the history and the read-only page show it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in ("", [], {}, None):
        return _("none")
    if field in CHOSEN:
        return translated(CHOSEN[field](value).sentence)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    text = ", ".join(_number(item) for item in value) if isinstance(value, list) else _number(value)
    return next((f"{text} {unit}" for suffix, unit in UNITS.items() if field.endswith(suffix)), text)


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
