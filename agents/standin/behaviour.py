"""How the stand-in behaves, as one frozen value; changes are merged into it from flags, scenario, control port and timeline alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from math import inf
from types import MappingProxyType
from typing import Any

from agents.standin import fields as hidden_fields
from agents.standin import refusals
from agents.standin.catalogue import BY_ID
from agents.standin.faults import BadSetting
from agents.standin.hidden import BanLaw, Hidden, Latency, Model
from agents.standin.refusals import Refused
from agents.standin.timeline import Change

# Without a scenario there are no bans, answers come at once, and every listed model is there: what most tests want.
PLAIN = Hidden(
    ban=BanLaw(strikes=0),
    models=MappingProxyType(dict.fromkeys(BY_ID, Model())),
    latency=Latency(median=0.0, low=0.0, high=0.0, refusal=0.0),
)


# A century before the start, in seconds: beyond it a date can't be written.
EARLIEST = 3.2e9


class QuotasForm(StrEnum):
    """The forms in which the management API was seen to list quotas."""

    LIST = "list"
    DEFAULTS = "defaults"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The hidden account, and what only the HTTP side knows.

    `slow_seconds`: s that the fault "slow" takes, between these two. `balance`: USD when it was set, None: there is none and
    nothing is billed. `refuse`: what every request gets. `unlisted`: models that are gone. `monthly_reset_at`: s from the start at
    which the subscription's month ends (it may lie in the past), None: no monthly cap. `monthly_used`: USD of it that were used before the
    start. `says`: what every model says instead of a plan, None: a plan.
    `refuse_management`: what a path of the management host is answered with, whoever asks.
    """

    hidden: Hidden = PLAIN
    slow_seconds: tuple[float, float] = (30.0, 90.0)
    balance: float | None = None
    refuse: Refused | None = None
    unlisted: tuple[str, ...] = ()
    quotas_form: QuotasForm = QuotasForm.LIST
    monthly_reset_at: float | None = None
    monthly_used: float = 0.0
    says: str | None = None
    refuse_management: Mapping[str, Refused] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def models(self) -> dict[str, Model]:
        """The models that are there."""
        return {name: model for name, model in self.hidden.models.items() if name not in self.unlisted}

    @property
    def pays_as_it_goes(self) -> bool:
        """Whether every answer is billed to the balance, for want of a quota and of a subscription."""
        return self.balance is not None and self.hidden.quota is None and self.hidden.cap4h is None


@dataclass(frozen=True, slots=True)
class Course:
    """How the stand-in behaves at the start, and what changes later, earliest first."""

    start: Behaviour = field(default_factory=Behaviour)
    timeline: tuple[Change, ...] = ()


def merged(behaviour: Behaviour, changes: object) -> Behaviour:
    """`behaviour` with the settings in the JSON object `changes` merged in: objects deeply, `faults` as a whole. Raises BadSetting."""
    given = hidden_fields.mapping("settings", changes)
    hidden_fields.only_known(given, KNOWN)
    own = {name: OWN[name](name, value) for name, value in given.items() if name in OWN}
    hidden = hidden_fields.merged(behaviour.hidden, {name: value for name, value in given.items() if name not in OWN})
    return replace(behaviour, hidden=hidden, **own)


def as_json(behaviour: Behaviour) -> dict[str, Any]:
    """The settings as JSON values, in the form that `merged` reads."""
    own = {name: _plain(getattr(behaviour, name)) for name in OWN}
    return {**_plain(behaviour.hidden), **own, "refuse": refusals.as_json(behaviour.refuse)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return "inf" if value == inf else value


def _balance(name: str, value: object) -> float | None:
    return None if value is None else hidden_fields.number(name, value)


def _moment(name: str, value: object) -> float | None:
    return None if value is None else hidden_fields.number(name, value, -EARLIEST)


def _by_path(name: str, value: object) -> Mapping[str, Refused]:
    if not isinstance(value, Mapping) or not all(str(path).startswith("/") for path in value):
        raise BadSetting(name, "an object of refusals by path is wanted")
    read = {str(path): refusals.read(f"{name}.{path}", each) for path, each in value.items()}
    return MappingProxyType({path: refused for path, refused in read.items() if refused})


def _names(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise BadSetting(name, "a list of model names is wanted")
    return tuple(value)


def _words(name: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise BadSetting(name, "a text is wanted, or null for a plan")
    return value


def _form(name: str, value: object) -> QuotasForm:
    if value not in list(QuotasForm):
        raise BadSetting(name, f"one of {', '.join(QuotasForm)} is wanted")
    return QuotasForm(str(value))


OWN: dict[str, Callable[[str, object], Any]] = {
    "slow_seconds": hidden_fields.span,
    "balance": _balance,
    "refuse": refusals.read,
    "unlisted": _names,
    "quotas_form": _form,
    "monthly_reset_at": _moment,
    "monthly_used": hidden_fields.number,
    "says": _words,
    "refuse_management": _by_path,
}
KNOWN = (*hidden_fields.HIDDEN, *OWN)
