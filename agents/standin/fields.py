"""Readers of the hidden account's JSON: each field to its value, with an error that names the field."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from math import inf
from types import MappingProxyType
from typing import Any, TypeVar

from agents.standin.faults import BadSetting, Fault
from agents.standin.hidden import BanLaw, Cap, Counter, Hidden, Latency, Law, Model, OnHit, Quota

Reader = Callable[[str, object, Any], Any]
LARGEST = sys.float_info.max
Kind = TypeVar("Kind", bound=StrEnum)
T = TypeVar("T")


def merged(hidden: Hidden, changes: object) -> Hidden:
    """`hidden` with the JSON object `changes` merged in, `models` and the other objects deeply. Raises BadSetting."""
    return _fields(hidden, mapping("settings", changes), HIDDEN)


def _fields(value: T, changes: Mapping[str, Any], readers: Mapping[str, Reader]) -> T:
    only_known(changes, readers)
    return replace(value, **{name: readers[name](name, given, getattr(value, name)) for name, given in changes.items()})  # type: ignore[type-var]


def _object(value: T, changes: object, name: str, readers: Mapping[str, Reader]) -> T:
    changes = mapping(name, changes)
    try:
        return _fields(value, changes, readers)
    except BadSetting as error:
        raise error.within(name) from error


def only_known(given: Iterable[str], names: Collection[str]) -> None:
    """Raises BadSetting for the first of the `given` fields that is not one of `names`."""
    for name in given:
        if name not in names:
            raise BadSetting(name, f"unknown; known are {', '.join(names)}")


def mapping(name: str, value: object) -> Mapping[str, Any]:
    """`value` as a JSON object. Raises BadSetting."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise BadSetting(name, "a JSON object is wanted")
    return value


def number(name: str, value: object, least: float = 0.0, most: float = inf) -> float:
    """`value` as a finite number between the two. Raises BadSetting."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= min(most, LARGEST):
        raise BadSetting(name, f"a number from {least:g}{'' if most == inf else f' to {most:g}'} is wanted")
    return float(value)


def whole(name: str, value: object, least: int = 0) -> int:
    """`value` as a whole number. Raises BadSetting."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadSetting(name, f"a whole number from {least} is wanted")
    return value


def span(name: str, value: object, least: float = 0.0) -> tuple[float, float]:
    """`value` as a pair of numbers from `least`, the smaller one first; one number stands for both. Raises BadSetting."""
    pair = value if isinstance(value, list | tuple) else (value, value)
    if len(pair) != 2:
        raise BadSetting(name, "seconds, or a pair of them, are wanted")
    low, high = (number(name, each, least) for each in pair)
    if low > high:
        raise BadSetting(name, "the first of the two must not be larger")
    return low, high


def _number(least: float = 0.0, most: float = inf) -> Reader:
    return lambda name, value, _: number(name, value, least, most)


def _whole(least: int = 0) -> Reader:
    return lambda name, value, _: whole(name, value, least)


def _choice(kinds: type[Kind]) -> Reader:
    def read(name: str, value: object, _: object) -> Kind:
        if value not in list(kinds):
            raise BadSetting(name, f"one of {', '.join(kinds)} is wanted")
        return kinds(str(value))

    return read


def _switch(name: str, value: object, _: object) -> bool:
    if not isinstance(value, bool):
        raise BadSetting(name, "true or false is wanted")
    return value


def _published(name: str, value: object, _: object) -> float:
    return inf if value == "inf" else number(name, value)


def _models(name: str, value: object, known: Mapping[str, Model]) -> Mapping[str, Model]:
    changed = {
        model: _object(known.get(model, Model()), each, f"{name}.{model}", {"full": _number(0, 1)})
        for model, each in mapping(name, value).items()
    }
    return MappingProxyType({**known, **changed})


def _quota(name: str, value: object, known: Quota | None) -> Quota | None:
    return None if value is None else _object(known or Quota(0), _with(name, value, known, "total"), name, QUOTA)


def _cap(name: str, value: object, known: Cap | None) -> Cap | None:
    return None if value is None else _object(known or Cap(0.0), _with(name, value, known, "cap"), name, CAP)


def _with(name: str, value: object, known: object, needed: str) -> object:
    if known is None and needed not in mapping(name, value):
        raise BadSetting(f"{name}.{needed}", "is needed")
    return value


def _latency(name: str, value: object, known: Latency) -> Latency:
    """A bare number is the median; the clipping and the spread go with it."""
    if isinstance(value, Mapping):
        return _object(known, value, name, LATENCY)
    median = number(name, value)
    return replace(known, median=median, low=median * 2 / 3.5, high=median * 6 / 3.5)


def _faults(name: str, value: object, _: object) -> Mapping[Fault, float]:
    faults = {}
    for fault, chance in mapping(name, value).items():
        if fault not in list(Fault):
            raise BadSetting(f"{name}.{fault}", f"unknown; known are {', '.join(Fault)}")
        faults[Fault(fault)] = number(f"{name}.{fault}", chance, 0, 1)
    if sum(faults.values()) > 1 + 1e-9:
        raise BadSetting(name, "the probabilities together must not be more than 1")
    return MappingProxyType(faults)


BAN: dict[str, Reader] = {
    "strikes": _whole(),
    "base": _number(),
    "law": _choice(Law),
    "cap": _number(),
    "forget": _number(),
    "on_hit": _choice(OnHit),
    "hit_grace": _whole(),
}
QUOTA: dict[str, Reader] = {"total": _whole(), "used": _whole(), "reset_at": _number(), "period": _number(1)}
CAP: dict[str, Reader] = {"cap": _number(), "used": _number(), "cost": _number(), "reset_at": _number(), "period": _number(1)}
LATENCY: dict[str, Reader] = {name: _number() for name in ("median", "sigma", "low", "high", "refusal")}


def _ban(name: str, value: object, known: BanLaw) -> BanLaw:
    return _object(known, value, name, BAN)


HIDDEN: dict[str, Reader] = {
    "limit": _whole(),
    "window": _number(0.001),
    "balancers": _whole(1),
    "counter": _choice(Counter),
    "burst": _whole(),
    "ban": _ban,
    "models": _models,
    "quota": _quota,
    "cap4h": _cap,
    "valid": _switch,
    "published": _published,
    "latency": _latency,
    "faults": _faults,
}
