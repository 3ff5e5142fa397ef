"""What is in force: the settings as the core takes them, the accounts completed from the environment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings as environment

from agents.database import answering_transaction
from agents.governor import Limits, Pacing
from agents.hybrid import Mode, Rules, Use
from agents.keys import key_of
from agents.models import Account, Settings

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
        llm_use=Use(settings.llm_use),
        sure_from=settings.sure_from,
        max_task_usd=settings.max_task_usd,
        deadline_seconds=settings.deadline_seconds,
        look_hosts=tuple(settings.look_hosts) if settings.look_before_planning else (),
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
        base_url=base_url_of(account),
        key=key_of(account),
        models=models_of(account),
        prices=_prices(account),
        options=account.request_options,
    )


def base_url_of(account: Account) -> str:
    """Where the account's models answer, without a slash at the end."""
    address: str = account.base_url or environment.CHUTES_BASE_URL
    return address.rstrip("/")


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
