"""Changes at fixed seconds after the start, `[{"at": 60, "set": {"limit": 4}}, {"at": 90, "ban": 600}]`, and files of whole scenarios."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.standin.behaviour import Behaviour, merged
from agents.standin.faults import BadSetting
from agents.standin.fields import number
from agents.standin.hidden import Hidden


@dataclass(frozen=True, slots=True)
class Change:
    """At `at` s after the start `changes` are merged into the behaviour, and the account is banned for `ban` s (None: it is not)."""

    at: float
    changes: Mapping[str, Any] = field(default_factory=dict)
    ban: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """How the account is at the start, and what changes later, earliest first."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    timeline: tuple[Change, ...] = ()


def scenario(path: str) -> Scenario:
    """The scenario in a JSON file; its `load` is for whoever plays the callers. Raises BadSetting, which names the field."""
    try:
        content = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise BadSetting("scenario", f"{path} can't be read ({error})") from error
    if not isinstance(content, dict):
        raise BadSetting("scenario", "a JSON object is wanted")
    unknown = set(content) - {"about", "horizon", "load", "account", "timeline"}
    if unknown:
        raise BadSetting(f"scenario.{min(unknown)}", "unknown; known are about, horizon, load, account, timeline")
    return _scenario(content)


def _scenario(content: Mapping[str, Any]) -> Scenario:
    try:
        behaviour = merged(Behaviour(Hidden()), content.get("account", {}))
    except BadSetting as error:
        raise error.within("scenario.account") from error
    try:
        return Scenario(behaviour, _entries(content.get("timeline", []), behaviour))
    except BadSetting as error:
        raise error.within("scenario") from error


def parse(text: str, start: Behaviour) -> tuple[Change, ...]:
    """The timeline in the JSON `text`, earliest first, for a behaviour that starts as `start`. Raises BadSetting, which names the entry."""
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadSetting("timeline", f"not JSON ({error})") from error
    return _entries(entries, start)


def _entries(entries: object, start: Behaviour) -> tuple[Change, ...]:
    if not isinstance(entries, list):
        raise BadSetting("timeline", "a JSON list is wanted")
    named = [(f"timeline[{i}]", _change(f"timeline[{i}]", entry)) for i, entry in enumerate(entries)]
    named.sort(key=lambda each: each[1].at)
    for name, change in named:
        start = _fits(name, change, start)
    return tuple(change for _, change in named)


def _fits(name: str, change: Change, behaviour: Behaviour) -> Behaviour:
    try:
        return merged(behaviour, change.changes)
    except BadSetting as error:
        raise error.within(f"{name}.set") from error


def _change(name: str, entry: object) -> Change:
    if not isinstance(entry, dict) or "at" not in entry or not {"at"} < set(entry) <= {"at", "set", "ban"}:
        raise BadSetting(name, 'an object of "at" (seconds) and "set" (settings), "ban" (seconds) or both is wanted')
    at, changes = number(f"{name}.at", entry["at"]), entry.get("set", {})
    return Change(at, changes, number(f"{name}.ban", entry["ban"]) if "ban" in entry else None)
