"""Export and import of all settings as a JSON document, without keys, with a preview of an import;

and the revert of a recorded change, which is a change too.
"""

from collections.abc import Callable
from datetime import UTC
from functools import partial
from typing import Any, Literal

import pydantic
from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from pydantic import BaseModel

from agents.configuration import accounts, change, values
from agents.configuration.account_changes import ACCOUNT, add_account, change_account
from agents.models import Account, Settings
from monitoring.audit.audit_log import Entry, change_and_former, newest_entries
from monitoring.retention.pruning import BOUNDS, change_retention, rules_in_force

REASON = "Import"
MOST_BYTES = 1_000_000  # far more than twenty accounts with prices of fifty models each
MOST_SHOWN = 500
AREA = {"rows": 6, "spellcheck": "false"}


class AccountEntry(BaseModel, strict=True, extra="allow"):
    name: str


class Document(BaseModel, strict=True, extra="forbid"):
    """Missing values stay unchanged; values are validated when they are saved."""

    version: Literal[1]
    settings: dict[str, Any] = {}
    accounts: list[AccountEntry] = []
    retention: dict[str, dict[str, Any]] = {}


def exported() -> dict[str, Any]:
    return {
        "version": 1,
        "settings": values(Settings.current()),
        "accounts": [{name: getattr(account, name) for name in ACCOUNT} for account in accounts()],
        "retention": {rule.name: {part: getattr(rule, part) for part in BOUNDS} for rule in rules_in_force()},
    }


def preview(document: Document) -> list[Entry]:
    """The changes of an import, which is applied and rolled back. Raises ValidationError as `apply` does."""
    with transaction.atomic():
        started = timezone.now()
        apply(document, by=None)
        changes = newest_entries(MOST_SHOWN, kinds=("settings", "account", "retention"), since=started)
        transaction.set_rollback(True)
    return changes


def apply(document: Document, *, by: User | None) -> None:
    """Raises ValidationError that names the field; then nothing is changed."""
    with transaction.atomic():
        _write("settings", partial(change, document.settings, by=by, reason=REASON))
        for entry in document.accounts:
            account = Account.objects.filter(name=entry.name).first()
            save = partial(change_account, account) if account else partial(add_account, entry.name)
            _write(f"accounts, {entry.name}", partial(save, entry.model_extra or {}, by=by, reason=REASON))
        for name, limits in document.retention.items():
            _write(f"retention, {name}", partial(change_retention, {name: limits}, by=by, reason=REASON))


def _write(part: str, write: Callable[[], object]) -> None:
    try:
        write()
    except ValidationError as error:
        errors = error.message_dict.items()
        raise ValidationError([f"{part}{'' if name == '__all__' else f', {name}'}: {' '.join(texts)}" for name, texts in errors]) from None


class ImportForm(forms.Form):
    file = forms.FileField(label="File", required=False, widget=forms.FileInput, help_text="A file that “Export” has written.")
    text = forms.CharField(required=False, max_length=MOST_BYTES, label="Or its text", widget=forms.Textarea(AREA))

    def clean(self) -> dict[str, Any]:
        given, text = self.cleaned_data.get("file"), self.cleaned_data.get("text")
        if given is None and not text:
            raise forms.ValidationError("Choose a file, or paste its text.")
        if given is not None and given.size > MOST_BYTES:
            raise forms.ValidationError(f"The file has more than {MOST_BYTES:,} bytes. It is no export of the settings.")
        try:
            text = given.read().decode() if given is not None else text or ""
            return {**self.cleaned_data, "text": text, "document": Document.model_validate_json(text)}
        except UnicodeDecodeError:
            raise forms.ValidationError("The file is no UTF-8 text. It is no export of the settings.") from None
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ", ".join(f"entry {part + 1}" if isinstance(part, int) else part for part in first["loc"])
            message = f"This is no export of the panel's settings. {f'{path}: ' if path else ''}{first['msg']}."
            raise forms.ValidationError(message) from None


def revert(kind: str, pk: int, *, by: User) -> None:
    """Revert a change. `kind`: one of HISTORIES. Raises ValidationError; then nothing is changed."""
    change_with_former = change_and_former(kind, pk)
    if change_with_former is None:
        raise ValidationError("This change is not on record any more. Reload the page.")
    record, fields = change_with_former
    if not fields:
        raise ValidationError("Only changed values can be reverted. Enter a key again; add or delete an account.")
    reason = f"Reverts the change of {record.history_date.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if kind == "settings":
        change(fields, by=by, reason=reason)
    elif kind == "retention":
        change_retention({record.name: fields}, by=by, reason=reason)
    elif row := Account.objects.filter(pk=record.id).first():
        change_account(row, fields, by=by, reason=reason)
    else:
        raise ValidationError(f"The account {record.name} is deleted.")
