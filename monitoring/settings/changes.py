"""The models with a history of changes, and the changes of a history's record."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, time
from typing import Any, NamedTuple

from django.utils.text import capfirst

from agents.configuration import SETTINGS, field_of
from agents.configuration.account_changes import ACCOUNT
from agents.models import Account, Settings
from agents.models.settings import about
from monitoring.models import EVENTS, SUITE_TITLES, Channel, MaintenanceWindow, Retention, Severity, TestSchedule, Watcher
from monitoring.retention.pruning import RULES

RULES_BY_NAME = {rule.name: rule for rule in RULES}
# Columns that diff_against excludes because no form edits them: the last characters of keys.
HINTS = {"key_hint": "API key", "admin_key_hint": "Admin key", "url_hint": "Ping URL"}


class Fact(NamedTuple):
    """A change as text: a sentence, or the new value of a `field`, with the `old` one if there was one."""

    text: str
    field: str = ""
    old: str = ""

    def __str__(self) -> str:
        return f"{self.field} {f'{self.old} → ' if self.old else ''}{self.text}".strip()


MADE = Fact("Added by the miner itself")  # of the account `default`, which exists from the start


# Fields with their own format.
FORMATS: dict[str, Callable[[Any], str]] = {
    "events": lambda names: " and ".join(EVENTS[name].label for name in names if name in EVENTS) or "all",
    "least_severity": lambda severity: str(Severity(severity).label),
    "starts_at": lambda at: f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    "ends_at": lambda at: f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    "resend_minutes": lambda minutes: f"{minutes} min" if minutes else "never",
    "suites": lambda names: ", ".join(SUITE_TITLES[name] for name in names if name in SUITE_TITLES),
}


def value_text(field: str, value: Any) -> str:
    if field in FORMATS:
        return FORMATS[field](value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ("", [], {}, None):
        return "none"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    of = field_of(field)
    if of and of.choices:
        return str(dict(of.flatchoices)[value])
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    items = value if isinstance(value, list) else [value]
    text = ", ".join(f"{item:g}" if isinstance(item, int | float) else str(item) for item in items)
    return f"{text} {about(of).unit}".strip()


class History(NamedTuple):
    """`page`: where rows are changed; `revertible`: fields; `is_added`: rows can be added and deleted; `unseen`: the secret it omits."""

    model: Any
    label: str
    page: str
    revertible: tuple[str, ...] = ()
    is_added: bool = False
    unseen: str = ""


# Created once: each access of `history` makes a new manager class, which takes a third of a millisecond.
HISTORIES: dict[str, History] = {
    "settings": History(Settings.history.model, "Settings", "settings", SETTINGS),
    "account": History(Account.history.model, "Account", "settings", ACCOUNT, is_added=True, unseen="A key"),
    "retention": History(Retention.history.model, "Retention", "retention", ("days", "most_rows")),
    "channel": History(Channel.history.model, "Notification channel", "notifications", is_added=True),
    "maintenance": History(MaintenanceWindow.history.model, "Maintenance window", "notifications", is_added=True),
    "watcher": History(Watcher.history.model, "Outside watcher", "components", unseen="The ping URL"),
    "schedule": History(TestSchedule.history.model, "Test schedule", "tests", is_added=True),
}


NAMED_BY = {"maintenance": "reason"}  # else by `name`


def subject_of(kind: str, record: Any) -> str:
    """The name of the changed row; "" if there is only one."""
    return str(getattr(record, NAMED_BY.get(kind, "name"), "")) if kind != "retention" else ""


def changed_fields(kind: str, record: Any, before: Any) -> list[Fact]:
    """The changes against the previous record, or against the defaults if that is None."""
    history = HISTORIES[kind]
    if record.history_type == "-":
        return [Fact("Deleted")]
    is_new = _is_added(kind, record)
    delta = record.diff_against(
        before or _defaults(kind, record), excluded_fields={"id", *({NAMED_BY.get(kind, "name")} if before is None else ())}
    )
    facts = []
    for change in delta.changes:
        label, old = capfirst(model_field(record, change.field).verbose_name), "" if is_new else value_text(change.field, change.old)
        if kind == "retention":
            rule = RULES_BY_NAME.get(record.name)
            label = f"{rule.label if rule else record.name} kept, {label.lower()}"
        facts.append(Fact(value_text(change.field, change.new), label, old))
    facts += _secrets(record, before)
    if is_new:
        return [Fact("Added"), *facts]
    if facts or record.history_type == "+":
        return facts or [MADE]
    return [Fact("replaced; its last characters are the same, or too few to be shown", history.unseen)] if history.unseen else []


def _secrets(record: Any, before: Any) -> Iterator[Fact]:
    for name, label in HINTS.items():
        old, new = getattr(before, name, ""), getattr(record, name, "")
        if old != new:
            verb = "replaced" if old and new else "entered" if new else "removed"
            yield Fact(f"{verb}: {' → '.join(f'•••• {hint}' for hint in (old, new) if hint)}", label)
    if before is not None and getattr(before, "url_changed_at", None) != getattr(record, "url_changed_at", None):
        yield Fact("replaced", "URL")


def former(kind: str, record: Any, before: Any) -> dict[str, Any]:
    """The values that a change replaced, by field; {} if it can't be reverted: of keys, and of added or deleted rows."""
    names = HISTORIES[kind].revertible
    if record.history_type == "-" or _is_added(kind, record) or not names:
        return {}
    older = before or _defaults(kind, record)
    return {name: getattr(older, name) for name in names if getattr(older, name) != getattr(record, name)}


def _is_added(kind: str, record: Any) -> bool:
    if not HISTORIES[kind].is_added or record.history_type != "+":
        return False
    return kind != "account" or record.name != Account.DEFAULT


def _defaults(kind: str, record: Any) -> Any:
    row = record.instance_type()
    values = {field.attname: getattr(row, field.attname) for field in record.tracked_fields}
    if kind == "retention" and (rule := RULES_BY_NAME.get(record.name)):
        values |= {"days": rule.days, "most_rows": rule.most_rows}
    return record.__class__(**values)


def model_field(row: Any, name: str) -> Any:
    return row._meta.get_field(name)  # noqa: SLF001 -- Django's documented access to a model's fields
