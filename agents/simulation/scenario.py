"""Scenario files: how long, which load, which hidden account, and what happens to it when. Times are seconds from the start."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from enum import StrEnum
from math import inf
from pathlib import Path
from random import Random
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, field_serializer, model_validator
from pydantic.dataclasses import dataclass

from agents.policy.costs import Caps

# The name of settings as a whole; a field in them is named without it.
SETTINGS = "settings"


class BadSetting(ValueError):
    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"{name}: {expected}")
        self.field, self.expected = name, expected

    def within(self, name: str) -> "BadSetting":
        return BadSetting(name if self.field == SETTINGS else f"{name}.{self.field}", self.expected)


STRICT = ConfigDict(strict=True, extra="forbid", validate_by_name=True)
# Replaced as a whole; other objects are merged deeply.
REPLACED = {"faults", "refuse", "refuse_management"}
# Of several errors the first of these kinds is reported: a field that is missing may only be misspelled.
LATER = {"unexpected_keyword_argument": 0, "missing": 2, "missing_argument": 2}
# What changes are merged into: the hidden account alone, or all of fake Chutes' behaviour.
T = TypeVar("T")


def read(kind: Any, value: object, name: str) -> Any:
    """The JSON value as a `kind`. `name`: of the whole value. Raises BadSetting."""
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
    merged = dict(old)
    for name, value in changes.items():
        is_deep = name not in REPLACED and isinstance(value, Mapping) and isinstance(old.get(name), Mapping)
        merged[name] = _merged(old[name], value) if is_deep else value
    return merged


def _named(error: ValidationError, name: str) -> BadSetting:
    first = min(error.errors(include_url=False), key=lambda problem: LATER.get(problem["type"], 1))
    cause = first.get("ctx", {}).get("error")
    inside = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"] if part != "[key]")
    field = inside.lstrip(".") if name == SETTINGS and inside else f"{name}{inside}"
    if isinstance(cause, BadSetting):
        return cause.within(field)
    is_unknown = first["type"] == "unexpected_keyword_argument"
    return BadSetting(field, "there is no such field" if is_unknown else first["msg"].removeprefix("Value error, "))


def _pair(value: object) -> object:
    return tuple(value) if isinstance(value, list | tuple) else (value, value)


def _ordered(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError("the first of the two must not be larger")
    return pair


Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Some = Annotated[int, Field(ge=1)]
Chance = Annotated[float, Field(ge=0, le=1)]
Period = Annotated[float, Field(ge=1, allow_inf_nan=False)]
# One number stands for both.
Span = Annotated[tuple[Number, Number], AfterValidator(_ordered), BeforeValidator(_pair)]

MODELS = ("google/gemma-4-31B-turbo-TEE", "Qwen/Qwen3-32B-TEE", "deepseek-ai/DeepSeek-V4-Flash-0731-TEE")
Fault = StrEnum("Fault", "HTTP500 HTTP502 HTTP503 HTTP504 SLOW HANG RESET BROKEN MIDSTREAM TRUNCATED EMPTY BADJSON INVALID")
# How the edge counts: a sliding log of accepted requests, or nginx's leaky bucket without delay.
Counter = StrEnum("Counter", "WINDOW LEAKY")
# How long a new ban lasts: twice the one before it, or always the base.
Law = StrEnum("Law", "DOUBLE CONSTANT")
# What a request during a ban does to it.
OnHit = StrEnum("OnHit", "NONE RESTART ESCALATE")


def _together(faults: Mapping[Fault, float]) -> Mapping[Fault, float]:
    if sum(faults.values()) > 1 + 1e-9:
        raise ValueError("the probabilities together must not be more than 1")
    return faults


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
class Model:
    """`full`: the probability of the capacity 429. None: as the account's."""

    full: Chance = 0.0
    latency: Latency | None = None
    faults: Faults | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Hidden:
    """All numbers of one account. `published`: the limit that successes state, whatever the real one is.

    `others`: requests a minute of its other users, at random times, which use up limit and quota; those refused violate nothing.
    """

    limit: Count = 60
    window: Annotated[float, Field(ge=0.001, allow_inf_nan=False)] = 60.0
    balancers: Some = 1
    counter: Counter = Counter.WINDOW
    burst: Count = 5
    ban: BanLaw = BanLaw()
    models: Mapping[str, Model] = field(default_factory=lambda: dict.fromkeys(MODELS, Model()))
    quota: Quota | None = None
    cap4h: Cap | None = None
    valid: bool = True
    published: Annotated[float, Field(ge=0), BeforeValidator(lambda value: inf if value == "inf" else value)] = 60.0
    latency: Latency = Latency()
    others: Number = 0.0
    faults: Faults = field(default_factory=dict)

    @field_serializer("published", when_used="json")
    def _as_json(self, published: float) -> Any:
        return "inf" if published == inf else published


