"""How the stand-in behaves, as one frozen value; changes are merged into it from flags, the control port and the timeline alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from random import Random
from types import MappingProxyType
from typing import Any

SIGMA, LOW, HIGH = 0.25, 2 / 3.5, 6 / 3.5  # reported answers: median 3.5 s, nearly all between 2 and 6 s


class Fault(StrEnum):
    """What may go wrong with a request that the edge let through."""

    HTTP500 = "http500"
    HTTP502 = "http502"
    HTTP503 = "http503"
    SLOW = "slow"
    HANG = "hang"
    RESET = "reset"
    BROKEN = "broken"
    MIDSTREAM = "midstream"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    BADJSON = "badjson"
    INVALID = "invalid"


class BadSetting(ValueError):
    """A setting that can't be used; the text names the field and says what is wanted."""

    def __init__(self, name: str, wanted: str) -> None:
        super().__init__(f"{name}: {wanted}")
        self.field = name


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The account's hidden numbers and the answers' manners.

    `limit` accepted requests per `window` s (0: every request gets the 429); `published`: the limit that answers tell of;
    `valid`: whether the key is good; `latency`: median s of an answer (0: at once); `refusal_seconds`: s that a refusal takes;
    `slow_seconds`: s that the fault "slow" takes, between these two; `faults`: probability by fault.
    """

    limit: int = 60
    window: float = 60.0
    published: int = 60
    valid: bool = True
    latency: float = 0.0
    refusal_seconds: float = 0.0
    slow_seconds: tuple[float, float] = (30.0, 90.0)
    faults: Mapping[Fault, float] = field(default_factory=lambda: MappingProxyType({}))


def merged(behaviour: Behaviour, changes: object) -> Behaviour:
    """`behaviour` with the settings in the JSON object `changes` replaced (`faults` as a whole: {} ends them all). Raises BadSetting."""
    if not isinstance(changes, Mapping):
        raise BadSetting("settings", "a JSON object is wanted")
    return replace(behaviour, **{str(name): _read(name, value) for name, value in changes.items()})


def _read(name: object, value: object) -> Any:
    if not isinstance(name, str) or name not in READERS:
        raise BadSetting(str(name), f"unknown; known are {', '.join(READERS)}")
    return READERS[name](name, value)


def _count(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadSetting(name, "a whole number from 0 is wanted")
    return value


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise BadSetting(name, "a number of seconds from 0 is wanted")
    return float(value)


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadSetting(name, "true or false is wanted")
    return value


def _span(name: str, value: object) -> tuple[float, float]:
    pair = value if isinstance(value, list | tuple) else (value, value)
    if len(pair) != 2:
        raise BadSetting(name, "seconds, or a pair of them, are wanted")
    low, high = (_seconds(name, each) for each in pair)
    if low > high:
        raise BadSetting(name, "the first of the two must not be larger")
    return low, high


def _faults(name: str, value: object) -> Mapping[Fault, float]:
    if not isinstance(value, Mapping):
        raise BadSetting(name, "an object of probabilities by fault is wanted")
    faults = {_fault(f"{name}.{fault}", fault): _probability(f"{name}.{fault}", chance) for fault, chance in value.items()}
    if sum(faults.values()) > 1 + 1e-9:  # sums of decimal fractions miss 1 by a hair
        raise BadSetting(name, "the probabilities together must not be more than 1")
    return MappingProxyType(faults)


def _fault(name: str, value: object) -> Fault:
    known = [str(fault) for fault in Fault]
    if value not in known:
        raise BadSetting(name, f"unknown; known are {', '.join(known)}")
    return Fault(str(value))


def _probability(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadSetting(name, "a probability between 0 and 1 is wanted")
    return float(value)


READERS: dict[str, Callable[[str, object], Any]] = {
    "limit": _count,
    "window": _seconds,
    "published": _count,
    "valid": _switch,
    "latency": _seconds,
    "refusal_seconds": _seconds,
    "slow_seconds": _span,
    "faults": _faults,
}


def as_json(behaviour: Behaviour) -> dict[str, Any]:
    """The settings as JSON values, in the form that `merged` reads."""
    values = {each.name: getattr(behaviour, each.name) for each in fields(behaviour)}
    return {**values, "slow_seconds": list(behaviour.slow_seconds), "faults": {str(k): v for k, v in behaviour.faults.items()}}


def draw_fault(behaviour: Behaviour, rng: Random) -> Fault | None:
    """The fault of one request, None for a good answer."""
    roll = rng.random()
    for fault, chance in behaviour.faults.items():
        if roll < chance:
            return fault
        roll -= chance
    return None


def draw_latency(behaviour: Behaviour, rng: Random) -> float:
    """Seconds that one answer takes: lognormal around the median, clipped."""
    factor = rng.lognormvariate(0.0, SIGMA)
    return behaviour.latency * min(max(factor, LOW), HIGH)
