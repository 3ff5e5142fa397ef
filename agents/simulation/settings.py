"""The settings of a simulated miner, from `name=value` pairs as the settings of the real one are named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

from agents.governor import Limits, Pacing
from agents.standin.faults import BadSetting
from agents.standin.hidden import MODELS


@dataclass(frozen=True, slots=True)
class Miner:
    """What a simulated miner is set to.

    `admin_key`: whether it can read when a cap is reset. `probes`: whether a job probes when a pause ends.
    """

    limits: Limits = field(default_factory=Limits)
    deadline: float = 25.0
    models: tuple[str, ...] = MODELS
    admin_key: bool = True
    probes: bool = True


def with_settings(miner: Miner, pairs: Iterable[str]) -> Miner:
    """`miner` with `name=value` pairs set. Raises BadSetting, which names the setting."""
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name not in READERS:
            raise BadSetting(name, f"unknown; known are {', '.join(READERS)}")
        miner = READERS[name](miner, name, text)
    return miner


def _number(name: str, text: str, least: float = 0.0) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < least:
        raise BadSetting(name, f"a number from {least:g} is wanted")
    return value


def _switch(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise BadSetting(name, "true or false is wanted")
    return text == "true"


def _limit(field_name: str, least: float = 0.0, times: float = 1.0) -> Callable[[Miner, str, str], Miner]:
    def read(miner: Miner, name: str, text: str) -> Miner:
        changes: dict[str, Any] = {field_name: times * _number(name, text, least)}
        return replace(miner, limits=replace(miner.limits, **changes))

    return read


def _ladder(miner: Miner, name: str, text: str) -> Miner:
    ladder = tuple(_number(name, part, 1) for part in text.replace(",", " ").split())
    if not ladder or list(ladder) != sorted(ladder):
        raise BadSetting(name, "pauses in seconds are wanted, none shorter than the one before it")
    return replace(miner, limits=replace(miner.limits, ladder=ladder))


def _pacing(miner: Miner, name: str, text: str) -> Miner:
    if text not in list(Pacing):
        raise BadSetting(name, f"one of {', '.join(Pacing)} is wanted")
    return replace(miner, limits=replace(miner.limits, pacing=Pacing(text)))


def _models(miner: Miner, name: str, text: str) -> Miner:
    models = tuple(part for part in text.replace(",", " ").split() if part)
    if not models:
        raise BadSetting(name, "names of models are wanted")
    return replace(miner, models=models)


READERS: Mapping[str, Callable[[Miner, str, str], Miner]] = {
    "spacing_seconds": _limit("spacing"),
    "backoff_seconds": _ladder,
    "backoff_max_seconds": _limit("longest", 1),
    "key_check_minutes": _limit("key_check", 0.1, 60.0),
    "pacing": _pacing,
    "deadline_seconds": lambda miner, name, text: replace(miner, deadline=_number(name, text, 3)),
    "model_names": _models,
    "admin_key": lambda miner, name, text: replace(miner, admin_key=_switch(name, text)),
    "probe_after_pause": lambda miner, name, text: replace(miner, probes=_switch(name, text)),
}