def merged(hidden: Hidden, changes: object) -> Hidden:
    """A bare number as the latency is the median; the bounds scale with it. Raises BadSetting."""
    median = changes.get("latency") if isinstance(changes, Mapping) else None
    if isinstance(changes, Mapping) and isinstance(median, int | float) and not isinstance(median, bool):
        changes = {**changes, "latency": {"median": median, "low": median * 2 / 3.5, "high": median * 6 / 3.5}}
    return updated(hidden, changes)


@dataclass(frozen=True, slots=True, config=STRICT)
class Change:
    """At `at` s after the start `changes`, in JSON `set`, are merged in, and the account is banned for `ban` s; None: not."""

    at: Number
    changes: dict[str, Any] | None = Field(default=None, validation_alias="set")
    ban: Number | None = None

    @model_validator(mode="after")
    def _does_something(self) -> "Change":
        if self.ban is None and self.changes is None:
            raise ValueError('needs "set" (settings), "ban" (seconds) or both')
        return self


def in_order(entries: Sequence[Change], start: T, merge: Callable[[T, object], T], name: str = "timeline") -> tuple[Change, ...]:
    """Earliest first, for what starts as `start` and what `merge` can change. Raises BadSetting, which names the entry and the field."""
    numbered = sorted(enumerate(entries), key=lambda numbered_entry: numbered_entry[1].at)
    for number, change in numbered:
        try:
            start = merge(start, change.changes or {})
        except BadSetting as error:
            raise error.within(f"{name}[{number}].set") from error
    return tuple(change for _, change in numbered)


FIRST_AT = 5.0
# Rounds and tasks need some time between them: otherwise a run would never end.
LEAST = 0.001


def _apart(every: tuple[float, float]) -> tuple[float, float]:
    if every[0] < LEAST:
        raise ValueError(f"must be at least {LEAST} s")
    return every


@dataclass(frozen=True, slots=True, config=STRICT)
class Load:
    """Rounds of `tasks` tasks every `every` seconds (drawn between the two), or a Poisson stream of `per_min` tasks a minute."""

    every: Annotated[Span, AfterValidator(_apart)] = (0.0, 0.0)
    tasks: Some = 1
    per_min: Annotated[float, Field(ge=LEAST, allow_inf_nan=False)] = 0.0
    steps: Some = 12

    @model_validator(mode="after")
    def _is_one(self) -> "Load":
        if (self.every == (0.0, 0.0)) == (self.per_min == 0.0):
            raise ValueError('needs either "every" or "per_min"')
        return self

    def arrivals(self, horizon: float, rng: Random) -> list[float]:
        at, arrivals = FIRST_AT, []
        while at < horizon:
            arrivals += [at] * (1 if self.per_min else self.tasks)
            at += rng.expovariate(self.per_min / 60) if self.per_min else rng.uniform(*self.every)
        return arrivals


@dataclass(frozen=True, slots=True, config=STRICT)
class DailyCaps(Caps):
    attempts: Count = 0
    usd: Number = 0.0


def _account(changes: object) -> Hidden:
    return changes if isinstance(changes, Hidden) else merged(Hidden(), changes)


@dataclass(frozen=True, slots=True, config=STRICT)
class Scenario:
    horizon: Period
    load: Load
    account: Annotated[Hidden, BeforeValidator(_account)] = field(default_factory=Hidden)
    timeline: tuple[Change, ...] = ()
    caps: DailyCaps = field(default_factory=DailyCaps)
    about: str = ""


def load_file(path: Path) -> Scenario:
    """Raises BadSetting, as `parse`."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadSetting("scenario", f"{path} can't be read as JSON ({error})") from error
    return parse(content)


def parse(value: object) -> Scenario:
    """Raises BadSetting, which names the field, as `scenario.load.every`."""
    scenario: Scenario = read(Scenario, value, "scenario")
    return replace(scenario, timeline=in_order(scenario.timeline, scenario.account, merged, "scenario.timeline"))
