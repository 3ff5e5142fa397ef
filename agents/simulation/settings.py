"""The settings of a simulated miner, read from the table of settings."""

from collections.abc import Iterable
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError

from agents.configuration import default_account, field_of, models_of, parsed, rules
from agents.models import Account, Settings
from agents.models.settings import PACING, settings_of
from agents.simulation.run import Miner
from agents.simulation.scenario import MODELS, BadSetting

# What can be tried on the last hours, and what can be set for a scenario besides.
TRIED = (*settings_of(Settings, PACING), "deadline_seconds")
SIMULATED = (*TRIED, "daily_attempts", "daily_usd", "model_names", "admin_key")


def as_text(value: Any) -> str:
    """The value of a setting as a pair has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(as_text(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def miner_with(pairs: Iterable[str], settings: Settings | None = None, models: tuple[str, ...] = MODELS) -> Miner:
    """`settings` None: the defaults. Daily caps hold only where a pair sets them. Raises BadSetting, which names the setting."""
    row, admin_key = copy(settings or Settings()), True
    row.daily_attempts = row.daily_usd = 0
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name not in SIMULATED:
            raise BadSetting(name, f"unknown; expected one of {', '.join(SIMULATED)}")
        try:
            if name == "admin_key":
                admin_key = {"true": True, "false": False}[text]
            elif name == "model_names":
                models = tuple(parsed(name, text))
            else:
                field = field_of(name)
                assert field is not None
                setattr(row, name, field.clean(parsed(name, text), row))
        except KeyError:
            raise BadSetting(name, "must be true or false") from None
        except (ValueError, ValidationError) as error:
            raise BadSetting(name, " ".join(getattr(error, "messages", [str(error)]))) from None
    if not models:
        raise BadSetting("model_names", "must be names of models")
    in_force = rules(row)
    return Miner(in_force.limits, in_force.deadline_seconds, models, admin_key, row.probe_after_pause, in_force.caps)


def miner_in_force(account_name: str, pairs: Iterable[str] = ()) -> Miner:
    """The settings in force with `name=value` pairs set, and the account's models. Raises BadSetting."""
    account = Account.objects.filter(name=account_name).first() or default_account()
    return miner_with(pairs, Settings.current(), models_of(account) or MODELS)
