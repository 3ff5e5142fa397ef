"""A scenario file: how long, which load, which hidden account, and what happens to it when. Times are seconds from the start.

The one reader of these files: the fake server takes the account and its timeline, whoever plays the callers the load and the horizon.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from pathlib import Path
from random import Random
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.dataclasses import dataclass

from agents.policy.costs import Caps
from agents.simulation.hidden_account import STRICT, BadSetting, Count, Hidden, Number, Span, merged, read

# What the changes are merged into: the hidden account alone, or all of fake Chutes' behaviour.
T = TypeVar("T")


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
    """The entries, earliest first, for what starts as `start` and what `merge` can change.

    Raises BadSetting, which names the entry and the field in it.
    """
    numbered = sorted(enumerate(entries), key=lambda each: each[1].at)
    for number, change in numbered:
        try:
            start = merge(start, change.changes or {})
        except BadSetting as error:
            raise error.within(f"{name}[{number}].set") from error
    return tuple(change for _, change in numbered)


FIRST_AT = 5.0
STEPS = 12
# Neither a round nor a task may come in no time: there would be no end to them.
LEAST = 0.001


def _apart(every: tuple[float, float]) -> tuple[float, float]:
    if every[0] < LEAST:
        raise ValueError(f"must be at least {LEAST} s")
    return every


def _account(changes: object) -> Hidden:
    return changes if isinstance(changes, Hidden) else merged(Hidden(), changes)


Some = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True, config=STRICT)
class Load:
    """Rounds of `tasks` tasks every `every` seconds (drawn between the two), or a Poisson stream of `per_min` tasks a minute."""

    every: Annotated[Span, AfterValidator(_apart)] = (0.0, 0.0)
    tasks: Some = 1
    per_min: Annotated[float, Field(ge=LEAST, allow_inf_nan=False)] = 0.0
    steps: Some = STEPS

    @model_validator(mode="after")
    def _is_one(self) -> "Load":
        if (self.every == (0.0, 0.0)) == (self.per_min == 0.0):
            raise ValueError('needs either "every" or "per_min"')
        return self

    def arrivals(self, horizon: float, rng: Random) -> list[float]:
        """When each task's first step comes, earliest first."""
        at, arrivals = FIRST_AT, []
        while at < horizon:
            arrivals += [at] * (1 if self.per_min else self.tasks)
            at += rng.expovariate(self.per_min / 60) if self.per_min else rng.uniform(*self.every)
        return arrivals


@dataclass(frozen=True, slots=True, config=STRICT)
class DailyCaps(Caps):
    """The miner's daily caps, none unless the file sets them."""

    attempts: Count = 0
    usd: Number = 0.0


@dataclass(frozen=True, slots=True, config=STRICT)
class Scenario:
    """One file's content, the timeline earliest first."""

    horizon: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    load: Load
    account: Annotated[Hidden, BeforeValidator(_account)] = field(default_factory=Hidden)
    timeline: tuple[Change, ...] = ()
    caps: DailyCaps = field(default_factory=DailyCaps)
    about: str = ""


def load_file(path: Path) -> Scenario:
    """The scenario in a file. Raises BadSetting, which names the field."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadSetting("scenario", f"{path} can't be read as JSON ({error})") from error
    return parse(content)


def parse(value: object) -> Scenario:
    """The scenario in a JSON object. Raises BadSetting, which names the field, as `scenario.load.every`."""
    scenario: Scenario = read(Scenario, value, "scenario")
    return replace(scenario, timeline=in_order(scenario.timeline, scenario.account, merged, "scenario.timeline"))
