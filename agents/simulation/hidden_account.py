"""The numbers of a hidden account as JSON states them, and how changes are merged into them. Times are seconds from the start."""

import json
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from math import inf
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, field_serializer
from pydantic.dataclasses import dataclass


class Fault(StrEnum):
    HTTP500 = "http500"
    HTTP502 = "http502"
    HTTP503 = "http503"
    HTTP504 = "http504"
    SLOW = "slow"
    HANG = "hang"
    RESET = "reset"
    BROKEN = "broken"
    MIDSTREAM = "midstream"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    BADJSON = "badjson"
    INVALID = "invalid"


# What a whole of settings is called; a field in it is named without that.
SETTINGS = "settings"


class BadSetting(ValueError):
    """A setting that can't be used; the text names the field and states what it must be."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"{name}: {expected}")
        self.field, self.expected = name, expected

    def within(self, name: str) -> "BadSetting":
        """The same error, of a field that lies inside of `name`."""
        return BadSetting(name if self.field == SETTINGS else f"{name}.{self.field}", self.expected)


STRICT = ConfigDict(strict=True, extra="forbid", validate_by_name=True)
# Replaced as a whole; other objects are merged deeply.
REPLACED = {"faults", "refuse", "refuse_management"}
# Of several errors the first of these kinds is reported: a field that is missing may only be misspelled.
LATER = {"unexpected_keyword_argument": 0, "missing": 2, "missing_argument": 2}
T = TypeVar("T")


def _pair(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value, value)


def _ordered(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError("the first of the two must not be larger")
    return pair


Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Chance = Annotated[float, Field(ge=0, le=1)]
# One number stands for both.
Span = Annotated[tuple[Number, Number], AfterValidator(_ordered), BeforeValidator(_pair)]


def read(kind: Any, value: object, name: str) -> Any:
    """The JSON value as a `kind`. `name`: what the whole is called. Raises BadSetting."""
    try:
        return TypeAdapter(kind).validate_json(json.dumps(value))
    except ValidationError as error:
        raise _named(error, name) from None


def updated(old: T, changes: object) -> T:
    """`old` with the JSON object `changes` merged in. Raises BadSetting."""
    if not isinstance(changes, Mapping):
        raise BadSetting(SETTINGS, "must be a JSON object")
    kind = type(old)
    new: T = read(kind, _merged(TypeAdapter(kind).dump_python(old, mode="json"), changes), SETTINGS)
    return new


def _merged(old: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Two JSON objects as one, deeply but for what is REPLACED."""
    merged = dict(old)
    for name, value in changes.items():
        is_deep = name not in REPLACED and isinstance(value, Mapping) and isinstance(old.get(name), Mapping)
        merged[name] = _merged(old[name], value) if is_deep else value
    return merged


def _named(error: ValidationError, name: str) -> BadSetting:
    first = min(error.errors(include_url=False), key=lambda each: LATER.get(each["type"], 1))
    cause = first.get("ctx", {}).get("error")
    inside = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"] if part != "[key]")
    field = inside.lstrip(".") if name == SETTINGS and inside else f"{name}{inside}"
    if isinstance(cause, BadSetting):
        return cause.within(field)
    is_unknown = first["type"] == "unexpected_keyword_argument"
    return BadSetting(field, "there is no such field" if is_unknown else first["msg"].removeprefix("Value error, "))


MODELS = ("google/gemma-4-31B-turbo-TEE", "Qwen/Qwen3-32B-TEE", "deepseek-ai/DeepSeek-V4-Flash-0731-TEE")


class Counter(StrEnum):
    """How the edge counts: a sliding log of accepted requests, or nginx's leaky bucket without delay."""

    WINDOW = "window"
    LEAKY = "leaky"


class Law(StrEnum):
    """How long a new ban lasts: twice the one before it, or always the base."""

    DOUBLE = "double"
    CONSTANT = "constant"


class OnHit(StrEnum):
    NONE = "none"
    RESTART = "restart"
    ESCALATE = "escalate"


def _together(faults: Mapping[Fault, float]) -> Mapping[Fault, float]:
    if sum(faults.values()) > 1 + 1e-9:
        raise ValueError("the probabilities together must not be more than 1")
    return faults


Period = Annotated[float, Field(ge=1, allow_inf_nan=False)]
Published = Annotated[float, Field(ge=0), BeforeValidator(lambda value: inf if value == "inf" else value)]
Faults = Annotated[Mapping[Fault, Chance], AfterValidator(_together)]


@dataclass(frozen=True, slots=True, config=STRICT)
class BanLaw:
    """`strikes` violations within the account's window start a ban of `base` s; `forget` s after a ban the next one is a first one again.

    `strikes` 0: no bans. The first `hit_grace` requests during a ban are forgiven. `cap`: the longest ban in s.
    """

    strikes: Count = 5
    base: Number = 60.0
    law: Law = Law.DOUBLE
    cap: Number = 3600.0
    forget: Number = 3600.0
    on_hit: OnHit = OnHit.NONE
    hit_grace: Count = 0


@dataclass(frozen=True, slots=True, config=STRICT)
class Model:
    """`full`: the probability of the capacity 429."""

    full: Chance = 0.0


@dataclass(frozen=True, slots=True, config=STRICT)
class Quota:
    """`total` requests until `reset_at`, of which `used` are gone when the scenario starts; then anew every `period` s."""

    total: Count
    used: Count = 0
    reset_at: Number = 86_400.0
    period: Period = 86_400.0


@dataclass(frozen=True, slots=True, config=STRICT)
class Cap:
    """As `Quota`, in USD: each answer costs `cost`."""

    cap: Number
    used: Number = 0.0
    cost: Number = 0.01
    reset_at: Number = 14_400.0
    period: Period = 14_400.0


@dataclass(frozen=True, slots=True, config=STRICT)
class Latency:
    """Seconds of an answer: lognormal around `median`, clipped to `low` and `high`. `refusal`: seconds that a refusal takes."""

    median: Number = 3.5
    sigma: Number = 0.25
    low: Number = 2.0
    high: Number = 6.0
    refusal: Number = 0.1


@dataclass(frozen=True, slots=True, config=STRICT)
class Hidden:
    """All numbers of one account. `published`: the limit that successes tell of, whatever the real one is."""

    limit: Count = 60
    window: Annotated[float, Field(ge=0.001, allow_inf_nan=False)] = 60.0
    balancers: Annotated[int, Field(ge=1)] = 1
    counter: Counter = Counter.WINDOW
    burst: Count = 5
    ban: BanLaw = BanLaw()
    models: Mapping[str, Model] = field(default_factory=lambda: dict.fromkeys(MODELS, Model()))
    quota: Quota | None = None
    cap4h: Cap | None = None
    valid: bool = True
    published: Published = 60.0
    latency: Latency = Latency()
    faults: Faults = field(default_factory=dict)

    @field_serializer("published", when_used="json")
    def _as_json(self, published: float) -> Any:
        return "inf" if published == inf else published


def merged(hidden: Hidden, changes: object) -> Hidden:
    """`hidden` with the JSON object `changes` merged in, `models` and the other objects deeply. Raises BadSetting."""
    return updated(hidden, spread(changes))


def spread(changes: Any) -> Any:
    """A bare number as the latency is the median; the clipping goes with it, the rest stays as it is."""
    median = changes.get("latency") if isinstance(changes, Mapping) else None
    if isinstance(median, bool) or not isinstance(median, int | float):
        return changes
    return {**changes, "latency": {"median": median, "low": median * 2 / 3.5, "high": median * 6 / 3.5}}
