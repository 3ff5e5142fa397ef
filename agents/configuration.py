"""The one way to read and change what admins set. The form and the command line both come through here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings as environment
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models, transaction

from agents.database import answering_transaction
from agents.governor import Limits, Pacing
from agents.hybrid import Mode, Rules
from agents.keys import key_of, seal
from agents.models import Account, Settings

SETTINGS = (
    "pacing",
    "spacing_seconds",
    "backoff_seconds",
    "backoff_max_seconds",
    "key_check_minutes",
    "probe_after_pause",
    "deadline_seconds",
    "agent_mode",
    "llm_callers",
)
ACCOUNT = ("base_url", "model_names", "enabled")
LISTS = ("backoff_seconds", "llm_callers", "model_names")
FALLBACK_MODELS = 3


@dataclass(frozen=True, slots=True)
class Provider:
    """An account as the LLM client needs it. `prices`: model to USD per million prompt and completion tokens; `options`: request fields."""

    base_url: str
    key: str
    models: tuple[str, ...]
    prices: Mapping[str, tuple[float, float]]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Provider({self.base_url!r}, models={self.models!r})"


def rules(settings: Settings) -> Rules:
    """The settings as the agents' core takes them."""
    return Rules(
        mode=Mode(settings.agent_mode),
        deadline_seconds=settings.deadline_seconds,
        limits=Limits(
            spacing=settings.spacing_seconds,
            ladder=tuple(float(pause) for pause in settings.backoff_seconds),
            pacing=Pacing(settings.pacing),
            longest=settings.backoff_max_seconds,
            key_check=settings.key_check_minutes * 60,
        ),
    )


def accounts() -> list[Account]:
    """All accounts, in the order in which a step tries them; the account `default` is made at first use."""
    return list(Account.objects.all()) or [_made_default()]


def default_account() -> Account:
    """The account `default`, made at first use."""
    account = Account.objects.filter(name=Account.DEFAULT).first()
    return account or _made_default()


def _made_default() -> Account:
    with answering_transaction():
        return Account.objects.get_or_create(name=Account.DEFAULT)[0]


def provider(account: Account) -> Provider:
    """The account completed from the environment. Raises UnreadableKey."""
    return Provider(
        base_url=(account.base_url or environment.CHUTES_BASE_URL).rstrip("/"),
        key=key_of(account),
        models=models_of(account),
        prices=_prices(account),
        options=account.request_options,
    )


def _prices(account: Account) -> dict[str, tuple[float, float]]:
    listed = {entry["id"]: (entry["input"], entry["output"]) for entry in account.catalogue if _is_priced(entry)}
    return listed | {model: (prompt, completion) for model, (prompt, completion) in account.price_overrides.items()}


def models_of(account: Account) -> tuple[str, ...]:
    """The models to try, in order: the account's, the environment's, else the cheapest listed ones that can answer in JSON."""
    named = account.model_names or (environment.CHUTES_MODELS if account.name == Account.DEFAULT else ())
    if named:
        return tuple(named)
    able = [entry for entry in account.catalogue if entry["json_mode"]]
    return tuple(entry["id"] for entry in sorted(able, key=_dearness)[:FALLBACK_MODELS])


def _dearness(entry: Mapping[str, Any]) -> tuple[float, str]:
    """What has no known price comes last."""
    return (entry["input"] + entry["output"] if _is_priced(entry) else math.inf, entry["id"])


def _is_priced(entry: Mapping[str, Any]) -> bool:
    return entry["input"] is not None and entry["output"] is not None


def values(settings: Settings) -> dict[str, Any]:
    """All settings by name, as JSON can hold them."""
    return {name: getattr(settings, name) for name in SETTINGS}


def change(changes: Mapping[str, Any], *, by: AbstractBaseUser | None, reason: str) -> Settings:
    """Change settings and keep who, when, old and new. Raises ValidationError with a message per field; then nothing is changed."""
    with transaction.atomic():
        row = Settings.objects.select_for_update().filter(id=Settings.ONLY).first() or Settings(id=Settings.ONLY)
        _save(row, changes, SETTINGS, by, reason)
    return row


def change_account(account: Account, changes: Mapping[str, Any], *, key: str | None, by: AbstractBaseUser | None, reason: str) -> Account:
    """Change an account; a `key` replaces the stored one. Raises ValidationError as `change` does."""
    with transaction.atomic():
        row = Account.objects.select_for_update().get(pk=account.pk)
        if key:
            row.key_sealed, row.key_hint = seal(key), key[-4:]
        _save(row, changes, ACCOUNT, by, reason, always=bool(key))
    return row


def _save(
    row: models.Model,
    changes: Mapping[str, Any],
    allowed: tuple[str, ...],
    by: AbstractBaseUser | None,
    reason: str,
    *,
    always: bool = False,
) -> None:
    unknown = sorted(set(changes) - set(allowed))
    if unknown:
        raise ValidationError({"__all__": [f"There is no setting “{name}”. Choose from {', '.join(allowed)}." for name in unknown]})
    faults = {name: fault for name, value in changes.items() if (fault := _fault(name, value))}
    if faults:
        raise ValidationError(faults)
    before = {name: getattr(row, name) for name in allowed}
    for name, value in changes.items():
        setattr(row, name, value)
    row.full_clean()
    if always or row.pk is None or row._state.adding or before != {name: getattr(row, name) for name in allowed}:
        row._history_user = by  # type: ignore[attr-defined]
        row._change_reason = reason  # type: ignore[attr-defined]
        row.save()


def _fault(name: str, value: object) -> str:
    """What the models' own validation lets through: it skips an empty value of any type, and no bound holds NaN."""
    if name in LISTS and not isinstance(value, list):
        return "Give a list."
    return "Give a finite number." if isinstance(value, float) and not math.isfinite(value) else ""


def parsed(name: str, text: str) -> Any:
    """A setting's value from the text of a form or a command line. Raises ValueError with the remedy."""
    if name == "backoff_seconds":
        return [_number(part) for part in _parts(text)]
    if name == "llm_callers":
        return _parts(text)
    if name == "probe_after_pause":
        return _switch(text)
    return _number(text) if name.endswith(("_seconds", "_minutes")) else text


def _switch(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"“{text}” is neither true nor false.")
    return text == "true"


def _parts(text: str) -> list[str]:
    return [part for part in text.replace(",", " ").split() if part]


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"“{text.strip()}” is not a number of seconds.") from None
    if not math.isfinite(number):
        raise ValueError(f"“{text.strip()}” is not a number of seconds.")
    return int(number) if number.is_integer() else number
