"""A change of the histories taken back, as a change of its own."""

from datetime import UTC

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from agents.configuration import change
from agents.configuration.account_changes import change_account
from agents.models import Account
from monitoring.audit.audit_log import change_and_former
from monitoring.retention.pruning import change_retention


def revert(kind: str, pk: int, *, by: User) -> None:
    """`kind`: one of HISTORIES. Raises ValidationError; then nothing is changed."""
    found = change_and_former(kind, pk)
    if found is None:
        raise ValidationError("This change is not on record any more. Reload the page.")
    newer, fields = found
    if not fields:
        raise ValidationError("This can't be reverted here: only changed values can. Enter a key again; add or delete an account.")
    reason = f"Reverts the change of {newer.history_date.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if kind == "settings":
        change(fields, by=by, reason=reason)
    elif kind == "retention":
        change_retention({newer.name: fields}, by=by, reason=reason)
    elif row := Account.objects.filter(pk=newer.id).first():
        change_account(row, fields, by=by, reason=reason)
    else:
        raise ValidationError(f"The account {newer.name} is deleted.")
