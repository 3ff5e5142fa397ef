"""Settings: read, previewed, changed with a reason, and reverted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from ninja import Field, Query, Router, Schema
from pydantic import AfterValidator, WithJsonSchema

from agents.configuration import change, values
from agents.models import Settings
from monitoring.api.access import ApiRequest, changes, reads, recorded
from monitoring.api.audit import EntryOut, entry_out
from monitoring.api.paging import PLAIN, Id, Page, Paging, paged
from monitoring.api.problems import ApiProblem
from monitoring.audit.audit_log import AuditQuery, entries, newest_entries
from monitoring.settings.forms import SettingsForm, previews
from monitoring.settings.transfer import revert

router = Router(tags=["Settings"])

KINDS = ("settings", "account", "retention")
MOST = 2**53  # the largest integer that JSON readers keep exactly


def plain_value(value: Any) -> Any:
    """A value of a setting; the model validates the rest. Raises ValueError."""
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, list | dict) for item in items):
        raise ValueError("Give a text, a number, true, false, or a list of texts or numbers")
    if any(isinstance(item, int) and abs(item) > MOST for item in items):
        raise ValueError("The number is too large")
    return value


_PLAIN: list[Any] = [{"type": "number", "minimum": -MOST, "maximum": MOST}, {"type": "string"}]
_KINDS = [{"type": "boolean"}, *_PLAIN, {"type": "array", "items": {"anyOf": _PLAIN}}]
Value = Annotated[Any, AfterValidator(plain_value), WithJsonSchema({"anyOf": _KINDS})]


class FieldOut(Schema):
    """`words`: the value as text; `range`: accepted values; `effect`: when a change takes effect."""

    name: str
    label: str
    value: Any
    words: str
    unit: str
    default: str
    range: str
    effect: str
    help: str
    section: str


class SettingsOut(Schema):
    values: dict[str, Any]
    fields: list[FieldOut]


@router.get("/settings", auth=reads, response=SettingsOut)
def read_settings(request: ApiRequest) -> dict[str, Any]:
    """Settings in force, with their bounds and when a change takes effect."""
    settings = Settings.current()
    current = values(settings)
    return {"values": current, "fields": [_field(row, current) for row in SettingsForm(settings).rows()]}


def _field(row: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    bound = row["field"]
    own = {"name": bound.name, "label": str(bound.label), "value": current[bound.name], "words": row["value"], "help": str(bound.help_text)}
    return {**own, **{name: str(row[name]) for name in ("unit", "default", "range", "effect", "section")}}


class ChangesIn(Schema, extra="forbid"):
    """`settings`: new values by their names; the others stay. `reason`: kept in the history."""

    settings: Annotated[dict[str, Value], Field(min_length=1, max_length=100)]
    reason: Annotated[str, Field(max_length=100, pattern=PLAIN)] = ""


class LineOut(Schema):
    """What a setting results in: `words` is the sentence."""

    setting: str
    words: str


class PreviewOut(Schema):
    """`changes`: empty if all values are in force already."""

    changes: list[str]
    lines: list[LineOut]


@router.patch("/settings", auth=changes, response=SettingsOut)
@recorded
def change_settings(request: ApiRequest, body: ChangesIn) -> dict[str, Any]:
    """Change settings. Each has its own time of effect."""
    change(body.settings, by=request.auth.user, reason=body.reason or f"By the token {request.auth.name}")
    return read_settings(request)


@router.post("/settings/preview", auth=reads, response=PreviewOut)
def preview_settings(request: ApiRequest, body: ChangesIn) -> dict[str, Any]:
    """Preview a change of settings. Nothing is changed."""
    return preview(body.settings)


def preview(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The change is made and rolled back. Raises ValidationError as the change does."""
    with transaction.atomic():
        started = timezone.now()
        row = change(settings, by=None, reason="")
        made = newest_entries(kinds=("settings",), since=started)
        lines = previews(values(row))
        transaction.set_rollback(True)
    facts = [str(fact) for entry in made for fact in entry.facts]
    return {"changes": facts, "lines": [{"setting": name, "words": text} for name, text in lines.items()]}


@router.get("/settings/history", auth=reads, response=Page[EntryOut])
def history(request: ApiRequest, query: Query[Paging]) -> dict[str, Any]:
    """History of changes of settings, accounts and retention."""
    page = entries(AuditQuery(kinds=KINDS), query.place("at"))
    return paged(request, page, [entry_out(entry) for entry in page.rows])


class Reverted(Schema):
    message: str
    at: datetime


@router.post("/settings/history/{kind}/{change}/revert", auth=changes, response=Reverted)
@recorded
def revert_change(request: ApiRequest, kind: Literal["settings", "account", "retention"], change: Id) -> dict[str, Any]:
    """Revert a change. It is a change of its own."""
    try:
        revert(kind, change, by=request.auth.user)
    except ValidationError as error:
        raise ApiProblem(409, " ".join(error.messages)) from None
    return {"message": "The change is reverted.", "at": timezone.now()}
