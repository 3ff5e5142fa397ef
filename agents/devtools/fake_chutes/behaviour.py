"""How fake Chutes behaves, as one frozen value; flags, scenario, control port and timeline change it by the same merge."""

from collections.abc import Mapping
from dataclasses import field, fields, replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from agents.devtools.fake_chutes.catalogue import BY_ID
from agents.simulation import scenario
from agents.simulation.scenario import SETTINGS, STRICT, BadSetting, BanLaw, Change, Hidden, Latency, Model, Number, updated

# In the form of a payment address, but made up.
ADDRESS = "5" + "Fake" * 11 + "xyz"
DAILY_QUOTA = f"Quota exceeded and account balance is $0.00, please pay with fiat or send tao to {ADDRESS}"
CAP = "Subscription usage cap exceeded. Please add balance to continue."

Printable = Annotated[str, Field(pattern=r"^[ -~]*$")]


@dataclass(frozen=True, slots=True, config=STRICT)
class Refused:
    """The answer to every request that passes the edge. `html`: a page; else `detail` (any JSON value) in Chutes' form."""

    status: Annotated[int, Field(ge=300, le=599)]
    detail: Any = ""
    html: str = ""
    headers: Mapping[Printable, Printable] = field(default_factory=dict)


NAMED = {
    "free_daily": Refused(429, "Free models limit reached for today. Please add balance or subscribe to continue."),
    "payment": Refused(402, f"Account balance is $0.00, please pay with fiat or send tao to {ADDRESS}"),
    "subscription_cap": Refused(402, CAP),
    "forbidden": Refused(403, "You are not allowed to use this chute"),
    "blocked": Refused(403, html="<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"),
}
# One of NAMED by its name, or a refusal's fields.
Given = Annotated[Refused, BeforeValidator(lambda value: NAMED.get(value, value) if isinstance(value, str) else value)]

# Without a scenario: no bans, answers at once, and every listed model is available, as most tests need it.
PLAIN = Hidden(ban=BanLaw(strikes=0), models=dict.fromkeys(BY_ID, Model()), latency=Latency(median=0.0, low=0.0, high=0.0, refusal=0.0))
# A century before the start, in seconds: beyond it a date can't be written.
EARLIEST = 3.2e9


@dataclass(frozen=True, slots=True, config=STRICT)
class Behaviour:
    """The hidden account, and the settings of the HTTP side.

    `balance`: USD at the time it was set, None: nothing is billed.
    `refuse`: the answer to every request. `unlisted`: models that are gone. `monthly_reset_at`: s from the start at which the
    subscription's month ends (it may lie in the past), None: no monthly cap. `monthly_used`: USD of it that were used before the start.
    `reply`: what every model answers instead of a plan, None: a plan. `refuse_management`: answers by path of the management host.
    """

    hidden: Hidden = PLAIN
    balance: Number | None = None
    refuse: Given | None = None
    unlisted: tuple[str, ...] = ()
    monthly_reset_at: Annotated[float, Field(ge=-EARLIEST, allow_inf_nan=False)] | None = None
    monthly_used: Number = 0.0
    reply: str | None = None
    refuse_management: Mapping[Annotated[str, Field(pattern="^/")], Given | None] = field(default_factory=dict)

    @property
    def models(self) -> dict[str, Model]:
        return {name: model for name, model in self.hidden.models.items() if name not in self.unlisted}

    @property
    def pays_as_it_goes(self) -> bool:
        return self.balance is not None and self.hidden.quota is None and self.hidden.cap4h is None


@dataclass(frozen=True, slots=True, config=STRICT)
class Course:
    start: Behaviour = field(default_factory=Behaviour)
    timeline: tuple[Change, ...] = ()


OWN = {each.name for each in fields(Behaviour)} - {"hidden"}


def merged(behaviour: Behaviour, changes: object) -> Behaviour:
    """`behaviour` with the settings in the JSON object `changes` merged in: objects deeply, `faults` as a whole. Raises BadSetting."""
    if not isinstance(changes, Mapping):
        raise BadSetting(SETTINGS, "must be a JSON object")
    own = {name: value for name, value in changes.items() if name in OWN}
    hidden = scenario.merged(behaviour.hidden, {name: value for name, value in changes.items() if name not in OWN})
    return replace(updated(behaviour, own), hidden=hidden)


def as_json(behaviour: Behaviour) -> dict[str, Any]:
    own: dict[str, Any] = TypeAdapter(Behaviour).dump_python(behaviour, mode="json")
    return {**own.pop("hidden"), **own}
