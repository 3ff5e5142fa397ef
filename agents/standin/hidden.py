"""The hidden account's numbers, as a scenario states them. Times are seconds from the scenario's start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from agents.standin.faults import Fault

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
    """What a request during a ban does to it."""

    NONE = "none"
    RESTART = "restart"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class BanLaw:
    """`strikes` violations within the account's window start a ban of `base` s; `forget` s after a ban the next one is a first one again.

    `strikes` 0: no bans. The first `hit_grace` requests during a ban are forgiven. `cap`: the longest ban in s.
    """

    strikes: int = 5
    base: float = 60.0
    law: Law = Law.DOUBLE
    cap: float = 3600.0
    forget: float = 3600.0
    on_hit: OnHit = OnHit.NONE
    hit_grace: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """`full`: the probability of the capacity 429."""

    full: float = 0.0


@dataclass(frozen=True, slots=True)
class Quota:
    """`total` requests until `reset_at`, of which `used` are gone when the scenario starts; then anew every `period` s."""

    total: int
    used: int = 0
    reset_at: float = 86_400.0
    period: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Cap:
    """As `Quota`, in USD: each answer costs `cost`."""

    cap: float
    used: float = 0.0
    cost: float = 0.01
    reset_at: float = 14_400.0
    period: float = 14_400.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of an answer: lognormal around `median`, clipped to `low` and `high`. `refusal`: seconds that a refusal takes."""

    median: float = 3.5
    sigma: float = 0.25
    low: float = 2.0
    high: float = 6.0
    refusal: float = 0.1


@dataclass(frozen=True, slots=True)
class Hidden:
    """All numbers of one account. `published`: the limit that successes tell of, whatever the real one is."""

    limit: int = 60
    window: float = 60.0
    balancers: int = 1
    counter: Counter = Counter.WINDOW
    burst: int = 5
    ban: BanLaw = BanLaw()
    models: Mapping[str, Model] = field(default_factory=lambda: MappingProxyType(dict.fromkeys(MODELS, Model())))
    quota: Quota | None = None
    cap4h: Cap | None = None
    valid: bool = True
    published: float = 60.0
    latency: Latency = Latency()
    faults: Mapping[Fault, float] = field(default_factory=lambda: MappingProxyType({}))
