"""What settings are made of: their validators, and what pages and commands show beside the field."""

import ipaddress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from agents.contract.allowed_hosts import allowed

MOST_HOSTS = 100

F = TypeVar("F", bound="models.Field[Any, Any]")

NEXT_STEP = "takes effect with the next step"
NEXT_REFUSAL = "takes effect with the next refusal; a running pause stays"
NEXT_PAUSE = "takes effect with the next pause"
NEXT_CHECK = "takes effect with the next health check"
WITHIN_A_MINUTE = "takes effect within a minute"


@dataclass(frozen=True, slots=True)
class Setting:
    """`unit`: as shown behind the value; `section`: its heading; `accepts`: what else than its bounds holds."""

    unit: str = ""
    section: str = ""
    accepts: str = ""
    takes_effect: str = NEXT_STEP


def setting(field: F, help_text: str, accepts: str = "") -> F:
    field.help_text, field.setting = help_text, replace(about(field), accepts=accepts)  # type: ignore[attr-defined]
    return field


def about(field: Any) -> Setting:
    found = getattr(field, "setting", None)
    return found if isinstance(found, Setting) else Setting()


def settings_of(model: type[models.Model], section: str | None = None) -> tuple[str, ...]:
    """The names of a model's settings, in the order of the model; of one section, or of all."""
    fields = [field for field in model._meta.get_fields() if hasattr(field, "setting")]  # noqa: SLF001 -- Django's documented API
    return tuple(field.name for field in fields if section is None or about(field).section == section)


def placed(field: F, section: str, unit: str = "", takes_effect: str = NEXT_STEP) -> F:
    field.setting = Setting(unit, section, takes_effect=takes_effect)  # type: ignore[attr-defined]
    return field


def between(least: float, most: float) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(least), MaxValueValidator(most)]


def valid_ladder(value: object) -> None:
    if not isinstance(value, list) or not 1 <= len(value) <= 12:
        raise ValidationError("Give 1 to 12 pauses in seconds, such as 60, 120, 240, 480.")
    if not all(isinstance(pause, int | float) and not isinstance(pause, bool) and 1 <= pause <= 86_400 for pause in value):
        raise ValidationError("Each pause is a number from 1 to 86400 seconds.")
    if sorted(value) != value:
        raise ValidationError("A pause can't be shorter than the one before it.")


def valid_networks(value: object) -> None:
    if not isinstance(value, list):
        raise ValidationError("Give a list of networks, such as 10.0.0.0/8.")
    for network in value:
        try:
            ipaddress.ip_network(str(network))
        except ValueError:
            raise ValidationError(f"“{network}” is not a network. Write it as 10.0.0.0/8 or 203.0.113.7.") from None


def valid_hosts(value: object) -> None:
    if not isinstance(value, list) or len(value) > MOST_HOSTS:
        raise ValidationError(f"Give a list of at most {MOST_HOSTS} hosts, such as demo.example.com or localhost:8000-8016.")
    for host in value:
        try:
            allowed(str(host))
        except ValueError as error:
            raise ValidationError(str(error)) from None


def default_ladder() -> list[float]:
    return [60, 120, 240, 480]
