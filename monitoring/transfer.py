"""All settings as one JSON document, without keys, and back: an import shows what it would change before it does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from agents.configuration import ACCOUNT, accounts, add_account, change, change_account, values
from agents.models import Account, Settings
from agents.text import storable_json
from monitoring.models import Retention
from monitoring.retention import RULES, rules_in_force
from monitoring.retention_form import BOUNDS, change_retention
from monitoring.stats.changes import in_words, model_field

VERSION = 1
PARTS = ("version", "settings", "accounts", "retention")
REASON = "Import"
# Objects and lists within each other; Python reads some hundred.
DEEPEST = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that an import changes, in words. `where`: settings, an account or a rule of the retention; `field`: by the file."""

    where: str
    field: str
    label: str
    old: str
    new: str


def exported() -> dict[str, Any]:
    """Settings, accounts without their keys, retention."""
    return {
        "version": VERSION,
        "settings": values(Settings.current()),
        "accounts": [{name: getattr(account, name) for name in ACCOUNT} for account in accounts()],
        "retention": {rule.name: {part: getattr(rule, part) for part in BOUNDS} for rule in rules_in_force()},
    }


def as_text(document: dict[str, Any]) -> str:
    """The document as a file holds it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read(text: str) -> dict[str, Any]:
    """The document of a file. Raises ValidationError that says where it can't be read."""
    try:
        document = json.loads(text)
        is_storable = storable_json(document, DEEPEST) == document
    except (ValueError, RecursionError) as error:
        raise ValidationError(_("This is no JSON: {error}.").format(error=error)) from None
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ValidationError(
            _("This is no export of the panel's settings: it must be an object with version {version}.").format(version=VERSION)
        )
    if not is_storable:
        raise ValidationError(_("A text in it has a NUL or half a character, which can't be stored. Take it out."))
    unknown = sorted(set(document) - set(PARTS))
    if unknown:
        raise ValidationError(_("There is no part “{part}”. Take it out.").format(part=unknown[0]))
    return document


def preview(document: dict[str, Any]) -> list[Difference]:
    """What the import would change: it is made and taken back. Raises ValidationError as `apply` does."""
    before = exported()
    with transaction.atomic():
        apply(document, by=None)
        after = exported()
        transaction.set_rollback(True)
    old = {where: entry for where, (_model, entry) in _flat(before).items()}
    return [each for where, (model, new) in _flat(after).items() for each in _differences(where, model, old.get(where, {}), new)]


def apply(document: dict[str, Any], *, by: User | None) -> None:
    """Make the settings what the document says; what it does not name stays. Raises ValidationError that names the field."""
    with transaction.atomic():
        wanted = _object(document, "settings")
        _part("settings", lambda: change(wanted, by=by, reason=REASON))
        for number, entry in enumerate(_list(document, "accounts"), 1):
            name = entry.get("name") if isinstance(entry, dict) else None
            if not isinstance(name, str):
                raise ValidationError(_("accounts, entry {number}: give an object with a name.").format(number=number))
            _part(f"accounts, {name}", lambda entry=entry, name=name: _account(name, entry, by))
        _retention(_object(document, "retention"), by)


def _account(name: str, entry: dict[str, Any], by: User | None) -> None:
    fields = {field: value for field, value in entry.items() if field != "name"}
    known = Account.objects.filter(name=name).first()
    if known is None:
        add_account(name, fields, by=by, reason=REASON)
    else:
        change_account(known, fields, by=by, reason=REASON)


def _retention(wanted: dict[str, Any], by: User | None) -> None:
    known = {rule.name for rule in RULES}
    for name, entry in wanted.items():
        if name not in known:
            raise ValidationError(
                _("retention: there is no rule “{name}”. Choose from {known}.").format(name=name, known=", ".join(sorted(known)))
            )
        if not isinstance(entry, dict) or set(entry) - set(BOUNDS):
            raise ValidationError(_("retention, {name}: give an object with days and most_rows.").format(name=name))
        for part, value in entry.items():
            least, most = BOUNDS[part]
            if type(value) is not int or not least <= value <= most:
                raise ValidationError(
                    _("retention, {name}, {part}: give a whole number from {least:,} to {most:,}.").format(
                        name=name, part=part, least=least, most=most
                    )
                )
    change_retention(wanted, by=by, reason=REASON)


def _part(where: str, act: Any) -> None:
    """Do it; a refusal says in which part and field."""
    try:
        act()
    except ValidationError as error:
        told = [f"{where}{'' if name == '__all__' else f', {name}'}: {' '.join(said)}" for name, said in error.message_dict.items()]
        raise ValidationError(told) from None


def _object(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise ValidationError(_("{name}: give an object.").format(name=name))
    return found


def _list(document: dict[str, Any], name: str) -> list[Any]:
    found = document.get(name, [])
    if not isinstance(found, list):
        raise ValidationError(_("{name}: give a list.").format(name=name))
    return found


def _flat(document: dict[str, Any]) -> dict[str, tuple[type[Model], dict[str, Any]]]:
    """Each part by what it is called, with the model that knows its fields' labels."""
    named = {_("Account {name}").format(name=entry["name"]): (Account, entry) for entry in document["accounts"]}
    kept = {_("Retention of {name}").format(name=name): (Retention, entry) for name, entry in document["retention"].items()}
    return {_("Settings"): (Settings, document["settings"]), **named, **kept}


def _differences(where: str, model: type[Model], old: dict[str, Any], new: dict[str, Any]) -> list[Difference]:
    return [
        Difference(where, name, _label(model, name), in_words(name, old[name]) if name in old else "", in_words(name, value))
        for name, value in new.items()
        if name not in old or old[name] != value
    ]


def _label(model: type[Model], name: str) -> str:
    return str(capfirst(model_field(model, name).verbose_name))
