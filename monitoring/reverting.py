"""Take one change back: its fields get the values from before it, as a new change with who and why."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from agents.configuration import change, change_account
from agents.models import Account
from monitoring.retention_form import change_retention
from monitoring.stats.changes import HISTORIES, former, pairs, with_before


def revert(kind: str, pk: int, *, by: User) -> None:
    """Take back the change `pk` of the history `kind`. Raises ValidationError; then nothing is changed."""
    records = list(with_before(HISTORIES[kind].objects.all()).filter(history_id=pk))
    if not records:
        raise ValidationError(_("This change is not on record any more. Reload the page."))
    ((newer, older),) = pairs(records)
    fields = former(newer, older)
    if not fields:
        raise ValidationError(
            _("This can't be taken back here: only changed values can. Keys are entered again, accounts added or deleted.")
        )
    _apply(kind, newer, fields, by, f"Reverts the change of {newer.history_date.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")


def _apply(kind: str, newer: Any, fields: dict[str, Any], by: User, reason: str) -> None:
    if kind == "settings":
        change(fields, by=by, reason=reason)
    elif kind == "retention":
        change_retention({newer.name: fields}, by=by, reason=reason)
    else:
        account = Account.objects.filter(pk=newer.id).first()
        if account is None:
            raise ValidationError(_("The account {name} is deleted.").format(name=newer.name))
        change_account(account, fields, by=by, reason=reason)
