"""A scenario file: how long, which load, which hidden account, and what happens to it when. Times are seconds from the start.

The one reader of these files: the stand-in takes the account and its timeline, whoever plays the callers the load and the horizon.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from agents.standin import timeline
from agents.standin.faults import BadSetting
from agents.standin.fields import mapping, merged, number, only_known, span, whole
from agents.standin.hidden import Hidden
from agents.standin.timeline import Change

FIRST_AT = 5.0
STEPS = 12
# Neither a round nor a task may come in no time: there would be no end to them.
LEAST = 0.001


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
class Scenario:
    """One file's content, the timeline earliest first."""

    about: str
    horizon: float
    load: Load
    account: Hidden
    timeline: tuple[Change, ...]


def load_file(path: Path) -> Scenario:
    """The scenario in a file. Raises BadSetting, which names the field."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadSetting("scenario", f"{path} can't be read as JSON ({error})") from error
    return parse(content)


def parse(value: object) -> Scenario:
    """The scenario in a JSON object. Raises BadSetting, which names the field, as `scenario.load.every`."""
    fields = mapping("scenario", value)
    try:
        return _scenario(fields)
    except BadSetting as error:
        raise error.within("scenario") from error


def _scenario(fields: Mapping[str, Any]) -> Scenario:
    only_known(fields, ("about", "horizon", "load", "account", "timeline"))
    account = _account(fields.get("account", {}))
    return Scenario(
        about=str(fields.get("about", "")),
        horizon=number("horizon", _needed(fields, "horizon"), 1),
        load=_load(mapping("load", _needed(fields, "load"))),
        account=account,
        timeline=timeline.read(fields.get("timeline", []), account, merged),
    )


def _needed(fields: Mapping[str, Any], name: str) -> object:
    if name not in fields:
        raise BadSetting(name, "is needed")
    return fields[name]


def _account(value: object) -> Hidden:
    given = mapping("account", value)
    try:
        return merged(Hidden(), given)
    except BadSetting as error:
        raise error.within("account") from error


def _load(fields: Mapping[str, Any]) -> Load:
    if ("every" in fields) == ("per_min" in fields):
        raise BadSetting("load", 'either "every" or "per_min" is wanted')
    try:
        only_known(fields, ("every", "tasks", "per_min", "steps"))
        return Load(
            every=span("every", fields["every"], LEAST) if "every" in fields else (0.0, 0.0),
            tasks=whole("tasks", fields.get("tasks", 1), 1),
            per_min=number("per_min", fields["per_min"], LEAST) if "per_min" in fields else 0.0,
            steps=whole("steps", fields.get("steps", STEPS), 1),
        )
    except BadSetting as error:
        raise error.within("load") from error
