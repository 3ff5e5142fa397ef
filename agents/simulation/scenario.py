"""A scenario file: how long, which load, which hidden account, and what happens to it when. Times are seconds from the start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from agents.standin.faults import BadSetting
from agents.standin.fields import mapping, merged, number, whole
from agents.standin.hidden import Hidden

FIRST_AT = 5.0
STEPS = 12


@dataclass(frozen=True, slots=True)
class Load:
    """Rounds of `tasks` tasks every `every` seconds (drawn between the two), or a Poisson stream of `per_min` tasks a minute."""

    every: tuple[float, float] = (0.0, 0.0)
    tasks: int = 1
    per_min: float = 0.0
    steps: int = STEPS

    def arrivals(self, horizon: float, rng: Random) -> list[float]:
        """When each task's first step comes, earliest first."""
        at, arrivals = FIRST_AT, []
        while at < horizon:
            arrivals += [at] * (1 if self.per_min else self.tasks)
            at += rng.expovariate(self.per_min / 60) if self.per_min else rng.uniform(*self.every)
        return arrivals


@dataclass(frozen=True, slots=True)
class Event:
    """At `at`, `changes` are merged into the account, or it is banned for `ban` seconds."""

    at: float
    changes: Mapping[str, Any] | None = None
    ban: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One file's content."""

    about: str
    horizon: float
    load: Load
    account: Hidden
    timeline: tuple[Event, ...]


def load_file(path: Path) -> Scenario:
    """The scenario in a file. Raises BadSetting, which names the field, and OSError."""
    try:
        return parse(json.loads(path.read_text("utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadSetting("file", f"not JSON ({error})") from error


def parse(value: object) -> Scenario:
    """The scenario in a JSON object. Raises BadSetting, which names the field."""
    fields = _known("scenario", value, {"about", "horizon", "load", "account", "timeline"})
    for needed in ("horizon", "load"):
        if needed not in fields:
            raise BadSetting(needed, "is needed")
    account = merged(Hidden(), fields.get("account", {}))
    return Scenario(
        about=str(fields.get("about", "")),
        horizon=number("horizon", fields["horizon"], 1),
        load=_load(fields["load"]),
        account=account,
        timeline=_timeline(fields.get("timeline", []), account),
    )


def _known(name: str, value: object, known: set[str]) -> Mapping[str, Any]:
    fields = mapping(name, value)
    for field in fields:
        if field not in known:
            raise BadSetting(field if name == "scenario" else f"{name}.{field}", f"unknown; known are {', '.join(sorted(known))}")
    return fields


def _load(value: object) -> Load:
    fields = _known("load", value, {"every", "tasks", "per_min", "steps"})
    if ("every" in fields) == ("per_min" in fields):
        raise BadSetting("load", 'either "every" or "per_min" is wanted')
    return Load(
        every=_span("load.every", fields["every"]) if "every" in fields else (0.0, 0.0),
        tasks=whole("load.tasks", fields.get("tasks", 1), 1),
        per_min=number("load.per_min", fields["per_min"], 0.001) if "per_min" in fields else 0.0,
        steps=whole("load.steps", fields.get("steps", STEPS), 1),
    )


def _span(name: str, value: object) -> tuple[float, float]:
    pair = value if isinstance(value, list) else [value, value]
    if len(pair) != 2:
        raise BadSetting(name, "a pair of seconds is wanted")
    low, high = (number(name, each, 0.001) for each in pair)
    if low > high:
        raise BadSetting(name, "the first of the two must not be larger")
    return low, high


def _timeline(value: object, account: Hidden) -> tuple[Event, ...]:
    if not isinstance(value, list):
        raise BadSetting("timeline", "a JSON list is wanted")
    events = sorted((_event(f"timeline[{place}]", each) for place, each in enumerate(value)), key=lambda event: event.at)
    for event in events:
        account = merged(account, event.changes or {}, "timeline.set")
    return tuple(events)


def _event(name: str, value: object) -> Event:
    fields = _known(name, value, {"at", "set", "ban"})
    if "at" not in fields or len(fields) < 2:
        raise BadSetting(name, '"at" with "set" or "ban" is wanted')
    return Event(
        at=number(f"{name}.at", fields["at"]),
        changes=mapping(f"{name}.set", fields["set"]) if "set" in fields else None,
        ban=number(f"{name}.ban", fields["ban"]) if "ban" in fields else None,
    )
