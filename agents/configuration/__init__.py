"""The settings and accounts in force, and changes of settings: validated, saved where they differ, recorded with user and reason."""

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as environment
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models, transaction

from agents.common.redaction import mask_keys
from agents.configuration.keys import UnreadableKey, key_of
from agents.database import answering_transaction
from agents.models import Account, Settings
from agents.models import settings as model
from agents.models.settings import settings_of
from agents.policy.costs import Caps
from agents.policy.gate import Limits
from agents.policy.modes import CallerState, Mode, Pacing, Risk, Use
from agents.policy.reasons import Reason
from agents.policy.routing import Rules
from agents.prepared import Prepared

logger = logging.getLogger(__name__)

SETTINGS = settings_of(Settings)
STORAGE = settings_of(Settings, model.STORAGE)  # how much is kept, in MB: on the Retention page
FALLBACK_MODELS = 3
Who = AbstractBaseUser | None  # None: the miner itself, or a command
_NOT_FINITE = "Give a finite number."


@dataclass(frozen=True, slots=True)
class Provider:
    """`prices`: model to USD per million prompt and completion tokens; `options`: request fields."""

    base_url: str
    key: str = field(repr=False)
    models: tuple[str, ...]
    prices: Mapping[str, tuple[float, float]]
    options: Mapping[str, Any] = field(default_factory=dict)


def rules(settings: Settings) -> Rules:
    return Rules(
        mode=Mode(settings.agent_mode),
        llm_use=Use(settings.llm_use),
        sure_from=settings.sure_from,
        agent_id=settings.agent_id,
        max_task_usd=settings.max_task_usd,
        caps=Caps(settings.daily_attempts, settings.daily_usd),
        caller_caps=Caps(settings.caller_daily_attempts, settings.caller_daily_usd),
        deadline_seconds=settings.deadline_seconds,
        fetch_hosts=tuple(settings.fetch_hosts) if settings.fetch_pages else (),
        limits=Limits(
            spacing=settings.spacing_seconds,
            ladder=tuple(float(pause) for pause in settings.backoff_seconds),
            pacing=Pacing(settings.pacing),
            risk=Risk(settings.risk),
            longest=settings.backoff_max_seconds,
            key_check=settings.key_check_minutes * 60,
        ),
    )


_ACCOUNTS = Prepared(Account.objects.all)


def accounts() -> list[Account]:
    """All accounts, in the order in which a step tries them; the account `default` is created at first use."""
    return _ACCOUNTS() or [default_account()]


def default_account() -> Account:
    account = Account.objects.filter(name=Account.DEFAULT).first()
    if account is None:
        with answering_transaction():
            account, _ = Account.objects.get_or_create(name=Account.DEFAULT)
    return account


def provider(account: Account) -> Provider:
    """The account completed from the environment. Raises UnreadableKey."""
    return Provider(base_url_of(account), key_of(account), models_of(account), prices_of(account), account.request_options)


def usable(account: Account, mode: Mode = Mode.HYBRID, *, caller_allowed: bool = True) -> Provider | Reason:
    """The account's provider, or why its LLM is not used at all. Steps, probes, tests, health checks and pages use this."""
    if mode is Mode.TEMPLATE:
        return Reason.MODE
    if not caller_allowed:
        return Reason.CALLER
    if not account.enabled:
        return Reason.DISABLED
    try:
        usable_provider = provider(account)
    except UnreadableKey as error:
        logger.error("Account %s: %s", account.name, error)
        return Reason.UNREADABLE
    if not usable_provider.key:
        return Reason.NO_KEY
    return usable_provider if usable_provider.models else Reason.NO_MODEL


def base_url_of(account: Account) -> str:
    return str(account.base_url or environment.CHUTES_BASE_URL).rstrip("/")


def provider_name(base_url: str) -> str:
    """OpenTelemetry's `gen_ai.provider.name`: chutes, else the provider's host."""
    host = urlsplit(base_url).hostname or ""
    return "chutes" if host == "chutes.ai" or host.endswith(".chutes.ai") else host


def prices_of(account: Account) -> dict[str, tuple[float, float]]:
    """USD per million prompt and completion tokens by model, as listed or as an admin set them."""
    listed = {entry["id"]: (entry["input"], entry["output"]) for entry in account.catalogue if _is_priced(entry)}
    return listed | {model: (prompt, completion) for model, (prompt, completion) in account.price_overrides.items()}


def models_of(account: Account) -> tuple[str, ...]:
    """The models to try, in order: the account's, the environment's, else the cheapest listed ones that can answer in JSON."""
    named = account.model_names or (environment.CHUTES_MODELS if account.name == Account.DEFAULT else ())
    if named:
        return tuple(named)
    able = [entry for entry in account.catalogue if entry["json_mode"]]
    priced = sorted((entry["input"] + entry["output"] if _is_priced(entry) else math.inf, entry["id"]) for entry in able)
    return tuple(name for _, name in priced[:FALLBACK_MODELS])


