"""A change of one row: validated, saved where it differs, kept in the row's history with who and why."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

LISTS = ("backoff_seconds", "llm_callers", "look_hosts", "model_names")
OBJECTS = ("request_options", "price_overrides")


def save(row: models.Model, changes: Mapping[str, Any], allowed: tuple[str, ...], by: AbstractBaseUser | None, reason: str) -> None:
    """Save the row where `changes` make a difference. Raises ValidationError with a message per field; then nothing is saved."""
    unknown = sorted(set(changes) - set(allowed))
    if unknown:
        told, known = _("There is no setting “{name}”. Choose from {known}."), ", ".join(allowed)
        raise ValidationError({"__all__": [told.format(name=name, known=known) for name in unknown]})
    faults = {name: fault for name, value in changes.items() if (fault := _fault(row, name, value))}
    if faults:
        raise ValidationError(faults)
    before = {name: getattr(row, name) for name in allowed}
    for name, value in changes.items():
        setattr(row, name, value)
    row.full_clean()
    endless = [name for name in changes if _is_endless(getattr(row, name))]
    if endless:  # out of a text, such as "NaN"
        raise ValidationError(dict.fromkeys(endless, _("Give a finite number.")))
    if row.pk is None or row._state.adding or before != {name: getattr(row, name) for name in allowed}:
        save_as(row, by, reason)


def save_as(row: models.Model, by: AbstractBaseUser | None, reason: str) -> None:
    """Save the row, with who and why in its history."""
    _sign(row, by, reason)
    row.save()


def delete_as(row: models.Model, by: AbstractBaseUser | None, reason: str) -> None:
    """Delete the row, with who and why in its history."""
    _sign(row, by, reason)
    row.delete()


def _sign(row: models.Model, by: AbstractBaseUser | None, reason: str) -> None:
    row._history_user = by  # type: ignore[attr-defined]
    row._change_reason = reason  # type: ignore[attr-defined]


def _fault(row: models.Model, name: str, value: object) -> str:
    """What the models' own validation lets through: it skips an empty value of any type, and no bound holds NaN."""
    if name in LISTS and not isinstance(value, list):
        return _("Give a list.")
    if name in OBJECTS and not isinstance(value, dict):
        return _("Give a JSON object, or {} for nothing.")
    if isinstance(row._meta.get_field(name), models.CharField) and not isinstance(value, str):  # noqa: SLF001 -- Django's documented API
        return _("Give a text.")
    if _is_endless(value):
        return _("Give a finite number.")
    return "" if _can_be_stored(value) else _("Take out what a database can't hold: NaN, Infinity, zero characters and halves of emoji.")


def _is_endless(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _can_be_stored(value: object) -> bool:
    """SQLite takes what Postgres refuses."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError):
        return False
    return "\\u0000" not in text
