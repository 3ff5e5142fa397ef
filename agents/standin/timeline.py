"""Changes of behaviour at fixed seconds after the start: `[{"at": 60, "set": {"limit": 4}}, …]`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agents.standin.behaviour import BadSetting, Behaviour, merged


@dataclass(frozen=True, slots=True)
class Change:
    """`changes` are merged into the behaviour `at` seconds after the start."""

    at: float
    changes: Mapping[str, object]


def parse(text: str) -> tuple[Change, ...]:
    """The timeline in the JSON `text`, earliest first. Raises BadSetting, which names the entry."""
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadSetting("timeline", f"not JSON ({error})") from error
    if not isinstance(entries, list):
        raise BadSetting("timeline", "a JSON list is wanted")
    return tuple(sorted((_change(f"timeline[{i}]", entry) for i, entry in enumerate(entries)), key=lambda change: change.at))


def apply(behaviour: Behaviour, due: Iterable[Change]) -> Behaviour:
    """`behaviour` after the changes `due`, in their order."""
    for change in due:
        behaviour = merged(behaviour, change.changes)
    return behaviour


def _change(name: str, entry: object) -> Change:
    if not isinstance(entry, dict) or set(entry) != {"at", "set"}:
        raise BadSetting(name, 'an object of exactly "at" (seconds) and "set" (settings) is wanted')
    at, changes = entry["at"], entry["set"]
    if isinstance(at, bool) or not isinstance(at, int | float) or at < 0:
        raise BadSetting(f"{name}.at", "a number of seconds from 0 is wanted")
    try:
        merged(Behaviour(), changes)
    except BadSetting as error:
        raise BadSetting(f"{name}.set.{error.field}", str(error).partition(": ")[2]) from error
    return Change(float(at), changes)