def _is_priced(entry: Mapping[str, Any]) -> bool:
    return entry["input"] is not None and entry["output"] is not None


def values(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in SETTINGS}


def change(changes: Mapping[str, Any], *, by: Who, reason: str) -> Settings:
    """Raises ValidationError with a message per field; then nothing is changed."""
    with transaction.atomic():
        row = _locked()
        save(row, changes, SETTINGS, by, reason)
    return row


def set_caller(address: str, state: CallerState, *, by: Who, reason: str) -> CallerState:
    """Move the address to the list of `state`. Returns its state, which a network in a list may still determine."""
    lists = {CallerState.ALLOWED: "allowed_callers", CallerState.BLOCKED: "blocked_callers"}
    with transaction.atomic():
        settings = _locked()
        others = {name: [network for network in getattr(settings, name) if network != address] for name in lists.values()}
        changes = {name: others[name] + [address] * (listed is state) for listed, name in lists.items()}
        return change(changes, by=by, reason=reason).caller_state(address)


def _locked() -> Settings:
    return Settings.objects.select_for_update().filter(id=Settings.ONLY).first() or Settings(id=Settings.ONLY)


def save(row: models.Model, changes: Mapping[str, Any], allowed: tuple[str, ...], by: Who, reason: str) -> None:
    """Save the row where `changes` make a difference. Raises ValidationError with a message per field; then nothing is saved."""
    if unknown := sorted(set(changes) - set(allowed)):
        names = ", ".join(allowed)
        raise ValidationError({"__all__": [f"There is no setting “{name}”. Choose from {names}." for name in unknown]})
    if faults := {name: fault for name, value in changes.items() if (fault := _fault(row, name, value))}:
        raise ValidationError(faults)
    before = {name: getattr(row, name) for name in allowed}
    for name, value in changes.items():
        setattr(row, name, value)
    row.full_clean()
    if endless := [name for name in changes if _is_endless(getattr(row, name))]:  # out of a text, such as "NaN"
        raise ValidationError(dict.fromkeys(endless, _NOT_FINITE))
    if row._state.adding or before != {name: getattr(row, name) for name in allowed}:
        save_as(row, by, reason)


def save_as(row: models.Model, by: Who, reason: str) -> None:
    _sign(row, by, reason)
    row.save()


def delete_as(row: models.Model, by: Who, reason: str) -> None:
    _sign(row, by, reason)
    row.delete()


def _sign(row: models.Model, by: Who, reason: str) -> None:
    row._history_user = by  # type: ignore[attr-defined]
    row._change_reason = mask_keys(reason)  # type: ignore[attr-defined]


def _fault(row: models.Model, name: str, value: object) -> str:
    """Faults that the models' validation accepts: it skips empty values of any type, NaN passes every bound, and SQLite stores any text."""
    field = row._meta.get_field(name)  # noqa: SLF001 -- Django's documented API
    if isinstance(field, models.JSONField) and not isinstance(value, expected := type(field.get_default())):
        return "Give a list." if expected is list else "Give a JSON object, or {} for nothing."
    if isinstance(field, models.CharField) and not isinstance(value, str):
        return "Give a text."
    if _is_endless(value):
        return _NOT_FINITE
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError):
        text = "\\u0000"
    return "Take out what a database can't hold: NaN, Infinity, zero characters and halves of emoji." if "\\u0000" in text else ""


def _is_endless(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def parsed(name: str, text: str) -> Any:
    """The value of the setting, or of an account's field, `name`. Raises ValueError with the remedy."""
    text = text.strip()
    match field_of(name):
        case models.BooleanField():
            if text not in ("true", "false"):
                raise ValueError(f"“{text}” is neither true nor false.")
            return text == "true"
        case models.IntegerField():
            return _whole(text)
        case models.FloatField():
            return _number(text)
        case models.JSONField() as field:
            return _list(field.get_default(), text) if isinstance(field.get_default(), list) else _object(text)
    return text


def field_of(name: str) -> "models.Field[Any, Any] | None":
    return {field.name: field for field in (*Account._meta.fields, *Settings._meta.fields)}.get(name)  # noqa: SLF001 -- as Django documents it


def _object(text: str) -> Any:
    try:
        return json.loads(text) if text else {}
    except json.JSONDecodeError as error:
        raise ValueError(f"This is not JSON: {error.msg}, at line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):
        raise ValueError("This JSON can't be read: a number is too long, or it is nested too deep.") from None


def _list(default: list[Any], text: str) -> list[Any]:
    """Numbers where the default has some; otherwise texts, each once."""
    parts = text.replace(",", " ").split()
    return [_number(part) for part in parts] if default else list(dict.fromkeys(parts))


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"“{text}” is not a whole number.") from None


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"“{text}” is not a number.")
    return int(number) if number.is_integer() else number
